"""Which terms an article is filed under."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from app.catalog.index.keep import FieldTerm, IndexChanges
from app.catalog.tables import article_terms, articles
from app.database.rows import chunked, insert_tuples
from app.importer.serialise import as_json, item_with_topics
from app.importer.spool import NewArticle
from app.importer.tables.changes import ChangeLog
from app.importer.tables.terms import Terms
from app.importer.topic_groups import Topics
from app.names import fold_of_document as fold

# Up to so many rows wait in memory, with 150 bytes each: sorted by the table's key they fill its pages best.
MAX_WAITING_ROWS: Final = 200_000


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


class ServedTopic(NamedTuple):
    """A topic as the items of articles have it: the article's own spelling, and the topic's id."""

    name: str
    topic_id: str


class FiledArticle(NamedTuple):
    """`topics` are those that answers have: of several names of one topic the first."""

    article: NewArticle
    key: ArticleKey
    terms: tuple[TermAndName, ...]
    topics: tuple[ServedTopic, ...]
    field_terms: tuple[FieldTerm, ...]


_COLUMNS: Final = ("term_id", *ArticleKey._fields, "name_id")
_Row = tuple[object, ...]


class ArticleTerms:
    """Articles count with each of their terms from when they are added until they are removed."""

    def __init__(self, terms: Terms, index: IndexChanges, log: ChangeLog, max_waiting_rows: int) -> None:
        self._terms = terms
        self._index = index
        self._log = log
        self._max_waiting_rows = max_waiting_rows
        self._waiting: list[_Row] = []

    def remove(self, connection: Connection, article_ids: Sequence[int]) -> None:
        self._remove_from_terms(connection, article_ids)

    def articles_under(self, connection: Connection, term_ids: Iterable[int]) -> set[int]:
        """Articles that stay; call it when those that leave are removed, and before others are added."""
        found: set[int] = set()
        for ids in chunked(sorted(term_ids)):
            query = select(article_terms.c.article_id).where(article_terms.c.term_id.in_(ids))
            found.update(connection.scalars(query))
        return found

    def add(
        self, connection: Connection, topics: Topics, new_articles: Sequence[NewArticle]
    ) -> list[FiledArticle]:
        values = [_values(article) for article in new_articles]
        self._load_terms(connection, (value for of_article in values for value in of_article))
        filed = []
        for article, of_article in zip(new_articles, values, strict=True):
            content = article.content
            newest = int(content.sort_keys["newest"])
            key = ArticleKey(int(content.published), newest, article.path, article.source, article.article_id)
            of_topics = self._terms_of(_topics(topics, content.topics))
            terms = (*of_topics, *self._terms_of(of_article))
            self._file(key, terms)
            served = self._served_topics(of_topics)
            filed.append(FiledArticle(article, key, terms, served, self._field_terms(terms)))
        if len(self._waiting) > self._max_waiting_rows:
            self._terms.insert_new(connection)
            self._write_waiting(connection)
        return filed

    def refile(self, connection: Connection, topics: Topics, article_ids: Iterable[int]) -> None:
        """Finds the topics of stored articles anew, by the names that their documents give.

        An article whose item names other topics by it, or other ids, is a change.
        """
        topic_ids = {term.id for term in self._terms.all("topic")}
        columns = (articles.c.id, articles.c.public_id, articles.c.topic_names, articles.c.item)
        for ids in chunked(sorted(article_ids)):
            rows = connection.execute(select(*columns).where(articles.c.id.in_(ids)))
            stored = {row.id: row for row in rows}
            updates = []
            public, editors = set(), set()
            for key, before in self._remove_from_terms(connection, ids):
                others = (term for term in before if term.term_id not in topic_ids)
                row = stored[key.article_id]
                names = json.loads(row.topic_names or _topics_of_item(row.item))
                of_topics = self._terms_of(_topics(topics, names))
                after = (*of_topics, *others)
                self._file(key, after)
                self._index.refile(key.article_id, self._field_terms(before), self._field_terms(after))
                served = self._served_topics(of_topics)
                item = item_with_topics(
                    row.item, [topic.name for topic in served], [topic.topic_id for topic in served]
                )
                if item != row.item:
                    editors.add(row.public_id)
                    if key.published:
                        public.add(row.public_id)
                updates.append(
                    {
                        "refiled_id": key.article_id,
                        "terms": terms_json(after),
                        "item": item,
                        "topic_names": as_json(names) if len(served) < len(names) else None,
                    }
                )
            connection.execute(update(articles).where(articles.c.id == bindparam("refiled_id")), updates)
            self._log.note_articles(connection, public, editors)

    def write(self, connection: Connection) -> None:
        """When all is counted."""
        self._terms.write(connection)
        self._write_waiting(connection)

    def _remove_from_terms(
        self, connection: Connection, article_ids: Sequence[int]
    ) -> list[tuple[ArticleKey, tuple[TermAndName, ...]]]:
        """Returns what the articles were filed under."""
        query = select(
            articles.c.published,
            articles.c.newest,
            articles.c.path,
            articles.c.source,
            articles.c.id.label("article_id"),
            articles.c.terms,
        )
        removed = []
        rows = connection.execute(query.where(articles.c.id.in_(article_ids)).order_by(articles.c.id))
        for *key_columns, stored in rows:
            ids_in_turn = iter(json.loads(stored))
            removed.append((ArticleKey(*key_columns), tuple(map(TermAndName, ids_in_turn, ids_in_turn))))
        self._terms.load_ids(connection, {term.term_id for _, terms in removed for term in terms})
        for key, terms in removed:
            for term in terms:
                self._terms.count(*term, key.published, -1)
        stored_key = tuple(article_terms.primary_key.columns)
        if stored_rows := [row for key, terms in removed for row in _rows(key, terms)]:
            connection.execute(
                delete(article_terms).where(
                    *(column == bindparam(f"stored_{column.name}") for column in stored_key)
                ),
                [
                    {f"stored_{column.name}": value for column, value in zip(stored_key, row, strict=False)}
                    for row in stored_rows
                ],
            )
        return removed

    def _load_terms(self, connection: Connection, values: Iterable[TermValue]) -> None:
        """Topics apart, which are all in memory."""
        keys: dict[str, set[str]] = {}
        for value in values:
            keys.setdefault(value.field, set()).add(value.key)
        for field, of_field in keys.items():
            self._terms.load_keys(connection, field, of_field)

    def _terms_of(self, values: Iterable[TermValue]) -> tuple[TermAndName, ...]:
        """Each term once, under the first of its names."""
        terms: dict[int, TermAndName] = {}
        for field, by_name, key, spelling in values:
            term = self._terms.term(field, by_name, key)
            if term.id not in terms:
                name_id = self._terms.name(term, spelling).id if spelling is not None else None
                terms[term.id] = TermAndName(term.id, name_id)
        return tuple(terms.values())

    def _served_topics(self, of_topics: Iterable[TermAndName]) -> tuple[ServedTopic, ...]:
        return tuple([ServedTopic(*self._terms.name_and_key(*term)) for term in of_topics])

    def _field_terms(self, terms: Iterable[TermAndName]) -> tuple[FieldTerm, ...]:
        return tuple([FieldTerm(self._terms.field(term.term_id), term.term_id) for term in terms])

    def _file(self, key: ArticleKey, terms: Iterable[TermAndName]) -> None:
        for term_id, name_id in terms:
            self._terms.count(term_id, name_id, key.published, +1)
            self._waiting.append((term_id, *key, name_id))

    def _write_waiting(self, connection: Connection) -> None:
        self._waiting.sort()
        insert_tuples(connection, article_terms, _COLUMNS, self._waiting)
        self._waiting = []


def terms_json(terms: Iterable[TermAndName]) -> str:
    return as_json([id_ for term in terms for id_ in term])


def _rows(key: ArticleKey, terms: Iterable[TermAndName]) -> Iterator[_Row]:
    return ((term_id, *key, name_id) for term_id, name_id in terms)


def _topics_of_item(item: str) -> str:
    return as_json(json.loads(item)["topics"])


def _topics(topics: Topics, names: Iterable[str]) -> Iterator[TermValue]:
    for name in names:
        yield TermValue("topic", 0, topics.ids[fold(name)], name)


def _values(article: NewArticle) -> list[TermValue]:
    """Topics apart."""
    content = article.content
    values = []
    if content.provider_domain:
        values.append(TermValue("provider", 0, content.provider_domain, content.provider_name))
    elif content.provider_name:
        values.append(TermValue("provider", 1, fold(content.provider_name), content.provider_name))
    values += [TermValue(field, 0, fold(name), name) for field, name in content.names]
    values.append(TermValue("source", 0, article.source, article.source))
    return values
