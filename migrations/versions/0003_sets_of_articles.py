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
SELECT filed.article_id, filed.published, filed.newest, filed.term_id, terms.field
FROM article_terms filed JOIN terms ON terms.id = filed.term_id
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
    for row in op.get_bind().execute(sa.text(FILED), execution_options={"yield_per": 10_000}):
        found[row.field, row.term_id].add(row.article_id)
        found["has", FIELDS.index(row.field)].add(row.article_id)
        # Every article has one source.
        if row.field == "source":
            if row.published:
                found["published", 1].add(row.article_id)
            if row.newest != UNKNOWN:
                found["day", (62_135_596_800 - row.newest) // 86_400 + 1].add(row.article_id)
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
    op.drop_table("article_sets")
