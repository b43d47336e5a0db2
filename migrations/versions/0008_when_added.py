"""When each article was added: for those that are stored, the time of this migration, since nobody knows.

An import keeps it, and takes what a document says in its place.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from pyroaring import BitMap

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = ("newest_added", "oldest_added")
# Quotation marks within a text are escaped in JSON, so what is replaced stands in an item once.
FILL = """
UPDATE articles SET newest_added = :newest, oldest_added = :oldest,
    item = replace(item, ',"webUrl":', :item)
"""


def upgrade() -> None:
    connection = op.get_bind()
    now = datetime.now(UTC).replace(microsecond=0)
    seconds = int(now.timestamp())
    for column in COLUMNS:
        op.add_column("articles", sa.Column(column, sa.BigInteger, nullable=False, server_default="0"))
    item = f',"addedDateTime":"{now:%Y-%m-%dT%H:%M:%SZ}","webUrl":'
    connection.execute(sa.text(FILL), {"newest": -seconds, "oldest": seconds, "item": item})
    if connection.dialect.name == "postgresql":
        for column in COLUMNS:
            op.alter_column("articles", column, server_default=None)
    for column in COLUMNS:
        op.create_index(f"ix_articles_{column}", "articles", ["published", column, "path", "source"])
    in_parts = {"yield_per": 10_000}
    ids = BitMap(connection.scalars(sa.text("SELECT id FROM articles"), execution_options=in_parts))
    if ids:
        ids.run_optimize()
        values = {"kind": "added_day", "key": now.date().toordinal(), "article_ids": ids.serialize()}
        connection.execute(
            sa.text("INSERT INTO article_sets (kind, key, article_ids) VALUES (:kind, :key, :article_ids)"),
            values,
        )


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
