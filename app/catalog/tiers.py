"""What comes first of a set of articles, before any order of theirs: what fits a search or a URL better."""

from collections import defaultdict

from pyroaring import BitMap
from sqlalchemy import Connection, or_, select

from app.catalog.article_sets import Selected
from app.catalog.search import POINTS_ELSEWHERE, ranked_groups
from app.catalog.tables import articles
from app.catalog.words import Search

# By rank, the lowest first; of rank None where all are alike.
Tiers = dict[int | None, BitMap]


def by_relevance(connection: Connection, found: BitMap, search: Search) -> Tiers:
    """What stands in a title counts most, then in an excerpt. The rank is the negative of the points."""
    by_points = {0: found}
    for in_fields in ranked_groups(connection.dialect.name, search):
        sets = [(Selected(statement).read(connection), points) for statement, points in in_fields]
        summed: dict[int, BitMap] = defaultdict(BitMap)
        for points_before, articles_ in by_points.items():
            rest = articles_
            for in_field, points in sets:
                summed[points_before + points] |= rest & in_field
                rest = rest - in_field
            summed[points_before + POINTS_ELSEWHERE] |= rest
        by_points = summed
    return {-points: tier for points, tier in by_points.items() if tier}


def by_exactness(connection: Connection, found: BitMap, url: str) -> Tiers:
    """Of articles with a URL in any of its disguises, first those that have it as it is given."""
    stored = (articles.c.web_url, articles.c.original_url, articles.c.amp_web_url, articles.c.cdn_amp_web_url)
    statement = select(articles.c.id).where(
        articles.c.id.in_(list(found)), or_(*(column == url for column in stored))
    )
    exact = Selected(statement).read(connection)
    return {0: exact, 1: found - exact}
