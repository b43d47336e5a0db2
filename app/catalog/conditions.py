"""What an article must be: kinds of conditions, and the values that a query gives them. Knows no order.

Queries whose conditions are of the same kinds are one statement, whatever their values.
"""

import operator
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, false, select, true

from app.catalog.query import ArticleQuery, Moment
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import article_terms, article_urls, articles, terms
from app.catalog.url_keys import url_key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Condition:
    """`make(*fixed, *values)` is its expression."""

    make: Callable[..., ColumnElement[bool]]
    fixed: tuple[Hashable, ...]
    values: tuple[Any, ...]

    @property
    def kind(self) -> Hashable:
        return self.make, self.fixed, len(self.values)


def leads(term_id: ColumnElement[int]) -> ColumnElement[bool]:
    return article_terms.c.term_id == term_id


def is_published(by_term: bool, *values: Any) -> ColumnElement[bool]:
    return _is_one_of((article_terms if by_term else articles).c.published, values)


def filed_under(
    field: str, term_ids: Sequence[int], *, by_term: bool, anything: bool, none_of: bool
) -> Condition:
    if not term_ids and not anything:
        return Condition(true if none_of else false, (), ())
    fixed = (by_term, field if anything else "", anything, none_of)
    return Condition(_filed, fixed, () if anything else tuple(term_ids))


def _filed(by_term: bool, field: str, anything: bool, none_of: bool, *term_ids: Any) -> ColumnElement[bool]:
    one = article_terms.alias("one")
    filed = select(1).where(one.c.article_id == (article_terms.c.article_id if by_term else articles.c.id))
    if anything:
        filed = filed.join_from(one, terms, terms.c.id == one.c.term_id).where(terms.c.field == field)
    else:
        filed = filed.select_from(one).where(_is_one_of(one.c.term_id, term_ids))
    has_one: ColumnElement[bool] = filed.correlate(article_terms if by_term else articles).exists()
    return ~has_one if none_of else has_one


def by_id(query: ArticleQuery) -> list[Condition]:
    conditions = []
    for clause in query.id:
        if clause.anything:
            conditions.append(Condition(false if clause.none_of else true, (), ()))
        else:
            conditions.append(Condition(_has_id, (clause.none_of,), clause.values))
    return conditions


def _has_id(none_of: bool, *ids: Any) -> ColumnElement[bool]:
    one = articles.c.public_id
    return one.not_in(ids) if none_of else one.in_(ids)


def other_conditions(query: ArticleQuery) -> list[Condition]:
    conditions = [
        *_between("newest", query.published_from, query.published_before),
        *_between("newest_updated", query.updated_from, query.updated_before),
    ]
    for column, compare, bound in (
        # By the sort keys, whose indexes hold all that is asked; the unknown ones are beyond every number.
        ("best", operator.le, query.min_quality and -query.min_quality),
        ("worst", operator.le, query.max_quality),
        ("hottest", operator.le, query.min_heat and -query.min_heat),
        ("coolest", operator.le, query.max_heat),
    ):
        if bound is not None:
            conditions.append(_compares(column, compare, bound))
    for column, wanted in (("image_count", query.has_image), ("related_count", query.has_related)):
        if wanted is not None:
            conditions.append(_compares(column, operator.gt if wanted else operator.eq, 0))
    if query.url:
        conditions.append(Condition(_has_url, (), (url_key(query.url),)))
    return conditions


def _between(newest: str, since: Moment | None, until: Moment | None) -> list[Condition]:
    """The key is the negative of the time, and far beyond all of them for what is undated."""
    conditions = []
    if since:
        conditions.append(_compares(newest, operator.le, -_seconds(since)))
    if until:
        conditions.append(_compares(newest, operator.gt, -_seconds(until)))
        conditions.append(_compares(newest, operator.lt, UNKNOWN))
    return conditions


def _compares(column: str, compare: Callable[[Any, Any], Any], value: int) -> Condition:
    return Condition(_comparison, (column, compare), (value,))


def _comparison(
    column: str, compare: Callable[[Any, Any], ColumnElement[bool]], value: Any
) -> ColumnElement[bool]:
    return compare(articles.c[column], value)


def _has_url(key: Any) -> ColumnElement[bool]:
    of_url = select(article_urls.c.article_id).where(article_urls.c.url_key == key)
    return articles.c.id.in_(of_url)


def _seconds(when: Moment) -> int:
    return int((when.at - _EPOCH).total_seconds())


def _is_one_of(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Not `IN` for a single one: an index that goes on after the column then keeps its order."""
    return column == values[0] if len(values) == 1 else column.in_(values)
