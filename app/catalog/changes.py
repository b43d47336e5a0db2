"""What changed since a revision, for those who keep a copy. Knows no HTTP."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Row, Select, and_, bindparam, select, tuple_

from app.catalog.orders import item_with_story
from app.catalog.tables import Ordered, articles, changes, revisions
from app.database.statements import statement


def changes_after(
    connection: Connection, revision: int, public_id: str, limit: int, *, for_editors: bool
) -> Sequence[Row[Any]]:
    """Each article that the asker may have seen, once, at its last change, in order of revision and id.

    Rows of `revision`, `revised_at` (RFC 3339), `public_id`, `id` and `item`, the last two None if the asker
    can no longer see the article. One revision may change thousands of articles, so a place is its number
    and an id.
    """
    values = {"since": revision, "after_id": public_id, "limit": limit}
    return rows_after(connection, for_editors=for_editors).rows(values)


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
            articles.c.id,
            item_with_story("any" if for_editors else "true"),
        )
        .outerjoin(articles, visible)
        .where(column.is_not(None), tuple_(column, changes.c.public_id) > place)
        .order_by(column, changes.c.public_id)
        .limit(bindparam("limit"))
    )
