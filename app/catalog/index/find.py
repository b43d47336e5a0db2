"""The door for questions: which articles fulfil conditions, how many of them have what, pages of them."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from operator import and_
from typing import Final, Literal, NamedTuple

from pyroaring import BitMap
from sqlalchemy import Connection, or_, select

from app.catalog.audience import Published, name_of
from app.catalog.fields import Has
from app.catalog.index.conditions import Conditions
from app.catalog.index.groups import FirstOfGroups, GroupNumbers, story_kind
from app.catalog.index.search import SearchCondition
from app.catalog.index.sets import (
    DAY,
    AnyOf,
    Condition,
    InRows,
    has,
    is_unpublished,
    sets_of_kind,
    sets_of_terms,
)
from app.catalog.index.walk import SetPages
from app.catalog.orders import IndexOrder
from app.catalog.tables import article_urls, articles, terms, topics
from app.database.rows import position
from app.urls import url_key

# Outside the index an article set has a length and can be asked whether an id is in it, and no more.
ArticleSet = BitMap
# Who is in which group, which has a count and makes lists of the first of each.
Groups = GroupNumbers
# Sets by rank, the lowest first; one of rank None where all articles rank alike.
Ranks = Mapping[int | None, ArticleSet]

# Six groups of words are enough to tell the best; each more doubles the work.
_MAX_GROUPS_RANKED: Final = 6
# The keys of an item that have the article's own URLs.
URL_KEYS: Final = ("webUrl", "originalUrl", "ampWebUrl", "cdnAmpWebUrl")
_IN_TITLE, _IN_EXCERPT, _ELSEWHERE = 4, 2, 1


class TermCount(NamedTuple):
    """How many articles of a set are filed under a term. `name` is None if the audience knows none."""

    key: str
    by_name: int
    name: str | None
    article_count: int


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


def count_with_term(
    connection: Connection, field: str, published: Published, within: ArticleSet | None
) -> int:
    """How many articles have any term of the field; `within` None means of all."""
    condition = has(Has.term_of(field))
    if within is not None:
        return within.intersection_cardinality(condition.read(connection))
    conditions = Conditions()
    conditions.add(condition, is_wanted=True)
    return len(find(connection, conditions, published))


def counts_by_term(
    connection: Connection, field: str, published: Published, within: ArticleSet
) -> Iterator[TermCount]:
    """The terms of a field that any article of the set is filed under."""
    for row, with_term in sets_of_terms(connection, field, published):
        if count := within.intersection_cardinality(with_term):
            yield TermCount(row.key, row.by_name, row.shown, count)


def counts_by_topic_and_descendants(
    connection: Connection, published: Published, within: ArticleSet
) -> Iterator[TermCount]:
    """As `counts_by_term`, where a topic also means the topics below it: each article counts once."""
    sets = dict(sets_of_kind(connection, "topic"))
    columns = (terms.c.id, terms.c.key, terms.c.by_name, name_of(terms, published).label("shown"))
    rows = select(*columns, topics.c.parent_id).outerjoin(topics, topics.c.term_id == terms.c.id)
    all_topics = connection.execute(rows.where(terms.c.field == "topic")).all()
    add_to_ancestors(sets, {row.id: row.parent_id for row in all_topics if row.parent_id})
    for row in all_topics:
        if count := within.intersection_cardinality(sets.get(row.id, BitMap())):
            yield TermCount(row.key, row.by_name, row.shown, count)


def add_to_ancestors(sets: dict[int, BitMap], parents: Mapping[int, int]) -> None:
    """Adds each topic's set to its parent's, the lowest first. Topics in a circle end with one set."""
    children = Counter(parents.values())
    complete = [topic for topic in parents if not children[topic]]
    while complete:
        topic = complete.pop()
        parent = parents.get(topic)
        if parent is None:
            continue
        sets[parent] = sets.get(parent, BitMap()) | sets.get(topic, BitMap())
        children[parent] -= 1
        if not children[parent]:
            complete.append(parent)
    in_circles = {topic for topic in parents if children[topic]}
    while in_circles:
        circle = [in_circles.pop()]
        while (parent := parents[circle[-1]]) in in_circles:
            in_circles.remove(parent)
            circle.append(parent)
        union = BitMap.union(*(sets.get(topic, BitMap()) for topic in circle))
        sets |= dict.fromkeys(circle, union)


def counts_by_day(connection: Connection, within: ArticleSet) -> dict[date, int]:
    """How many articles of the set were published on each day that has any."""
    return {
        date.fromordinal(day): count
        for day, of_day in sets_of_kind(connection, DAY)
        if (count := within.intersection_cardinality(of_day))
    }


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


def read_groups(connection: Connection, by: Literal["story", "url"], published: Published) -> Groups:
    """Which articles are one story to those who ask, or versions of one page."""
    return GroupNumbers(connection, "page" if by == "url" else story_kind(published))


def first_of_groups(ranks: Ranks, index_order: IndexOrder, groups: Groups) -> FirstOfGroups:
    """As `pages_of`, but of each group only the article that comes first."""
    return FirstOfGroups(SetPages(ranks, index_order), groups)


def pages_of(ranks: Ranks, index_order: IndexOrder) -> SetPages:
    """The articles of the ranks, in the order of the index within each: rows of `list_columns`."""
    return SetPages(ranks, index_order)
