"""Which articles are of a term, a day, published: Roaring bitmaps of their ids, made by imports.

What no index range answers is counted by intersecting them: a million articles are some milliseconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, Final

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, Select, bindparam, select

from app.catalog.audience import Published
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import FIELDS, article_sets
from app.statements import prepared

# Beside the fields of terms: which articles have any term of a field, which are of a day, which are public.
HAS, DAY, PUBLISHED = "has", "day", "published"
IS_PUBLISHED: Final = 1

# From the year 1 on: so the division never meets a negative number.
_SECONDS_TO_1970: Final = 62_135_596_800
_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class TermClause:
    """Articles of any of the terms of a field, with `anything` of any at all; with `none_of` all others."""

    field: str
    term_ids: tuple[int, ...]
    anything: bool
    none_of: bool


def has_key(field: str) -> int:
    return FIELDS.index(field)


def day_key(newest: int) -> int | None:
    """The day's ordinal, as Python's `date` counts them, by the sort key; None for what is undated."""
    return None if newest == UNKNOWN else (_SECONDS_TO_1970 - newest) // _DAY_SECONDS + 1


def articles_of(connection: Connection, clauses: Iterable[TermClause], published: Published) -> BitMap:
    within: list[BitMap] = []
    without = [BitMap()]
    for clause in clauses:
        kind, keys = (HAS, (has_key(clause.field),)) if clause.anything else (clause.field, clause.term_ids)
        (without if clause.none_of else within).append(read_set(connection, kind, keys))
    public = read_set(connection, PUBLISHED, (IS_PUBLISHED,))
    if published == "true":
        within.append(public)
    elif published == "false":
        without.append(public)
    if not within:
        within.append(read_set(connection, HAS, (has_key("source"),)))
    # The small ones first, by which the large ones are cut.
    return reduce(and_, sorted(within, key=len)) - reduce(or_, without)


def read_set(connection: Connection, kind: str, keys: Sequence[int]) -> BitMap:
    """The articles of any of the keys."""
    found = BitMap()
    statement = prepared(connection, read_set, _one_set)
    for key in keys:
        for row in statement.rows(connection, {"kind": kind, "key": key}):
            found |= BitMap.deserialize(row.article_ids)
    return found


def read_sets(
    connection: Connection, kind: str, *columns: ColumnElement[Any], joined: ColumnElement[bool] | None = None
) -> Iterator[tuple[BitMap, Any]]:
    """All sets of a kind, each with its row: `set_key`, and columns of what is `joined` to it."""
    rows: Select[Any] = select(article_sets.c.key.label("set_key"), article_sets.c.article_ids, *columns)
    if joined is not None:
        rows = rows.where(joined)
    for row in connection.execute(rows.where(article_sets.c.kind == kind)):
        yield BitMap.deserialize(row.article_ids), row


def _one_set() -> Select[Any]:
    return select(article_sets.c.article_ids).where(
        article_sets.c.kind == bindparam("kind"), article_sets.c.key == bindparam("key")
    )
