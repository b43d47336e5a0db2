"""What a search box offers while somebody types: names of terms, most articles first, then titles.

Either is read in one of two ways. A beginning that few names or titles have is looked up by its words, and
all of them are sorted. One that many have is looked for in the most frequent names and the newest titles, of
which a few hundred nearly always have enough.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, get_args

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, bindparam, func, or_, select, true

from app.catalog.audience import Published, count_of, is_visible, name_of
from app.catalog.facets import ValueCount, values_of
from app.catalog.index.find import TermCount, find_titled, pages_of, unranked
from app.catalog.name_words import (
    MAX_WORDS_OF_NAME,
    TERM_KEY,
    WordCondition,
    are_typed,
    has_prefix,
    is_word,
    prefix_values,
    words_of_name,
)
from app.catalog.orders import IndexOrder
from app.catalog.paging import BEGINNING
from app.catalog.query import ArticleQuery
from app.catalog.search_language import words_of
from app.catalog.sort_keys import NEWEST
from app.catalog.tables import name_words, term_names, terms
from app.catalog.terms import count_of_all
from app.database.statements import statement

SuggestedField = Literal["topic", "provider", "author", "tag", "title"]
SUGGESTED_FIELDS: Final[tuple[SuggestedField, ...]] = get_args(SuggestedField)

# Reading and sorting so many names takes 0.3 ms. A beginning that more names have is looked for in the most
# frequent terms first, which nearly always have enough.
FEW_NAMES: Final = 100
# Reading and sorting so many names takes 6 ms.
MAX_NAMES_SORTED: Final = 3_000
# The most frequent terms are read in two steps. A beginning that more than 3,000 names of 200,000 have is
# expected 30 times in the last step; what rarer terms have is then left out.
TERMS_READ: Final = (200, 2_000)


@dataclass(frozen=True, slots=True)
class TermSuggestion:
    field: SuggestedField
    value: ValueCount


@dataclass(frozen=True, slots=True)
class TitleSuggestion:
    article_id: str
    title: str


class _Candidate(NamedTuple):
    """A later term has a larger id."""

    term_id: int
    term: TermCount


def suggest(
    connection: Connection, text: str, fields: Sequence[SuggestedField], published: Published, limit: int
) -> list[TermSuggestion | TitleSuggestion]:
    """Terms with most articles first, then the newest titles, which have one each."""
    words = words_of(text)[:MAX_WORDS_OF_NAME]
    if not words:
        return []
    found = [
        (field, candidate)
        for field in SUGGESTED_FIELDS
        if field in fields and field != "title"
        for candidate in _most_frequent(connection, words, field, published, limit)
    ]
    found.sort(key=lambda suggestion: -suggestion[1].term.article_count)
    suggestions = _with_values(connection, found[:limit], published)
    if "title" in fields and len(found) < limit:
        return [*suggestions, *_newest_titled(connection, words, published, limit - len(found))]
    return [*suggestions]


def _most_frequent(
    connection: Connection, words: Sequence[str], field: str, published: Published, limit: int
) -> list[_Candidate]:
    """Terms of a field that have all of the words in one name, the last of which may go on."""
    *whole_words, prefix = words
    ways: list[tuple[WordCondition, dict[str, str]]] = [(is_word, {"word": word}) for word in whole_words]
    ways.append((has_prefix, prefix_values(prefix)))
    largest: list[_Candidate] = []
    for most_names, terms_read in zip((FEW_NAMES, MAX_NAMES_SORTED), TERMS_READ, strict=True):
        for condition, values in ways:
            of_word = {"field": field, **values, "limit": most_names + 1}
            [counted] = count_names_with_word(connection, condition).rows(of_word)
            if not counted.names:
                return []
            if counted.names <= most_names:
                names = names_with_word(connection, condition, published).stream(of_word)
                return _first_typed(names, words, limit)
        names = most_frequent_names(connection, published).stream({"field": field, "limit": terms_read})
        largest = _first_typed(names, words, limit)
        if len(largest) == limit:
            break
    return largest


def _first_typed(rows: Iterable[Any], words: Sequence[str], limit: int) -> list[_Candidate]:
    """The first terms of the rows with a name that has the words, each once."""
    first: dict[int, _Candidate] = {}
    for row in rows:
        if row.term_id not in first and _is_typed(row, words):
            term = TermCount(row.key, row.by_name, row.shown, row.articles)
            first[row.term_id] = _Candidate(row.term_id, term)
            if len(first) == limit:
                break
    return list(first.values())


def _is_typed(row: Any, words: Sequence[str]) -> bool:
    known = (row.name if row.has_name else "", row.key if row.has_key else "")
    return any(are_typed(words, words_of_name(name)) for name in known)


@statement
def count_names_with_word(condition: WordCondition) -> Select[Any]:
    """How many names have a word, as far as the limit: counting them takes a tenth of reading them."""
    return select(func.count().label("names")).select_from(_words_of_names(condition))


def _words_of_names(condition: WordCondition) -> Subquery:
    """Names that the asker may not know are among them, so that their number bounds the work."""
    rows = select(name_words.c.term_id, name_words.c.name_id)
    rows = rows.where(name_words.c.field == bindparam("field"), condition(name_words))
    return rows.limit(bindparam("limit")).subquery()


@statement
def names_with_word(condition: WordCondition, published: Published) -> Select[Any]:
    words = _words_of_names(condition)
    return (
        _named(published, words.c.name_id == TERM_KEY)
        .select_from(words)
        .join(terms, terms.c.id == words.c.term_id)
        .outerjoin(term_names, term_names.c.id == words.c.name_id)
        .order_by(*_most_articles_first(published))
    )


@statement
def most_frequent_names(published: Published) -> Select[Any]:
    """The names of the terms with most articles, read along the index of counts."""
    return (
        _named(published, true())
        .select_from(terms)
        .outerjoin(term_names, term_names.c.term_id == terms.c.id)
        .where(terms.c.field == bindparam("field"), count_of(terms, published) > 0)
        .order_by(*_most_articles_first(published))
        .limit(bindparam("limit"))
    )


def _most_articles_first(published: Published) -> tuple[ColumnElement[Any], ...]:
    """The latest of equal ones comes first, as SQLite's index of counts has them."""
    return count_of(terms, published).desc(), terms.c.id.desc()


def _named(published: Published, is_key: ColumnElement[bool]) -> Select[Any]:
    """`has_name` and `has_key` tell which of the two the asker may know, of terms with articles."""
    count = count_of(terms, published)
    is_called_by_key = or_(
        and_(terms.c.field == "provider", terms.c.by_name == 0),
        and_(terms.c.field == "topic", terms.c.described > 0),
    )
    return select(
        terms.c.id.label("term_id"),
        terms.c.key,
        terms.c.by_name,
        name_of(terms, published).label("shown"),
        count.label("articles"),
        term_names.c.name,
        and_(count > 0, term_names.c.name.is_not(None), is_visible(term_names, published)).label("has_name"),
        and_(count > 0, is_key, is_called_by_key).label("has_key"),
    )


def _with_values(
    connection: Connection, found: Sequence[tuple[SuggestedField, _Candidate]], published: Published
) -> list[TermSuggestion]:
    query = ArticleQuery(published=published)
    suggestions = []
    for field in dict.fromkeys(field for field, _ in found):
        counts = [candidate.term for of_field, candidate in found if of_field == field]
        suggestions += [TermSuggestion(field, value) for value in values_of(connection, query, field, counts)]
    return sorted(suggestions, key=lambda suggestion: -suggestion.value.count)


def _newest_titled(
    connection: Connection, words: Sequence[str], published: Published, limit: int
) -> list[TitleSuggestion]:
    ids = find_titled(connection, words, published, limit)
    order = IndexOrder(NEWEST, None, published, count_of_all(connection, published))
    rows = pages_of(unranked(ids), order).read(connection, BEGINNING, limit)
    items = [json.loads(row.item) for _, row in rows]
    return [TitleSuggestion(item["id"], item["title"]) for item in items]
