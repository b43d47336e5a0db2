"""From a query to statements: which articles match, in what order, and how many they are. Knows no HTTP.

A list of the newest is read from the index of one term, the rarest that all must have, and the other clauses
are looked up for each article; any other order is read from an index of articles. Neither sorts.

A condition is its kind and its values: queries of the same kinds are one statement, which is made once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyroaring import BitMap
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    union_all,
)

from app.catalog.article_sets import HAS, HAS_KEYS, Keys, Part, articles_of
from app.catalog.audience import PUBLISHED_VALUES, Published, count_of, is_visible
from app.catalog.clauses import Clause
from app.catalog.conditions import Condition, by_id, filed_under, is_published, leads, other_conditions
from app.catalog.paging import Listing
from app.catalog.parts import other_parts
from app.catalog.query import ArticleQuery
from app.catalog.search import is_found, relevance
from app.catalog.tables import FIELDS, article_terms, articles, term_names, terms, topics
from app.database import in_time
from app.names import fold
from app.statements import prepared

# Counting a million articles one by one takes longer; who turns pages does not wait for it.
TOTAL_SECONDS = 1.0

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


@dataclass(frozen=True, slots=True)
class Selection:
    """`order` ascends and is total. `known_total` is there where the import counted.

    `order_name` is None where the order has values of its own, so that it is of no use to other queries.
    `conditions` ask of each row what the sets say of all articles at once: in all of `within`, in none of
    `without`.
    """

    conditions: tuple[Condition, ...]
    order: tuple[ColumnElement[Any], ...]
    order_name: str | None
    by_term: bool
    known_total: int | None
    published: Published
    within: tuple[Part, ...]
    without: tuple[Part, ...]
    is_search: bool

    @property
    def is_everything(self) -> bool:
        """Whether it is what the sources' terms count."""
        return not self.within and not self.without

    def articles(self, connection: Connection) -> BitMap:
        """Their ids, however long it takes."""
        return articles_of(connection, self.within, self.without, self.published)

    def statement(self, *columns: ColumnElement[Any]) -> Select[Any]:
        made = (each.make(*each.fixed, *each.values) for each in self.conditions)
        return self._rows(columns).where(*made)

    def listing(self, *columns: ColumnElement[Any]) -> Listing:
        if self.order_name is None:
            return Listing(None, partial(self.statement, *columns), self.order, {})
        names = [
            [f"value_{number}_{place}" for place in range(len(each.values))]
            for number, each in enumerate(self.conditions)
        ]
        values = {
            name: value
            for of_condition, each in zip(names, self.conditions, strict=True)
            for name, value in zip(of_condition, each.values, strict=True)
        }

        def statement() -> Select[Any]:
            made = (
                each.make(*each.fixed, *map(bindparam, of_condition))
                for of_condition, each in zip(names, self.conditions, strict=True)
            )
            return self._rows(columns).where(*made)

        kinds = tuple(each.kind for each in self.conditions)
        return Listing((self.order_name, self.by_term, columns, kinds), statement, self.order, values)

    def total(self, connection: Connection) -> int | None:
        """None where it cannot be counted within TOTAL_SECONDS, as of a search that half a million match."""
        if not self.is_search:
            return self.count(connection)
        with in_time(connection, TOTAL_SECONDS) as counting:
            counting.result = self.count(connection)
        return counting.result

    def count(self, connection: Connection) -> int:
        """However long it takes."""
        return len(self.articles(connection)) if self.known_total is None else self.known_total

    def _rows(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        rows = select(*columns)
        if self.by_term:
            return rows.select_from(article_terms).join(articles, articles.c.id == article_terms.c.article_id)
        return rows.select_from(articles)


@dataclass(frozen=True, slots=True)
class _Term:
    id: int
    field: str
    count: int


def matching(connection: Connection, query: ArticleQuery) -> Selection:
    """Resolves names first: what nobody, or only a hidden article, is called, matches nothing."""
    single: list[_Term] = []
    within, without = other_parts(connection.dialect.name, query)
    several: list[tuple[str, tuple[int, ...], Clause]] = []
    for field in FIELDS:
        for clause in getattr(query, field):
            matched = list(
                {
                    term.id: term
                    for value in clause.values
                    for term in _meant(connection, field, value, query.published)
                }.values()
            )
            if field == "topic" and query.descendants:
                matched = _with_descendants(connection, matched)
            ids = tuple(term.id for term in matched)
            of_clause = Keys(HAS, (HAS_KEYS[field],)) if clause.anything else Keys(field, ids)
            (without if clause.none_of else within).append(of_clause)
            if not clause.none_of and not clause.anything and len(matched) == 1:
                single.append(matched[0])
            else:
                several.append((field, ids, clause))
    by_term = bool(single) and query.order == "-publishedDateTime" and not query.url
    conditions = [
        filed_under(field, ids, by_term=by_term, anything=clause.anything, none_of=clause.none_of)
        for field, ids, clause in several
    ]
    if query.search:
        conditions.append(Condition(is_found, (connection.dialect.name, query.search), ()))
    conditions += by_id(query)
    conditions += other_conditions(query)
    known_total = None if conditions else _known_total(connection, single, query.published)
    if by_term:
        # The rarest term leads, the others are looked up.
        single.sort(key=lambda term: term.count)
        leading, *single = single
        conditions.insert(0, Condition(leads, (), (leading.id,)))
    conditions += [
        filed_under("", [term.id], by_term=by_term, anything=False, none_of=False) for term in single
    ]
    conditions.insert(0, Condition(is_published, (by_term,), PUBLISHED_VALUES[query.published]))
    ordered = article_terms if by_term else articles
    order: list[ColumnElement[Any]] = [ordered.c.path, ordered.c.source]
    order.insert(0, ordered.c[_SORT_COLUMNS.get(query.order, "newest")])
    if query.order == "relevance" and query.search:
        order.insert(0, relevance(connection.dialect.name, query.search))
    if query.url:
        order.insert(0, _less_exact(query.url))
    order_name = None if query.search or query.url else query.order
    return Selection(
        tuple(conditions),
        tuple(order),
        order_name,
        by_term,
        known_total,
        query.published,
        tuple(within),
        tuple(without),
        query.search is not None,
    )


def _known_total(connection: Connection, of: Sequence[_Term], published: Published) -> int | None:
    """All articles, and those of one term."""
    match of:
        case []:
            counted = prepared(connection, (_all, published), partial(_all, published))
            return int(counted.rows(connection, {})[0].total)
        case [one]:
            return one.count
        case _:
            return None


def _all(published: Published) -> Select[Any]:
    total = func.coalesce(func.sum(count_of(terms, published)), 0).label("total")
    return select(total).where(terms.c.field == "source")


def _meant(connection: Connection, field: str, value: str, published: Published) -> Iterable[_Term]:
    """By an id or a domain, even where it is some other one's name; else all that have the name."""
    name = value if field == "source" else fold(value)
    values = {"field": field, "key": name.removeprefix("www.") if field == "provider" else name, "name": name}
    named = prepared(connection, (_called, field == "source", published), partial(_called, field, published))
    rows = named.rows(connection, values)
    meant = [row for row in rows if row.called == "key"] or rows
    return {row.id: _Term(row.id, field, row.articles) for row in meant}.values()


def _called(field: str, published: Published) -> Select[Any] | CompoundSelect[Any]:
    """Rows of the terms with a key or a name."""
    wanted: ColumnElement[str] = bindparam("field")
    count = count_of(terms, published).label("articles")
    key = terms.c.key if field == "source" else terms.c.folded_key
    by_key = select(terms.c.id, literal("key").label("called"), count).where(
        terms.c.field == wanted, key == bindparam("key"), terms.c.by_name == 0, is_visible(terms, published)
    )
    by_own_name = select(terms.c.id, literal("name"), count).where(
        terms.c.field == wanted,
        terms.c.folded_key == bindparam("name"),
        terms.c.by_name == 1,
        is_visible(terms, published),
    )
    by_name = (
        select(terms.c.id, literal("name"), count)
        .join(term_names, term_names.c.term_id == terms.c.id)
        .where(
            term_names.c.field == wanted,
            term_names.c.folded == bindparam("name"),
            is_visible(term_names, published),
        )
    )
    return by_key if field == "source" else union_all(by_key, by_own_name, by_name)


def _with_descendants(connection: Connection, above: Sequence[_Term]) -> list[_Term]:
    if not above:
        return []
    below = (
        select(topics.c.term_id)
        .where(topics.c.parent_id.in_([term.id for term in above]))
        .cte("below", recursive=True)
    )
    deeper = select(topics.c.term_id).join(below, topics.c.parent_id == below.c.term_id)
    ids = connection.scalars(select(below.union(deeper).c.term_id)).all()
    # Several topics of one article count once, so these counts lead nowhere.
    below_them = set(ids) - {term.id for term in above}
    return [*above, *(_Term(term_id, "topic", 0) for term_id in sorted(below_them))]


def _less_exact(url: str) -> ColumnElement[int]:
    stored = (articles.c.web_url, articles.c.original_url, articles.c.amp_web_url, articles.c.cdn_amp_web_url)
    return case((or_(*(column == url for column in stored)), 0), else_=1)
