"""When each article was added: at the import of its last change, which is the first one that we still know.

Later imports keep it, and take what a document says in its place.
"""

from collections import defaultdict
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from pyroaring import BitMap

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = ("newest_added", "oldest_added")
OF_REVISION = """
SELECT articles.id FROM changes JOIN articles ON articles.public_id = changes.public_id
WHERE changes.editor_revision = :revision
"""
# Quotation marks within a text are escaped in JSON, so what is replaced stands in an item once.
FILL = """
UPDATE articles SET newest_added = :newest, oldest_added = :oldest,
    item = replace(item, ',"webUrl":', :item)
WHERE oldest_added = 0
"""
FILL_OF_REVISION = f"{FILL} AND id IN ({OF_REVISION})"


def upgrade() -> None:
    connection = op.get_bind()
    for column in COLUMNS:
        op.add_column("articles", sa.Column(column, sa.BigInteger, nullable=False, server_default="0"))
    days: dict[int, BitMap] = defaultdict(BitMap)
    revisions = connection.execute(sa.text("SELECT revision, imported_at FROM revisions")).all()
    for number, imported_at in revisions:
        ids = connection.scalars(sa.text(OF_REVISION), {"revision": number}).all()
        if ids:
            added = datetime.fromisoformat(imported_at)
            days[added.date().toordinal()].update(ids)
            connection.execute(sa.text(FILL_OF_REVISION), {"revision": number, **_values(added)})
    now = datetime.now(UTC).replace(microsecond=0)
    rest = connection.scalars(sa.text("SELECT id FROM articles WHERE oldest_added = 0")).all()
    if rest:
        days[now.date().toordinal()].update(rest)
        connection.execute(sa.text(FILL), _values(now))
    if connection.dialect.name == "postgresql":
        for column in COLUMNS:
            op.alter_column("articles", column, server_default=None)
    for column in COLUMNS:
        op.create_index(f"ix_articles_{column}", "articles", ["published", column, "path", "source"])
    article_sets = sa.table("article_sets", sa.column("kind"), sa.column("key"), sa.column("article_ids"))
    rows = []
    for day, article_ids in sorted(days.items()):
        article_ids.run_optimize()
        rows.append({"kind": "added_day", "key": day, "article_ids": article_ids.serialize()})
    if rows:
        connection.execute(article_sets.insert(), rows)


def _values(added: datetime) -> dict[str, int | str]:
    seconds = int(added.timestamp())
    item = f',"addedDateTime":"{added.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}","webUrl":'
    return {"newest": -seconds, "oldest": seconds, "item": item}


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
