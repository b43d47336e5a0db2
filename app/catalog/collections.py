"""Collections and versions: the articles that another one lists, or that are captures of the same page.

To those who may not see an article it is as if it never was: a collection names its path, as it does that of
an article that is not there.
"""

import json
from collections.abc import Collection
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from app.catalog.audience import Published, member_id_of
from app.catalog.orders import item_with_story
from app.catalog.paging import StatementPages
from app.catalog.tables import article_urls, articles, collection_items
from app.database.statements import statement
from app.printable import compact_json

# `+ 0` keeps the planner from using an order's index, which would scan all articles.
_IS_PUBLISHED: Final = articles.c.published + 0 == 1


# A page of a list has as many. A front page that was captured every hour has thousands, some 100 bytes each.
MAX_VERSIONS: Final = 200


def items_of(article_id: int, published: Published) -> StatementPages:
    """Rows for `collection_item`, in the collection's order."""
    order = (collection_items.c.position,)
    return StatementPages(_items(published), order, {"article_id": article_id})


def count_items(connection: Connection, article_id: int) -> int:
    [row] = _count(connection).rows({"article_id": article_id})
    return int(row.items)


def collection_item(row: Row[Any]) -> str:
    """An item as JSON; without an article where none is at its path, or none that the asker may see."""
    return f'{{"position":{row.position},"path":{compact_json(row.path)},"article":{row.item or "null"}}}'


def collections_with(connection: Connection, article_id: int, published: Published) -> str:
    """The collections that have the article, by title, as JSON."""
    rows = _collections(connection, published).rows({"article_id": article_id})
    found = {(json.loads(row.item)["title"], row.public_id) for row in rows}
    return compact_json([{"id": id_, "title": title} for title, id_ in sorted(found)])


def versions_of(connection: Connection, article_id: int, published: Published) -> str:
    """What single articles say of their other versions, as JSON."""
    items = version_items(connection, article_id, published)
    return compact_json([{key: item[key] for key in ("id", "title", "publishedDateTime")} for item in items])


def version_items(
    connection: Connection, article_id: int, published: Published, most: int | None = None
) -> list[dict[str, Any]]:
    """The other articles with the same page, the newest first; the nearest in time where there are more."""
    rows = _versions(connection, published).rows({"article_id": article_id, "most": most or MAX_VERSIONS})
    newest_first = sorted(rows, key=lambda row: (row.newest, row.path, row.source))
    return [json.loads(row.item) for row in newest_first]


def details_with_missing_items(
    connection: Connection, article_id: int, details: str, published: Published
) -> str:
    """The details as JSON, in which of a collection's items only those are left that no article has."""
    if '"items":' not in details:
        return details
    values = json.loads(details)
    listed = values.get("items")
    rows = _positions(connection, published).rows({"article_id": article_id})
    missing = _without(listed if isinstance(listed, list) else [listed], {row.position for row in rows})
    if missing and listed is not None:
        values["items"] = missing if isinstance(listed, list) else listed
    else:
        values.pop("items", None)
    return compact_json(values)


def _without(values: list[Any], positions: Collection[int]) -> list[Any]:
    return [value for position, value in enumerate(values) if position not in positions]


@cache
def _items(published: Published) -> Select[Any]:
    return (
        select(collection_items.c.position, collection_items.c.path, item_with_story(published))
        .outerjoin(articles, articles.c.id == member_id_of(collection_items, published))
        .where(collection_items.c.article_id == bindparam("article_id"))
    )


@statement
def _positions(published: Published) -> Select[Any]:
    """The items that have an article."""
    return select(collection_items.c.position).where(
        collection_items.c.article_id == bindparam("article_id"),
        member_id_of(collection_items, published).is_not(None),
    )


@statement
def _count() -> Select[Any]:
    count = func.count().label("items")
    return select(count).where(collection_items.c.article_id == bindparam("article_id"))


@statement
def _collections(published: Published) -> Select[Any]:
    rows = (
        select(articles.c.public_id, articles.c.item)
        .join(collection_items, collection_items.c.article_id == articles.c.id)
        .where(member_id_of(collection_items, published) == bindparam("article_id"))
    )
    return rows.where(_IS_PUBLISHED) if published == "true" else rows


@statement
def _versions(published: Published) -> Select[Any]:
    own, article = article_urls.alias("own"), articles.alias("article")
    # Their ids come first: sorting their items would read megabytes.
    nearest = (
        select(articles.c.id)
        .join(article_urls, article_urls.c.article_id == articles.c.id)
        .join(own, own.c.url_key == article_urls.c.url_key)
        .join(article, article.c.id == own.c.article_id)
        .where(
            own.c.article_id == bindparam("article_id"),
            own.c.is_page == 1,
            article_urls.c.is_page == 1,
            article_urls.c.article_id != own.c.article_id,
        )
        .order_by(func.abs(articles.c.oldest - article.c.oldest), articles.c.path, articles.c.source)
        .limit(bindparam("most"))
    )
    if published == "true":
        nearest = nearest.where(_IS_PUBLISHED)
    columns = articles.c.item, articles.c.newest, articles.c.path, articles.c.source
    return select(*columns).where(articles.c.id.in_(nearest))
