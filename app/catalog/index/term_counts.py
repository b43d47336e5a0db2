"""How many articles of a set have which terms: the most frequent terms of each field, and exact sums.

Few articles are counted one by one, from the terms that each of their rows lists. Many articles are
intersected with the sets of a field's terms, the largest first: no term can have more articles of the set
than it has at all, so once enough terms have more than the rest could, the rest is not read. The 20 most
frequent of 2,000 tags are then known after some 40 sets. The sum of all counts comes from the sets of the
numbers of terms.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from itertools import chain
from typing import Any, Final, NamedTuple

from pyroaring import BitMap
from sqlalchemy import Connection, Select, bindparam, select, tuple_

from app.catalog.audience import Published, name_of
from app.catalog.fields import FIELDS, Has
from app.catalog.index.sets import HAS, TERM_COUNT_BITS, counts_of_kind, sets_of_kind
from app.catalog.tables import article_sets, articles, terms, topics
from app.database.rows import id_in_parameter, ids_parameter
from app.database.statements import statement

# Reading the terms of one article takes 4 µs, and a set 2.5. Of so few articles no term stands out, and
# nearly all sets would be read: 2,600 of 13,000 generated articles.
MAX_COUNTED_ONE_BY_ONE: Final = 500
# The most frequent terms of many articles are nearly always among so many of the largest.
_READ_FOR_ONE_SHOWN: Final = 2


class TermCount(NamedTuple):
    """How many articles of a set are filed under a term. `name` is None if the audience knows none."""

    key: str
    by_name: int
    name: str | None
    article_count: int


@dataclass(frozen=True, slots=True)
class FieldCounts:
    """The most frequent terms, the sum of the counts of all, and how many articles have any term."""

    frequent: Sequence[TermCount]
    sum_of_counts: int
    with_any: int


def count_terms(
    connection: Connection, fields: Sequence[str], published: Published, within: BitMap, size: int
) -> dict[str, FieldCounts]:
    """The `size` most frequent terms of each field among the set's articles, all of which the asker may see.

    Equally frequent ones are sorted by key, providers without a domain last.
    """
    with_any = _counts_with_any(connection, within)
    sums = {field: _sum_of_counts(connection, field, within, with_any[field]) for field in fields}
    counts: dict[int, int] = {}
    if len(within) <= MAX_COUNTED_ONE_BY_ONE:
        counts = _count_one_by_one(connection, within)
    else:
        for field in fields:
            counts |= _count_by_sets(connection, field, published, within, size, sums[field])
    by_field = _named(connection, published, counts)
    return {
        field: FieldCounts(_most_frequent(by_field[field], size), sums[field], with_any[field])
        for field in fields
    }


def count_topics_with_descendants(
    connection: Connection, published: Published, within: BitMap, size: int
) -> FieldCounts:
    """The same as `count_terms`, where a topic also means the topics below it: each article counts once."""
    sets = sets_of_kind(connection, "topic")
    parents = {row.term_id: row.parent_id for row in _parents(connection).rows({})}
    add_to_ancestors(sets, parents)
    counts = {
        id_: count for id_, of_topic in sets.items() if (count := within.intersection_cardinality(of_topic))
    }
    named = _named(connection, published, _largest(counts, size))
    with_any = _counts_with_any(connection, within)["topic"]
    return FieldCounts(_most_frequent(named["topic"], size), sum(counts.values()), with_any)


@statement
def _parents() -> Select[Any]:
    return select(topics.c.term_id, topics.c.parent_id).where(topics.c.parent_id.is_not(None))


def add_to_ancestors(sets: dict[int, BitMap], parents: Mapping[int, int]) -> None:
    """Adds each topic's set to its parent's, the lowest first. Topics in a circle end with one set."""
    children = Counter(parents.values())
    complete = [topic for topic in parents if not children[topic]]
    while complete:
        topic = complete.pop()
        parent = parents.get(topic)
        if parent is None:
            continue
        sets[parent] = sets.get(parent, BitMap()) | sets.get(topic, BitMap())
        children[parent] -= 1
        if not children[parent]:
            complete.append(parent)
    in_circles = {topic for topic in parents if children[topic]}
    while in_circles:
        circle = [in_circles.pop()]
        while (parent := parents[circle[-1]]) in in_circles:
            in_circles.remove(parent)
            circle.append(parent)
        union = BitMap.union(*(sets.get(topic, BitMap()) for topic in circle))
        sets |= dict.fromkeys(circle, union)


def _most_frequent(counts: Iterable[TermCount], size: int) -> Sequence[TermCount]:
    return nsmallest(size, counts, key=lambda term: (-term.article_count, term.by_name, term.key))


def _named(
    connection: Connection, published: Published, counts: Mapping[int, int]
) -> Mapping[str, Sequence[TermCount]]:
    """The terms with these ids by their fields. Reading a term takes as long as reading a set."""
    dialect = connection.dialect.name
    by_field: dict[str, list[TermCount]] = defaultdict(list)
    for row in _terms_with_ids(connection, dialect, published).rows({"ids": ids_parameter(dialect, counts)}):
        by_field[row.field].append(TermCount(row.key, row.by_name, row.shown, counts[row.id]))
    return by_field


@statement
def _terms_with_ids(dialect: str, published: Published) -> Select[Any]:
    named = (terms.c.key, terms.c.by_name, name_of(terms, published).label("shown"))
    return select(terms.c.id, terms.c.field, *named).where(id_in_parameter(dialect, terms.c.id, "ids"))


def _counts_with_any(connection: Connection, within: BitMap) -> dict[str, int]:
    """How many articles of the set have any term of each field."""
    counts = counts_of_kind(connection, HAS, within)
    return {field: counts.get(Has.term_of(field), 0) for field in FIELDS}


def _sum_of_counts(connection: Connection, field: str, within: BitMap, with_any: int) -> int:
    """What the counts of all terms of a field sum to."""
    if field not in TERM_COUNT_BITS:
        return with_any
    bits = counts_of_kind(connection, TERM_COUNT_BITS[field], within)
    return sum(count << bit for bit, count in bits.items())


def _count_one_by_one(connection: Connection, within: BitMap) -> dict[int, int]:
    """Counts by the ids of the terms of all fields."""
    dialect = connection.dialect.name
    rows = _terms_of_articles(connection, dialect).rows({"ids": ids_parameter(dialect, within)})
    # Ids of terms and of names stand in turn; one JSON text is read in half the time of many.
    filed = json.loads(f"[{','.join(row.terms for row in rows)}]")
    return Counter(chain.from_iterable(of_article[::2] for of_article in filed))


@statement
def _terms_of_articles(dialect: str) -> Select[Any]:
    return select(articles.c.terms).where(id_in_parameter(dialect, articles.c.id, "ids"))


def _count_by_sets(
    connection: Connection, field: str, published: Published, within: BitMap, size: int, sum_of_counts: int
) -> dict[int, int]:
    """Counts by the ids of a field's most frequent terms, and all that are as frequent as the last."""
    limit = size * _READ_FOR_ONE_SHOWN
    rows = _largest_terms(connection, published).rows({"field": field, "limit": limit})
    counts = _counts(rows, within)
    # A term that is not read yet must have as many articles as the last one shown, if enough are shown.
    least = min(_largest(counts, size).values()) if len(counts) >= size else 1
    if sum_of_counts - sum(counts.values()) >= least:
        last, last_id = min((row.total, row.id) for row in rows)
        ends = {"field": field, "least": least, "last": last, "last_id": last_id}
        counts |= _counts(_smaller_terms(connection, published).stream(ends), within)
    return _largest(counts, size)


def _counts(pieces: Iterable[Any], within: BitMap) -> dict[int, int]:
    """Counts by the ids of terms; the pieces of a set have no article in common."""
    counts: dict[int, int] = {}
    for piece in pieces:
        if count := within.intersection_cardinality(BitMap.deserialize(piece.article_ids)):
            counts[piece.id] = counts.get(piece.id, 0) + count
    return counts


def _largest(counts: dict[int, int], size: int) -> dict[int, int]:
    """The `size` largest counts, and those that equal the last of them."""
    if len(counts) <= size:
        return counts
    least = nlargest(size, counts.values())[-1]
    return {id_: count for id_, count in counts.items() if count >= least}


@statement
def _largest_terms(published: Published) -> Select[Any]:
    total = _total(published)
    largest = _terms_of_field(published).order_by(total.desc(), terms.c.id.desc()).limit(bindparam("limit"))
    return _with_pieces(largest)


@statement
def _smaller_terms(published: Published) -> Select[Any]:
    """The terms that follow the last one of `_largest_terms` and have at least so many articles."""
    total = _total(published)
    is_smaller = tuple_(total, terms.c.id) < tuple_(bindparam("last"), bindparam("last_id"))
    return _with_pieces(_terms_of_field(published).where(total >= bindparam("least"), is_smaller))


def _terms_of_field(published: Published) -> Select[Any]:
    total = _total(published)
    # An index has all columns of `terms` that are asked for: reading rows would take twice as long.
    return select(terms.c.id, total.label("total")).where(terms.c.field == bindparam("field"), total > 0)


def _with_pieces(rows: Select[Any]) -> Select[Any]:
    """The terms, each with the pieces of its set."""
    of_field = rows.subquery()
    of_term = (article_sets.c.kind == bindparam("field")) & (article_sets.c.key == of_field.c.id)
    return select(of_field.c.id, of_field.c.total, article_sets.c.article_ids).join(article_sets, of_term)


def _total(published: Published) -> Any:
    """What no count of articles that the audience may see exceeds, as an index has it."""
    return terms.c.public_count if published == "true" else terms.c.editor_count
