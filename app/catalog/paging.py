"""Keyset pages over any statement: any depth costs the same. Knows nothing about articles."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, literal, tuple_

from app.database import renew_deadline
from app.statements import prepared

KeyValue = int | str | bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Between two rows: after the row with these sort keys or, backwards, before it.

    Without keys it is the beginning or, backwards, the end.
    """

    keys: tuple[KeyValue, ...] | None
    backwards: bool


BEGINNING = Place(None, backwards=False)
END = Place(None, backwards=True)


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` have the list's columns. `next` and `prev` are None at the ends."""

    rows: Sequence[Row[Any]]
    next: Place | None
    prev: Place | None


# A row with its sort keys before it.
KeyedRow = tuple[tuple[KeyValue, ...], Any]


class Pageable(Protocol):
    """Rows that can be read from any place on, the nearest first, and backwards."""

    @property
    def order(self) -> Sequence[ColumnElement[Any]]:
        """The columns that a Place's keys belong to."""

    def read(
        self, connection: Connection, place: Place, limit: int, offset: int = 0, *, only_whether: bool = False
    ) -> Sequence[KeyedRow]:
        """With `only_whether` the rows and their keys mean nothing: they only tell that there are some."""


@dataclass(frozen=True, slots=True)
class StatementPages:
    """Rows to be paged. `order` ascends, is never null, and no two rows are equal in it.

    `make` makes their statement. Listings of one `shape` have one statement but for the `values` of its named
    parameters; without a shape it is made anew each time.
    """

    shape: Hashable
    make: Callable[[], Select[Any]]
    order: Sequence[ColumnElement[Any]]
    values: Mapping[str, Any]

    def read(
        self, connection: Connection, place: Place, limit: int, offset: int = 0, *, only_whether: bool = False
    ) -> Sequence[KeyedRow]:
        values = {**self.values, **_key_values(place), "limit": limit, "offset": offset}
        make = partial(page_statement, self, place, only_whether=only_whether)
        rows: Sequence[Any]
        if self.shape is None:
            rows = connection.execute(make(), values).all()
        else:
            shape = (self.shape, place.keys is None, place.backwards, only_whether)
            rows = prepared(connection, shape, make).rows(connection, values)
        return list(zip(map(itemgetter(slice(-len(self.order), None)), rows), rows, strict=True))


# No list has more rows.
NO_LIMIT = 2**31 - 1
# 500 items take some 1 MB of memory.
_ROWS_AT_ONCE = 500


def read_page(
    connection: Connection, listing: Pageable, limit: int, place: Place = BEGINNING, offset: int = 0
) -> Page:
    keyed_rows = listing.read(connection, place, limit + 1, offset)
    has_more = len(keyed_rows) > limit
    keyed_rows = keyed_rows[:limit]
    if place.backwards:
        keyed_rows = keyed_rows[::-1]
    if not keyed_rows:
        return _empty_page(connection, listing, place, offset)
    before, after = Place(keyed_rows[0][0], backwards=True), Place(keyed_rows[-1][0], backwards=False)
    rows = [row for _, row in keyed_rows]
    if place.backwards:
        return Page(
            rows, after if _has_rows(connection, listing, after) else None, before if has_more else None
        )
    is_first = place == BEGINNING and not offset
    has_before = not is_first and _has_rows(connection, listing, before)
    return Page(rows, after if has_more else None, before if has_before else None)


def read_unpaged(connection: Connection, listing: Pageable) -> Sequence[Any]:
    """For lists that are bounded by what they are of."""
    return [row for _, row in listing.read(connection, BEGINNING, NO_LIMIT)]


def every_row(connection: Connection, listing: Pageable) -> Iterator[Any]:
    """All rows in order, in constant memory. Each read has the time of a question of its own."""
    place = BEGINNING
    while True:
        renew_deadline(connection)
        keyed_rows = listing.read(connection, place, _ROWS_AT_ONCE)
        yield from (row for _, row in keyed_rows)
        if len(keyed_rows) < _ROWS_AT_ONCE:
            return
        place = Place(keyed_rows[-1][0], backwards=False)


def _empty_page(connection: Connection, listing: Pageable, place: Place, offset: int) -> Page:
    """Rows went since, or the offset is beyond them: the way back is from the other end."""
    other_end = BEGINNING if place.backwards else END
    is_all = place in (BEGINNING, END) and not offset
    back = None if is_all or not _has_rows(connection, listing, other_end) else other_end
    return Page([], back if place.backwards else None, None if place.backwards else back)


def _has_rows(connection: Connection, listing: Pageable, place: Place) -> bool:
    return bool(listing.read(connection, place, 1, only_whether=True))


def _key_values(place: Place) -> dict[str, KeyValue]:
    return {f"key_{number}": key for number, key in enumerate(place.keys or ())}


def page_statement(listing: StatementPages, place: Place, *, only_whether: bool = False) -> Select[Any]:
    """Its named parameters are the listing's values, `limit`, `offset`, and the keys of the place."""
    columns = (column.label(f"key_{number}") for number, column in enumerate(listing.order))
    rows = listing.make()
    rows = rows.with_only_columns(literal(1)) if only_whether else rows.add_columns(*columns)
    if place.keys is not None:
        here = tuple_(
            *(bindparam(f"key_{number}", type_=each.type) for number, each in enumerate(listing.order))
        )
        row = tuple_(*listing.order)
        rows = rows.where(row < here if place.backwards else row > here)
    rows = rows.order_by(*(column.desc() if place.backwards else column for column in listing.order))
    return rows.limit(bindparam("limit")).offset(bindparam("offset"))
