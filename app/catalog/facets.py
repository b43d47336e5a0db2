"""How many articles of a query have each topic, provider, type ...: exact, of what the asker may see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from app.catalog.audience import Published, count_of, is_visible, name_of
from app.catalog.clauses import MAX_VALUES, Clause
from app.catalog.fields import MANY_VALUED
from app.catalog.filters import Selection
from app.catalog.index.find import (
    ArticleSet,
    FieldCounts,
    TermCount,
    count_terms,
    count_topics_with_descendants,
    count_with_term,
)
from app.catalog.query import ArticleQuery
from app.catalog.tables import term_names, terms
from app.database.rows import chunked
from app.database.statements import statement


@dataclass(frozen=True, slots=True)
class ValueCount:
    """`value` is what the field's parameter takes; `other_domains` are those that it also finds."""

    value: str
    name: str
    count: int
    other_domains: tuple[str, ...]

    def clauses(self) -> Iterator[Clause]:
        """The clauses of its field that narrow a query to this value."""
        yield Clause((self.value,), anything=False, none_of=False)
        for domains in chunked(self.other_domains, MAX_VALUES):
            yield Clause(tuple(domains), anything=False, none_of=True)


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """`other_count` sums the counts of values that are not listed; `missing` counts articles without any."""

    values: tuple[ValueCount, ...]
    other_count: int
    missing: int


def count_facets(
    connection: Connection, query: ArticleQuery, selection: Selection, fields: Sequence[str], size: int
) -> tuple[int, dict[str, FacetCounts]]:
    """The total, and the most frequent values of each field; equally frequent ones are sorted by key."""
    if selection.selects_all and not query.descendants:
        total = selection.total()
        counts = {field: _stored_counts(connection, query.published, field, size) for field in fields}
    else:
        total = len(selection.articles())
        counts = _counts(connection, query, selection.articles(), fields, size)
    return total, {field: _facet(connection, query, field, counts[field], total) for field in fields}


def _stored_counts(connection: Connection, published: Published, field: str, size: int) -> FieldCounts:
    """Imports counted all articles, so their terms are only read."""
    frequent = [
        TermCount(*row) for row in first_terms(connection, published).rows({"field": field, "size": size})
    ]
    [row] = _sum_of_terms(connection, published).rows({"field": field})
    # An article has at most one term of any other field.
    with_any = count_with_term(connection, field, published) if field in MANY_VALUED else row.sum_of_counts
    return FieldCounts(frequent, row.sum_of_counts, with_any)


def _counts(
    connection: Connection, query: ArticleQuery, articles: ArticleSet, fields: Sequence[str], size: int
) -> dict[str, FieldCounts]:
    if "topic" not in fields or not query.descendants:
        return count_terms(connection, fields, query.published, articles, size)
    others = [field for field in fields if field != "topic"]
    return {
        "topic": count_topics_with_descendants(connection, query.published, articles, size),
        **count_terms(connection, others, query.published, articles, size),
    }


@statement
def first_terms(published: Published) -> Select[Any]:
    count = count_of(terms, published)
    rows = select(terms.c.key, terms.c.by_name, name_of(terms, published).label("shown"), count.label("n"))
    rows = rows.where(terms.c.field == bindparam("field"), count > 0)
    return rows.order_by(count.desc(), terms.c.by_name, terms.c.key).limit(bindparam("size"))


@statement
def _sum_of_terms(published: Published) -> Select[Any]:
    count = count_of(terms, published)
    sum_of_counts = func.coalesce(func.sum(count), 0).label("sum_of_counts")
    return select(sum_of_counts).where(terms.c.field == bindparam("field"), count > 0)


def _facet(
    connection: Connection, query: ArticleQuery, field: str, counts: FieldCounts, total: int
) -> FacetCounts:
    return FacetCounts(
        values_of(connection, query, field, counts.frequent),
        counts.sum_of_counts - sum(term.article_count for term in counts.frequent),
        total - counts.with_any,
    )


def values_of(
    connection: Connection, query: ArticleQuery, field: str, counts: Sequence[TermCount]
) -> tuple[ValueCount, ...]:
    """Terms as facets show them."""
    # A domain may be the name of another provider that has none.
    domains = _domains_of(connection, query, [term.key for term in counts if term.by_name])
    return tuple(_value(field, term, domains.get(term.key, ()) if term.by_name else ()) for term in counts)


def _value(field: str, term: TermCount, other_domains: tuple[str, ...]) -> ValueCount:
    name = term.name or term.key
    if field in ("topic", "source") or (field == "provider" and not term.by_name):
        return ValueCount(term.key, name, term.article_count, other_domains)
    return ValueCount(name, name, term.article_count, other_domains)


def _domains_of(
    connection: Connection, query: ArticleQuery, names: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """The domains of providers with one of these names: a query for the name alone finds them too."""
    domains: dict[str, tuple[str, ...]] = {}
    for part in chunked(names):
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
            domains[row.folded] = (*domains.get(row.folded, ()), row.key)
    return domains
