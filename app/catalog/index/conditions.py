"""What a query narrows beside terms, as sets of articles."""

from datetime import UTC, datetime

from sqlalchemy import select

from app.catalog.index.sets import (
    DAY,
    HAS,
    HAS_KEYS,
    HEAT,
    QUALITY,
    UPDATED_DAY,
    AnyOf,
    Between,
    Keys,
    Part,
    Selected,
    begin_of,
    day_of,
)
from app.catalog.query import ArticleQuery, Moment
from app.catalog.search import Searched
from app.catalog.tables import article_urls, articles
from app.catalog.url_keys import url_key
from app.catalog.words import Search

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def other_parts(query: ArticleQuery) -> tuple[list[Part], list[Part]]:
    """What articles must be in all of, and in none of."""
    within: list[Part] = []
    without: list[Part] = []
    for clause in query.id:
        of_clause = within if not clause.none_of else without
        if not clause.anything:
            of_clause.append(Selected(select(articles.c.id).where(articles.c.public_id.in_(clause.values))))
        elif clause.none_of:
            of_clause.append(Keys(HAS, (HAS_KEYS["source"],)))
    for kind, column, since, until in (
        (DAY, "newest", query.published_from, query.published_before),
        (UPDATED_DAY, "newest_updated", query.updated_from, query.updated_before),
    ):
        if since or until:
            within.append(_dated(kind, column, since and _seconds(since), until and _seconds(until)))
    for kind, least, most in (
        (QUALITY, query.min_quality, query.max_quality),
        (HEAT, query.min_heat, query.max_heat),
    ):
        if least is not None or most is not None:
            within.append(Between(kind, least, most))
    for what, wanted in (("image", query.has_image), ("related", query.has_related)):
        if wanted is not None:
            (within if wanted else without).append(Keys(HAS, (HAS_KEYS[what],)))
    if query.url:
        of_url = select(article_urls.c.article_id).where(article_urls.c.url_key == url_key(query.url))
        within.append(Selected(of_url))
    if query.search:
        needed, forbidden = _searched(query.search)
        within += needed
        without += forbidden
    return within, without


def _dated(kind: str, column: str, since: int | None, until: int | None) -> Part:
    """From a second on, and before another: whole days by their sets, the parts of days by an index."""
    first = None if since is None else day_of(1 - since) + 1
    end = None if until is None else day_of(-until)
    edges = []
    if since is not None and first is not None and since < begin_of(first):
        edges.append((since, begin_of(first) if until is None else min(begin_of(first), until)))
    if until is not None and end is not None and begin_of(end) < until:
        edges.append((begin_of(end) if since is None else max(begin_of(end), since), until))
    newest = articles.c[column]
    rows = select(articles.c.id).where(articles.c.published.in_((0, 1)))
    return AnyOf(
        (
            Between(kind, first, None if end is None else end - 1),
            *(Selected(rows.where(newest <= -start, newest > -stop)) for start, stop in edges),
        )
    )


def _searched(search: Search) -> tuple[list[Part], list[Part]]:
    """Words of which none is needed and none forbidden find nothing."""
    if not search.none_of:
        return [Searched(search.all_of)], []
    return [Searched(search.all_of)] if search.all_of else [], [Searched((search.none_of,))]


def _seconds(when: Moment) -> int:
    return int((when.at - _EPOCH).total_seconds())
