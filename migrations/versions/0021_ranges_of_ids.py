"""Sets in pieces, so that an article more does not write the sets of all again.

Words are in pieces of 65,536 ids, other sets of 524,288. A catalogue of fewer ids gets the column alone: its
sets are one piece each.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op
from pyroaring import BitMap

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 100
# Both tables have a primary key without the new column, columns of sets, and so many bits of an id that
# tell its place in a range.
_TABLES = {
    "article_sets": (("kind", "key"), ("article_ids",), 19),
    "word_articles": (("word",), ("in_title", "in_excerpt", "anywhere"), 16),
}


def upgrade() -> None:
    _add_column()
    last_id = op.get_bind().scalar(sa.text("SELECT max(id) FROM articles")) or 0
    for name, (key, sets, range_bits) in _TABLES.items():
        if last_id >> range_bits:
            _split(name, key, sets, range_bits)


def _add_column() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name, (key, _, _) in _TABLES.items():
            op.add_column(name, sa.Column("range", sa.Integer, nullable=False, server_default="0"))
            op.alter_column(name, "range", server_default=None)
            op.drop_constraint(f"pk_{name}", name)
            op.create_primary_key(f"pk_{name}", name, [*key, "range"])
        return
    # SQLite cannot change a primary key.
    op.execute("ALTER TABLE article_sets RENAME TO whole_sets")
    op.create_table(
        "article_sets",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Integer, nullable=False),
        sa.Column("range", sa.Integer, nullable=False),
        sa.Column("article_ids", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", "range", name="pk_article_sets"),
    )
    op.execute("INSERT INTO article_sets SELECT kind, key, 0, article_ids FROM whole_sets ORDER BY kind, key")
    op.drop_table("whole_sets")
    op.execute("ALTER TABLE word_articles RENAME TO whole_words")
    op.create_table(
        "word_articles",
        sa.Column("word", sa.Text, nullable=False),
        sa.Column("range", sa.Integer, nullable=False),
        sa.Column("stem", sa.Text, nullable=False),
        sa.Column("in_title", sa.LargeBinary, nullable=True),
        sa.Column("in_excerpt", sa.LargeBinary, nullable=True),
        sa.Column("anywhere", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("word", "range", name="pk_word_articles"),
    )
    op.execute(
        "INSERT INTO word_articles "
        "SELECT word, 0, stem, in_title, in_excerpt, anywhere FROM whole_words ORDER BY word"
    )
    op.drop_table("whole_words")
    op.create_index("ix_word_articles_stem", "word_articles", ["stem"])


def _split(name: str, key: tuple[str, ...], sets: tuple[str, ...], range_bits: int) -> None:
    """Replaces the rows whose sets reach beyond the first range by a row for each range."""
    connection = op.get_bind()
    others = ("stem",) if name == "word_articles" else ()
    table = sa.table(name, *map(sa.column, (*key, "range", *others, *sets)))
    keys = sa.tuple_(*(table.c[column] for column in key))
    is_stored = [table.c[column] == sa.bindparam(f"stored_{column}") for column in key]
    after: tuple[object, ...] | None = None
    while True:
        # Pieces that are written already have a later range than 0, or the key of an earlier row.
        rows = sa.select(table).order_by(*(table.c[column] for column in key)).limit(_ROWS_AT_ONCE)
        found = connection.execute(rows if after is None else rows.where(keys > after)).mappings().all()
        if not found:
            return
        after = tuple(found[-1][column] for column in key)
        large, pieces = [], []
        for row in found:
            whole = {column: BitMap.deserialize(bytes(row[column])) for column in sets if row[column]}
            if max(of_text.max() for of_text in whole.values()) >> range_bits:
                large.append({f"stored_{column}": row[column] for column in key})
                pieces += [
                    {**row, "range": range_, **dict.fromkeys(sets), **piece}
                    for range_, piece in _pieces(whole, range_bits)
                ]
        if large:
            connection.execute(table.delete().where(*is_stored), large)
            connection.execute(table.insert(), pieces)


def _pieces(whole: dict[str, BitMap], range_bits: int) -> Iterator[tuple[int, dict[str, bytes]]]:
    last = max(articles.max() for articles in whole.values()) >> range_bits
    for range_ in range(last + 1):
        ids = BitMap(range(range_ << range_bits, (range_ + 1) << range_bits))
        piece = {}
        for column, articles in whole.items():
            if part := articles & ids:
                part.run_optimize()
                piece[column] = part.serialize()
        if piece:
            yield range_, piece


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
