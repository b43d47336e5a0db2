"""The catalogue's next revision, and which articles changed in it for whom."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Final, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from app.catalog.tables import articles, catalogue, changes, documents, revisions
from app.database.rows import chunked, insert_tuples
from app.importer.plan import DocumentToWrite
from app.importer.serialise import DIGEST_BYTES

# Two of a million revisions have the same name once in 37 million times.
_NAME_BYTES: Final = 8
# Two of a document's lists of terms are taken for one once in 2**64 times.
_TERMS_DIGEST_BYTES: Final = 8


class DocumentBefore(NamedTuple):
    """A document that another one takes the place of. An article that is taken down is not visible.

    `terms_digest` is of what its article was filed under: topics have ids that no document says.
    """

    view_hash: bytes
    terms_digest: bytes
    is_visible: bool
    is_published: bool


class ChangeLog:
    """Tell it what is removed, what is replaced, then what is added.

    `editors` and `public` are the audiences: editors see what is not published too. Where `searches_differ`,
    answers may have changed although no article did.
    """

    def __init__(self, connection: Connection, *, searches_differ: bool) -> None:
        self.revision = int(connection.scalars(select(catalogue.c.revision)).one())
        self._is_new = searches_differ
        # Packed to two hashes and a byte of flags, with 220 bytes for each document with its place in here.
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
                self._before[row.id] = row.view_hash + _digest_of_terms(row.terms) + bytes([flags])

    def add(
        self,
        connection: Connection,
        new_documents: Iterable[DocumentToWrite],
        terms: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """`terms` are those that articles are filed under now, as stored, by the ids of their documents."""
        public, editors = set(), set()
        for document in new_documents:
            content = document.content
            before = self._pop_before(document.document_id)
            if (
                before
                and before.view_hash == content.view_hash
                and before.terms_digest == _digest_of_terms(terms.get(document.document_id))
            ):
                continue
            if content.public_id is None:
                self._is_new = True
                continue
            if content.article or (before and before.is_visible):
                editors.add(content.public_id)
            if (content.article and content.article.published) or (before and before.is_published):
                public.add(content.public_id)
        self._write_changes(connection, public, editors)

    def note_other_answers(self) -> None:
        """Answers changed that are not those of lists."""
        self._is_new = True

    def note_articles(self, connection: Connection, public: Set[str], editors: Set[str]) -> None:
        """Articles whose items are others than before although their documents are not, by their ids."""
        self._write_changes(connection, public, editors)

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
        view_hash, terms_digest, flags = packed[:DIGEST_BYTES], packed[DIGEST_BYTES:-1], packed[-1]
        return DocumentBefore(view_hash, terms_digest, bool(flags & 1), bool(flags & 2))

    def _write_changes(self, connection: Connection, public: Set[str], editors: Set[str]) -> None:
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


def _digest_of_terms(terms: str | None) -> bytes:
    """None where no article is stored: it is taken down, or the document describes something."""
    return hashlib.blake2b((terms or "[]").encode(), digest_size=_TERMS_DIGEST_BYTES).digest()


def _documents_with_articles(connection: Connection, ids: Sequence[int]) -> Sequence[Row[tuple[object, ...]]]:
    columns = (
        documents.c.id,
        documents.c.kind,
        documents.c.view_hash,
        articles.c.public_id,
        articles.c.published,
        articles.c.terms,
    )
    query: Select[tuple[object, ...]] = (
        select(*columns).outerjoin(articles, articles.c.id == documents.c.id).where(documents.c.id.in_(ids))
    )
    return connection.execute(query).all()
