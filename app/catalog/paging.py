"""Keyset pages over any statement: any depth costs the same. Knows nothing about articles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, literal, tuple_

KeyValue = int | str | bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Between two rows: after the row with these sort keys or, backwards, before it.

    Without keys it is the beginning or, backwards, the end.
    """

    keys: tuple[KeyValue, ...] | None
    backwards: bool


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` have the statement's columns. `next` and `prev` are None at the ends."""

    rows: Sequence[Row[Any]]
    next: Place | None
    prev: Place | None


BEGINNING = Place(None, backwards=False)
END = Place(None, backwards=True)


def read_page(
    connection: Connection,
    statement: Select[Any],
    order: Sequence[ColumnElement[Any]],
    limit: int,
    place: Place = BEGINNING,
    offset: int = 0,
) -> Page:
    """`order` ascends, is never null, and no two rows are equal in it: then a place is one row value."""
    keyed = statement.add_columns(*(column.label(f"key_{number}") for number, column in enumerate(order)))
    found = _from(keyed, order, place).limit(limit + 1)
    rows = connection.execute(found.offset(offset) if offset else found).all()
    more = len(rows) > limit
    rows = rows[:limit]
    if place.backwards:
        rows = rows[::-1]
    if not rows:
        return _empty_page(connection, keyed, order, place, offset)
    first, last = (tuple(rows[end][-len(order) :]) for end in (0, -1))
    before, after = Place(first, backwards=True), Place(last, backwards=False)
    if place.backwards:
        return Page(
            rows, after if _has_rows(connection, order, keyed, after) else None, before if more else None
        )
    is_first = place == BEGINNING and not offset
    has_before = not is_first and _has_rows(connection, order, keyed, before)
    return Page(rows, after if more else None, before if has_before else None)


def _empty_page(
    connection: Connection,
    keyed: Select[Any],
    order: Sequence[ColumnElement[Any]],
    place: Place,
    offset: int,
) -> Page:
    """Rows went since, or the offset is beyond them: the way back is from the other end."""
    other_end = BEGINNING if place.backwards else END
    is_all = place in (BEGINNING, END) and not offset
    back = None if is_all or not _has_rows(connection, order, keyed, other_end) else other_end
    return Page([], back if place.backwards else None, None if place.backwards else back)


def _has_rows(
    connection: Connection, order: Sequence[ColumnElement[Any]], keyed: Select[Any], place: Place
) -> bool:
    return (
        connection.execute(_from(keyed, order, place).with_only_columns(literal(1)).limit(1)).first()
        is not None
    )


def _from(keyed: Select[Any], order: Sequence[ColumnElement[Any]], place: Place) -> Select[Any]:
    """The rows from a place on, nearest first."""
    if place.keys is not None:
        row = tuple_(*order)
        here = tuple_(
            *(bindparam(None, key, column.type) for key, column in zip(place.keys, order, strict=True))
        )
        keyed = keyed.where(row < here if place.backwards else row > here)
    return keyed.order_by(*(column.desc() if place.backwards else column for column in order))
