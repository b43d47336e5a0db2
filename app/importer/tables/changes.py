"""The catalogue's next revision, and which articles changed in it for whom."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from app.catalog.tables import articles, catalogue, changes, documents, revisions
from app.database.rows import chunked, insert_tuples
from app.importer.plan import DocumentToWrite

# Of a million revisions two have the same name once in 37 million times.
_NAME_BYTES: Final = 8


class DocumentBefore(NamedTuple):
    """A document that another one takes the place of. An article that is taken down is not visible."""

    view_hash: bytes
    is_visible: bool
    is_published: bool


class ChangeLog:
    """Tell it what is removed, what is replaced, then what is added.

    `editors` and `public` are the audiences: editors see what is not published too.
    """

    def __init__(self, connection: Connection) -> None:
        self.revision = int(connection.scalars(select(catalogue.c.revision)).one())
        self._is_new = False
        # Packed to a hash and a byte of two flags, with 200 bytes for each document with its place in here.
        self._before: dict[int, bytes] = {}

    def remove(self, connection: Connection, document_ids: Sequence[int]) -> None:
        """Documents that nothing takes the place of; their rows are there yet."""
        for ids in chunked(document_ids):
            public, editors = set(), set()
            for row in _documents_with_articles(connection, ids):
                if row.public_id is not None:
                    editors.add(row.public_id)
                    if row.published:
                        public.add(row.public_id)
                elif row.kind != "article":
                    self._is_new = True
            self._write_changes(connection, public, editors)

    def replace(self, connection: Connection, document_ids: Sequence[int]) -> None:
        """Documents that others take the place of, each by its id; their rows are there yet."""
        for ids in chunked(document_ids):
            for row in _documents_with_articles(connection, ids):
                flags = (row.public_id is not None) + 2 * (row.published == 1)
                self._before[row.id] = row.view_hash + bytes([flags])

    def add(self, connection: Connection, new_documents: Iterable[DocumentToWrite]) -> None:
        public, editors = set(), set()
        for document in new_documents:
            content = document.content
            before = self._pop_before(document.document_id)
            if before and before.view_hash == content.view_hash:
                continue
            if content.public_id is None:
                self._is_new = True
                continue
            if content.article or (before and before.is_visible):
                editors.add(content.public_id)
            if (content.article and content.article.published) or (before and before.is_published):
                public.add(content.public_id)
        self._write_changes(connection, public, editors)

    def note_articles(self, connection: Connection, public: set[str], editors: set[str]) -> None:
        """What lists say of these articles changed, although their documents did not."""
        self._write_changes(connection, public, editors)

    def note_other_answers(self) -> None:
        """Answers changed that are not those of lists."""
        self._is_new = True

    def write(self, connection: Connection, now: str) -> int:
        """Returns the revision, which is a new one if any answer changed."""
        if not self._is_new:
            return self.revision
        self.revision += 1
        name = secrets.token_hex(_NAME_BYTES)
        connection.execute(update(catalogue).values(revision=self.revision, revision_name=name))
        connection.execute(insert(revisions).values(revision=self.revision, imported_at=now, name=name))
        return self.revision

    def _pop_before(self, document_id: int) -> DocumentBefore | None:
        packed = self._before.pop(document_id, None)
        if packed is None:
            return None
        flags = packed[-1]
        return DocumentBefore(packed[:-1], bool(flags & 1), bool(flags & 2))

    def _write_changes(self, connection: Connection, public: set[str], editors: set[str]) -> None:
        if not editors:
            return
        self._is_new = True
        revision = self.revision + 1
        for ids in chunked(sorted(editors)):
            stored = connection.execute(select(changes).where(changes.c.public_id.in_(ids))).all()
            last_public = {row.public_id: row.public_revision for row in stored}
            connection.execute(delete(changes).where(changes.c.public_id.in_(ids)))
            insert_tuples(
                connection,
                changes,
                ("public_id", "public_revision", "editor_revision"),
                [(id_, revision if id_ in public else last_public.get(id_), revision) for id_ in ids],
            )


def _documents_with_articles(connection: Connection, ids: Sequence[int]) -> Sequence[Row[tuple[object, ...]]]:
    columns = (
        documents.c.id,
        documents.c.kind,
        documents.c.view_hash,
        articles.c.public_id,
        articles.c.published,
    )
    query: Select[tuple[object, ...]] = (
        select(*columns).outerjoin(articles, articles.c.id == documents.c.id).where(documents.c.id.in_(ids))
    )
    return connection.execute(query).all()
