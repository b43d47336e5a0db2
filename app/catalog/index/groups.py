"""The table of groups: articles of one story, versions of one page. Counts them and lists the first of each.

An article in a group has the group's number, an article in none has 0. A group's number is the id of one of
its articles, its head. The numbers of IDS_IN_A_PART ids stand in one row, so that an import writes the 4 kB
around what it changed, and a page reads those of its articles alone.

Two sets for each kind make totals quick: the heads of all groups, and the other members. Each piece of them
is a Roaring bitmap of IDS_IN_A_PIECE ids, in a row of the same table.
"""

import json
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, Literal, get_args

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, select

from app.catalog.audience import Published
from app.catalog.index.ranges import joined
from app.catalog.index.sets import as_bytes
from app.catalog.index.walk import SetPages
from app.catalog.paging import BEGINNING, KeyedRow, Place
from app.catalog.tables import article_groups, article_urls, articles, stories, term_repeats
from app.database.rows import chunked, id_in_parameter, ids_parameter, insert_tuples
from app.database.statements import statement

# Stored: never change.
GroupKind = Literal["public_story", "editor_story", "page"]
IDS_IN_A_PART: Final = 1024
IDS_IN_A_PIECE: Final = 65_536
# The kinds of the rows that have a kind's heads and its other members.
HEADS: Final[Mapping[GroupKind, str]] = {
    "public_story": "public_story_heads",
    "editor_story": "editor_story_heads",
    "page": "page_heads",
}
OTHERS: Final[Mapping[GroupKind, str]] = {
    "public_story": "public_story_others",
    "editor_story": "editor_story_others",
    "page": "page_others",
}

_NUMBER_BYTES: Final = 4
_PART_BYTES: Final = IDS_IN_A_PART * _NUMBER_BYTES
# The numbers of more articles are read from all parts at once, 4 µs for each; looking one up takes 15.
_MAX_LOOKED_UP: Final = 200
# The first read asks for twice a page, since most articles are in no group; later ones for more.
_MAX_ROWS_AT_ONCE: Final = 2_000


class GroupNumbers:
    """The numbers of articles in one snapshot: read where they are asked for, and kept for one question."""

    def __init__(self, connection: Connection, kind: GroupKind) -> None:
        self.kind = kind
        self._connection = connection
        self._parts: dict[int, Sequence[int]] = {}
        self._sets: dict[str, BitMap] = {}
        self._all_numbers: Sequence[int] = ()

    def __getitem__(self, article_id: int) -> int:
        part, place = divmod(article_id, IDS_IN_A_PART)
        if part not in self._parts:
            self.load([article_id])
        return self._parts[part][place]

    def load(self, article_ids: Iterable[int]) -> None:
        """Reads the numbers of these articles at once."""
        if missing := {id_ // IDS_IN_A_PART for id_ in article_ids} - self._parts.keys():
            self._parts |= dict.fromkeys(missing, _NO_NUMBERS)
            dialect = self._connection.dialect.name
            values = {"kind": self.kind, "parts": ids_parameter(dialect, sorted(missing))}
            for row in _parts(self._connection, dialect).rows(values):
                self._parts[row.part] = _numbers(row.numbers)

    def group_count(self) -> int:
        return len(self._set(HEADS))

    def grouped(self) -> BitMap:
        """The articles that are in any group."""
        return self._set(HEADS) | self._set(OTHERS)

    def members(self, ids: BitMap) -> BitMap:
        """Those of these articles that are in any group."""
        return ids & self.grouped()

    def within(self, ids: BitMap) -> set[int]:
        """The numbers of the groups that any of these articles is in."""
        return {*(ids & self._set(HEADS)), *self._of(ids & self._set(OTHERS))}

    def count(self, ids: BitMap) -> int:
        """How many articles are left of these if only one of each group is."""
        others = ids & self._set(OTHERS)
        # The groups of other members make no difference where all heads are among the articles.
        has_all_heads = self._set(HEADS) <= ids
        headless = 0 if has_all_heads else len(BitMap(self._of(others)) - ids)
        return len(ids) - len(others) + headless

    def _set(self, kinds: Mapping[GroupKind, str]) -> BitMap:
        of_kind = kinds[self.kind]
        if of_kind not in self._sets:
            rows = _pieces(self._connection).rows({"kind": of_kind})
            self._sets[of_kind] = joined(row.numbers for row in rows)
        return self._sets[of_kind]

    def _of(self, ids: BitMap) -> Iterable[int]:
        if len(ids) <= _MAX_LOOKED_UP:
            self.load(ids)
            return [self[id_] for id_ in ids]
        if not self._all_numbers:
            self._all_numbers = self._read_all()
        # Hundreds of thousands are looked up at once: a loop would take five times as long.
        numbers: tuple[int, ...] = itemgetter(*ids)(self._all_numbers)
        return numbers

    def _read_all(self) -> Sequence[int]:
        numbers = bytearray((self.grouped().max() // IDS_IN_A_PART + 1) * _PART_BYTES)
        for row in _all_parts(self._connection).rows({"kind": self.kind}):
            start = row.part * _PART_BYTES
            numbers[start : start + _PART_BYTES] = row.numbers
        return _numbers(numbers)


_NO_NUMBERS: Final[Sequence[int]] = array("I", bytes(_PART_BYTES))


def _numbers(stored: bytes | bytearray) -> "array[int]":
    numbers = array("I")
    numbers.frombytes(stored)
    return _in_native_order(numbers)


def story_kind(published: Published) -> GroupKind:
    """The stories that a question is answered from."""
    return "public_story" if published == "true" else "editor_story"


@dataclass(frozen=True, slots=True)
class InAnyGroup:
    """Articles that are in any group of a kind."""

    kind: GroupKind

    def read(self, connection: Connection) -> BitMap:
        return GroupNumbers(connection, self.kind).grouped()


@dataclass(frozen=True, slots=True)
class InStories:
    """Articles of the stories that any of these articles is in: a story's id is that of one of them."""

    kind: GroupKind
    public_ids: tuple[str, ...]

    def read(self, connection: Connection) -> BitMap:
        # The public's number of what is not published is 0.
        rows = connection.execute(select(articles.c.id).where(articles.c.public_id.in_(self.public_ids)))
        ids = [row.id for row in rows]
        return BitMap(_members(connection, GroupNumbers(connection, self.kind), ids)) if ids else BitMap()


@dataclass(frozen=True, slots=True)
class FirstOfGroups:
    """The pages' articles, less those that another one of their group comes before."""

    pages: SetPages
    numbers: GroupNumbers

    @property
    def order(self) -> tuple[ColumnElement[Any], ...]:
        return self.pages.order

    def read(self, connection: Connection, place: Place, limit: int, offset: int = 0) -> Sequence[KeyedRow]:
        keyed_ids = self._keyed_ids(connection, place, limit + offset)[offset:]
        rows = self.pages.articles(connection, [row.id for _, row in keyed_ids])
        return [(keys, rows[row.id]) for keys, row in keyed_ids]

    def has_rows(self, connection: Connection, place: Place) -> bool:
        return bool(self._keyed_ids(connection, place, 1))

    def _keyed_ids(self, connection: Connection, place: Place, limit: int) -> list[KeyedRow]:
        firsts: list[KeyedRow] = []
        seen: set[int] = set()
        is_from_beginning = place == BEGINNING
        at_once = limit
        while len(firsts) < limit:
            at_once = max(limit, min(2 * at_once, _MAX_ROWS_AT_ONCE))
            keyed_ids = self.pages.keyed_ids(connection, place, at_once)
            self.numbers.load(row.id for _, row in keyed_ids)
            if not is_from_beginning:
                seen = self._in_earlier_places(connection, keyed_ids)
            for keyed in keyed_ids:
                id_ = keyed[1].id
                number = self.numbers[id_]
                if not number:
                    firsts.append(keyed)
                elif is_from_beginning and number not in seen:
                    seen.add(number)
                    firsts.append(keyed)
                elif not is_from_beginning and id_ not in seen:
                    firsts.append(keyed)
            if len(keyed_ids) < at_once:
                break
            place = Place(keyed_ids[-1][0], place.backwards)
        return firsts[:limit]

    def _in_earlier_places(self, connection: Connection, keyed_ids: Sequence[KeyedRow]) -> set[int]:
        """Those of these articles that another one of their group comes before, in whatever page it is."""
        ids = [row.id for _, row in keyed_ids if self.numbers[row.id]]
        if not ids:
            return set()
        in_groups = BitMap(_members(connection, self.numbers, ids))
        self.numbers.load(in_groups)
        ranks = {rank: same & in_groups for rank, same in self.pages.ranks.items()}
        members = SetPages({rank: same for rank, same in ranks.items() if same}, self.pages.index_order)
        numbers, later = set[int](), set[int]()
        for _, row in members.keyed_ids(connection, BEGINNING, len(in_groups)):
            number = self.numbers[row.id]
            if number in numbers:
                later.add(row.id)
            numbers.add(number)
        return later


def _members(connection: Connection, numbers: GroupNumbers, ids: Sequence[int]) -> Iterator[int]:
    """All articles of the groups that these are in, whoever may see them."""
    dialect = connection.dialect.name
    if numbers.kind == "page":
        for row in _versions(connection, dialect).rows({"ids": ids_parameter(dialect, ids)}):
            yield row.article_id
        return
    lead_ids = sorted({numbers[id_] for id_ in ids} - {0})
    values = {"ids": ids_parameter(dialect, lead_ids), "for_editors": int(numbers.kind == "editor_story")}
    for row in _stories(connection, dialect).rows(values):
        yield from json.loads(row.article_ids)


@statement
def _stories(dialect: str) -> Select[Any]:
    return select(stories.c.article_ids).where(
        stories.c.for_editors == bindparam("for_editors"), id_in_parameter(dialect, stories.c.lead_id, "ids")
    )


@statement
def _versions(dialect: str) -> Select[Any]:
    others = article_urls.alias()
    return (
        select(others.c.article_id)
        .distinct()
        .join(article_urls, article_urls.c.url_key == others.c.url_key)
        .where(
            id_in_parameter(dialect, article_urls.c.article_id, "ids"),
            article_urls.c.is_page == 1,
            others.c.is_page == 1,
        )
    )


@statement
def _parts(dialect: str) -> Select[Any]:
    return select(article_groups.c.part, article_groups.c.numbers).where(
        article_groups.c.kind == bindparam("kind"), id_in_parameter(dialect, article_groups.c.part, "parts")
    )


@statement
def _all_parts() -> Select[Any]:
    return select(article_groups.c.part, article_groups.c.numbers).where(
        article_groups.c.kind == bindparam("kind")
    )


@statement
def _pieces() -> Select[Any]:
    return select(article_groups.c.numbers).where(article_groups.c.kind == bindparam("kind"))


def write_numbers(connection: Connection, kind: GroupKind, numbers: Mapping[int, int]) -> set[int]:
    """Sets the numbers of these articles, and returns those of them that had another one.

    Only parts in which a number is another now are written.
    """
    by_part: dict[int, dict[int, int]] = defaultdict(dict)
    for article_id, number in numbers.items():
        by_part[article_id // IDS_IN_A_PART][article_id % IDS_IN_A_PART] = number
    regrouped = set[int]()
    for parts in chunked(sorted(by_part)):
        regrouped |= _write_parts(connection, kind, {part: by_part[part] for part in parts})
    return regrouped


def _write_parts(connection: Connection, kind: GroupKind, given: Mapping[int, Mapping[int, int]]) -> set[int]:
    stored = _stored(connection, kind, given)
    after: dict[int, bytes] = {}
    regrouped = set[int]()
    nothing = bytes(_PART_BYTES)
    for part, by_place in given.items():
        numbers = _numbers(stored.get(part, nothing))
        changed = {place: number for place, number in by_place.items() if numbers[place] != number}
        if changed:
            for place, number in changed.items():
                numbers[place] = number
                regrouped.add(part * IDS_IN_A_PART + place)
            after[part] = _in_native_order(numbers).tobytes()
    _replace(
        connection, kind, {part: b"" if numbers == nothing else numbers for part, numbers in after.items()}
    )
    _write_sets(connection, kind, {part: _numbers(numbers) for part, numbers in after.items()})
    return regrouped


def _write_sets(connection: Connection, kind: GroupKind, parts: Mapping[int, Sequence[int]]) -> None:
    """The heads and the others among the ids of these parts."""
    pieces = {part * IDS_IN_A_PART // IDS_IN_A_PIECE for part in parts}
    for is_head, kinds in ((True, HEADS), (False, OTHERS)):
        stored = _stored(connection, kinds[kind], pieces)
        sets = {piece: BitMap.deserialize(stored[piece]) if piece in stored else BitMap() for piece in pieces}
        for part, numbers in parts.items():
            first = part * IDS_IN_A_PART
            of_piece = sets[first // IDS_IN_A_PIECE]
            of_piece.remove_range(first, first + IDS_IN_A_PART)
            members = enumerate(numbers, first)
            of_piece.update(id_ for id_, number in members if number and (number == id_) is is_head)
        after = {piece: as_bytes(ids) if ids else b"" for piece, ids in sets.items()}
        changed = {piece: ids for piece, ids in after.items() if ids != stored.get(piece, b"")}
        _replace(connection, kinds[kind], changed)


def _stored(connection: Connection, kind: str, parts: Iterable[int]) -> dict[int, bytes]:
    rows = select(article_groups.c.part, article_groups.c.numbers).where(
        article_groups.c.kind == kind, article_groups.c.part.in_(sorted(parts))
    )
    return {row.part: row.numbers for row in connection.execute(rows)}


def _replace(connection: Connection, kind: str, rows: Mapping[int, bytes]) -> None:
    """Rows of nothing are not stored."""
    if not rows:
        return
    is_old = (article_groups.c.kind == kind) & article_groups.c.part.in_(sorted(rows))
    connection.execute(delete(article_groups).where(is_old))
    new = [(kind, part, numbers) for part, numbers in sorted(rows.items()) if numbers]
    insert_tuples(connection, article_groups, ("kind", "part", "numbers"), new)


def _in_native_order(numbers: "array[int]") -> "array[int]":
    """Stored numbers are little-endian, on whatever machine."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def clear_numbers(connection: Connection) -> None:
    """Takes all articles out of all groups."""
    connection.execute(delete(article_groups))
    connection.execute(delete(term_repeats))


def grouped_articles(connection: Connection) -> BitMap:
    """The articles that are in a group of any kind."""
    return BitMap.union(*(GroupNumbers(connection, kind).grouped() for kind in get_args(GroupKind)))
