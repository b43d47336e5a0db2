"""When each source was last imported: nothing stored says so of an import that changed no answer."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("imported_at", sa.Text, nullable=True))


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
