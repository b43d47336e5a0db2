"""Keyset pages over any statement: any depth costs the same. Knows nothing about articles."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, literal, tuple_

from app.database.snapshots import restart_clock
from app.database.statements import statement

KeyValue = int | str | bytes

# No list has more rows.
NO_LIMIT = 2**31 - 1
# 500 items take some 1 MB of memory.
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two rows: after the row with these sort keys or, backwards, before it.

    Without keys it is the beginning or, backwards, the end.
    """

    keys: tuple[KeyValue, ...] | None
    backwards: bool


BEGINNING = Place(None, backwards=False)
END = Place(None, backwards=True)


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` have the list's columns, `keys` their sort keys. `next` and `prev` are None at the ends."""

    rows: Sequence[Row[Any]]
    next: Place | None
    prev: Place | None
    keys: Sequence[tuple[KeyValue, ...]] = ()

    def shortened(self, count: int, *, backwards: bool) -> "Page":
        """The page with so many of its rows, at least one: the first, or the last if it is read backwards."""
        if count == len(self.rows):
            return self
        if backwards:
            before = Place(self.keys[-count], backwards=True)
            return Page(self.rows[-count:], self.next, before, self.keys[-count:])
        after = Place(self.keys[count - 1], backwards=False)
        return Page(self.rows[:count], after, self.prev, self.keys[:count])


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


class PageTooLarge(Exception):
    """The page has more characters than its reader allows."""


@dataclass(frozen=True, slots=True)
class StatementPages:
    """Rows of a statement. `order` ascends, is never null, and no two rows are equal in it.

    `values` are those of the named parameters in `rows`. The statement of a page is found again by the
    identity of `rows` and of the columns in `order`, so a cached function should make them. With
    `max_item_characters` reading stops at the row by which the items have more, and raises PageTooLarge.
    """

    rows: Select[Any]
    order: tuple[ColumnElement[Any], ...]
    values: Mapping[str, Any]
    max_item_characters: int | None = None

    def read(self, connection: Connection, place: Place, limit: int, offset: int = 0) -> Sequence[KeyedRow]:
        page = page_statement(connection, self.rows, self.order, place.keys is None, place.backwards)
        values = {**self.values, **_key_values(place), "limit": limit, "offset": offset}
        if self.max_item_characters is None:
            rows = page.rows(values)
        else:
            rows = _rows_within(page.stream(values), self.max_item_characters)
        return list(zip(map(itemgetter(slice(-len(self.order), None)), rows), rows, strict=True))

    def has_rows(self, connection: Connection, place: Place) -> bool:
        existence = _existence_statement(
            connection, self.rows, self.order, place.keys is None, place.backwards
        )
        return bool(existence.rows({**self.values, **_key_values(place), "limit": 1, "offset": 0}))


def _rows_within(stream: Iterator[Any], max_characters: int) -> list[Any]:
    rows = []
    for row in stream:
        max_characters -= len(row.item)
        if max_characters < 0:
            raise PageTooLarge
        rows.append(row)
    return rows


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
    rows, keys = [row for _, row in keyed_rows], [row_keys for row_keys, _ in keyed_rows]
    if place.backwards:
        has_after = listing.has_rows(connection, after)
        return Page(rows, after if has_after else None, before if has_more else None, keys)
    is_first = place == BEGINNING and not offset
    has_before = not is_first and listing.has_rows(connection, before)
    return Page(rows, after if has_more else None, before if has_before else None, keys)


def read_unpaged(connection: Connection, listing: Pageable) -> Sequence[Any]:
    """All rows at once, for a list that is short by its nature, as the related links of one article are."""
    return [row for _, row in listing.read(connection, BEGINNING, NO_LIMIT)]


def every_row(connection: Connection, listing: Pageable) -> Iterator[Any]:
    """All rows in order, in constant memory. Each read has the time of a question of its own."""
    place = BEGINNING
    while True:
        restart_clock(connection)
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


@statement
def page_statement(
    rows: Select[Any], order: tuple[ColumnElement[Any], ...], from_end: bool, backwards: bool
) -> Select[Any]:
    """Its named parameters are the listing's values, `limit`, `offset`, and the keys of the place."""
    columns = (column.label(f"key_{number}") for number, column in enumerate(order))
    return _from_place(rows.add_columns(*columns), order, from_end, backwards)


@statement
def _existence_statement(
    rows: Select[Any], order: tuple[ColumnElement[Any], ...], from_end: bool, backwards: bool
) -> Select[Any]:
    return _from_place(rows.with_only_columns(literal(1)), order, from_end, backwards)


def _from_place(
    rows: Select[Any], order: tuple[ColumnElement[Any], ...], from_end: bool, backwards: bool
) -> Select[Any]:
    if not from_end:
        keys = tuple_(*(bindparam(f"key_{number}", type_=column.type) for number, column in enumerate(order)))
        row = tuple_(*order)
        rows = rows.where(row < keys if backwards else row > keys)
    rows = rows.order_by(*(column.desc() if backwards else column for column in order))
    return rows.limit(bindparam("limit")).offset(bindparam("offset"))


def _key_values(place: Place) -> dict[str, KeyValue]:
    return {f"key_{number}": key for number, key in enumerate(place.keys or ())}
