"""What comes first of a set of articles, before any order of theirs: what fits a search or a URL better."""

from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Final

from pyroaring import BitMap
from sqlalchemy import Connection, or_, select

from app.catalog.audience import Published
from app.catalog.index.sets import HAS, HAS_KEYS, IS_UNPUBLISHED, UNPUBLISHED, AnyOf, Keys, Part, Selected
from app.catalog.search_words import Where
from app.catalog.tables import article_urls, articles
from app.catalog.url_keys import url_key

# Who asks for more words than this has said enough to find the best.
_GROUPS_RANKED: Final = 6


_IN_TITLE, _IN_EXCERPT, _ELSEWHERE = 4, 2, 1


# By rank, the lowest first; of rank None where all are alike.
Tiers = dict[int | None, BitMap]


def by_relevance(found: BitMap, groups: Sequence[Where]) -> Tiers:
    """What stands in a title counts most, then in an excerpt. The rank is the negative of the points."""
    by_points = {0: found}
    for group in groups[:_GROUPS_RANKED]:
        summed: dict[int, BitMap] = defaultdict(BitMap)
        for points_before, articles_ in by_points.items():
            in_text = articles_ - group.title
            summed[points_before + _IN_TITLE] |= articles_ & group.title
            summed[points_before + _IN_EXCERPT] |= in_text & group.excerpt
            summed[points_before + _ELSEWHERE] |= in_text - group.excerpt
        by_points = summed
    return {-points: tier for points, tier in by_points.items() if tier}


def by_exactness(connection: Connection, found: BitMap, url: str) -> Tiers:
    """Of articles with a URL in any of its disguises, first those that have it as it is given."""
    stored = (articles.c.web_url, articles.c.original_url, articles.c.amp_web_url, articles.c.cdn_amp_web_url)
    of_url = select(article_urls.c.article_id).where(article_urls.c.url_key == url_key(url))
    statement = select(articles.c.id).where(
        articles.c.id.in_(of_url), or_(*(column == url for column in stored))
    )
    exact = Selected(statement).read(connection) & found
    return {0: exact, 1: found - exact}


def articles_of(
    connection: Connection, parts: Sequence[Part], none_of: Sequence[Part], published: Published
) -> BitMap:
    """Articles in all of the parts, and in none of others."""
    hidden = Keys(UNPUBLISHED, (IS_UNPUBLISHED,))
    if published == "true":
        none_of = [*none_of, hidden]
    elif published == "false":
        parts = [*parts, hidden]
    within = [part.read(connection) for part in parts or [Keys(HAS, (HAS_KEYS["source"],))]]
    # The small ones first, by which the large ones are cut.
    found = reduce(and_, sorted(within, key=len))
    return found - AnyOf(tuple(none_of)).read(connection) if none_of else found
