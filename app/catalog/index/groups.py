"""The table of groups: articles of one story, versions of one page. Counts them and lists the first of each.

An article in a group has the group's number, an article in none has 0. The numbers of IDS_IN_A_PART ids stand
in one row, so that an import writes the 4 kB around what it changed, and a question reads a million of them
in some milliseconds.
"""

import json
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import itemgetter
from typing import Any, Final, Literal

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, select

from app.catalog.audience import Published
from app.catalog.index.walk import SetPages
from app.catalog.paging import BEGINNING, KeyedRow, Place
from app.catalog.tables import article_groups, article_urls, articles, stories
from app.database.rows import chunked, id_in_parameter, ids_parameter, insert_tuples
from app.database.statements import statement

# Stored: never change.
GroupKind = Literal["public_story", "editor_story", "page"]
IDS_IN_A_PART: Final = 1024

_NUMBER_BYTES: Final = 4
# The first read asks for twice a page, since most articles are in no group; later ones for more.
_MAX_ROWS_AT_ONCE: Final = 2_000


class GroupNumbers:
    """The numbers of all articles; read once for a question."""

    def __init__(self, connection: Connection, kind: GroupKind) -> None:
        self.kind = kind
        numbers = array("I")
        for row in _parts(connection).rows({"kind": kind}):
            # Parts without any group are not stored.
            numbers.frombytes(bytes(row.part * IDS_IN_A_PART * _NUMBER_BYTES - len(numbers) * _NUMBER_BYTES))
            numbers.frombytes(row.numbers)
        self._numbers = _in_native_order(numbers)

    def __getitem__(self, article_id: int) -> int:
        return self._numbers[article_id] if article_id < len(self._numbers) else 0

    def grouped(self) -> BitMap:
        """The articles that are in any group."""
        return BitMap(compress(range(len(self._numbers)), self._numbers))

    def within(self, ids: BitMap) -> set[int]:
        """The numbers of the groups that any of these articles is in."""
        return set(self._of(ids)) - {0}

    def count(self, ids: BitMap) -> int:
        """How many articles are left of these if only one of each group is."""
        numbers = self._of(ids)
        alone = numbers.count(0)
        return len(ids) - len(numbers) + alone + len(set(numbers)) - bool(alone)

    def _of(self, ids: BitMap) -> tuple[int, ...]:
        numbered = [*ids[: ids.rank(len(self._numbers) - 1)]] if self._numbers else []
        if len(numbered) < 2:  # noqa: PLR2004  `itemgetter` of one key returns no tuple
            return tuple([self._numbers[id_] for id_ in numbered])
        return tuple(itemgetter(*numbered)(self._numbers))


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
def _parts() -> Select[Any]:
    return (
        select(article_groups.c.part, article_groups.c.numbers)
        .where(article_groups.c.kind == bindparam("kind"))
        .order_by(article_groups.c.part)
    )


def write_numbers(connection: Connection, kind: GroupKind, numbers: Mapping[int, int]) -> None:
    """Sets the numbers of these articles. Only parts in which one is another now are written."""
    by_part: dict[int, dict[int, int]] = defaultdict(dict)
    for article_id, number in numbers.items():
        by_part[article_id // IDS_IN_A_PART][article_id % IDS_IN_A_PART] = number
    for parts in chunked(sorted(by_part)):
        _write_parts(connection, kind, {part: by_part[part] for part in parts})


def _write_parts(connection: Connection, kind: GroupKind, changed: Mapping[int, Mapping[int, int]]) -> None:
    is_of_kind = article_groups.c.kind == kind
    stored = {
        row.part: row.numbers
        for row in connection.execute(
            select(article_groups.c.part, article_groups.c.numbers).where(
                is_of_kind, article_groups.c.part.in_(changed)
            )
        )
    }
    written: dict[int, bytes] = {}
    nothing = bytes(IDS_IN_A_PART * _NUMBER_BYTES)
    for part, by_place in changed.items():
        numbers = array("I")
        numbers.frombytes(stored.get(part, nothing))
        numbers = _in_native_order(numbers)
        for place, number in by_place.items():
            numbers[place] = number
        after = _in_native_order(numbers).tobytes()
        if after != stored.get(part, nothing):
            written[part] = after
    if gone := sorted(written.keys() & stored.keys()):
        connection.execute(delete(article_groups).where(is_of_kind, article_groups.c.part.in_(gone)))
    rows = [(kind, part, after) for part, after in sorted(written.items()) if after != nothing]
    insert_tuples(connection, article_groups, ("kind", "part", "numbers"), rows)


def _in_native_order(numbers: "array[int]") -> "array[int]":
    """Stored numbers are little-endian, on whatever machine."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def clear_numbers(connection: Connection) -> None:
    """Takes all articles out of all groups."""
    connection.execute(delete(article_groups))
