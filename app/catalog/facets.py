"""How many articles of a query have which topic, provider, type ...: exact, for what the asker may see."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import nsmallest
from typing import Any, NamedTuple

from pyroaring import BitMap
from sqlalchemy import Connection, Select, bindparam, func, select

from app.catalog.audience import Published, count_of, is_visible, name_of
from app.catalog.filters import Selection
from app.catalog.index.find import articles_of
from app.catalog.index.sets import HAS, HAS_KEYS, Keys, read_sets
from app.catalog.query import ArticleQuery
from app.catalog.tables import MANY_VALUED, term_names, terms, topics
from app.database import in_parts
from app.statements import prepared


class _Counted(NamedTuple):
    key: str
    by_name: int
    shown: str | None
    articles: int


@dataclass(frozen=True, slots=True)
class Value:
    """`value` is what the field's parameter takes; `besides` are domains that it would find as well."""

    value: str
    name: str
    count: int
    besides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facet:
    """`other_count` is the sum of the counts of values not shown; `missing` counts articles without any."""

    values: tuple[Value, ...]
    other_count: int
    missing: int


def count_facets(
    connection: Connection, query: ArticleQuery, selection: Selection, fields: Sequence[str], size: int
) -> tuple[int, dict[str, Facet]]:
    """The total, and by field its most frequent values; of equally frequent ones the first by key."""
    found = None if selection.is_everything and not query.descendants else selection.articles(connection)
    total = selection.total(connection) if found is None else len(found)
    facets = {}
    for field in fields:
        if found is None:
            shown, counted = _as_imports_counted(connection, query.published, field, size)
        else:
            shown, counted = _most_frequent(_counts(connection, query, found, field), size)
        besides = _domains_of(connection, query, [each.key for each in shown if each.by_name])
        facets[field] = Facet(
            # A domain may be the name of another provider that has none.
            tuple(_value(field, each, besides.get(each.key, ()) if each.by_name else ()) for each in shown),
            counted - sum(each.articles for each in shown),
            total - (_having(connection, query, found, field) if field in MANY_VALUED else counted),
        )
    return total, facets


def _as_imports_counted(
    connection: Connection, published: Published, field: str, size: int
) -> tuple[Sequence[_Counted], int]:
    """Of all articles: the most frequent terms, and the sum of the counts of all."""
    values = {"field": field, "size": size}
    statement = prepared(connection, (first_terms, published), partial(first_terms, published))
    summed = prepared(connection, (_sum_of_terms, published), partial(_sum_of_terms, published))
    shown = [_Counted(*row) for row in statement.rows(connection, values)]
    return shown, summed.rows(connection, {"field": field})[0].counted


def first_terms(published: Published) -> Select[Any]:
    count = count_of(terms, published)
    rows = select(terms.c.key, terms.c.by_name, name_of(terms, published).label("shown"), count.label("n"))
    rows = rows.where(terms.c.field == bindparam("field"), count > 0)
    return rows.order_by(count.desc(), terms.c.by_name, terms.c.key).limit(bindparam("size"))


def _sum_of_terms(published: Published) -> Select[Any]:
    count = count_of(terms, published)
    counted = func.coalesce(func.sum(count), 0).label("counted")
    return select(counted).where(terms.c.field == bindparam("field"), count > 0)


def _most_frequent(counts: Sequence[_Counted], size: int) -> tuple[Sequence[_Counted], int]:
    shown = nsmallest(size, counts, key=lambda counted: (-counted.articles, counted.by_name, counted.key))
    return shown, sum(each.articles for each in counts)


def _counts(connection: Connection, query: ArticleQuery, found: BitMap, field: str) -> list[_Counted]:
    of_field: Iterable[tuple[BitMap, Any]]
    if field == "topic" and query.descendants:
        of_field = _with_those_below(connection, query.published)
    else:
        of_terms = read_sets(connection, field, query.published)
        of_field = ((BitMap.deserialize(row.article_ids), row) for row in of_terms)
    counts = []
    for of_term, row in of_field:
        count = found.intersection_cardinality(of_term)
        if count:
            counts.append(_Counted(row.key, row.by_name, row.shown, count))
    return counts


def _having(connection: Connection, query: ArticleQuery, found: BitMap | None, field: str) -> int:
    """How many articles have any term of the field."""
    having = Keys(HAS, (HAS_KEYS[field],))
    if found is None:
        return len(articles_of(connection, [having], [], query.published))
    return found.intersection_cardinality(having.read(connection))


def _with_those_below(connection: Connection, published: Published) -> Iterator[tuple[BitMap, Any]]:
    """Where a topic means the topics below it too, so do its counts: each article once."""
    found = {row.set_key: BitMap.deserialize(row.article_ids) for row in read_sets(connection, "topic")}
    columns = (terms.c.id, terms.c.key, terms.c.by_name, name_of(terms, published).label("shown"))
    rows = select(*columns, topics.c.parent_id).outerjoin(topics, topics.c.term_id == terms.c.id)
    of_topics = connection.execute(rows.where(terms.c.field == "topic")).all()
    add_to_those_above(found, {row.id: row.parent_id for row in of_topics if row.parent_id})
    return ((found.get(row.id, BitMap()), row) for row in of_topics)


def add_to_those_above(found: dict[int, BitMap], parents: Mapping[int, int]) -> None:
    """From the lowest up, each once. Topics in a circle, each above the others, end as one."""
    children = Counter(parents.values())
    ready = [topic for topic in parents if not children[topic]]
    while ready:
        topic = ready.pop()
        above = parents.get(topic)
        if above is None:
            continue
        found[above] = found.get(above, BitMap()) | found.get(topic, BitMap())
        children[above] -= 1
        if not children[above]:
            ready.append(above)
    in_circles = {topic for topic in parents if children[topic]}
    while in_circles:
        circle = [in_circles.pop()]
        while (above := parents[circle[-1]]) in in_circles:
            in_circles.remove(above)
            circle.append(above)
        of_all = BitMap.union(*(found.get(topic, BitMap()) for topic in circle))
        found |= dict.fromkeys(circle, of_all)


def _value(field: str, row: _Counted, besides: tuple[str, ...]) -> Value:
    name = row.shown or row.key
    if field in ("topic", "source") or (field == "provider" and not row.by_name):
        return Value(row.key, name, row.articles, besides)
    return Value(name, name, row.articles, besides)


def _domains_of(
    connection: Connection, query: ArticleQuery, names: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Domains that also go by these names, which the names alone would find too."""
    found: dict[str, tuple[str, ...]] = {}
    for part in in_parts(names):
        rows = connection.execute(
            select(term_names.c.folded, terms.c.key)
            .distinct()
            .join(terms, terms.c.id == term_names.c.term_id)
            .where(
                term_names.c.field == "provider",
                term_names.c.folded.in_(part),
                terms.c.by_name == 0,
                is_visible(term_names, query.published),
            )
            .order_by(terms.c.key)
        )
        for row in rows:
            found[row.folded] = (*found.get(row.folded, ()), row.key)
    return found
