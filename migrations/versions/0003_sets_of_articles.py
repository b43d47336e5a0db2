"""Which articles are of a term, of a day, published: sets by which is counted what no index answers."""

from collections import defaultdict

import sqlalchemy as sa
from alembic import op
from pyroaring import BitMap

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Identifier = sa.BigInteger().with_variant(sa.Integer, "sqlite")

FIELDS = ("topic", "provider", "type", "category", "tag", "locale", "source")
UNKNOWN = 2**62
FILED = """
SELECT filed.article_id, filed.term_id, terms.field
FROM article_terms filed JOIN terms ON terms.id = filed.term_id
"""
SAID = """
SELECT id, published, newest, newest_updated, quality, heat, image_count, related_count FROM articles
"""


def upgrade() -> None:
    op.execute("DROP TABLE IF EXISTS term_pairs")
    op.execute("DELETE FROM terms WHERE field = 'has'")
    article_sets = op.create_table(
        "article_sets",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", Identifier, autoincrement=False, nullable=False),
        sa.Column("article_ids", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_article_sets"),
    )
    found: dict[tuple[str, int], BitMap] = defaultdict(BitMap)
    connection, in_parts = op.get_bind(), {"yield_per": 10_000}
    for article_id, term_id, field in connection.execute(sa.text(FILED), execution_options=in_parts):
        found[field, term_id].add(article_id)
        found["has", FIELDS.index(field)].add(article_id)
    for row in connection.execute(sa.text(SAID), execution_options=in_parts):
        if row.published:
            found["published", 1].add(row.id)
        for kind, newest in (("day", row.newest), ("updated_day", row.newest_updated)):
            if newest != UNKNOWN:
                found[kind, (62_135_596_800 - newest) // 86_400 + 1].add(row.id)
        for kind, number in (("quality", row.quality), ("heat", row.heat)):
            if number is not None:
                found[kind, number].add(row.id)
        for key, count in enumerate((row.image_count, row.related_count), len(FIELDS)):
            if count:
                found["has", key].add(row.id)
    for each in found.values():
        each.run_optimize()
    op.bulk_insert(
        article_sets,
        [
            {"kind": kind, "key": key, "article_ids": each.serialize()}
            for (kind, key), each in sorted(found.items())
        ],
    )


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
