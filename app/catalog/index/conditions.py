"""The filters of a query, except its clauses of terms, as conditions that are required or excluded."""

from datetime import UTC, datetime

from sqlalchemy import select

from app.catalog.audience import Published, member_id_of
from app.catalog.fields import Has
from app.catalog.index.groups import InAnyGroup, InStories, story_kind
from app.catalog.index.search import SearchCondition
from app.catalog.index.sets import (
    ADDED_DAY,
    DAY,
    HEAT,
    QUALITY,
    UPDATED_DAY,
    AnyOf,
    Condition,
    InRows,
    InSets,
    InSetsBetween,
    day_number,
    day_start,
    has,
)
from app.catalog.query import ArticleQuery, Moment
from app.catalog.search_language import Search
from app.catalog.tables import article_urls, articles, collection_items
from app.urls import url_key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Conditions:
    """Articles fulfil all of `required` and none of `excluded`."""

    def __init__(self) -> None:
        self.required: list[Condition] = []
        self.excluded: list[Condition] = []

    def __bool__(self) -> bool:
        return bool(self.required or self.excluded)

    def add(self, condition: Condition, *, is_wanted: bool) -> None:
        (self.required if is_wanted else self.excluded).append(condition)

    def add_terms(self, field: str, term_ids: tuple[int, ...], *, is_wanted: bool) -> None:
        """Articles of any of a field's terms."""
        self.add(InSets(field, term_ids), is_wanted=is_wanted)

    def add_any_term(self, field: str, *, is_wanted: bool) -> None:
        self.add(has(Has.term_of(field)), is_wanted=is_wanted)


def add_conditions(query: ArticleQuery, conditions: Conditions) -> None:
    """Adds a condition for each filter of the query, except its clauses of terms."""
    _add_ids(query, conditions)
    _add_stories_and_collections(query, conditions)
    _add_moments(query, conditions)
    _add_numbers(query, conditions)
    for key, is_wanted in ((Has.IMAGE, query.has_image), (Has.RELATED, query.has_related)):
        if is_wanted is not None:
            conditions.add(has(key), is_wanted=is_wanted)
    if query.url:
        with_url = select(article_urls.c.article_id).where(article_urls.c.url_key == url_key(query.url))
        conditions.add(InRows(with_url), is_wanted=True)
    if query.search:
        _add_search(query.search, query.published, conditions)


def _add_ids(query: ArticleQuery, conditions: Conditions) -> None:
    for clause in query.id:
        if not clause.anything:
            rows = select(articles.c.id).where(articles.c.public_id.in_(clause.values))
            conditions.add(InRows(rows), is_wanted=not clause.none_of)
        elif clause.none_of:
            # Every article has an id and a source, so `id=-*` excludes them all.
            conditions.add(has(Has.SOURCE), is_wanted=False)


def _add_stories_and_collections(query: ArticleQuery, conditions: Conditions) -> None:
    for clause in query.story:
        kind = story_kind(query.published)
        in_story: Condition = InAnyGroup(kind) if clause.anything else InStories(kind, clause.values)
        conditions.add(in_story, is_wanted=not clause.none_of)
    for clause in query.collection:
        collections = articles.alias()
        member_id = member_id_of(collection_items, query.published)
        rows = (
            select(member_id)
            .join(collections, collections.c.id == collection_items.c.article_id)
            .where(member_id.is_not(None))
        )
        if query.published == "true":
            # `+ 0` keeps the planner from using an index of an order.
            rows = rows.where(collections.c.published + 0 == 1)
        if not clause.anything:
            rows = rows.where(collections.c.public_id.in_(clause.values))
        conditions.add(InRows(rows), is_wanted=not clause.none_of)


def _add_moments(query: ArticleQuery, conditions: Conditions) -> None:
    for kind, column, since, until in (
        (DAY, "newest", query.published_from, query.published_before),
        (UPDATED_DAY, "newest_updated", query.updated_from, query.updated_before),
        (ADDED_DAY, "newest_added", query.added_from, query.added_before),
    ):
        if since or until:
            in_range = _date_range(kind, column, since and _seconds(since), until and _seconds(until))
            conditions.add(in_range, is_wanted=True)


def _add_numbers(query: ArticleQuery, conditions: Conditions) -> None:
    for kind, lowest, highest in (
        (QUALITY, query.min_quality, query.max_quality),
        (HEAT, query.min_heat, query.max_heat),
    ):
        if lowest is not None or highest is not None:
            conditions.add(InSetsBetween(kind, lowest, highest), is_wanted=True)


def _date_range(kind: str, column: str, since: int | None, until: int | None) -> Condition:
    """Articles from one second (inclusive) to another (exclusive), counted from 1970.

    Whole days come from day sets; the partial first and last day from the index of the column.
    """
    first_day = None if since is None else day_number(1 - since) + 1
    end_day = None if until is None else day_number(-until)
    partial_days = []
    if since is not None and first_day is not None and since < day_start(first_day):
        partial_days.append(
            (since, day_start(first_day) if until is None else min(day_start(first_day), until))
        )
    if until is not None and end_day is not None and day_start(end_day) < until:
        partial_days.append((day_start(end_day) if since is None else max(day_start(end_day), since), until))
    sort_key = articles.c[column]
    rows = select(articles.c.id).where(articles.c.published.in_((0, 1)))
    return AnyOf(
        (
            InSetsBetween(kind, first_day, None if end_day is None else end_day - 1),
            *(InRows(rows.where(sort_key <= -start, sort_key > -stop)) for start, stop in partial_days),
        )
    )


def _add_search(search: Search, published: Published, conditions: Conditions) -> None:
    if search.none_of:
        conditions.add(SearchCondition((search.none_of,), published), is_wanted=False)
    if search.all_of or not search.none_of:
        # `q=!!!` has no words: it matches nothing.
        conditions.add(SearchCondition(search.all_of, published), is_wanted=True)


def _seconds(moment: Moment) -> int:
    return int((moment.at - _EPOCH).total_seconds())
