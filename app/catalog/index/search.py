"""What words find: the sets of articles with them, of which the import keeps one for each word.

A single word is looked up by its stem, a beginning by the words that begin so. A phrase is looked for in the
words of the articles that have all of its words.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import Any, Final

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, Select, bindparam, case, or_, select

from app.catalog.index.words import Where
from app.catalog.search_language import Term, stem_of
from app.catalog.tables import article_words, word_articles
from app.database.engines import QUERY_SECONDS
from app.database.rows import ids_value, in_parts, is_one_of, position
from app.database.statements import statement
from app.errors import QueryTimedOut, TooManyWords

# With more of them, some hundred thousand words have been collected, and a letter more is no great wish.
_MOST_BEGINNING_SO: Final = 50_000


# Of what may have a phrase; some milliseconds, in which nothing else of Python runs.
_LOOKED_AT_ONCE: Final = 10_000


_LAST_CHARACTER: Final = "\U0010ffff"


Which = Callable[[], ColumnElement[bool]]


@dataclass(slots=True)
class Searched:
    """Articles with a term of each group; without groups none."""

    groups: Sequence[Sequence[Term]]
    _found: Sequence[Where] | None = field(default=None, init=False)

    def read(self, connection: Connection) -> BitMap:
        anywhere = [group.anywhere for group in self.by_group(connection)]
        return reduce(and_, sorted(anywhere, key=len)) if anywhere else BitMap()

    def by_group(self, connection: Connection) -> Sequence[Where]:
        """Read once. An article that has a phrase in its title is not looked at further."""
        if self._found is None:
            until = time.monotonic() + QUERY_SECONDS
            self._found = [
                _any_of([_with(connection, term, until) for term in group]) for group in self.groups
            ]
        return self._found


def _with(connection: Connection, term: Term, until: float) -> Where:
    _check_time(until)
    *before, last = term.words
    if not before:
        return _beginning(connection, last) if term.begins else _of_stem(connection, stem_of(last))
    sets = [_spelled(connection, word) for word in dict.fromkeys(before)]
    sets.append(_beginning(connection, last) if term.begins else _spelled(connection, last))
    having_all = reduce(and_, (each.anywhere for each in sets))
    return _side_by_side(connection, having_all, term, until)


def _of_stem(connection: Connection, stem: str) -> Where:
    return _read(connection, has_stem, {"stem": stem})


def _spelled(connection: Connection, word: str) -> Where:
    return _read(connection, is_word, {"word": word})


def _beginning(connection: Connection, word: str) -> Where:
    return _read(connection, begins, {"word": word, "last": word + _LAST_CHARACTER})


def _read(connection: Connection, which: Which, values: dict[str, str]) -> Where:
    """One after the other, where the driver lets them: all that begin with a letter are not a few."""
    found = [BitMap() for _ in Where._fields]
    for number, row in enumerate(sets_of_words_that(connection, which).stream(values)):
        if number == _MOST_BEGINNING_SO:
            advice = f"begins more than {_MOST_BEGINNING_SO:,} words; give more letters before `*`"
            raise TooManyWords(advice)
        for of_all, of_word in zip(found, row, strict=True):
            if of_word:
                of_all.update(BitMap.deserialize(of_word))
    return Where(*found)


def has_stem() -> ColumnElement[bool]:
    return word_articles.c.stem == bindparam("stem")


def is_word() -> ColumnElement[bool]:
    return word_articles.c.word == bindparam("word")


def begins() -> ColumnElement[bool]:
    return (word_articles.c.word >= bindparam("word")) & (word_articles.c.word <= bindparam("last"))


@statement
def sets_of_words_that(which: Which) -> Select[Any]:
    columns = word_articles.c
    rows = select(columns.in_title, columns.in_excerpt, columns.anywhere).where(which())
    return rows.limit(_MOST_BEGINNING_SO + 1)


def _any_of(found: Sequence[Where]) -> Where:
    if len(found) == 1:
        return found[0]
    return Where(*(BitMap.union(BitMap(), *sets) for sets in zip(*found, strict=True)))


def _side_by_side(connection: Connection, having_all: BitMap, phrase: Term, until: float) -> Where:
    dialect = connection.dialect.name
    # Every word stands between spaces.
    written = f" {' '.join(phrase.words)}{'' if phrase.begins else ' '}"
    found = [BitMap() for _ in Where._fields]
    for part in in_parts(list(having_all), _LOOKED_AT_ONCE):
        _check_time(until)
        values = {"ids": ids_value(dialect, part), "phrase": written}
        for row in places_of_phrase(connection, dialect).rows(values):
            found[row.place].add(row.article_id)
    title, excerpt, content = found
    return Where(title, excerpt, title | excerpt | content)


def _check_time(until: float) -> None:
    """PostgreSQL counts the time of each statement anew."""
    if time.monotonic() > until:
        raise QueryTimedOut("The question took too long to answer.")


@statement
def places_of_phrase(dialect: str) -> Select[Any]:
    """Of some articles those with a phrase, and the number of the first of their texts that has it."""
    texts = (article_words.c.title, article_words.c.excerpt, article_words.c.content)
    in_texts = [position(dialect, text, bindparam("phrase")) > 0 for text in texts]
    place = case(*((is_there, place) for place, is_there in enumerate(in_texts)))
    return select(article_words.c.article_id, place.label("place")).where(
        is_one_of(dialect, article_words.c.article_id, "ids"), or_(*in_texts)
    )
