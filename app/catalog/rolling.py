"""Durations back from now as dates, for links that must mean the same later. Knows no HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Select, bindparam, select

from app.catalog.audience import PUBLISHED_VALUES
from app.catalog.query import ArticleQuery, Moment
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import articles
from app.database.statements import statement

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The sort key by which articles leave each parameter's range: it ascends away from what is selected.
_SORT_KEY_OUTWARDS: Final = {
    "published_from": "newest",
    "published_before": "oldest",
    "updated_from": "newest_updated",
    "updated_before": "oldest_updated",
    "added_from": "newest_added",
    "added_before": "oldest_added",
}

Q = TypeVar("Q", bound=ArticleQuery)


def with_fixed_dates(connection: Connection, query: Q) -> Q:
    """The query with each duration at the farthest date that selects no other article.

    The moment itself changes every second, and with it a link and the ETag of the page that has it. This date
    stays until some article crosses it:

        publishedFrom=P7D   ...  Monday's article | a week ago  Tuesday's article  ...  now
                            from one second after ^
    """
    update = {}
    for name, column in _SORT_KEY_OUTWARDS.items():
        moment: Moment | None = getattr(query, name)
        if moment and moment.duration:
            at = _farthest_date(connection, moment.at, column, PUBLISHED_VALUES[query.published])
            update[name] = moment._replace(at=at)
    return query.model_copy(update=update) if update else query


def _farthest_date(connection: Connection, at: datetime, column: str, published: tuple[int, ...]) -> datetime:
    seconds = (at - _EPOCH) // timedelta(seconds=1)
    goes_back = column.startswith("newest")
    # `publishedFrom` includes its own second, `publishedBefore` does not.
    last_selected = -seconds if goes_back else seconds - 1
    rows = [
        row
        for value in published
        for row in first_beyond(connection, column).rows({"published": value, "key": last_selected})
    ]
    first_not_selected = min((row.key for row in rows), default=UNKNOWN)
    if first_not_selected == UNKNOWN:
        return (datetime.min if goes_back else datetime.max.replace(microsecond=0)).replace(tzinfo=UTC)
    return _EPOCH + timedelta(seconds=1 - first_not_selected if goes_back else first_not_selected)


@statement
def first_beyond(column: str) -> Select[Any]:
    """Its named parameters are `published` and the last `key` that is selected."""
    key = articles.c[column]
    rows = select(key.label("key")).where(articles.c.published == bindparam("published"))
    return rows.where(key > bindparam("key")).order_by(key).limit(1)
