"""How many articles are filed under two terms at once, so that facets and totals of terms are looked up."""

from collections import Counter
from itertools import groupby, product

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Identifier = sa.BigInteger().with_variant(sa.Integer, "sqlite")

FILED = """
SELECT article_terms.article_id, article_terms.published, article_terms.term_id, terms.field
FROM article_terms JOIN terms ON terms.id = article_terms.term_id
ORDER BY article_terms.article_id
"""


def upgrade() -> None:
    term_pairs = op.create_table(
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
    # Terms that count the articles with any topic, and with any tag.
    connection = op.get_bind()
    next_id = (connection.scalar(sa.text("SELECT max(id) FROM terms")) or 0) + 1
    has = {"topic": next_id, "tag": next_id + 1}
    field_of: dict[int, str] = dict.fromkeys(has.values(), "has")
    public: Counter[tuple[int, int]] = Counter()
    editor: Counter[tuple[int, int]] = Counter()
    filed = connection.execute(sa.text(FILED), execution_options={"yield_per": 10_000})
    for (_, published), rows in groupby(filed, key=lambda row: (row.article_id, row.published)):
        of_article = {row.term_id: row.field for row in rows}
        field_of |= of_article
        every = {*of_article, *(has[field] for field in of_article.values() if field in has)}
        pairs = list(product(every, repeat=2))
        editor.update(pairs)
        if published:
            public.update(pairs)
    terms = sa.table("terms", *map(sa.column, ("id", "field", "by_name", "key", "folded_key", "described",
                                               "public_count", "editor_count")))  # fmt: skip
    for field, term_id in has.items():
        counts = {name: counted[term_id, term_id] for name, counted in
                  (("public_count", public), ("editor_count", editor))}  # fmt: skip
        if counts["editor_count"]:
            described = {"field": "has", "by_name": 0, "key": field, "folded_key": field, "described": 0}
            connection.execute(sa.insert(terms).values(id=term_id, **described, **counts))
    op.bulk_insert(
        term_pairs,
        [
            {
                "term_id": one,
                "other_field": field_of[other],
                "other_id": other,
                "public_count": public[one, other],
                "editor_count": count,
            }
            for (one, other), count in sorted(editor.items())
        ],
    )


def downgrade() -> None:
    op.drop_table("term_pairs")
    op.execute("DELETE FROM terms WHERE field = 'has'")
