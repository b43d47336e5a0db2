"""Pages of a set of articles, in an order that an index has. Knows no query.

The index is walked from the page's place on, and what is not in the set is passed over. Where the set is so
small that this would take longer than sorting it, it is sorted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, Select, bindparam, literal, select

from app.catalog.audience import PUBLISHED_VALUES, Published
from app.catalog.index.sets import DAY, HEAT, QUALITY, UPDATED_DAY, begin_of, day_of
from app.catalog.paging import Found, Listing, Place
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import article_sets, article_terms, articles
from app.database import ids_value, is_one_of
from app.statements import prepared

# For so many rows passed over one can be read by its id and sorted.
_PASSED_FOR_ONE_SORTED: Final = 1.5


# Rows at once: to begin with as many as a page has, and no more than these some megabytes.
_MOST_AT_ONCE: Final = 20_000


# So many in a row that are not of the set are no chance: the others are of another time.
_GAP: Final = 1_000


@dataclass(frozen=True, slots=True)
class Walk:
    """Along all articles in the order of a column, or, the newest first, along those of a term.

    `length` is how many those are.
    """

    column: str
    term_id: int | None
    published: Published
    length: int

    @property
    def order(self) -> tuple[ColumnElement[Any], ...]:
        of = articles if self.term_id is None else article_terms
        return of.c[self.column], of.c.path, of.c.source

    def listings(self, dialect: str, ids: BitMap | None) -> Iterator[Listing]:
        """Of all of it, or of some ids: one for each half, the published articles and the others."""
        kind = "ids" if ids is not None else "all" if self.term_id is None else "term"
        order = self.order if ids is None else (articles.c[self.column], articles.c.path, articles.c.source)
        values: dict[str, Any] = {"term_id": self.term_id}
        if ids is not None:
            values["ids"] = ids_value(dialect, ids)
        for published in PUBLISHED_VALUES[self.published]:
            make = partial(_rows, kind, dialect)
            yield Listing((Walk, kind, self.column), make, order, {**values, "published": published})


@dataclass(frozen=True, slots=True)
class Sifted:
    """`tiers` are sets by rank, of which the lowest come first; without ranks there is one, of rank None."""

    tiers: Mapping[int | None, BitMap]
    walk: Walk
    columns: tuple[ColumnElement[Any], ...]

    @property
    def order(self) -> tuple[ColumnElement[Any], ...]:
        return self.walk.order if None in self.tiers else (literal(0), *self.walk.order)

    def read(
        self, connection: Connection, place: Place, limit: int, offset: int = 0, *, only_whether: bool = False
    ) -> Sequence[Found]:
        found: list[Found] = []
        for rank, place_in_tier in self._places(place):
            rank_key = () if rank is None else (rank,)
            wanted = limit + offset - len(found)
            found += [
                ((*rank_key, *keys), row)
                for keys, row in self._of_tier(connection, self.tiers[rank], place_in_tier, wanted)
            ]
            if len(found) == limit + offset:
                break
        found = found[offset:]
        if only_whether or not found:
            return found
        rows = _read_rows(connection, [row.id for _, row in found], self.columns)
        return [(keys, rows[row.id]) for keys, row in found]

    def _places(self, place: Place) -> Iterator[tuple[int | None, Place]]:
        """Tiers from the place on, with the place in each."""
        if None in self.tiers:
            yield None, place
            return
        for rank in sorted((rank for rank in self.tiers if rank is not None), reverse=place.backwards):
            if place.keys is None or rank == place.keys[0]:
                yield rank, Place(place.keys and place.keys[1:], place.backwards)
            elif (rank < int(place.keys[0])) == place.backwards:
                yield rank, Place(None, place.backwards)

    def _of_tier(self, connection: Connection, ids: BitMap, place: Place, wanted: int) -> Sequence[Found]:
        passed = wanted * self.walk.length / max(1, len(ids))
        is_small = len(ids) <= _PASSED_FOR_ONE_SORTED * passed
        halves = [
            listing.read(connection, place, wanted)
            if is_small
            else _sifted(connection, listing, self.walk.column, ids, place, wanted)
            for listing in self.walk.listings(connection.dialect.name, ids if is_small else None)
        ]
        if len(halves) == 1:
            return halves[0]
        return sorted((each for half in halves for each in half), reverse=place.backwards)[:wanted]


def _sifted(
    connection: Connection, listing: Listing, column: str, ids: BitMap, place: Place, wanted: int
) -> Sequence[Found]:
    found: list[Found] = []
    at_once = wanted
    while len(found) < wanted:
        at_once = min(2 * at_once, _MOST_AT_ONCE)
        passed = listing.read(connection, place, at_once)
        of_set = [each for each in passed if each[1].id in ids]
        if len(passed) < at_once:
            return [*found, *of_set][:wanted]
        found += of_set
        place = Place(passed[-1][0], place.backwards)
        if not of_set and at_once >= _GAP:
            further = after_gap(connection, column, ids, place)
            if further is None:
                break
            place = further
    return found[:wanted]


def _rows(kind: str, dialect: str) -> Select[Any]:
    published: ColumnElement[int] = bindparam("published")
    if kind == "term":
        return select(article_terms.c.article_id.label("id")).where(
            article_terms.c.term_id == bindparam("term_id"), article_terms.c.published == published
        )
    rows = select(articles.c.id)
    if kind == "all":
        return rows.where(articles.c.published == published)
    # An index of all articles in this order must not be taken for the way.
    return rows.where(is_one_of(dialect, articles.c.id, "ids"), articles.c.published + 0 == published)


def _read_rows(
    connection: Connection, ids: Sequence[int], columns: tuple[ColumnElement[Any], ...]
) -> dict[int, Any]:
    dialect = connection.dialect.name

    def make() -> Select[Any]:
        return select(articles.c.id.label("of_id"), *columns).where(is_one_of(dialect, articles.c.id, "ids"))

    rows = prepared(connection, (_read_rows, columns), make).rows(
        connection, {"ids": ids_value(dialect, ids)}
    )
    return {row.of_id: row for row in rows}


# By the column of an order: the kind of sets, and whether the column has the negative of what they are of.
_SETS: Final = {
    "newest": (DAY, True),
    "oldest": (DAY, False),
    "newest_updated": (UPDATED_DAY, True),
    "oldest_updated": (UPDATED_DAY, False),
    "best": (QUALITY, True),
    "worst": (QUALITY, False),
    "hottest": (HEAT, True),
    "coolest": (HEAT, False),
}


_SETS_AT_ONCE: Final = 500


def after_gap(connection: Connection, column: str, ids: BitMap, place: Place) -> Place | None:
    """From where on the next articles of the set may be, which is the place itself where nobody knows.

    None where there are none.
    """
    if column not in _SETS or place.keys is None:
        return place
    kind, is_negative = _SETS[column]
    key = int(place.keys[0])
    if key == UNKNOWN:
        return place
    here = _set_key(kind, key, is_negative)
    for found, article_ids in _sets_from(connection, kind, here, downwards=is_negative != place.backwards):
        if ids.intersect(BitMap.deserialize(article_ids)):
            return place if found == here else _begin(kind, found, is_negative, place.backwards)
    # The articles without a date or number come last.
    return None if place.backwards else Place((UNKNOWN, "", ""), backwards=False)


def _set_key(kind: str, key: int, is_negative: bool) -> int:
    if kind in (DAY, UPDATED_DAY):
        return day_of(key if is_negative else -key)
    return -key if is_negative else key


def _begin(kind: str, key: int, is_negative: bool, backwards: bool) -> Place:
    """Before all rows of a set, in the direction."""
    least = most = key
    if kind in (DAY, UPDATED_DAY):
        least, most = begin_of(key), begin_of(key + 1) - 1
    if is_negative:
        least, most = -most, -least
    return Place((most + 1 if backwards else least, "", ""), backwards)


def _sets_from(
    connection: Connection, kind: str, key: int, *, downwards: bool
) -> Iterator[tuple[int, bytes]]:
    statement = prepared(connection, (_sets_from, downwards), partial(_ordered, downwards))
    at = key + 1 if downwards else key - 1
    while rows := statement.rows(connection, {"kind": kind, "at": at, "limit": _SETS_AT_ONCE}):
        yield from ((row.key, row.article_ids) for row in rows)
        at = rows[-1].key


def _ordered(downwards: bool) -> Select[Any]:
    key = article_sets.c.key
    at: Any = bindparam("at")
    rows = select(key, article_sets.c.article_ids).where(article_sets.c.kind == bindparam("kind"))
    rows = rows.where(key < at).order_by(key.desc()) if downwards else rows.where(key > at).order_by(key)
    return rows.limit(bindparam("limit"))
