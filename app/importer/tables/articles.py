"""The rows of an article: itself, its content, its words and its URLs."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from app.catalog.index.words import Texts, word_texts
from app.catalog.sort_keys import sort_keys
from app.catalog.tables import article_urls, article_words, articles, contents
from app.database.rows import in_parts, insert_rows, insert_tuples
from app.importer.serialise import Written, as_json, item_json, public_id, url_keys
from app.importer.tables.article_terms import Filed, _terms_json
from app.importer.topic_groups import Topics
from app.importer.workers import Processes
from app.names import fold_of_document as fold

# Rows of so many articles are in memory at once while they are written.
_ARTICLES_AT_ONCE = 500


def write_articles(
    connection: Connection,
    topics: Topics,
    found: Sequence[Written],
    filed: Mapping[int, Filed],
    processes: Processes,
) -> None:
    parts = list(in_parts(found, _ARTICLES_AT_ONCE))
    texts = ([_texts(each) for each in part] for part in parts)
    # The workers begin anew: the links that they remember would add to the memory that words need.
    processes.renew()
    words = processes.map(word_texts, texts)
    for part, rows in zip(parts, words, strict=True):
        insert_rows(connection, articles, [_article(topics, each, filed[each.article_id]) for each in part])
        insert_tuples(
            connection,
            contents,
            ("article_id", "content", "details"),
            [(each.article_id, each.document.content, as_json(each.document.details)) for each in part],
        )
        insert_tuples(connection, article_words, ("article_id", "title", "excerpt", "content"), rows)
        insert_tuples(
            connection,
            article_urls,
            ("url_key", "article_id"),
            [(key, each.article_id) for each in part for key in sorted(url_keys(each.document))],
        )


def _texts(written: Written) -> Texts:
    document = written.document
    return written.article_id, document.title, document.excerpt, document.content


def _article(topics: Topics, written: Written, filed: Filed) -> dict[str, object]:
    document = written.document
    # Of one topic only the first name is served, and that stays although its description may change.
    first = {topics.ids[fold(name)]: name for name in reversed(document.topics)}
    shown = set(first.values())
    served = [name for name in document.topics if name in shown]
    id_ = public_id(written.source, document.path)
    return {
        "id": written.article_id,
        "public_id": id_,
        "source": written.source,
        "path": document.path,
        "published": int(document.published),
        "quality": document.quality,
        "heat": document.heat,
        "image_count": len(document.images),
        "related_count": len(written.links),
        "topic_names": None if len(served) == len(document.topics) else as_json(document.topics),
        "terms": _terms_json(filed),
        "item": item_json(document, id_, written.source, served, written.links),
        **sort_keys(
            document.title,
            document.published_date_time,
            document.updated_date_time,
            document.quality,
            document.heat,
        ),
    }
