"""The rows of an article: itself, its content and its URLs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from app.catalog.index.keep import IndexedArticle
from app.catalog.tables import article_urls, articles, contents
from app.database.rows import chunked, insert_rows, insert_tuples
from app.importer.serialise import as_json, item_with_topic_ids, item_with_topics, with_added_date_time
from app.importer.spool import NewArticle
from app.importer.tables.article_terms import FiledArticle, terms_json
from app.moments import rfc3339


def added_times(connection: Connection, article_ids: Sequence[int]) -> dict[int, int]:
    """When these articles were added, in seconds from 1970; call it before they are removed."""
    seconds: dict[int, int] = {}
    for ids in chunked(article_ids):
        rows = connection.execute(
            select(articles.c.id, articles.c.oldest_added).where(articles.c.id.in_(ids))
        )
        seconds |= {row.id: row.oldest_added for row in rows}
    return seconds


def with_added_times(
    new_articles: Sequence[NewArticle], added_times: Mapping[int, int], now: str
) -> list[NewArticle]:
    """Articles keep the time at which an import first took them, unless their documents say another."""
    return [
        article._replace(
            content=with_added_date_time(
                article.content,
                rfc3339(datetime.fromtimestamp(added_times[article.article_id], UTC))
                if article.article_id in added_times
                else now,
            )
        )
        for article in new_articles
    ]


def add(connection: Connection, filed: Sequence[FiledArticle]) -> None:
    insert_rows(connection, articles, [_row(article) for article in filed])
    new = [article.article for article in filed]
    insert_tuples(
        connection,
        contents,
        ("article_id", "content", "details"),
        [(article.article_id, article.content.content, article.content.details) for article in new],
    )
    insert_tuples(
        connection,
        article_urls,
        ("url_key", "article_id", "is_page"),
        [
            (url_key, article.article_id, int(url_key == article.content.page_key))
            for article in new
            for url_key in article.content.url_keys
        ],
    )


def indexed(filed: FiledArticle) -> IndexedArticle:
    content = filed.article.content
    return IndexedArticle(
        article_id=filed.article.article_id,
        terms=filed.field_terms,
        published=content.published,
        newest=filed.key.newest,
        newest_updated=int(content.sort_keys["newest_updated"]),
        newest_added=int(content.sort_keys["newest_added"]),
        quality=content.quality,
        heat=content.heat,
        image_count=content.image_count,
        related_count=len(content.link_hashes),
        text=content.text,
    )


def _row(filed: FiledArticle) -> dict[str, object]:
    article, content = filed.article, filed.article.content
    topic_ids = [topic.topic_id for topic in filed.topics]
    has_all = len(filed.topics) == len(content.topics)
    return {
        "id": article.article_id,
        "public_id": article.public_id,
        "source": article.source,
        "path": article.path,
        "published": int(content.published),
        "quality": content.quality,
        "heat": content.heat,
        "image_count": content.image_count,
        "related_count": len(content.link_hashes),
        "topic_names": None if has_all else as_json(content.topics),
        "terms": terms_json(filed.terms),
        "item": item_with_topic_ids(content.item, topic_ids)
        if has_all
        else item_with_topics(content.item, [topic.name for topic in filed.topics], topic_ids),
        **content.sort_keys,
    }
