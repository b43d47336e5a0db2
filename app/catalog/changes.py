"""What changed since a revision, for those who keep a copy. Knows no HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, bindparam, select, tuple_

from app.catalog.orders import story_of
from app.catalog.tables import Ordered, articles, changes, revisions
from app.database.statements import statement


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """`item` is the article as lists show it, None if the asker can no longer see it.

    `item` and `story` are columns of `item_of`. `revised_at` is when the import ran that made the revision,
    as RFC 3339.
    """

    revision: int
    revised_at: str
    public_id: str
    item: str | None
    story: str | None


def changes_after(
    connection: Connection, revision: int, public_id: str, limit: int, *, for_editors: bool
) -> Sequence[ArticleChange]:
    """Each article that the asker may have seen, once, at its last change, in order of revision and id.

    One revision may change thousands of articles, so a place is its number and an id.
    """
    values = {"since": revision, "after_id": public_id, "limit": limit}
    rows = rows_after(connection, for_editors=for_editors).rows(values)
    return [ArticleChange(*row) for row in rows]


@statement
def rows_after(*, for_editors: bool) -> Select[Any]:
    column = changes.c.editor_revision if for_editors else changes.c.public_revision
    visible = articles.c.public_id == changes.c.public_id
    if not for_editors:
        visible = and_(visible, articles.c.published == 1)
    # A join would scan all revisions where SQLite believes that they are few.
    revised_at = select(revisions.c.imported_at).where(revisions.c.revision == column).scalar_subquery()
    place = tuple_(bindparam("since", type_=Integer), bindparam("after_id", type_=Ordered))
    return (
        select(
            column.label("revision"),
            revised_at.label("revised_at"),
            changes.c.public_id,
            articles.c.item,
            story_of("any" if for_editors else "true"),
        )
        .outerjoin(articles, visible)
        .where(column.is_not(None), tuple_(column, changes.c.public_id) > place)
        .order_by(column, changes.c.public_id)
        .limit(bindparam("limit"))
    )
