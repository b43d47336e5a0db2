"""By which version of the code words and URL keys were made; the next import makes all of them anew."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("catalogue", sa.Column("derivation_version", sa.Integer, nullable=True))


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
