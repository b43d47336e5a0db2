"""The index's door for imports: which articles leave it and which come. Knows no document."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import chain
from typing import Any, NamedTuple

from pyroaring import BitMap
from sqlalchemy import Connection, delete, select

from app.catalog.fields import FIELDS, Has
from app.catalog.index.groups import GroupKind, clear_numbers, grouped_articles, write_numbers
from app.catalog.index.repeats import count_repeats
from app.catalog.index.sets import (
    HAS,
    UNPUBLISHED,
    UNPUBLISHED_KEY,
    SetChanges,
    SetKey,
    sets_containing,
    sets_of_counts,
)
from app.catalog.index.words import WordChanges, WordLimits
from app.catalog.search_text import SearchText
from app.catalog.tables import article_words, articles, terms, word_articles
from app.database.rows import chunked, insert_tuples

__all__ = [
    "FieldTerm",
    "GroupKind",
    "IndexChanges",
    "IndexedArticle",
    "WordLimits",
    "clear_numbers",
    "renew_words",
    "write_numbers",
]


class FieldTerm(NamedTuple):
    """A term that an article is filed under, and the term's field."""

    field: str
    term_id: int


class IndexedArticle(NamedTuple):
    """All that the index wants to know of an article."""

    article_id: int
    terms: Sequence[FieldTerm]
    published: bool
    newest: int
    newest_updated: int
    newest_added: int
    quality: int | None
    heat: int | None
    image_count: int
    related_count: int
    text: SearchText


class IndexChanges:
    """What one import changes. Remove articles first, then add; `write` changes each set and word once."""

    def __init__(self, connection: Connection, word_limits: WordLimits) -> None:
        self._connection = connection
        self._sets = SetChanges()
        self._words = WordChanges(connection, word_limits)
        self._fields: dict[int, str] = {}

    def remove(self, article_ids: Sequence[int]) -> None:
        """Call it once, while the rows of these articles are there: they say what the index has of them."""
        self._words.remove(article_ids)
        for ids in chunked(article_ids):
            rows = self._connection.execute(
                select(
                    articles.c.id,
                    articles.c.terms,
                    articles.c.published,
                    articles.c.newest,
                    articles.c.newest_updated,
                    articles.c.newest_added,
                    articles.c.quality,
                    articles.c.heat,
                    articles.c.image_count,
                    articles.c.related_count,
                ).where(articles.c.id.in_(ids))
            ).all()
            terms_of = {row.id: json.loads(row.terms)[::2] for row in rows}
            self._load_fields({term_id for term_ids in terms_of.values() for term_id in term_ids})
            for row in rows:
                filed = [FieldTerm(self._fields[term_id], term_id) for term_id in terms_of[row.id]]
                self._sets.remove(row.id, chain(_sets_of_values(row), _sets_of_terms(filed)))

    def add(self, added: Sequence[IndexedArticle]) -> None:
        """The rows of these articles are written already."""
        for article in added:
            self._sets.add(article.article_id, chain(_sets_of_values(article), _sets_of_terms(article.terms)))
            self._words.add(article.article_id)
        _insert_texts(self._connection, [(article.article_id, article.text) for article in added])

    def refile(self, article_id: int, before: Sequence[FieldTerm], after: Sequence[FieldTerm]) -> None:
        """An article that stays is filed under other terms; both are all that it has."""
        self._sets.remove(article_id, _sets_of_terms(before))
        self._sets.add(article_id, _sets_of_terms(after))

    def write(self) -> None:
        self._sets.write(self._connection)
        self._words.write()

    def count_repeats(self, regrouped: Set[int]) -> None:
        """Counts what folded lists leave out, of all terms for which that may be another number now.

        Call it last of all: `regrouped` are the articles whose groups are others than before the import.
        """
        moved = BitMap(regrouped)
        grouped = grouped_articles(self._connection) | moved
        moved |= self._sets.articles_changed_in((UNPUBLISHED, UNPUBLISHED_KEY)) & grouped
        sets = {(kind, key) for kind, key in self._sets.sets_changed_by(grouped) if kind in FIELDS}
        count_repeats(self._connection, sets | self._sets_of_terms(moved))

    def _sets_of_terms(self, article_ids: Iterable[int]) -> set[SetKey]:
        term_ids = set[int]()
        for ids in chunked(list(article_ids)):
            filed = self._connection.scalars(select(articles.c.terms).where(articles.c.id.in_(ids)))
            term_ids.update(*(json.loads(of_article)[::2] for of_article in filed))
        self._load_fields(term_ids)
        return {(self._fields[term_id], term_id) for term_id in term_ids}

    def _load_fields(self, term_ids: Iterable[int]) -> None:
        for ids in chunked(sorted(set(term_ids) - self._fields.keys())):
            rows = self._connection.execute(select(terms.c.id, terms.c.field).where(terms.c.id.in_(ids)))
            self._fields |= {row.id: row.field for row in rows}


def renew_words(
    connection: Connection,
    limits: WordLimits,
    article_ids: Sequence[int],
    batches: Iterable[Sequence[tuple[int, SearchText]]],
) -> None:
    """Writes the words of all articles, whatever was stored of them; `batches` has the texts of each once."""
    connection.execute(delete(word_articles))
    connection.execute(delete(article_words))
    for batch in batches:
        _insert_texts(connection, batch)
    words = WordChanges(connection, limits)
    for article_id in article_ids:
        words.add(article_id)
    words.write()


def _insert_texts(connection: Connection, texts: Iterable[tuple[int, SearchText]]) -> None:
    insert_tuples(
        connection,
        article_words,
        ("article_id", "title", "excerpt", "content"),
        [(article_id, *text) for article_id, text in texts],
    )


def _sets_of_values(article: Any) -> Iterator[SetKey]:
    """`article` is an IndexedArticle or a row of `articles`: they have these names in common."""
    return sets_containing(
        published=article.published,
        newest=article.newest,
        newest_updated=article.newest_updated,
        newest_added=article.newest_added,
        quality=article.quality,
        heat=article.heat,
        image_count=article.image_count,
        related_count=article.related_count,
    )


def _sets_of_terms(filed: Sequence[FieldTerm]) -> Iterator[SetKey]:
    for field, term_id in filed:
        yield field, term_id
        yield HAS, Has.term_of(field)
    yield from sets_of_counts(Counter(field for field, _ in filed))
