"""From a query to the articles that match it, in their order, and how many they are. Knows no HTTP.

All articles, and the newest of one term, are ranges of an index, and their number stands with the term. What
else is asked for is a set of articles: it is counted, and sifted out of the index that has the order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, Select, bindparam, select

from app.catalog.audience import PUBLISHED_VALUES
from app.catalog.index.conditions import other_parts
from app.catalog.index.find import Tiers, articles_of, by_exactness, by_relevance
from app.catalog.index.sets import HAS, HAS_KEYS, Keys, Part
from app.catalog.index.walk import Sifted, Walk
from app.catalog.paging import Listing, Pageable
from app.catalog.query import ArticleQuery
from app.catalog.search import Searched
from app.catalog.tables import FIELDS, article_terms, articles
from app.catalog.terms import Term, count_of_all, meant, with_descendants

_SORT_COLUMNS = {
    "-publishedDateTime": "newest",
    "publishedDateTime": "oldest",
    "-updatedDateTime": "newest_updated",
    "updatedDateTime": "oldest_updated",
    "-quality": "best",
    "quality": "worst",
    "-heat": "hottest",
    "heat": "coolest",
    "title": "first_title",
    "-title": "last_title",
}


@dataclass(slots=True)
class Selection:
    """Articles in all of `within` and in none of `without`. `known_total`: where the import counted."""

    query: ArticleQuery
    within: Sequence[Part]
    without: Sequence[Part]
    walk: Walk
    known_total: int | None
    _found: BitMap | None = field(default=None, init=False)

    @property
    def is_everything(self) -> bool:
        """Whether it is what the sources' terms count."""
        return not self.within and not self.without

    @property
    def is_range(self) -> bool:
        """Whether it is all that is walked along."""
        is_walked = self.is_everything or (self.known_total is not None and self.walk.term_id is not None)
        return is_walked and len(PUBLISHED_VALUES[self.query.published]) == 1

    def articles(self, connection: Connection) -> BitMap:
        """Their ids, read once."""
        if self._found is None:
            self._found = articles_of(connection, self.within, self.without, self.query.published)
        return self._found

    def total(self, connection: Connection) -> int:
        return len(self.articles(connection)) if self.known_total is None else self.known_total

    def listing(self, connection: Connection, *columns: ColumnElement[Any]) -> Pageable:
        """In the query's order. Rows have the columns, of the table of articles."""
        if self.is_range:
            [published] = PUBLISHED_VALUES[self.query.published]
            by_term = self.walk.term_id is not None
            values = {"term_id": self.walk.term_id, "published": published}
            shape = (Selection, by_term, self.walk.column, columns)
            return Listing(shape, partial(range_of, columns, by_term=by_term), self.walk.order, values)
        return Sifted(self._tiers(connection), self.walk, columns)

    def _tiers(self, connection: Connection) -> Tiers:
        found, query = self.articles(connection), self.query
        if query.url:
            return by_exactness(connection, found, query.url)
        if query.order == "relevance":
            searched = (part for part in self.within if isinstance(part, Searched))
            return by_relevance(found, [group for part in searched for group in part.by_group(connection)])
        return {None: found}


def range_of(columns: Sequence[ColumnElement[Any]], *, by_term: bool) -> Select[Any]:
    rows = select(*columns)
    if not by_term:
        return rows.where(articles.c.published == bindparam("published"))
    return (
        rows.select_from(article_terms)
        .join(articles, articles.c.id == article_terms.c.article_id)
        .where(
            article_terms.c.term_id == bindparam("term_id"),
            article_terms.c.published == bindparam("published"),
        )
    )


def matching(connection: Connection, query: ArticleQuery) -> Selection:
    """Resolves names first: what nobody, or only a hidden article, is called, matches nothing."""
    single: list[Term] = []
    within, without = other_parts(query)
    is_single = not within and not without
    for name in FIELDS:
        for clause in getattr(query, name):
            found = [
                term for value in clause.values for term in meant(connection, name, value, query.published)
            ]
            if name == "topic" and query.descendants:
                found = with_descendants(connection, found)
            ids = tuple(dict.fromkeys(term.id for term in found))
            of_clause = Keys(HAS, (HAS_KEYS[name],)) if clause.anything else Keys(name, ids)
            (without if clause.none_of else within).append(of_clause)
            if len(ids) == 1 and not clause.none_of and not clause.anything:
                single.append(found[0])
    known_total = None
    if not within and not without:
        known_total = count_of_all(connection, query.published)
    elif is_single and len(within) == len(single) == 1 and not without:
        known_total = single[0].count
    column = _SORT_COLUMNS.get(query.order, "newest")
    # Along the rarest of the terms that all must have.
    leading = min(single, key=lambda term: term.count) if single and column == "newest" else None
    length = leading.count if leading else known_total if known_total is not None and not single else None
    if length is None:
        length = count_of_all(connection, query.published)
    walk = Walk(column, leading.id if leading else None, query.published, length)
    return Selection(query, within, without, walk, known_total)
