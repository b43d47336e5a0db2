"""The rows of an article: itself, its content, images and URLs, and what it is filed under."""

import json
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from app.catalog.article_sets import sets_of
from app.catalog.search_words import Texts, word_texts
from app.catalog.sort_keys import SORT_COLUMNS, descending, seconds, sort_keys
from app.catalog.tables import article_terms, article_urls, article_words, articles, contents, images
from app.database import in_parts, write_rows
from app.documents.article import ArticleDocument
from app.importer.filing import Filing
from app.importer.grouping import Topics
from app.importer.processes import Processes
from app.importer.shapes import LinkShape, as_json, item_json, public_id, url_keys
from app.names import fold_of_document as fold

# Rows of so many articles are in memory at once while they are written.
_ARTICLES_AT_ONCE = 500


# Field, whether the term goes by its name, key, spelling.
Value = tuple[str, int, str, str | None]
# Ids of a term and of the name it goes by.
Filed = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Written:
    article_id: int
    source: str
    document: ArticleDocument
    links: tuple[LinkShape, ...]


def write_articles(
    connection: Connection, topics: Topics, found: Sequence[Written], processes: Processes
) -> None:
    parts = list(in_parts(found, _ARTICLES_AT_ONCE))
    texts = ([_texts(each) for each in part] for part in parts)
    # Where links were remembered is room for words.
    processes.renew()
    words = processes.map(word_texts, texts)
    for part, rows in zip(parts, words, strict=True):
        write_rows(connection, articles, [_article(topics, each) for each in part])
        write_rows(
            connection,
            contents,
            [(each.article_id, each.document.content, as_json(each.document.details)) for each in part],
        )
        write_rows(connection, article_words, rows)
        write_rows(connection, images, [row for each in part for row in _images(each)])
        write_rows(
            connection,
            article_urls,
            [(key, each.article_id) for each in part for key in sorted(url_keys(each.document))],
        )


def _texts(written: Written) -> Texts:
    document = written.document
    return written.article_id, document.title, document.excerpt, document.content


def _article(topics: Topics, written: Written) -> tuple[object, ...]:
    document = written.document
    # Of one topic only the first name is served, and that stays although its description may change.
    first = {topics.ids[fold(name)]: name for name in reversed(document.topics)}
    shown = set(first.values())
    served = [name for name in document.topics if name in shown]
    keys = sort_keys(
        document.title,
        document.published_date_time,
        document.updated_date_time,
        document.quality,
        document.heat,
    )
    id_ = public_id(written.source, document.path)
    return (
        written.article_id,
        id_,
        written.source,
        document.path,
        int(document.published),
        document.title,
        document.excerpt,
        document.type,
        document.category,
        document.locale,
        document.quality,
        document.heat,
        document.published_date_time,
        document.updated_date_time,
        document.web_url,
        document.original_url,
        document.amp_web_url,
        document.cdn_amp_web_url,
        document.provider.name,
        document.provider.domain,
        len(document.images),
        len(written.links),
        as_json(document.topics),
        item_json(document, id_, written.source, served, written.links),
        *(keys[column] for column in SORT_COLUMNS),
    )


def _images(written: Written) -> Iterator[tuple[object, ...]]:
    for position, image in enumerate(written.document.images):
        cached = None if image.is_cached is None else int(image.is_cached)
        yield (
            written.article_id,
            position,
            image.url,
            image.width,
            image.height,
            image.title,
            image.attribution,
            cached,
        )


def load_terms(filing: Filing, found: Iterable[Written]) -> None:
    """What filing these articles will ask for, topics apart."""
    keys: dict[str, set[str]] = {}
    for each in found:
        for field, _, key, _ in _values(each):
            keys.setdefault(field, set()).add(key)
    for field, of_field in keys.items():
        filing.load_keys(field, of_field)


def file(filing: Filing, topics: Topics, written: Written) -> Iterator[tuple[object, ...]]:
    """Rows of `article_terms`, counted."""
    document = written.document
    newest = descending(seconds(document.published_date_time))
    filing.sets.put(
        written.article_id,
        sets_of(
            published=document.published,
            newest=newest,
            newest_updated=descending(seconds(document.updated_date_time)),
            quality=document.quality,
            heat=document.heat,
            images=len(document.images),
            related=len(written.links),
        ),
    )
    place = (int(document.published), newest, document.path, written.source, written.article_id)
    terms = _terms(filing, (*_topics(topics, document.topics), *_values(written)))
    return _file(filing, list(terms), place)


def take_out_of_sets(connection: Connection, filing: Filing, ids: Sequence[int]) -> None:
    """Those of what the articles say themselves; unfile does it for those of their terms."""
    kept = articles.c
    query = select(
        kept.id,
        kept.published,
        kept.newest,
        kept.newest_updated,
        kept.quality,
        kept.heat,
        kept.image_count.label("images"),
        kept.related_count.label("related"),
    )
    for row in connection.execute(query.where(kept.id.in_(ids))):
        said = row._asdict()
        filing.sets.take(said.pop("id"), sets_of(**said))


def file_again(
    connection: Connection, filing: Filing, topics: Topics, moved: Set[int], written: Set[int]
) -> Iterator[tuple[object, ...]]:
    """Articles stored under topics that names were taken from: their topics are found anew."""
    topic_ids = {term.id for term in filing.all("topic")}
    of_moved = select(article_terms.c.article_id).where(article_terms.c.term_id.in_(moved))
    touched = set(connection.scalars(of_moved)) - written
    for part in in_parts(sorted(touched)):
        of_part = article_terms.c.article_id.in_(part)
        filed = connection.execute(
            select(article_terms).where(of_part).order_by(article_terms.c.article_id)
        ).all()
        filing.load_ids(row.term_id for row in filed)
        unfile(filing, filed)
        connection.execute(delete(article_terms).where(of_part))
        others: dict[int, list[Filed]] = {}
        for row in filed:
            if row.term_id not in topic_ids:
                others.setdefault(row.article_id, []).append((row.term_id, row.name_id))
        kept = articles.c
        query = select(kept.topics, kept.published, kept.newest, kept.path, kept.source, kept.id)
        for names, *place in connection.execute(query.where(kept.id.in_(part))):
            terms = _terms(filing, _topics(topics, json.loads(names)))
            yield from _file(filing, [*terms, *others.get(place[-1], ())], tuple(place))


def unfile(filing: Filing, filed: Sequence[Row[Any]]) -> None:
    """Takes rows of `article_terms`, in the order of articles, out of the counts."""
    for _, rows in groupby(filed, key=lambda row: row.article_id):
        of_article = list(rows)
        for row in of_article:
            filing.count(row.term_id, row.name_id, row.published, -1)
        filing.take(of_article[0].article_id, [row.term_id for row in of_article])


def _terms(filing: Filing, values: Iterable[Value]) -> Iterator[Filed]:
    """Each term once, under the first of its names."""
    terms: dict[int, Filed] = {}
    for field, by_name, key, spelling in values:
        term = filing.term(field, by_name, key)
        if term.id not in terms:
            name_id = filing.name(term, spelling).id if spelling is not None else None
            terms[term.id] = (term.id, name_id)
    return iter(terms.values())


def _file(
    filing: Filing, filed: Sequence[Filed], place: tuple[int, int, str, str, int]
) -> Iterator[tuple[object, ...]]:
    """`place` is published, newest, path, source and the article's id."""
    filing.put(place[-1], [term_id for term_id, _ in filed])
    for term_id, name_id in filed:
        filing.count(term_id, name_id, place[0], +1)
        yield (term_id, *place, name_id)


def _topics(topics: Topics, names: Iterable[str]) -> Iterator[Value]:
    for name in names:
        yield "topic", 0, topics.ids[fold(name)], name


def _values(written: Written) -> Iterator[Value]:
    document = written.document
    provider = document.provider
    if provider.domain:
        yield "provider", 0, provider.domain, provider.name
    elif provider.name:
        yield "provider", 1, fold(provider.name), provider.name
    for field, value in (
        ("type", document.type),
        ("category", document.category),
        ("locale", document.locale),
    ):
        if value:
            yield field, 0, fold(value), value
    for tag in document.tags:
        yield "tag", 0, fold(tag), tag
    yield "source", 0, written.source, written.source
