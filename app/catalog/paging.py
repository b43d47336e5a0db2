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

# No list has more rows.
NO_LIMIT = 2**31 - 1
# 500 items take some 1 MB of memory.
_ROWS_AT_ONCE = 500


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
        self, connection: Connection, place: Place, limit: int, offset: int = 0
    ) -> Sequence[KeyedRow]: ...

    def has_rows(self, connection: Connection, place: Place) -> bool: ...


@dataclass(frozen=True, slots=True)
class StatementPages:
    """Rows of a statement. `order` ascends, is never null, and no two rows are equal in it.

    `make` makes the statement. Those of one `shape` differ only in the `values` of its named parameters, so
    it is made once; without a shape it is made anew each time.
    """

    shape: Hashable
    make: Callable[[], Select[Any]]
    order: Sequence[ColumnElement[Any]]
    values: Mapping[str, Any]

    def read(self, connection: Connection, place: Place, limit: int, offset: int = 0) -> Sequence[KeyedRow]:
        rows = self._rows(connection, page_statement, place, limit, offset)
        return list(zip(map(itemgetter(slice(-len(self.order), None)), rows), rows, strict=True))

    def has_rows(self, connection: Connection, place: Place) -> bool:
        return bool(self._rows(connection, _existence_statement, place, 1, 0))

    def _rows(
        self,
        connection: Connection,
        make: Callable[["StatementPages", Place], Select[Any]],
        place: Place,
        limit: int,
        offset: int,
    ) -> Sequence[Any]:
        values = {**self.values, **_key_values(place), "limit": limit, "offset": offset}
        if self.shape is None:
            return connection.execute(make(self, place), values).all()
        shape = (make, self.shape, place.keys is None, place.backwards)
        return prepared(connection, shape, partial(make, self, place)).rows(connection, values)


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
        has_after = listing.has_rows(connection, after)
        return Page(rows, after if has_after else None, before if has_more else None)
    is_first = place == BEGINNING and not offset
    has_before = not is_first and listing.has_rows(connection, before)
    return Page(rows, after if has_more else None, before if has_before else None)


def read_unpaged(connection: Connection, listing: Pageable) -> Sequence[Any]:
    """All rows at once, for a list that is short by its nature, as the related links of one article are."""
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
    """The rows were removed since, or the offset is beyond them: the way back is from the other end."""
    other_end = BEGINNING if place.backwards else END
    is_all = place in (BEGINNING, END) and not offset
    way_back = None if is_all or not listing.has_rows(connection, other_end) else other_end
    return Page([], way_back if place.backwards else None, None if place.backwards else way_back)


def page_statement(listing: StatementPages, place: Place) -> Select[Any]:
    """Its named parameters are the listing's values, `limit`, `offset`, and the keys of the place."""
    columns = (column.label(f"key_{number}") for number, column in enumerate(listing.order))
    return _from_place(listing, place, listing.make().add_columns(*columns))


def _existence_statement(listing: StatementPages, place: Place) -> Select[Any]:
    return _from_place(listing, place, listing.make().with_only_columns(literal(1)))


def _from_place(listing: StatementPages, place: Place, rows: Select[Any]) -> Select[Any]:
    if place.keys is not None:
        keys = tuple_(
            *(bindparam(f"key_{number}", type_=column.type) for number, column in enumerate(listing.order))
        )
        row = tuple_(*listing.order)
        rows = rows.where(row < keys if place.backwards else row > keys)
    rows = rows.order_by(*(column.desc() if place.backwards else column for column in listing.order))
    return rows.limit(bindparam("limit")).offset(bindparam("offset"))


def _key_values(place: Place) -> dict[str, KeyValue]:
    return {f"key_{number}": key for number, key in enumerate(place.keys or ())}
