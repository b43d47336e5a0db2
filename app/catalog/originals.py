"""Documents as they were imported, with hidden articles, `secured` and unknown keys.

Only the export command reads them: no answer of the service is made of these.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from app.catalog.filters import matching
from app.catalog.paging import StatementPages, every_row
from app.catalog.query import ArticleQuery
from app.catalog.tables import articles, contents, documents, links, related_links, sources

ALL_ARTICLES = ArticleQuery(published="any")


@dataclass(frozen=True, slots=True)
class OriginalArticle:
    """`item` and `related` are those of the API's answers, `topics` all names that the document gives."""

    item: dict[str, Any]
    topics: list[str]
    details: dict[str, Any]
    content: str
    related: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class OriginalDocument:
    """`article` is None for a topic, an organization, and an article that was taken down."""

    source: str
    path: str
    kind: str
    data: dict[str, Any]
    article: OriginalArticle | None


def all_documents(connection: Connection, query: ArticleQuery) -> Iterator[OriginalDocument]:
    """The articles that match, and every topic and organization, by source and path in constant memory.

    A take-down matches ALL_ARTICLES only.
    """
    matches = None if query == ALL_ARTICLES else matching(connection, query).articles()
    order = (sources.c.name, documents.c.path, documents.c.kind)
    listing = StatementPages(_documents(), order, {})
    for row in every_row(connection, listing):
        if matches is None or row.kind != "article" or row.id in matches:
            yield OriginalDocument(
                row.source, row.path, row.kind, json.loads(row.data), _article(connection, row)
            )


@cache
def _documents() -> Select[Any]:
    return select(
        documents.c.id, documents.c.path, documents.c.kind, documents.c.data, sources.c.name.label("source")
    ).join(sources, sources.c.id == documents.c.source_id)


def _article(connection: Connection, row: Row[Any]) -> OriginalArticle | None:
    if row.kind != "article":
        return None
    stored = connection.execute(
        select(articles.c.item, articles.c.topic_names, contents.c.details, contents.c.content)
        .join(contents, contents.c.article_id == articles.c.id)
        .where(articles.c.id == row.id)
    ).one_or_none()
    if stored is None:
        return None
    related = connection.scalars(
        select(links.c.item)
        .join(related_links, related_links.c.link_id == links.c.id)
        .where(related_links.c.article_id == row.id)
        .order_by(related_links.c.position)
    )
    item = json.loads(stored.item)
    return OriginalArticle(
        item,
        json.loads(stored.topic_names) if stored.topic_names else item["topics"],
        json.loads(stored.details),
        stored.content,
        [json.loads(item) for item in related],
    )
