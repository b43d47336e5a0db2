"""The table of article sets: how its rows are read as conditions, and how an import changes them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

from pyroaring import BitMap
from sqlalchemy import Connection, Select, bindparam, delete, select, update

from app.catalog.audience import Published
from app.catalog.fields import MANY_VALUED, Has
from app.catalog.index.ranges import range_of_sets
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
# A row's kind, range and key.
_PieceKey = tuple[str, int, int]

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


def sets_of_kind(connection: Connection, kind: str) -> dict[int, BitMap]:
    """Every set of a kind, by its key."""
    sets: dict[int, BitMap] = {}
    for article_ids, key in _keyed_sets(connection).rows({"kind": kind}):
        piece = BitMap.deserialize(article_ids)
        if key in sets:
            sets[key] |= piece
        else:
            sets[key] = piece
    return sets


def counts_of_kind(connection: Connection, kind: str, within: BitMap) -> dict[int, int]:
    """How many articles of `within` each set of a kind has that has any of them, by its key."""
    return _counts(_keyed_sets(connection).rows({"kind": kind}), within)


def counts_from_to(
    connection: Connection, kind: str, first: int, last: int, within: BitMap
) -> dict[int, int]:
    """The same as `counts_of_kind`, of the sets from the first key to the last."""
    ends = {"kind": kind, "first": first, "last": last}
    return _counts(_keyed_sets_between(connection).rows(ends), within)


def _counts(pieces: Iterable[tuple[bytes, int]], within: BitMap) -> dict[int, int]:
    counts: dict[int, int] = {}
    for article_ids, key in pieces:
        if count := within.intersection_cardinality(BitMap.deserialize(article_ids)):
            counts[key] = counts.get(key, 0) + count
    return counts


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
        self._added: dict[_PieceKey, BitMap] = defaultdict(BitMap)
        self._removed: dict[_PieceKey, BitMap] = defaultdict(BitMap)

    def add(self, article_id: int, sets: Iterable[SetKey]) -> None:
        range_ = range_of_sets(article_id)
        for kind, key in sets:
            self._added[kind, range_, key].add(article_id)

    def remove(self, article_id: int, sets: Iterable[SetKey]) -> None:
        range_ = range_of_sets(article_id)
        for kind, key in sets:
            self._added[kind, range_, key].discard(article_id)
            self._removed[kind, range_, key].add(article_id)

    def sets_changed_by(self, article_ids: BitMap) -> set[SetKey]:
        """The sets that any of these articles came into or left."""
        return {(kind, key) for (kind, _, key), ids in self._changed() if ids.intersect(article_ids)}

    def articles_changed_in(self, wanted: SetKey) -> BitMap:
        """The articles that came into the set or left it."""
        return BitMap.union(
            BitMap(), *(ids for (kind, _, key), ids in self._changed() if (kind, key) == wanted)
        )

    def _changed(self) -> Iterator[tuple[_PieceKey, BitMap]]:
        for piece, added in self._added.items():
            # An article that leaves a set and comes again stays.
            yield piece, added ^ self._removed[piece] if piece in self._removed else added

    def write(self, connection: Connection) -> None:
        keys_by_range: dict[tuple[str, int], set[int]] = defaultdict(set)
        for kind, range_, key in self._added.keys() | self._removed.keys():
            keys_by_range[kind, range_].add(key)
        for (kind, range_), keys in keys_by_range.items():
            for part in chunked(sorted(keys)):
                self._write(connection, kind, range_, part)

    def _write(self, connection: Connection, kind: str, range_: int, keys: Iterable[int]) -> None:
        is_in_range = (article_sets.c.kind == kind) & (article_sets.c.range == range_)
        stored = {
            key: BitMap.deserialize(article_ids)
            for key, article_ids in connection.execute(
                select(article_sets.c.key, article_sets.c.article_ids).where(
                    is_in_range, article_sets.c.key.in_(keys)
                )
            )
        }
        new, changed, emptied = [], [], []
        for key in map(int, keys):
            before = stored.get(key, BitMap())
            after = (before - self._removed[kind, range_, key]) | self._added[kind, range_, key]
            # An edited article leaves each of its sets and comes back to most of them.
            if after == before:
                continue
            if not before:
                new.append((kind, key, range_, as_bytes(after)))
            elif after:
                changed.append({"changed_key": key, "article_ids": as_bytes(after)})
            else:
                emptied.append(key)
        insert_tuples(connection, article_sets, ("kind", "key", "range", "article_ids"), new)
        # An update leaves the index alone, which a row that is deleted and inserted would write twice.
        if changed:
            is_changed = article_sets.c.key == bindparam("changed_key")
            connection.execute(update(article_sets).where(is_in_range, is_changed), changed)
        if emptied:
            connection.execute(delete(article_sets).where(is_in_range, article_sets.c.key.in_(emptied)))


def as_bytes(articles: BitMap) -> bytes:
    """Equal sets become equal bytes, whatever their history."""
    articles.run_optimize()
    return articles.serialize()
