"""Nothing: what this made is replaced by the sets of articles of the next one, which drops it where it is."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
