"""Each stored article has authors: none, until an import reads its document again.

A quotation mark within a text is escaped in JSON, so what is replaced stands in an item once.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""UPDATE articles SET item = replace(item, ',"topics":[', ',"authors":[],"topics":[')""")


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
