"""Pages of a set of articles, in an order that an index has. Knows no query.

The index is read from the page's place on, and rows that are not in the set are skipped. A set so small that
sorting it is quicker than that is sorted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, Select, bindparam, literal, select, tuple_

from app.catalog.audience import Published
from app.catalog.index.sets import ADDED_DAY, DAY, HEAT, QUALITY, UPDATED_DAY, day_number, day_start
from app.catalog.orders import IndexOrder, list_columns
from app.catalog.paging import KeyedRow, Place, StatementPages
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import article_sets, articles
from app.database.rows import id_in_parameter, ids_parameter
from app.database.statements import statement

# Reading one article by its id and sorting it costs as much as skipping 1.5 index rows.
SKIPPED_FOR_ONE_SORTED: Final = 1.5
# The first read asks for twice a page, each later one for twice as many, up to these some megabytes.
_MAX_ROWS_AT_ONCE: Final = 20_000
# The matches must lie in another period after 1,000 misses in a row: it pays to look where.
_MIN_MISSES: Final = 1_000
_PIECES_AT_ONCE: Final = 500

# The kind of sets that divides each order's column, and whether the column is the negative of its numbers.
_SETS_ALONG: Final = {
    "newest": (DAY, True),
    "oldest": (DAY, False),
    "newest_updated": (UPDATED_DAY, True),
    "oldest_updated": (UPDATED_DAY, False),
    "newest_added": (ADDED_DAY, True),
    "oldest_added": (ADDED_DAY, False),
    "best": (QUALITY, True),
    "worst": (QUALITY, False),
    "hottest": (HEAT, True),
    "coolest": (HEAT, False),
}


@dataclass(frozen=True, slots=True)
class SetPages:
    """Pages of ranked sets, the lowest rank first. Articles that are not ranked are one set of rank None."""

    ranks: Mapping[int | None, BitMap]
    index_order: IndexOrder

    @property
    def order(self) -> tuple[ColumnElement[Any], ...]:
        columns = self.index_order.columns
        return columns if None in self.ranks else (literal(0), *columns)

    def read(self, connection: Connection, place: Place, limit: int, offset: int = 0) -> Sequence[KeyedRow]:
        keyed_ids = self.keyed_ids(connection, place, limit + offset)[offset:]
        if not keyed_ids:
            return []
        rows = self.articles(connection, [row.id for _, row in keyed_ids])
        return [(keys, rows[row.id]) for keys, row in keyed_ids]

    def has_rows(self, connection: Connection, place: Place) -> bool:
        return bool(self.keyed_ids(connection, place, 1))

    def articles(self, connection: Connection, ids: Sequence[int]) -> dict[int, Any]:
        dialect = connection.dialect.name
        statement = _articles_with_ids(connection, dialect, self.index_order.published)
        return {row.id: row for row in statement.rows({"ids": ids_parameter(dialect, ids)})}

    def keyed_ids(self, connection: Connection, place: Place, limit: int) -> Sequence[KeyedRow]:
        keyed_ids: list[KeyedRow] = []
        for rank, place_in_rank in self._ranks_from(place):
            rank_key = () if rank is None else (rank,)
            page = self._page_of_rank(connection, self.ranks[rank], place_in_rank, limit - len(keyed_ids))
            keyed_ids += [((*rank_key, *keys), row) for keys, row in page]
            if len(keyed_ids) == limit:
                break
        return keyed_ids

    def _ranks_from(self, place: Place) -> Iterator[tuple[int | None, Place]]:
        """The ranks that have rows after the place, with the place in each."""
        if None in self.ranks:
            yield None, place
            return
        for rank in sorted((rank for rank in self.ranks if rank is not None), reverse=place.backwards):
            if place.keys is None or rank == place.keys[0]:
                yield rank, Place(place.keys and place.keys[1:], place.backwards)
            elif (rank < int(place.keys[0])) == place.backwards:
                yield rank, Place(None, place.backwards)

    def _page_of_rank(
        self, connection: Connection, ids: BitMap, place: Place, limit: int
    ) -> Sequence[KeyedRow]:
        expected_to_skip = limit * self.index_order.length / max(1, len(ids))
        is_small = len(ids) <= SKIPPED_FOR_ONE_SORTED * expected_to_skip
        by_audience = [
            listing.read(connection, place, limit)
            if is_small
            else _filter_index(connection, listing, self.index_order.column, ids, place, limit)
            for listing in self.index_order.ids_by_audience(
                connection.dialect.name, ids if is_small else None
            )
        ]
        if len(by_audience) == 1:
            return by_audience[0]
        return sorted((row for rows in by_audience for row in rows), reverse=place.backwards)[:limit]


def _filter_index(
    connection: Connection, listing: StatementPages, column: str, ids: BitMap, place: Place, limit: int
) -> Sequence[KeyedRow]:
    matches: list[KeyedRow] = []
    at_once = limit
    while len(matches) < limit:
        at_once = min(2 * at_once, _MAX_ROWS_AT_ONCE)
        rows = listing.read(connection, place, at_once)
        new_matches = [row for row in rows if row[1].id in ids]
        if len(rows) < at_once:
            return [*matches, *new_matches][:limit]
        matches += new_matches
        place = Place(rows[-1][0], place.backwards)
        if not new_matches and at_once >= _MIN_MISSES:
            next_place = skip_to_next_match(connection, column, ids, place)
            if next_place is None:
                break
            place = next_place
    return matches[:limit]


@statement
def _articles_with_ids(dialect: str, published: Published) -> Select[Any]:
    return select(*list_columns(published)).where(id_in_parameter(dialect, articles.c.id, "ids"))


def skip_to_next_match(connection: Connection, column: str, ids: BitMap, place: Place) -> Place | None:
    """The next place that can hold an article of the set, as the sets of days and of numbers tell.

    It is `place` itself if the order has no such sets, and None if no article of the set follows.
    """
    if column not in _SETS_ALONG or place.keys is None:
        return place
    kind, is_negative = _SETS_ALONG[column]
    sort_key = int(place.keys[0])
    if sort_key == UNKNOWN:
        return place
    start = _set_key(kind, sort_key, is_negative)
    for key, piece in _pieces_from(connection, kind, start, downwards=is_negative != place.backwards):
        if ids.intersect(BitMap.deserialize(piece)):
            return place if key == start else _place_before(kind, key, is_negative, place.backwards)
    # Articles without a date or number come last.
    return None if place.backwards else Place((UNKNOWN, "", ""), backwards=False)


def _set_key(kind: str, sort_key: int, is_negative: bool) -> int:
    if kind in (DAY, UPDATED_DAY, ADDED_DAY):
        return day_number(sort_key if is_negative else -sort_key)
    return -sort_key if is_negative else sort_key


def _place_before(kind: str, key: int, is_negative: bool, backwards: bool) -> Place:
    """The place before all rows of a set, in the direction of the walk."""
    lowest = highest = key
    if kind in (DAY, UPDATED_DAY, ADDED_DAY):
        lowest, highest = day_start(key), day_start(key + 1) - 1
    if is_negative:
        lowest, highest = -highest, -lowest
    return Place((highest + 1 if backwards else lowest, "", ""), backwards)


def _pieces_from(
    connection: Connection, kind: str, key: int, *, downwards: bool
) -> Iterator[tuple[int, bytes]]:
    """The pieces of the sets of a kind, with their keys, from a key on."""
    pieces = _pieces_in_order(connection, downwards)
    after, after_range = key + 1 if downwards else key, -1
    while rows := pieces.rows(
        {"kind": kind, "after": after, "after_range": after_range, "limit": _PIECES_AT_ONCE}
    ):
        yield from ((row.key, row.article_ids) for row in rows)
        after, after_range = rows[-1].key, rows[-1].range


@statement
def _pieces_in_order(downwards: bool) -> Select[Any]:
    columns = article_sets.c
    place, after = tuple_(columns.key, columns.range), tuple_(bindparam("after"), bindparam("after_range"))
    rows = select(columns.key, columns.range, columns.article_ids).where(columns.kind == bindparam("kind"))
    rows = (
        rows.where(place < after).order_by(columns.key.desc(), columns.range.desc())
        if downwards
        else rows.where(place > after).order_by(columns.key, columns.range)
    )
    return rows.limit(bindparam("limit"))
