"""From a query to statements: which articles match, in what order, and how many they are. Knows no HTTP.

A list of the newest is read from the index of one term, the rarest that all must have, and the other clauses
are looked up for each article; any other order is read from an index of articles. Neither sorts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from app.catalog.audience import PUBLISHED_VALUES, count_of, is_visible
from app.catalog.query import ArticleQuery, Moment
from app.catalog.search import is_found, relevance
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import (
    FIELDS,
    article_terms,
    article_urls,
    articles,
    term_names,
    terms,
    topics,
)
from app.catalog.url_keys import url_key
from app.names import fold

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

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Selection:
    """`order` ascends and is total. `known_total` is there where the import counted."""

    conditions: tuple[ColumnElement[bool], ...]
    order: tuple[ColumnElement[Any], ...]
    by_term: bool
    known_total: int | None

    @property
    def is_everything(self) -> bool:
        """Whether it is what the sources' terms count."""
        return self.known_total is not None and not self.by_term and len(self.conditions) == 1

    def statement(self, *columns: ColumnElement[Any]) -> Select[Any]:
        rows = select(*columns)
        if self.by_term:
            rows = rows.select_from(article_terms).join(articles, articles.c.id == article_terms.c.article_id)
        else:
            rows = rows.select_from(articles)
        return rows.where(*self.conditions)

    def total(self, connection: Connection) -> int:
        if self.known_total is not None:
            return self.known_total
        return int(connection.scalars(self.statement(func.count())).one())


@dataclass(frozen=True, slots=True)
class _Term:
    id: int
    count: int


# By field, key and whether the key is a name: the terms, by id.
_Found = dict[tuple[str, str, int], dict[int, _Term]]


def matching(connection: Connection, query: ArticleQuery) -> Selection:
    """Resolves names first: what nobody, or only a hidden article, is called, matches nothing."""
    found = _resolve(connection, query)
    single: list[_Term] = []
    conditions: list[ColumnElement[bool]] = []
    for field in FIELDS:
        for clause in getattr(query, field):
            matched = [term for value in clause.values for term in _meant(found, field, value)]
            if field == "topic" and query.descendants:
                matched = _with_descendants(connection, matched)
            if not clause.none_of and not clause.anything and len(matched) == 1:
                single.append(matched[0])
            else:
                conditions.append(_filed(field, matched, clause.anything, clause.none_of))
    if query.search:
        conditions.append(is_found(connection.dialect.name, query.search))
    conditions += _by_id(query)
    conditions += _other_conditions(query)
    published = PUBLISHED_VALUES[query.published]
    known_total = None
    if not conditions and len(single) == 1:
        known_total = single[0].count
    elif not conditions and not single:
        of_sources = select(func.coalesce(func.sum(count_of(terms, query.published)), 0)).where(
            terms.c.field == "source"
        )
        known_total = int(connection.scalars(of_sources).one())
    by_term = bool(single) and query.order == "-publishedDateTime" and not query.url
    if by_term:
        # The rarest term leads, the others are looked up.
        single.sort(key=lambda term: term.count)
        leading, *single = single
        conditions.insert(0, article_terms.c.term_id == leading.id)
    conditions += [_filed("", [term], False, False) for term in single]
    ordered = article_terms if by_term else articles
    conditions.insert(0, _is_one_of(ordered.c.published, published))
    order: list[ColumnElement[Any]] = [ordered.c.path, ordered.c.source]
    order.insert(0, ordered.c[_SORT_COLUMNS.get(query.order, "newest")])
    if query.order == "relevance" and query.search:
        order.insert(0, relevance(connection.dialect.name, query.search))
    if query.url:
        order.insert(0, _less_exact(query.url))
    return Selection(tuple(conditions), tuple(order), by_term, known_total)


def _resolve(connection: Connection, query: ArticleQuery) -> _Found:
    wanted: dict[str, set[str]] = {}
    for field in FIELDS:
        for clause in getattr(query, field):
            for value in clause.values:
                wanted.setdefault(field, set()).update((_key(field, value), _name(field, value)))
    if not wanted:
        return {}
    by_key = [
        and_(
            terms.c.field == field,
            (terms.c.key if field == "source" else terms.c.folded_key).in_(sorted(keys)),
        )
        for field, keys in wanted.items()
    ]
    by_name = [
        and_(term_names.c.field == field, term_names.c.folded.in_(sorted(keys)))
        for field, keys in wanted.items()
        if field != "source"
    ]
    key = case((terms.c.field == "source", terms.c.key), else_=terms.c.folded_key)
    count = count_of(terms, query.published).label("articles")
    rows = connection.execute(
        union_all(
            select(terms.c.field, key.label("key"), terms.c.by_name, terms.c.id, count).where(
                or_(*by_key), is_visible(terms, query.published)
            ),
            select(terms.c.field, term_names.c.folded, literal(1), terms.c.id, count)
            .join(term_names, term_names.c.term_id == terms.c.id)
            .where(or_(false(), *by_name), is_visible(term_names, query.published)),
        )
    )
    found: _Found = {}
    for row in rows:
        found.setdefault((row.field, row.key, row.by_name), {})[row.id] = _Term(row.id, row.articles)
    return found


def _meant(found: _Found, field: str, value: str) -> Iterable[_Term]:
    """By an id or a domain, even where it is some other one's name; else all that have the name."""
    by_name = found.get((field, _name(field, value), 1), {})
    return found.get((field, _key(field, value), 0), by_name).values()


def _key(field: str, value: str) -> str:
    name = _name(field, value)
    return name.removeprefix("www.") if field == "provider" else name


def _name(field: str, value: str) -> str:
    return value if field == "source" else fold(value)


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
    return [*above, *(_Term(term_id, 0) for term_id in ids if term_id not in {term.id for term in above})]


def _filed(field: str, matched: Sequence[_Term], anything: bool, none_of: bool) -> ColumnElement[bool]:
    if not matched and not anything:
        return true() if none_of else false()
    one = article_terms.alias("one")
    filed = select(1).where(one.c.article_id == articles.c.id)
    if anything:
        filed = filed.join_from(one, terms, terms.c.id == one.c.term_id).where(terms.c.field == field)
    else:
        filed = filed.select_from(one).where(_is_one_of(one.c.term_id, [term.id for term in matched]))
    has_one: ColumnElement[bool] = filed.correlate(articles).exists()
    return ~has_one if none_of else has_one


def _by_id(query: ArticleQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for clause in query.id:
        has_one = true() if clause.anything else articles.c.public_id.in_(clause.values)
        conditions.append(~has_one if clause.none_of else has_one)
    return conditions


def _other_conditions(query: ArticleQuery) -> list[ColumnElement[bool]]:
    columns = articles.c
    conditions = [
        *_between(columns.newest, query.published_from, query.published_before),
        *_between(columns.newest_updated, query.updated_from, query.updated_before),
    ]
    for column, least, most in (
        (columns.quality, query.min_quality, query.max_quality),
        (columns.heat, query.min_heat, query.max_heat),
    ):
        if least is not None:
            conditions.append(column >= least)
        if most is not None:
            conditions.append(column <= most)
    for column, wanted in (
        (columns.image_count, query.has_image),
        (columns.related_count, query.has_related),
    ):
        if wanted is not None:
            conditions.append(column > 0 if wanted else column == 0)
    if query.url:
        of_url = select(article_urls.c.article_id).where(article_urls.c.url_key == url_key(query.url))
        conditions.append(columns.id.in_(of_url))
    return conditions


def _between(
    newest: ColumnElement[int], since: Moment | None, until: Moment | None
) -> list[ColumnElement[bool]]:
    """The key is the negative of the time, and far beyond all of them for what is undated."""
    conditions = []
    if since:
        conditions.append(newest <= -_seconds(since))
    if until:
        conditions += [newest > -_seconds(until), newest < UNKNOWN]
    return conditions


def _seconds(when: Moment) -> int:
    return int((when.at - _EPOCH).total_seconds())


def _less_exact(url: str) -> ColumnElement[int]:
    stored = (articles.c.web_url, articles.c.original_url, articles.c.amp_web_url, articles.c.cdn_amp_web_url)
    return case((or_(*(column == url for column in stored)), 0), else_=1)


def _is_one_of(column: ColumnElement[Any], values: Sequence[int]) -> ColumnElement[bool]:
    """Not `IN` for a single one: an index that goes on after the column then keeps its order."""
    return column == values[0] if len(values) == 1 else column.in_(values)
