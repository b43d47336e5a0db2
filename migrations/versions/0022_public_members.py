"""The article of a collection's item as the public sees it: a path may mean two files, one of them hidden.

The first import afterwards resolves all items anew; until then nobody else has a hidden article's place.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_IDENTIFIER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("collection_items") as items:
        items.add_column(sa.Column("public_member_id", _IDENTIFIER, nullable=True))
        items.create_foreign_key(
            "fk_collection_items_public_member_id",
            "articles",
            ["public_member_id"],
            ["id"],
            ondelete="SET NULL",
        )
    op.create_index("ix_collection_items_public_member_id", "collection_items", ["public_member_id"])
    op.execute(
        "UPDATE collection_items SET public_member_id = member_id "
        "WHERE member_id IN (SELECT id FROM articles WHERE published = 1)"
    )


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
