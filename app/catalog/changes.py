"""What changed since a revision, for those who keep a copy. Knows no HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, bindparam, select, tuple_

from app.catalog.tables import Ordered, articles, changes
from app.statements import prepared


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """`item` is the article as lists show it, None where it is gone for the asker."""

    revision: int
    public_id: str
    item: str | None


def changes_after(
    connection: Connection, revision: int, public_id: str, limit: int, *, for_editors: bool
) -> Sequence[ArticleChange]:
    """Each article once, at its last change, in order of revision and id; nothing the asker never saw.

    A revision may change thousands, so a place in it is its number and an id.
    """
    statement = prepared(connection, (rows_after, for_editors), partial(rows_after, for_editors=for_editors))
    values = {"since": revision, "after_id": public_id, "limit": limit}
    return [ArticleChange(*row) for row in statement.rows(connection, values)]


def rows_after(*, for_editors: bool) -> Select[Any]:
    column = changes.c.editor_revision if for_editors else changes.c.public_revision
    visible = articles.c.public_id == changes.c.public_id
    if not for_editors:
        visible = and_(visible, articles.c.published == 1)
    here = tuple_(bindparam("since", type_=Integer), bindparam("after_id", type_=Ordered))
    return (
        select(column.label("revision"), changes.c.public_id, articles.c.item)
        .outerjoin(articles, visible)
        .where(column.is_not(None), tuple_(column, changes.c.public_id) > here)
        .order_by(column, changes.c.public_id)
        .limit(bindparam("limit"))
    )
