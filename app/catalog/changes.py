"""What changed since a revision, for those who keep a copy. Knows no HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select, tuple_

from app.catalog.tables import articles, changes


@dataclass(frozen=True, slots=True)
class Change:
    """`item` is the article as lists show it, None where it is gone for the asker."""

    revision: int
    public_id: str
    item: str | None


def changes_after(
    connection: Connection, revision: int, public_id: str, limit: int, *, for_editors: bool
) -> Sequence[Change]:
    """Each article once, at its last change, in order of revision and id; nothing the asker never saw.

    A revision may change thousands, so a place in it is its number and an id.
    """
    column = changes.c.editor_revision if for_editors else changes.c.public_revision
    visible = articles.c.public_id == changes.c.public_id
    if not for_editors:
        visible = and_(visible, articles.c.published == 1)
    rows = connection.execute(
        select(column.label("revision"), changes.c.public_id, articles.c.item)
        .outerjoin(articles, visible)
        .where(column.is_not(None), tuple_(column, changes.c.public_id) > tuple_(revision, public_id))
        .order_by(column, changes.c.public_id)
        .limit(limit)
    )
    return [Change(row.revision, row.public_id, row.item) for row in rows]
