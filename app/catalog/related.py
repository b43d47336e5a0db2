"""One article, its related links, and the articles that mention a URL. Knows no HTTP."""

from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from app.catalog.audience import PUBLISHED_VALUES, Published
from app.catalog.paging import StatementPages
from app.catalog.tables import articles, contents, link_urls, links, related_links
from app.statements import prepared
from app.urls import url_key


def find_article(connection: Connection, public_id: str, *, sees_all: bool) -> Row[Any] | None:
    """Its `id`, `item` and `related_count`; None where a hidden article has this id and may not be seen."""
    statement = prepared(connection, (find_article, sees_all), partial(_articles, sees_all))
    return next(iter(statement.rows(connection, {"public_id": public_id})), None)


def find_whole_article(
    connection: Connection, public_id: str, *, sees_all: bool, max_characters: int | None = None
) -> Row[Any] | None:
    """As `find_article`, with its `details` and its `content`, of which no more is read than asked for."""
    shape = (find_whole_article, sees_all, max_characters)
    statement = prepared(connection, shape, partial(_whole_articles, sees_all, max_characters))
    return next(iter(statement.rows(connection, {"public_id": public_id})), None)


def related_links_of(article_id: int) -> StatementPages:
    """Rows for `link_item`, in the article's order."""
    shape = related_links_of
    return StatementPages(shape, related_rows, [related_links.c.position], {"article_id": article_id})


def link_item(row: Row[Any], *, sees_all: bool) -> str:
    """The related link as JSON. It names the article it leads to only to those who may see that article."""
    is_seen = row.published == 1 or (row.published == 0 and sees_all)
    target = f'"{row.public_id}"' if is_seen else "null"
    return f'{{"position":{row.position},{row.item[1:-1]},"articleId":{target}}}'


def mentions(url: str, published: Published) -> StatementPages:
    """Rows of `public_id`, `item` and `position`, one for each mention, the newest article first."""
    order = (articles.c.newest, articles.c.path, articles.c.source, related_links.c.position)
    return StatementPages(None, partial(_mentions, url, published), order, {})


def count_mentions(connection: Connection, url: str, published: Published) -> int:
    rows = _mentions(url, published).with_only_columns(func.count())
    return int(connection.scalars(rows).one())


def _articles(sees_all: bool) -> Select[Any]:
    rows = select(articles.c.id, articles.c.item, articles.c.related_count)
    rows = rows.where(articles.c.public_id == bindparam("public_id"))
    return rows if sees_all else rows.where(articles.c.published == 1)


def _whole_articles(sees_all: bool, max_characters: int | None) -> Select[Any]:
    content: Any = contents.c.content
    if max_characters is not None:
        content = func.substr(content, 1, max_characters)
    rows = _articles(sees_all).add_columns(content.label("content"), contents.c.details)
    return rows.join(contents, contents.c.article_id == articles.c.id)


def related_rows() -> Select[Any]:
    """Its named parameter is `article_id`."""
    return (
        select(related_links.c.position, links.c.item, articles.c.public_id, articles.c.published)
        .join(links, links.c.id == related_links.c.link_id)
        .outerjoin(articles, articles.c.id == links.c.target_article_id)
        .where(related_links.c.article_id == bindparam("article_id"))
    )


def _mentions(url: str, published: Published) -> Select[Any]:
    with_url = select(link_urls.c.link_id).where(link_urls.c.url_key == url_key(url))
    # A URL is mentioned by few articles. `+ 0` keeps the planner from using the order's index, which would
    # scan all articles.
    is_seen = (articles.c.published + 0).in_(PUBLISHED_VALUES[published])
    return (
        select(articles.c.public_id, articles.c.item, related_links.c.position)
        .join(related_links, related_links.c.article_id == articles.c.id)
        .where(related_links.c.link_id.in_(with_url), is_seen)
    )
