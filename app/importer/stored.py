"""What the catalogue has of a source before an import, and what it says of sources after it."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select, update

from app.catalog.tables import articles, catalogue, documents, sources
from app.documents.problems import Problem
from app.importer.plan import Source, StoredDocument, StoredDocuments

# PostgreSQL would send all rows at once, and the driver would hold them.
_ROWS_AT_ONCE = 1_000


def source_named(connection: Connection, name: str, new_base_url: str | None) -> Source:
    """Makes it where it is new, and changes its base URL where another one is wanted."""
    stored = connection.execute(select(sources).where(sources.c.name == name)).one_or_none()
    if stored is None:
        source_id = (connection.scalar(select(func.max(sources.c.id))) or 0) + 1
        connection.execute(insert(sources).values(id=source_id, name=name, base_url=new_base_url))
        return Source(source_id, name, new_base_url)
    if new_base_url and new_base_url != stored.base_url:
        connection.execute(update(sources).where(sources.c.id == stored.id).values(base_url=new_base_url))
    return Source(stored.id, name, new_base_url or stored.base_url)


def stored_documents(connection: Connection, source: Source, parts: Sequence[str]) -> StoredDocuments:
    """Those at these paths and below them; without parts, all of the source."""
    query = select(
        documents.c.path,
        documents.c.kind,
        documents.c.id,
        documents.c.bytes_hash,
        documents.c.meaning_hash,
        documents.c.warnings,
    ).where(documents.c.source_id == source.id)
    stored = StoredDocuments()
    rows = connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    for path, kind, document_id, bytes_hash, meaning_hash, warnings in rows:
        if not parts or any(part in (".", path) or path.startswith(f"{part}/") for part in parts):
            document = StoredDocument(document_id, bytes_hash, meaning_hash, _problems(warnings))
            stored.add(path, kind, document)
    return stored


def next_document_id(connection: Connection) -> int:
    return (connection.scalar(select(func.max(documents.c.id))) or 0) + 1


def contradictions(connection: Connection, names: Sequence[str]) -> list[Problem]:
    """Where documents of these sources describe one thing twice, or in a circle."""
    warnings = json.loads(connection.scalars(select(catalogue.c.warnings)).one())
    return [Problem(*problem) for source, *problem in warnings if source in names]


def count_unpublished(connection: Connection, names: Sequence[str]) -> int:
    unpublished = (articles.c.published == 0) & articles.c.source.in_(names)
    return connection.scalars(select(func.count()).where(unpublished)).one()


def _problems(warnings: str) -> tuple[Problem, ...]:
    # Nearly no document has any.
    return () if warnings == "[]" else tuple(Problem(*problem) for problem in json.loads(warnings))
