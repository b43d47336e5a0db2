"""The table of documents. What hangs on a document, its article with all that is of it, goes with its row."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, update

from app.catalog.tables import documents
from app.database.rows import chunked, insert_rows
from app.importer.plan import DocumentToWrite, SameMeaning
from app.importer.serialise import problems_json


def refresh(connection: Connection, same_meaning: Sequence[SameMeaning]) -> None:
    """The columns that depend on a document's bytes alone."""
    is_the_document = documents.c.id == bindparam("document_id")
    for part in chunked(same_meaning):
        connection.execute(
            update(documents).where(is_the_document),
            [
                {
                    "document_id": document.document_id,
                    "bytes_hash": document.bytes_hash,
                    "warnings": problems_json(document.warnings),
                }
                for document in part
            ],
        )


def remove(connection: Connection, ids: Sequence[int]) -> None:
    connection.execute(delete(documents).where(documents.c.id.in_(ids)))


def add(connection: Connection, new_documents: Sequence[DocumentToWrite]) -> None:
    insert_rows(
        connection,
        documents,
        [
            {
                "id": document.document_id,
                "source_id": document.source.id,
                "path": document.content.path,
                "kind": document.content.kind,
                "bytes_hash": document.bytes_hash,
                "meaning_hash": document.content.meaning_hash,
                "view_hash": document.content.view_hash,
                "warnings": problems_json(document.warnings),
                "data": document.content.data,
            }
            for document in new_documents
        ],
    )
