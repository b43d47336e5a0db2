"""How many articles of a term its folded list leaves out, counted as imports count it from here on."""

import sys
from array import array
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op
from pyroaring import BitMap

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_IDENTIFIER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Each way to fold a list, for the public (0) and for editors (1), and the groups by which it is folded.
_FOLDS = (
    ("story", 0, "public_story"),
    ("story", 1, "editor_story"),
    ("url", 0, "page"),
    ("url", 1, "page"),
)
_IDS_IN_A_PART, _NUMBER_BYTES = 1024, 4


def upgrade() -> None:
    op.create_table(
        "term_repeats",
        sa.Column("collapse", sa.Text, primary_key=True),
        sa.Column("for_editors", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "term_id",
            _IDENTIFIER,
            sa.ForeignKey("terms.id", ondelete="CASCADE", name="fk_term_repeats_term_id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("repeats", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("collapse", "for_editors", "term_id", name="pk_term_repeats"),
    )
    op.create_index("ix_term_repeats_term_id", "term_repeats", ["term_id"])
    rows = [
        {"collapse": collapse, "for_editors": for_editors, "term_id": term_id, "repeats": repeats}
        for collapse, for_editors, kind in _FOLDS
        for term_id, repeats in _repeats(kind, sees_all=bool(for_editors))
    ]
    if rows:
        table = sa.table("term_repeats", *map(sa.column, rows[0]))
        op.get_bind().execute(table.insert(), rows)


def _repeats(kind: str, *, sees_all: bool) -> Iterator[tuple[int, int]]:
    numbers, grouped = _numbers(kind)
    if not sees_all:
        grouped -= _unpublished()
    if not grouped:
        return
    found = op.get_bind().execute(
        sa.text(
            "SELECT term.id, of_term.article_ids FROM terms AS term JOIN article_sets AS of_term "
            "ON of_term.kind = term.field AND of_term.key = term.id ORDER BY term.id"
        )
    )
    last_id, members = 0, BitMap()
    for term_id, piece in found:
        if term_id != last_id:
            yield from _repeats_of(last_id, members, numbers)
            last_id, members = term_id, BitMap()
        members |= BitMap.deserialize(bytes(piece)) & grouped
    yield from _repeats_of(last_id, members, numbers)


def _repeats_of(term_id: int, members: BitMap, numbers: "array[int]") -> Iterator[tuple[int, int]]:
    if repeats := len(members) - len({numbers[id_] for id_ in members}):
        yield term_id, repeats


def _numbers(kind: str) -> tuple["array[int]", BitMap]:
    """The number of each article's group, 0 for none, and the articles that have one."""
    parts = (
        op.get_bind()
        .execute(
            sa.text("SELECT part, numbers FROM article_groups WHERE kind = :kind ORDER BY part"),
            {"kind": kind},
        )
        .all()
    )
    stored = bytearray((parts[-1].part + 1) * _IDS_IN_A_PART * _NUMBER_BYTES if parts else 0)
    for part, numbers in parts:
        start = part * _IDS_IN_A_PART * _NUMBER_BYTES
        stored[start : start + len(numbers)] = numbers
    by_id = array("I", bytes(stored))
    if sys.byteorder == "big":
        by_id.byteswap()
    return by_id, BitMap(id_ for id_, number in enumerate(by_id) if number)


def _unpublished() -> BitMap:
    pieces = op.get_bind().scalars(sa.text("SELECT article_ids FROM article_sets WHERE kind = 'unpublished'"))
    return BitMap.union(BitMap(), *(BitMap.deserialize(bytes(piece)) for piece in pieces))


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
