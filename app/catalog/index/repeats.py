"""How many articles of each term its folded list leaves out, as imports count them.

A folded list has one article of each group: of each story, or of each page. All other articles of a term that
are in a group with one of its articles are its repeats, and the total of its folded list is the term's count
without them. Counting them takes some 15 ms among a million articles, so it is done once, by the import that
changed what they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from pyroaring import BitMap
from sqlalchemy import Connection, Select, bindparam, delete, select

from app.catalog.audience import Published
from app.catalog.index.groups import GroupKind, GroupNumbers
from app.catalog.index.ranges import joined
from app.catalog.index.sets import SetKey, is_unpublished
from app.catalog.tables import article_sets, term_repeats
from app.database.rows import chunked, insert_tuples
from app.database.statements import statement

Collapse = Literal["story", "url"]

# Every way to fold a list, for the public and for editors, with the groups by which it is folded.
_FOLDS: Final[Sequence[tuple[Collapse, int, GroupKind]]] = (
    ("story", 0, "public_story"),
    ("story", 1, "editor_story"),
    ("url", 0, "page"),
    ("url", 1, "page"),
)


def read_repeats(connection: Connection, term_id: int, collapse: Collapse, published: Published) -> int:
    """Imports count for those who see all that they may: `published` is not `false`."""
    values = {"term_id": term_id, "collapse": collapse, "for_editors": int(published != "true")}
    return sum(row.repeats for row in _repeats(connection).rows(values))


@statement
def _repeats() -> Select[Any]:
    return select(term_repeats.c.repeats).where(
        term_repeats.c.term_id == bindparam("term_id"),
        term_repeats.c.collapse == bindparam("collapse"),
        term_repeats.c.for_editors == bindparam("for_editors"),
    )


def count_repeats(connection: Connection, sets_of_terms: Iterable[SetKey]) -> None:
    """Counts the repeats of these terms anew, when their sets and all groups are written."""
    groups = {kind: GroupNumbers(connection, kind) for _, _, kind in _FOLDS}
    unpublished = is_unpublished().read(connection)
    by_field: dict[str, list[int]] = defaultdict(list)
    for field, term_id in sorted(sets_of_terms):
        by_field[field].append(term_id)
    for field, term_ids in by_field.items():
        for part in chunked(term_ids):
            connection.execute(delete(term_repeats).where(term_repeats.c.term_id.in_(part)))
            rows: list[tuple[str, int, int, int]] = []
            for term_id, ids in _sets(connection, field, part):
                for collapse, for_editors, kind in _FOLDS:
                    seen = ids if for_editors else ids - unpublished
                    if repeats := len(seen) - groups[kind].count(seen):
                        rows.append((collapse, for_editors, term_id, repeats))
            insert_tuples(connection, term_repeats, tuple(term_repeats.c.keys()), rows)


def _sets(connection: Connection, field: str, term_ids: Sequence[int]) -> Iterable[tuple[int, BitMap]]:
    pieces: dict[int, list[bytes]] = defaultdict(list)
    columns = article_sets.c
    rows = select(columns.key, columns.article_ids).where(columns.kind == field, columns.key.in_(term_ids))
    for row in connection.execute(rows):
        pieces[row.key].append(row.article_ids)
    return ((term_id, joined(of_term)) for term_id, of_term in pieces.items())
