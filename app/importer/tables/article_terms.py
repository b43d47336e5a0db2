"""Which terms an article is filed under."""

import json
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from app.catalog.fields import ATTRIBUTE_OF_FIELD
from app.catalog.index.sets import sets_containing
from app.catalog.sort_keys import descending, seconds
from app.catalog.tables import article_terms, articles
from app.database import in_parts, insert_tuples
from app.importer.serialise import Written, as_json
from app.importer.tables.terms import Filing
from app.importer.topic_groups import Topics
from app.names import fold_of_document as fold


class TermValue(NamedTuple):
    """What an article says for a field. `by_name` is 1 for a provider that is known by its name alone."""

    field: str
    by_name: int
    key: str
    spelling: str | None


class TermAndName(NamedTuple):
    """Ids of a term and of the name that the article calls it by; None where it gives no name."""

    term_id: int
    name_id: int | None


class ArticleKey(NamedTuple):
    """What a row of `article_terms` repeats of its article, in the order of the table's key."""

    published: int
    newest: int
    path: str
    source: str
    article_id: int


@dataclass(frozen=True, slots=True)
class Filed:
    key: ArticleKey
    terms: tuple[TermAndName, ...]

    def rows(self) -> Iterator[tuple[object, ...]]:
        return ((term.term_id, *self.key, term.name_id) for term in self.terms)


_ARTICLE_TERMS = ("term_id", *ArticleKey._fields, "name_id")


def load_terms(filing: Filing, found: Iterable[Written]) -> None:
    """What filing these articles will ask for, topics apart."""
    keys: dict[str, set[str]] = {}
    for each in found:
        for value in _values(each):
            keys.setdefault(value.field, set()).add(value.key)
    for field, of_field in keys.items():
        filing.load_keys(field, of_field)


def file(filing: Filing, topics: Topics, written: Written) -> Filed:
    """The article counts with each of its terms from now on."""
    document = written.document
    newest = descending(seconds(document.published_date_time))
    filing.sets.add(
        written.article_id,
        sets_containing(
            published=document.published,
            newest=newest,
            newest_updated=descending(seconds(document.updated_date_time)),
            quality=document.quality,
            heat=document.heat,
            images=len(document.images),
            related=len(written.links),
        ),
    )
    key = ArticleKey(int(document.published), newest, document.path, written.source, written.article_id)
    terms = _terms(filing, (*_topics(topics, document.topics), *_values(written)))
    return _file(filing, terms, key)


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
        filing.sets.remove(said.pop("id"), sets_containing(**said))


def file_again(
    connection: Connection, filing: Filing, topics: Topics, moved: Set[int], written: Set[int]
) -> list[Filed]:
    """Articles stored under topics that names were taken from: their topics are found anew."""
    topic_ids = {term.id for term in filing.all("topic")}
    of_moved = select(article_terms.c.article_id).where(article_terms.c.term_id.in_(moved))
    touched = set(connection.scalars(of_moved)) - written
    refiled = []
    for part in in_parts(sorted(touched)):
        before = unfile(connection, filing, part)
        query = select(articles.c.id, articles.c.topic_names, articles.c.item).where(articles.c.id.in_(part))
        names = {row.id: row.topic_names or _served_topics(row.item) for row in connection.execute(query)}
        for filed in before:
            article_id = filed.key.article_id
            others = (term for term in filed.terms if term.term_id not in topic_ids)
            of_topics = _terms(filing, _topics(topics, json.loads(names[article_id])))
            refiled.append(_file(filing, (*of_topics, *others), filed.key))
    if refiled:
        connection.execute(
            update(articles).where(articles.c.id == bindparam("of_id")).values(terms=bindparam("filed")),
            [{"of_id": filed.key.article_id, "filed": _terms_json(filed)} for filed in refiled],
        )
    return refiled


def _terms_json(filed: Filed) -> str:
    return as_json([id_ for term in filed.terms for id_ in term])


def _served_topics(item: str) -> str:
    return as_json(json.loads(item)["topics"])


def unfile(connection: Connection, filing: Filing, ids: Sequence[int]) -> list[Filed]:
    """Takes articles out of their terms and of their counts. Returns what they were filed under."""
    kept = articles.c
    query = select(kept.published, kept.newest, kept.path, kept.source, kept.id, kept.terms)
    unfiled = []
    for *key, stored in connection.execute(query.where(kept.id.in_(ids)).order_by(kept.id)):
        ids_in_turn = iter(json.loads(stored))
        terms = tuple(map(TermAndName, ids_in_turn, ids_in_turn))
        unfiled.append(Filed(ArticleKey(*key), terms))
    filing.load_ids(term.term_id for filed in unfiled for term in filed.terms)
    for filed in unfiled:
        for term in filed.terms:
            filing.count(*term, filed.key.published, -1)
        filing.take(filed.key.article_id, [term.term_id for term in filed.terms])
    stored_key = tuple(article_terms.primary_key.columns)
    if rows := [row for filed in unfiled for row in filed.rows()]:
        connection.execute(
            delete(article_terms).where(*(column == bindparam(f"of_{column.name}") for column in stored_key)),
            [
                {f"of_{column.name}": value for column, value in zip(stored_key, row, strict=False)}
                for row in rows
            ],
        )
    return unfiled


def write_filed(connection: Connection, filed: Iterable[Filed]) -> None:
    """In the order of the table's key, which fills its pages best."""
    rows = sorted(row for each in filed for row in each.rows())
    insert_tuples(connection, article_terms, _ARTICLE_TERMS, rows)


def _terms(filing: Filing, values: Iterable[TermValue]) -> tuple[TermAndName, ...]:
    """Each term once, under the first of its names."""
    terms: dict[int, TermAndName] = {}
    for field, by_name, key, spelling in values:
        term = filing.term(field, by_name, key)
        if term.id not in terms:
            name_id = filing.name(term, spelling).id if spelling is not None else None
            terms[term.id] = TermAndName(term.id, name_id)
    return tuple(terms.values())


def _file(filing: Filing, terms: tuple[TermAndName, ...], key: ArticleKey) -> Filed:
    filing.put(key.article_id, [term.term_id for term in terms])
    for term_id, name_id in terms:
        filing.count(term_id, name_id, key.published, +1)
    return Filed(key, terms)


def _topics(topics: Topics, names: Iterable[str]) -> Iterator[TermValue]:
    for name in names:
        yield TermValue("topic", 0, topics.ids[fold(name)], name)


def _values(written: Written) -> Iterator[TermValue]:
    document = written.document
    provider = document.provider
    if provider.domain:
        yield TermValue("provider", 0, provider.domain, provider.name)
    elif provider.name:
        yield TermValue("provider", 1, fold(provider.name), provider.name)
    for field, attribute in ATTRIBUTE_OF_FIELD.items():
        value = getattr(document, attribute)
        for name in value if isinstance(value, tuple) else (value,):
            if name:
                yield TermValue(field, 0, fold(name), name)
    yield TermValue("source", 0, written.source, written.source)
