"""The door for questions: which articles fulfil conditions, how many of them have what, pages of them."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from operator import and_
from typing import Any, Final

from pyroaring import BitMap
from sqlalchemy import Connection, Select, or_, select

from app.catalog.audience import Published
from app.catalog.fields import Has
from app.catalog.index.conditions import Conditions
from app.catalog.index.groups import FirstOfGroups, GroupNumbers, story_kind
from app.catalog.index.likeness import WordProfile
from app.catalog.index.ranges import joined
from app.catalog.index.repeats import Collapse, read_repeats
from app.catalog.index.search import SearchCondition
from app.catalog.index.sets import (
    DAY,
    MONTH,
    AnyOf,
    Condition,
    InRows,
    counts_from_to,
    counts_of_kind,
    has,
    is_unpublished,
    month_start,
    of_audience,
)
from app.catalog.index.term_counts import (
    FieldCounts,
    TermCount,
    count_terms,
    count_topics_with_descendants,
)
from app.catalog.index.titles import find_titled
from app.catalog.index.walk import SetPages
from app.catalog.orders import IndexOrder
from app.catalog.tables import article_urls, articles, word_articles
from app.database.rows import position, text_in_parameter, texts_parameter
from app.database.statements import statement
from app.urls import url_key

__all__ = [
    "URL_KEYS",
    "ArticleSet",
    "Collapse",
    "FieldCounts",
    "Groups",
    "Ranks",
    "TermCount",
    "WordProfile",
    "count_articles_with_words",
    "count_terms",
    "count_topics_with_descendants",
    "count_with_term",
    "counts_by_day",
    "counts_by_month",
    "find",
    "find_titled",
    "first_of_groups",
    "pages_of",
    "ranked_by_relevance",
    "ranked_by_url",
    "read_groups",
    "read_repeats",
    "unranked",
    "words_without_articles",
]

# Outside the index an article set has a length and can be asked whether an id is in it, and no more.
ArticleSet = BitMap
# The groups of articles, as lists that are folded ask for them.
Groups = GroupNumbers
# Sets by rank, the lowest first; one of rank None where all articles rank alike.
Ranks = Mapping[int | None, ArticleSet]

# Six groups of words are enough to tell the best; each more doubles the work.
_MAX_GROUPS_RANKED: Final = 6
# The keys of an item that have the article's own URLs.
URL_KEYS: Final = ("webUrl", "originalUrl", "ampWebUrl", "cdnAmpWebUrl")
_IN_TITLE, _IN_EXCERPT, _ELSEWHERE = 4, 2, 1


def find(connection: Connection, conditions: Conditions, published: Published) -> ArticleSet:
    """The articles that fulfil all required and no excluded condition, of those that are asked for."""
    required, excluded = [*conditions.required], [*conditions.excluded]
    if published != "any":
        (excluded if published == "true" else required).append(is_unpublished())
    # Every article has a source.
    sets = [condition.read(connection) for condition in required or [has(Has.SOURCE)]]
    # Small sets come first: they make the intersections with large ones cheap.
    articles_ = reduce(and_, sorted(sets, key=len))
    return articles_ - AnyOf(tuple(excluded)).read(connection) if excluded else articles_


def words_without_articles(
    connection: Connection, conditions: Conditions, published: Published
) -> Sequence[str]:
    """The words of searches that no article has of those that are asked for, each looked up as usual."""
    searches = [
        condition
        for condition in (*conditions.required, *conditions.excluded)
        if isinstance(condition, SearchCondition)
    ]
    unknown: dict[str, None] = {}
    for search in searches:
        for group in search.by_phrase(connection):
            for phrase, occurrences in group.items():
                if of_audience(connection, occurrences.anywhere, published):
                    continue
                for word, ids in search.words_alone(connection, phrase):
                    if not of_audience(connection, ids, published):
                        unknown[word] = None
    return list(unknown)


def count_articles_with_words(
    connection: Connection, words: Sequence[str], published: Published
) -> dict[str, int]:
    """How many articles that are asked for have each word as it is spelled, of the words that any has."""
    dialect = connection.dialect.name
    pieces: dict[str, list[bytes]] = defaultdict(list)
    for row in _rows_of_words(connection, dialect).rows({"words": texts_parameter(dialect, words)}):
        pieces[row.word].append(row.anywhere)
    counts = {
        word: len(of_audience(connection, joined(of_word), published)) for word, of_word in pieces.items()
    }
    return {word: count for word, count in counts.items() if count}


@statement
def _rows_of_words(dialect: str) -> Select[Any]:
    columns = word_articles.c
    return select(columns.word, columns.anywhere).where(text_in_parameter(dialect, columns.word, "words"))


def count_with_term(connection: Connection, field: str, published: Published) -> int:
    """How many of all articles have any term of the field."""
    conditions = Conditions()
    conditions.add(has(Has.term_of(field)), is_wanted=True)
    return len(find(connection, conditions, published))


def counts_by_month(connection: Connection, within: ArticleSet) -> dict[date, int]:
    """How many articles of the set were published in each month that has any, by its first day."""
    return {month_start(month): count for month, count in counts_of_kind(connection, MONTH, within).items()}


def counts_by_day(connection: Connection, within: ArticleSet, first: date, last: date) -> dict[date, int]:
    """How many articles of the set were published on each day that has any, from the first to the last."""
    days = counts_from_to(connection, DAY, first.toordinal(), last.toordinal(), within)
    return {date.fromordinal(day): count for day, count in days.items()}


def unranked(ids: ArticleSet) -> Ranks:
    return {None: ids}


def ranked_by_relevance(connection: Connection, ids: ArticleSet, required: Sequence[Condition]) -> Ranks:
    """Words in a title count most, then those in an excerpt. The rank is the negative of the points."""
    searches = (condition for condition in required if isinstance(condition, SearchCondition))
    groups = [group for search in searches for group in search.by_group(connection)]
    by_points = {0: ids}
    for group in groups[:_MAX_GROUPS_RANKED]:
        sums: dict[int, BitMap] = defaultdict(BitMap)
        for points, same in by_points.items():
            not_in_title = same - group.title
            sums[points + _IN_TITLE] |= same & group.title
            sums[points + _IN_EXCERPT] |= not_in_title & group.excerpt
            sums[points + _ELSEWHERE] |= not_in_title - group.excerpt
        by_points = sums
    return {-points: same for points, same in by_points.items() if same}


def ranked_by_url(connection: Connection, ids: ArticleSet, url: str) -> Ranks:
    """Articles with exactly this URL come before those with another form of it."""
    # Quotes inside a text are escaped in JSON, so `"webUrl":"…"` can only be the key with its value.
    value = json.dumps(url, ensure_ascii=False)
    has_exact_url = (
        position(connection.dialect.name, articles.c.item, f'"{key}":{value}') > 0 for key in URL_KEYS
    )
    with_url = select(article_urls.c.article_id).where(article_urls.c.url_key == url_key(url))
    statement = select(articles.c.id).where(articles.c.id.in_(with_url), or_(*has_exact_url))
    exact = InRows(statement).read(connection) & ids
    return {0: exact, 1: ids - exact}


def read_groups(connection: Connection, by: Collapse, published: Published) -> Groups:
    """Which articles are one story to those who ask, or versions of one page."""
    return GroupNumbers(connection, "page" if by == "url" else story_kind(published))


def first_of_groups(ranks: Ranks, index_order: IndexOrder, groups: Groups) -> FirstOfGroups:
    """The same as `pages_of`, but each group has only the article that comes first."""
    return FirstOfGroups(SetPages(ranks, index_order), groups)


def pages_of(ranks: Ranks, index_order: IndexOrder) -> SetPages:
    """The articles of the ranks, in the order of the index within each: rows of `list_columns`."""
    return SetPages(ranks, index_order)
