"""One article, its related links, and the articles that mention a URL. Knows no HTTP."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, or_, select

from app.catalog.audience import PUBLISHED_VALUES, Published
from app.catalog.orders import list_columns
from app.catalog.paging import StatementPages
from app.catalog.tables import articles, contents, link_urls, links, related_links, sources
from app.database.statements import statement
from app.urls import url_key


def find_article(connection: Connection, public_id: str, *, sees_all: bool) -> Row[Any] | None:
    """Its `id`, `item` and `related_count`; None where a hidden article has this id and may not be seen."""
    rows = _articles(connection, sees_all).rows({"public_id": public_id})
    return next(iter(rows), None)


def find_whole_article(
    connection: Connection, public_id: str, *, sees_all: bool, max_characters: int | None = None
) -> Row[Any] | None:
    """The article of `find_article` with its `details`, its source's `base_url`, and its `content`.

    Of the content no more is read than `max_characters`.
    """
    rows = _whole_articles(connection, sees_all, max_characters).rows({"public_id": public_id})
    return next(iter(rows), None)


def related_links_of(article_id: int) -> StatementPages:
    """Rows for `link_item`, in the article's order."""
    return StatementPages(related_rows(), (related_links.c.position,), {"article_id": article_id})


def link_item(row: Row[Any], *, sees_all: bool) -> str:
    """The related link as JSON. It names the article it leads to only to those who may see that article."""
    is_seen = row.published == 1 or (row.published == 0 and sees_all)
    target = f'"{row.public_id}"' if is_seen else "null"
    return f'{{"position":{row.position},{row.item[1:-1]},"articleId":{target}}}'


def mentions(url: str, published: Published) -> StatementPages:
    """Rows of `public_id`, `item` and `position`, one for each mention, the newest article first."""
    order = (articles.c.newest, articles.c.path, articles.c.source, related_links.c.position)
    return StatementPages(_mentions(published), order, {"url_key": url_key(url)})


def count_mentions(connection: Connection, url: str, published: Published) -> int:
    [row] = _count_of_mentions(connection, published).rows({"url_key": url_key(url)})
    return int(row.mentions)


@statement
def _articles(sees_all: bool) -> Select[Any]:
    rows = select(*list_columns("any" if sees_all else "true"), articles.c.related_count)
    rows = rows.where(articles.c.public_id == bindparam("public_id"))
    return rows if sees_all else rows.where(articles.c.published == 1)


@statement
def _whole_articles(sees_all: bool, max_characters: int | None) -> Select[Any]:
    content: Any = contents.c.content
    if max_characters is not None:
        content = func.substr(content, 1, max_characters)
    rows = _articles.build(sees_all).add_columns(
        content.label("content"), contents.c.details, sources.c.base_url
    )
    return rows.join(contents, contents.c.article_id == articles.c.id).join(
        sources, sources.c.name == articles.c.source
    )


@cache
def related_rows() -> Select[Any]:
    """Its named parameter is `article_id`."""
    return (
        select(related_links.c.position, links.c.item, articles.c.public_id, articles.c.published)
        .join(links, links.c.id == related_links.c.link_id)
        .outerjoin(articles, articles.c.id == links.c.target_article_id)
        .where(related_links.c.article_id == bindparam("article_id"))
    )


@cache
def _mentions(published: Published) -> Select[Any]:
    with_url = select(link_urls.c.link_id).where(link_urls.c.url_key == bindparam("url_key"))
    # A URL is mentioned by few articles. `+ 0` keeps the planner from using the order's index, which would
    # scan all articles.
    is_seen = or_(*(articles.c.published + 0 == value for value in PUBLISHED_VALUES[published]))
    return (
        select(articles.c.public_id, articles.c.item, related_links.c.position)
        .join(related_links, related_links.c.article_id == articles.c.id)
        .where(related_links.c.link_id.in_(with_url), is_seen)
    )


@statement
def _count_of_mentions(published: Published) -> Select[Any]:
    return _mentions(published).with_only_columns(func.count().label("mentions"))
