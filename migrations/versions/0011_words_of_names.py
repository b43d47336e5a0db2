"""The words of topics' names, providers', authors' and tags': `q` and suggestions find terms by them.

The next import fills the table, since a migration cannot part names into words as today's search does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

IDENTIFIER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "name_words",
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("word", ORDERED, nullable=False),
        sa.Column("term_id", IDENTIFIER, autoincrement=False, nullable=False),
        sa.Column("name_id", IDENTIFIER, autoincrement=False, nullable=False),
        sa.Column("stem", ORDERED, nullable=False),
        sa.PrimaryKeyConstraint("field", "word", "term_id", "name_id", name="pk_name_words"),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name="fk_name_words_term_id", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_name_words_stem", "name_words", ["stem"])


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
