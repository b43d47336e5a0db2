"""How far in an order the articles of a set are away, told by the sets of days and of numbers."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from pyroaring import BitMap
from sqlalchemy import Connection, Select, bindparam, select

from app.catalog.article_sets import DAY, HEAT, QUALITY, UPDATED_DAY, begin_of, day_of
from app.catalog.paging import Place
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import article_sets
from app.statements import prepared

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
