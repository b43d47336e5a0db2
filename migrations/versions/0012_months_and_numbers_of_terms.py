"""Sets of the articles of each month, and of those whose number of topics, authors or tags has a bit.

Both come from sets that are stored: months from those of days, numbers from those of terms, added bit by bit.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

import sqlalchemy as sa
from alembic import op
from pyroaring import BitMap

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FIELDS = ("topic", "author", "tag")
article_sets = sa.table("article_sets", sa.column("kind"), sa.column("key"), sa.column("article_ids"))


def upgrade() -> None:
    months: dict[int, BitMap] = defaultdict(BitMap)
    for day, article_ids in _sets("day"):
        of_day = date.fromordinal(day)
        months[of_day.year * 12 + of_day.month - 1] |= article_ids
    rows = _rows("month", months.items())
    for field in FIELDS:
        rows += _rows(f"{field}_count", enumerate(_bits(article_ids for _, article_ids in _sets(field))))
    if rows:
        op.get_bind().execute(article_sets.insert(), rows)


def _sets(kind: str) -> Iterator[tuple[int, BitMap]]:
    query = sa.select(article_sets.c.key, article_sets.c.article_ids).where(article_sets.c.kind == kind)
    for key, article_ids in op.get_bind().execute(query):
        yield key, BitMap.deserialize(bytes(article_ids))


def _bits(sets: Iterable[BitMap]) -> list[BitMap]:
    """For each bit of the number of sets that an article is in, the articles that have it."""
    bits: list[BitMap] = []
    for article_ids in sets:
        place, carry = 0, article_ids
        while carry:
            if place == len(bits):
                bits.append(BitMap())
            bits[place], carry = bits[place] ^ carry, bits[place] & carry
            place += 1
    return bits


def _rows(kind: str, sets: Iterable[tuple[int, BitMap]]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for key, article_ids in sets:
        if article_ids:
            article_ids.run_optimize()
            rows.append({"kind": kind, "key": key, "article_ids": article_ids.serialize()})
    return rows


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
