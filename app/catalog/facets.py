"""How many articles of a query have which topic, provider, type ...: exact, for what the asker may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from app.catalog.audience import count_of, is_visible, name_of
from app.catalog.filters import Selection
from app.catalog.query import ArticleQuery
from app.catalog.tables import MANY_VALUED, article_terms, term_names, term_pairs, terms, topics
from app.database import in_parts


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
    total = selection.count(connection)
    facets = {}
    for field in fields:
        counts, having = _counts(connection, query, selection, field)
        counts.sort(key=lambda row: (-row.articles, row.by_name, row.key))
        shown = counts[:size]
        besides = _domains_of(connection, query, [row.key for row in shown if row.by_name])
        facets[field] = Facet(
            # A domain may be the name of another provider that has none.
            tuple(_value(field, row, besides.get(row.key, ()) if row.by_name else ()) for row in shown),
            sum(row.articles for row in counts[size:]),
            total - having,
        )
    return total, facets


def _counts(
    connection: Connection, query: ArticleQuery, selection: Selection, field: str
) -> tuple[list[Any], int]:
    """Rows of terms with their articles, and how many articles have any."""
    name = name_of(terms, query.published).label("shown")
    columns: tuple[Any, ...] = (terms.c.key, terms.c.by_name, name)
    is_counted = selection.is_everything or selection.only_term is not None
    if is_counted and not (field == "topic" and query.descendants):
        return _counted_by_imports(connection, query, selection.only_term, field, columns)
    selected = selection.ids().subquery()
    filed = article_terms.join(selected, selected.c.id == article_terms.c.article_id)
    if field == "topic" and query.descendants:
        rows = list(connection.execute(_with_those_below(filed, columns)))
    else:
        counted = (
            select(article_terms.c.term_id, func.count().label("articles"))
            .select_from(filed)
            .group_by(article_terms.c.term_id)
            .subquery()
        )
        rows = list(
            connection.execute(
                select(*columns, counted.c.articles)
                .join(counted, counted.c.term_id == terms.c.id)
                .where(terms.c.field == field)
            )
        )
    if field not in MANY_VALUED:
        return rows, sum(row.articles for row in rows)
    having = (
        select(func.count(article_terms.c.article_id.distinct()))
        .select_from(filed.join(terms, terms.c.id == article_terms.c.term_id))
        .where(terms.c.field == field)
    )
    return rows, int(connection.scalars(having).one())


def _counted_by_imports(
    connection: Connection,
    query: ArticleQuery,
    only_term: int | None,
    field: str,
    columns: Sequence[Any],
) -> tuple[list[Any], int]:
    """Of all articles, or of those of one term."""
    if only_term is None:
        count = count_of(terms, query.published)
        rows = select(*columns, count.label("articles")).where(count > 0)
        of_field, having = terms.c.field == field, (terms.c.field == "has") & (terms.c.key == field)
    else:
        count = count_of(term_pairs, query.published)
        rows = select(*columns, count.label("articles")).join(term_pairs, term_pairs.c.other_id == terms.c.id)
        rows = rows.where(term_pairs.c.term_id == only_term, count > 0)
        of_field = term_pairs.c.other_field == field
        having = (term_pairs.c.other_field == "has") & (terms.c.key == field)
    found = list(connection.execute(rows.where(of_field)))
    if field not in MANY_VALUED:
        return found, sum(row.articles for row in found)
    return found, sum(row.articles for row in connection.execute(rows.where(having)))


def _with_those_below(filed: Any, columns: Sequence[Any]) -> Select[Any]:
    """Where a topic means the topics below it too, so do its counts: each article once."""
    pairs = (
        select(terms.c.id.label("above"), terms.c.id.label("term_id"))
        .where(terms.c.field == "topic")
        .cte("pairs", recursive=True)
    )
    pairs = pairs.union(
        select(pairs.c.above, topics.c.term_id).join(topics, topics.c.parent_id == pairs.c.term_id)
    )
    counted = (
        select(pairs.c.above, func.count(article_terms.c.article_id.distinct()).label("articles"))
        .select_from(filed.join(pairs, pairs.c.term_id == article_terms.c.term_id))
        .group_by(pairs.c.above)
        .subquery()
    )
    return select(*columns, counted.c.articles).join(counted, counted.c.above == terms.c.id)


def _value(field: str, row: Any, besides: tuple[str, ...]) -> Value:
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
