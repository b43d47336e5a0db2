"""The catalogue's next revision, and which articles changed in it for whom."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from app.catalog.tables import articles, catalogue, changes, documents, revisions
from app.database.rows import in_parts, insert_tuples
from app.documents.article import ArticleDocument
from app.importer.plan import Taken
from app.importer.serialise import public_id

# Of a million revisions two have the same name once in 37 million times.
_NAME_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Before:
    """A document as it was; `public_id` is None for a description, and for an article that nobody may see."""

    kind: str
    public_id: str | None
    published: bool
    view_hash: bytes


def remember(connection: Connection, ids: Sequence[int]) -> dict[int, Before]:
    before = {}
    for part in in_parts(ids):
        query = (
            select(
                documents.c.id,
                documents.c.kind,
                documents.c.view_hash,
                articles.c.public_id,
                articles.c.published,
            )
            .outerjoin(articles, articles.c.id == documents.c.id)
            .where(documents.c.id.in_(part))
        )
        for row in connection.execute(query):
            before[row.id] = Before(row.kind, row.public_id, row.published == 1, row.view_hash)
    return before


def current_revision(connection: Connection) -> int:
    return int(connection.scalars(select(catalogue.c.revision)).one())


def revise(
    connection: Connection, incoming: Iterable[tuple[int, str, Taken]], before: dict[int, Before], now: str
) -> int:
    revision = current_revision(connection)
    any_answer = False
    public: set[str] = set()
    editors: set[str] = set()
    outgoing = dict(before)
    for document_id, source, taken in incoming:
        was = outgoing.pop(document_id, None)
        if was and was.view_hash == taken.shape.view_hash:
            continue
        document = taken.document
        if not isinstance(document, ArticleDocument):
            any_answer = True
            continue
        one = public_id(source, document.path)
        if not document.removed or (was and was.public_id):
            editors.add(one)
        if (document.published and not document.removed) or (was and was.published):
            public.add(one)
    for was in outgoing.values():
        if was.public_id:
            editors.add(was.public_id)
            if was.published:
                public.add(was.public_id)
        elif was.kind != "article":
            any_answer = True
    if not editors and not any_answer:
        return revision
    revision += 1
    name = secrets.token_hex(_NAME_BYTES)
    connection.execute(update(catalogue).values(revision=revision, revision_name=name))
    connection.execute(insert(revisions).values(revision=revision, imported_at=now, name=name))
    _note(connection, public, editors, revision)
    return revision


def _note(connection: Connection, public: set[str], editors: set[str], revision: int) -> None:
    for part in in_parts(sorted(editors)):
        noted = connection.execute(select(changes).where(changes.c.public_id.in_(part))).all()
        last_public = {row.public_id: row.public_revision for row in noted}
        connection.execute(delete(changes).where(changes.c.public_id.in_(part)))
        insert_tuples(
            connection,
            changes,
            ("public_id", "public_revision", "editor_revision"),
            [(one, revision if one in public else last_public.get(one), revision) for one in part],
        )
