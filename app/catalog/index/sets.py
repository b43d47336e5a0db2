"""Which articles are of a term, a day, a quality ...: Roaring bitmaps of their ids, kept by imports.

A query is the intersection of its parts, also where no index range answers it: a million articles take some
milliseconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pyroaring import BitMap
from sqlalchemy import Connection, Row, Select, bindparam, delete, select

from app.catalog.audience import Published, name_of
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import FIELDS, article_sets, terms
from app.database import in_parts, write_rows
from app.statements import prepared

# Beside the fields of terms: by day (its ordinal, as Python's `date` counts them), by number, and what there
# is at all: of `HAS`, any term of a field, images, related links; of `UNPUBLISHED` there is one set, which is
# small: cutting others by all that is published takes ten times as long.
DAY, UPDATED_DAY, QUALITY, HEAT = "day", "updated_day", "quality", "heat"


HAS, UNPUBLISHED = "has", "unpublished"


HAS_KEYS: Final = {name: key for key, name in enumerate((*FIELDS, "image", "related"))}


IS_UNPUBLISHED: Final = 1


# Kind and key, as in the table.
SetKey = tuple[str, int]


_LEAST, _MOST = -(2**62), 2**62


# From the year 1 on: so the division never meets a negative number.
_SECONDS_TO_1970: Final = 62_135_596_800


_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Keys:
    """Articles in any of the sets of one kind."""

    kind: str
    keys: tuple[int, ...]

    def read(self, connection: Connection) -> BitMap:
        found = BitMap()
        statement = prepared(connection, Keys, self.statement)
        for key in self.keys:
            for row in statement.rows(connection, {"kind": self.kind, "key": key}):
                found |= BitMap.deserialize(row.article_ids)
        return found

    @staticmethod
    def statement() -> Select[Any]:
        return _of_kind().where(article_sets.c.key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class Between:
    """Articles in the sets of one kind from the first key to the last; None is an open end."""

    kind: str
    first: int | None
    last: int | None

    def read(self, connection: Connection) -> BitMap:
        ends = {
            "kind": self.kind,
            "first": _LEAST if self.first is None else self.first,
            "last": _MOST if self.last is None else self.last,
        }
        rows = prepared(connection, Between, self.statement).rows(connection, ends)
        return BitMap.union(BitMap(), *(BitMap.deserialize(row.article_ids) for row in rows))

    @staticmethod
    def statement() -> Select[Any]:
        return _of_kind().where(article_sets.c.key.between(bindparam("first"), bindparam("last")))


@dataclass(frozen=True, slots=True)
class Selected:
    """Articles whose ids a statement selects: those of a URL, some ids, a part of a day."""

    statement: Select[Any]

    def read(self, connection: Connection) -> BitMap:
        return BitMap(connection.scalars(self.statement).all())


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Part", ...]

    def read(self, connection: Connection) -> BitMap:
        return BitMap.union(BitMap(), *(part.read(connection) for part in self.parts))


class Part(Protocol):
    """What knows the articles it stands for."""

    def read(self, connection: Connection) -> BitMap: ...


def day_of(newest: int) -> int:
    """By the sort key of a moment that is known."""
    return (_SECONDS_TO_1970 - newest) // _DAY_SECONDS + 1


def begin_of(day: int) -> int:
    """Its first second, counted from 1970."""
    return (day - 1) * _DAY_SECONDS - _SECONDS_TO_1970


def sets_of(
    *,
    published: bool,
    newest: int,
    newest_updated: int,
    quality: int | None,
    heat: int | None,
    images: int,
    related: int,
) -> Iterator[SetKey]:
    """Those that an article is in, less those of its terms."""
    for kind, moment in ((DAY, newest), (UPDATED_DAY, newest_updated)):
        if moment != UNKNOWN:
            yield kind, day_of(moment)
    for kind, number in ((QUALITY, quality), (HEAT, heat)):
        if number is not None:
            yield kind, number
    for what, count in (("image", images), ("related", related)):
        if count:
            yield HAS, HAS_KEYS[what]
    if not published:
        yield UNPUBLISHED, IS_UNPUBLISHED


def read_sets(connection: Connection, kind: str, published: Published | None = None) -> Iterator[Row[Any]]:
    """All sets of a kind, as rows of `set_key` and `article_ids`, and of what the terms are called."""

    def make() -> Select[Any]:
        rows = select(article_sets.c.key.label("set_key"), article_sets.c.article_ids)
        rows = rows.where(article_sets.c.kind == bindparam("kind"))
        if published is None:
            return rows
        named = (terms.c.key, terms.c.by_name, name_of(terms, published).label("shown"))
        return rows.add_columns(*named).where(terms.c.id == article_sets.c.key)

    # Rows of SQLAlchemy's take longer than the sets in them.
    yield from prepared(connection, (read_sets, published), make).rows(connection, {"kind": kind})


def _of_kind() -> Select[Any]:
    return select(article_sets.c.article_ids).where(article_sets.c.kind == bindparam("kind"))


class Sets:
    """What was done last to an article in a set is what holds."""

    def __init__(self) -> None:
        self._put: dict[SetKey, BitMap] = defaultdict(BitMap)
        self._taken: dict[SetKey, BitMap] = defaultdict(BitMap)

    def put(self, article_id: int, sets: Iterable[SetKey]) -> None:
        for each in sets:
            self._put[each].add(article_id)

    def take(self, article_id: int, sets: Iterable[SetKey]) -> None:
        for each in sets:
            self._put[each].discard(article_id)
            self._taken[each].add(article_id)

    def write(self, connection: Connection) -> None:
        keys: dict[str, set[int]] = defaultdict(set)
        for kind, key in self._put.keys() | self._taken.keys():
            keys[kind].add(key)
        for kind, of_kind in keys.items():
            for part in in_parts(sorted(of_kind)):
                self._write(connection, kind, part)

    def _write(self, connection: Connection, kind: str, keys: Iterable[int]) -> None:
        here = (article_sets.c.kind == kind) & article_sets.c.key.in_(keys)
        stored = {
            key: BitMap.deserialize(article_ids)
            for key, article_ids in connection.execute(
                select(article_sets.c.key, article_sets.c.article_ids).where(here)
            )
        }
        rows = []
        for key in keys:
            found = (stored.get(key, BitMap()) - self._taken[kind, key]) | self._put[kind, key]
            if found:
                rows.append((kind, key, as_bytes(found)))
        if stored:
            connection.execute(delete(article_sets).where(here))
        write_rows(connection, article_sets, rows)


def as_bytes(articles: BitMap) -> bytes:
    """Of equal sets equal bytes, whatever their history."""
    articles.run_optimize()
    return articles.serialize()
