"""What words find: the articles with them, of which the index keeps three bitmaps for each word.

A single word is looked up by its stem, a prefix by the words that begin with it. Words side by side are
looked for in the texts of the articles that have all of them. The names of topics, providers, authors and
tags are searched in the same way: each brings the articles that are filed under its term.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_
from typing import Any, Final

from pyroaring import BitMap
from sqlalchemy import Connection, Select, bindparam, case, or_, select

from app.catalog.audience import Published
from app.catalog.index.ranges import joined
from app.catalog.index.words import Occurrences, most_rows, most_rows_values
from app.catalog.name_words import (
    MAX_WORDS_OF_PREFIX,
    WordCondition,
    find_terms_named,
    has_prefix,
    has_stem,
    is_word,
    prefix_values,
    too_many_words,
)
from app.catalog.search_language import Phrase, stem_of
from app.catalog.tables import article_sets, article_words, terms, word_articles
from app.database.engines import QUERY_SECONDS
from app.database.rows import chunked, id_in_parameter, ids_parameter, position
from app.database.statements import statement
from app.errors import QueryTimedOut

# Ids of one statement: writing 10,000 of them takes 5 ms, in which nothing else of Python runs.
_IDS_AT_ONCE: Final = 10_000


@dataclass(slots=True)
class SearchCondition:
    """Articles with a phrase of each group; without groups there are none."""

    groups: Sequence[Sequence[Phrase]]
    published: Published
    _by_group: Sequence[Mapping[Phrase, Occurrences]] | None = field(default=None, init=False)

    def read(self, connection: Connection) -> BitMap:
        anywhere = [group.anywhere for group in self.by_group(connection)]
        return reduce(and_, sorted(anywhere, key=len)) if anywhere else BitMap()

    def by_group(self, connection: Connection) -> Sequence[Occurrences]:
        """The occurrences of each group; `excerpt` may lack articles that are in `title`."""
        return [_union(list(group.values())) for group in self.by_phrase(connection)]

    def by_phrase(self, connection: Connection) -> Sequence[Mapping[Phrase, Occurrences]]:
        """The occurrences of each phrase of each group, read once."""
        if self._by_group is None:
            until = time.monotonic() + QUERY_SECONDS
            self._by_group = [
                {phrase: find_phrase(connection, phrase, self.published, until) for phrase in group}
                for group in self.groups
            ]
        return self._by_group

    def words_alone(self, connection: Connection, phrase: Phrase) -> Iterator[tuple[str, BitMap]]:
        """The articles of each word of a phrase, wherever the others stand."""
        until = time.monotonic() + QUERY_SECONDS
        *first_words, last = phrase.words
        whole_words = dict.fromkeys(first_words if phrase.is_prefix else phrase.words)
        phrases = [replace(phrase, words=(word,), is_prefix=False) for word in whole_words]
        phrases += [replace(phrase, words=(last,))] if phrase.is_prefix else []
        for alone in phrases:
            yield alone.words[0], find_phrase(connection, alone, self.published, until).anywhere


def find_phrase(connection: Connection, phrase: Phrase, published: Published, until: float) -> Occurrences:
    """Articles that have the phrase in a text of theirs, or in a name that they are filed under.

    A name counts as an excerpt does: either was written to say what the article is about.
    """
    in_texts = _find_in_texts(connection, phrase, until)
    filed = _filed_under(connection, find_terms_named(connection, phrase, published), until)
    if not filed:
        return in_texts
    title, excerpt, anywhere = in_texts
    return Occurrences(title, excerpt | filed, anywhere | filed)


def _filed_under(connection: Connection, term_ids: Sequence[int], until: float) -> BitMap:
    """The articles of any of these terms, which may be all of the tags that begin with a letter."""
    articles = BitMap()
    dialect = connection.dialect.name
    for ids in chunked(term_ids, _IDS_AT_ONCE):
        _check_time(until)
        rows = sets_of_term_ids(connection, dialect).rows({"ids": ids_parameter(dialect, ids)})
        articles |= joined(row.article_ids for row in rows)
    return articles


@statement
def sets_of_term_ids(dialect: str) -> Select[Any]:
    is_of_term = (article_sets.c.kind == terms.c.field) & (article_sets.c.key == terms.c.id)
    return (
        select(article_sets.c.article_ids)
        .select_from(terms)
        .join(article_sets, is_of_term)
        .where(id_in_parameter(dialect, terms.c.id, "ids"))
    )


def _find_in_texts(connection: Connection, phrase: Phrase, until: float) -> Occurrences:
    _check_time(until)
    *first_words, last = phrase.words
    if not first_words:
        return _find_prefix(connection, last) if phrase.is_prefix else _find_stem(connection, stem_of(last))
    by_word = [_find_word(connection, word) for word in dict.fromkeys(first_words)]
    by_word.append(_find_prefix(connection, last) if phrase.is_prefix else _find_word(connection, last))
    with_all_words = reduce(and_, (occurrences.anywhere for occurrences in by_word))
    return _find_adjacent(connection, phrase, with_all_words, until)


def _find_stem(connection: Connection, stem: str) -> Occurrences:
    return _read(connection, has_stem, {"stem": stem})


def _find_word(connection: Connection, word: str) -> Occurrences:
    return _read(connection, is_word, {"word": word})


def _find_prefix(connection: Connection, prefix: str) -> Occurrences:
    """Rows are streamed where the driver can: the words that begin with a letter are many."""
    values = {**prefix_values(prefix), **most_rows_values(MAX_WORDS_OF_PREFIX + 1)}
    return _joined(_of_few_words(rows_of_words(connection, has_prefix).stream(values)))


def _of_few_words(rows: Iterable[Any]) -> Iterator[Any]:
    """The same rows, up to the first of a word too many."""
    words = set[str]()
    for row in rows:
        words.add(row.word)
        if len(words) > MAX_WORDS_OF_PREFIX:
            raise too_many_words()
        yield row


def _read(connection: Connection, condition: WordCondition, values: dict[str, str]) -> Occurrences:
    return _joined(rows_of_words(connection, condition).stream(values))


def _joined(rows: Iterable[Any]) -> Occurrences:
    unions = [BitMap() for _ in Occurrences._fields]
    for _, *pieces in rows:
        for union, piece in zip(unions, pieces, strict=True):
            if piece:
                union.update(BitMap.deserialize(piece))
    return Occurrences(*unions)


@statement
def rows_of_words(condition: WordCondition) -> Select[Any]:
    columns = word_articles.c
    rows = select(columns.word, columns.in_title, columns.in_excerpt, columns.anywhere)
    rows = rows.where(condition(word_articles))
    return rows.limit(most_rows()) if condition is has_prefix else rows


def _union(occurrences: Sequence[Occurrences]) -> Occurrences:
    if len(occurrences) == 1:
        return occurrences[0]
    return Occurrences(*(BitMap.union(BitMap(), *sets) for sets in zip(*occurrences, strict=True)))


def _find_adjacent(
    connection: Connection, phrase: Phrase, with_all_words: BitMap, until: float
) -> Occurrences:
    """The articles that have the words of the phrase side by side, among those that have all of them."""
    dialect = connection.dialect.name
    # The stored texts have a space before and after each word.
    padded = f" {' '.join(phrase.words)}{'' if phrase.is_prefix else ' '}"
    by_text = [BitMap() for _ in Occurrences._fields]
    for ids in chunked(list(with_all_words), _IDS_AT_ONCE):
        _check_time(until)
        values = {"ids": ids_parameter(dialect, ids), "phrase": padded}
        for row in texts_with_phrase(connection, dialect).rows(values):
            by_text[row.text_number].add(row.article_id)
    title, excerpt, content = by_text
    return Occurrences(title, excerpt, title | excerpt | content)


def _check_time(until: float) -> None:
    """PostgreSQL limits the time of each statement, not that of all statements of a question."""
    if time.monotonic() > until:
        raise QueryTimedOut("The question took too long to answer.")


@statement
def texts_with_phrase(dialect: str) -> Select[Any]:
    """Which of these articles have the phrase, and whether in title (0), excerpt (1) or content (2)."""
    texts = (article_words.c.title, article_words.c.excerpt, article_words.c.content)
    in_texts = [position(dialect, text, bindparam("phrase")) > 0 for text in texts]
    number = case(*((is_there, number) for number, is_there in enumerate(in_texts)))
    return select(article_words.c.article_id, number.label("text_number")).where(
        id_in_parameter(dialect, article_words.c.article_id, "ids"), or_(*in_texts)
    )
