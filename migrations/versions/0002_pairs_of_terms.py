"""How many articles are filed under two terms at once, so that facets and totals of terms are looked up."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Identifier = sa.BigInteger().with_variant(sa.Integer, "sqlite")

# Terms that count the articles with any topic, and with any tag.
HAVING = """
INSERT INTO terms (id, field, by_name, key, folded_key, described, public_count, editor_count)
SELECT (SELECT max(id) FROM terms) + row_number() OVER (ORDER BY field), 'has', 0, field, field, 0,
    sum(published), count(*)
FROM (
    SELECT DISTINCT terms.field, article_terms.article_id, article_terms.published
    FROM article_terms JOIN terms ON terms.id = article_terms.term_id
    WHERE terms.field IN ('topic', 'tag')
) AS filed
GROUP BY field
"""

PAIRS = """
INSERT INTO term_pairs (term_id, other_field, other_id, public_count, editor_count)
SELECT one.term_id, other.field, other.term_id, sum(one.published), count(*)
FROM filed AS one JOIN filed AS other ON other.article_id = one.article_id
GROUP BY one.term_id, other.field, other.term_id
"""

FILED = """
CREATE TEMPORARY TABLE filed AS
SELECT article_terms.term_id, terms.field, article_terms.article_id, article_terms.published
FROM article_terms JOIN terms ON terms.id = article_terms.term_id
UNION
SELECT of_any.id, 'has', article_terms.article_id, article_terms.published
FROM article_terms JOIN terms ON terms.id = article_terms.term_id
    JOIN terms AS of_any ON of_any.field = 'has' AND of_any.key = terms.field
"""


def upgrade() -> None:
    op.create_table(
        "term_pairs",
        sa.Column("term_id", Identifier, autoincrement=False, nullable=False),
        sa.Column("other_field", sa.Text, nullable=False),
        sa.Column("other_id", Identifier, autoincrement=False, nullable=False),
        sa.Column("public_count", sa.Integer, nullable=False),
        sa.Column("editor_count", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name="fk_term_pairs_term_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["other_id"], ["terms.id"], name="fk_term_pairs_other_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term_id", "other_field", "other_id", name="pk_term_pairs"),
        sqlite_with_rowid=False,
    )
    op.execute(HAVING)
    op.execute(FILED)
    op.execute("CREATE INDEX filed_articles ON filed (article_id)")
    op.execute(PAIRS)
    op.execute("DROP TABLE filed")


def downgrade() -> None:
    op.drop_table("term_pairs")
    op.execute("DELETE FROM terms WHERE field = 'has'")
