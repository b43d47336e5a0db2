"""The table of article sets: how its rows are read as conditions, and how an import changes them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

from pyroaring import BitMap
from sqlalchemy import Connection, Select, bindparam, delete, select

from app.catalog.audience import Published
from app.catalog.fields import MANY_VALUED, Has
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import article_sets
from app.database.rows import chunked, insert_tuples
from app.database.statements import statement

# The kinds beside the fields of terms.
DAY, UPDATED_DAY, ADDED_DAY, QUALITY, HEAT = "day", "updated_day", "added_day", "quality", "heat"
MONTH, HAS, UNPUBLISHED = "month", "has", "unpublished"
UNPUBLISHED_KEY: Final = 1  # stored: never change
# The kinds of the sets that tell how many terms of a field an article has.
TERM_COUNT_BITS: Final = {field: f"{field}_count" for field in MANY_VALUED}
# A row's kind and key.
SetKey = tuple[str, int]

_MIN_KEY, _MAX_KEY = -(2**62), 2**62
# Days count from year 1, so `//` never rounds a negative number.
_SECONDS_TO_1970: Final = 62_135_596_800
_DAY_SECONDS: Final = 86_400
_MONTHS_OF_A_YEAR: Final = 12


class Condition(Protocol):
    """What an article may fulfil; it reads the articles that do."""

    def read(self, connection: Connection) -> BitMap: ...


@dataclass(frozen=True, slots=True)
class InSets:
    """Articles in any of the sets of one kind with these keys."""

    kind: str
    keys: tuple[int, ...]

    def read(self, connection: Connection) -> BitMap:
        articles = BitMap()
        sets = sets_with_key(connection)
        for key in self.keys:
            for row in sets.rows({"kind": self.kind, "key": key}):
                articles |= BitMap.deserialize(row.article_ids)
        return articles


@statement
def sets_with_key() -> Select[Any]:
    return _sets_of_kind().where(article_sets.c.key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class InSetsBetween:
    """Articles in any of the sets of one kind from the first key to the last; None is an open end."""

    kind: str
    first: int | None
    last: int | None

    def read(self, connection: Connection) -> BitMap:
        ends = {
            "kind": self.kind,
            "first": _MIN_KEY if self.first is None else self.first,
            "last": _MAX_KEY if self.last is None else self.last,
        }
        rows = sets_between(connection).rows(ends)
        return BitMap.union(BitMap(), *(BitMap.deserialize(row.article_ids) for row in rows))


@statement
def sets_between() -> Select[Any]:
    return _sets_of_kind().where(article_sets.c.key.between(bindparam("first"), bindparam("last")))


@dataclass(frozen=True, slots=True)
class InRows:
    """Articles whose ids a statement selects: those with a URL, with some public ids, of a part of a day."""

    statement: Select[Any]

    def read(self, connection: Connection) -> BitMap:
        return BitMap(connection.scalars(self.statement).all())


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Articles that fulfil any of the conditions."""

    conditions: tuple[Condition, ...]

    def read(self, connection: Connection) -> BitMap:
        return BitMap.union(BitMap(), *(condition.read(connection) for condition in self.conditions))


def has(what: Has) -> Condition:
    return InSets(HAS, (what,))


def is_unpublished() -> Condition:
    return InSets(UNPUBLISHED, (UNPUBLISHED_KEY,))


def of_audience(connection: Connection, ids: BitMap, published: Published) -> BitMap:
    """Those of the articles that are asked for."""
    match published:
        case "true":
            return ids - is_unpublished().read(connection)
        case "false":
            return ids & is_unpublished().read(connection)
        case "any":
            return ids


def day_number(newest: int) -> int:
    """The day (`date.toordinal`) of a `newest` sort key, which must not be UNKNOWN."""
    return (_SECONDS_TO_1970 - newest) // _DAY_SECONDS + 1


def day_start(day: int) -> int:
    """The first second of a day, counted from 1970."""
    return (day - 1) * _DAY_SECONDS - _SECONDS_TO_1970


def month_number(day: int) -> int:
    """The month of a day, counted from January of year 0."""
    of_day = date.fromordinal(day)
    return of_day.year * _MONTHS_OF_A_YEAR + of_day.month - 1


def month_start(month: int) -> date:
    return date(month // _MONTHS_OF_A_YEAR, month % _MONTHS_OF_A_YEAR + 1, 1)


def sets_containing(
    *,
    published: bool,
    newest: int,
    newest_updated: int,
    newest_added: int,
    quality: int | None,
    heat: int | None,
    image_count: int,
    related_count: int,
) -> Iterator[SetKey]:
    """The sets that an article belongs to, except those of its terms."""
    for kind, moment in ((DAY, newest), (UPDATED_DAY, newest_updated), (ADDED_DAY, newest_added)):
        if moment != UNKNOWN:
            yield kind, day_number(moment)
    if newest != UNKNOWN:
        yield MONTH, month_number(day_number(newest))
    for kind, number in ((QUALITY, quality), (HEAT, heat)):
        if number is not None:
            yield kind, number
    for what, count in ((Has.IMAGE, image_count), (Has.RELATED, related_count)):
        if count:
            yield HAS, what
    if not published:
        yield UNPUBLISHED, UNPUBLISHED_KEY


def sets_of_counts(field_counts: Mapping[str, int]) -> Iterator[SetKey]:
    """The sets that an article belongs to by how many terms it has of each field.

    Example: of an article with 5 topics, binary 101, come the sets of the bits 0 and 2.
    """
    for field, count in field_counts.items():
        if kind := TERM_COUNT_BITS.get(field):
            yield from ((kind, bit) for bit in range(count.bit_length()) if count >> bit & 1)


def sets_of_kind(connection: Connection, kind: str) -> Iterator[tuple[int, BitMap]]:
    """Every set of a kind, with its key."""
    rows = _keyed_sets(connection).rows({"kind": kind})
    return ((key, BitMap.deserialize(article_ids)) for article_ids, key in rows)


def sets_from_to(connection: Connection, kind: str, first: int, last: int) -> Iterator[tuple[int, BitMap]]:
    """The sets of a kind from the first key to the last."""
    rows = _keyed_sets_between(connection).rows({"kind": kind, "first": first, "last": last})
    return ((key, BitMap.deserialize(article_ids)) for article_ids, key in rows)


def _sets_of_kind() -> Select[Any]:
    return select(article_sets.c.article_ids).where(article_sets.c.kind == bindparam("kind"))


@statement
def _keyed_sets() -> Select[Any]:
    return _sets_of_kind().add_columns(article_sets.c.key.label("set_key"))


@statement
def _keyed_sets_between() -> Select[Any]:
    is_between = article_sets.c.key.between(bindparam("first"), bindparam("last"))
    return _keyed_sets.build().where(is_between)


class SetChanges:
    """What an import takes out of sets and puts into them. The last change of an article in a set holds."""

    def __init__(self) -> None:
        self._added: dict[SetKey, BitMap] = defaultdict(BitMap)
        self._removed: dict[SetKey, BitMap] = defaultdict(BitMap)

    def add(self, article_id: int, sets: Iterable[SetKey]) -> None:
        for key in sets:
            self._added[key].add(article_id)

    def remove(self, article_id: int, sets: Iterable[SetKey]) -> None:
        for key in sets:
            self._added[key].discard(article_id)
            self._removed[key].add(article_id)

    def write(self, connection: Connection) -> None:
        keys_by_kind: dict[str, set[int]] = defaultdict(set)
        for kind, key in self._added.keys() | self._removed.keys():
            keys_by_kind[kind].add(key)
        for kind, keys in keys_by_kind.items():
            for part in chunked(sorted(keys)):
                self._write(connection, kind, part)

    def _write(self, connection: Connection, kind: str, keys: Iterable[int]) -> None:
        stored = {
            key: BitMap.deserialize(article_ids)
            for key, article_ids in connection.execute(
                select(article_sets.c.key, article_sets.c.article_ids).where(
                    article_sets.c.kind == kind, article_sets.c.key.in_(keys)
                )
            )
        }
        changed = {}
        for key in keys:
            before = stored.get(key, BitMap())
            after = (before - self._removed[kind, key]) | self._added[kind, key]
            # An edited article leaves each of its sets and comes back to most of them.
            if after != before:
                changed[int(key)] = after
        if not changed:
            return
        connection.execute(
            delete(article_sets).where(article_sets.c.kind == kind, article_sets.c.key.in_(changed))
        )
        rows = [(kind, key, as_bytes(articles)) for key, articles in changed.items() if articles]
        insert_tuples(connection, article_sets, ("kind", "key", "article_ids"), rows)


def as_bytes(articles: BitMap) -> bytes:
    """Equal sets become equal bytes, whatever their history."""
    articles.run_optimize()
    return articles.serialize()
