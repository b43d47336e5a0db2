"""Where a URL occurs: the articles that have it, and those that mention it."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from app.catalog.audience import PUBLISHED_VALUES, Published
from app.catalog.tables import articles, link_urls, related_links
from app.urls import url_key


def mentions(url: str, published: Published) -> tuple[Select[Any], tuple[ColumnElement[Any], ...]]:
    """Rows of public_id, item, position, one for each mention, the newest article first."""
    of_url = select(link_urls.c.link_id).where(link_urls.c.url_key == url_key(url))
    # From the link to its few articles: their order's index must not be taken for the way, past them all.
    is_seen = (articles.c.published + 0).in_(PUBLISHED_VALUES[published])
    rows = (
        select(articles.c.public_id, articles.c.item, related_links.c.position)
        .join(related_links, related_links.c.article_id == articles.c.id)
        .where(related_links.c.link_id.in_(of_url), is_seen)
    )
    return rows, (articles.c.newest, articles.c.path, articles.c.source, related_links.c.position)


def count_of_rows(rows: Select[Any]) -> Select[Any]:
    return rows.with_only_columns(func.count())
