"""What is read is stored, and no more; what an article is filed under stands with the article.

The columns and the table that go repeated what `item` has. The index of article_terms by article, and the
foreign key that it was for, repeated every path and took a tenth of a catalogue.
"""

import json
from itertools import groupby

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Identifier = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

OF_ARTICLES = [
    "title",
    "excerpt",
    "type",
    "category",
    "locale",
    "published_date_time",
    "updated_date_time",
    "web_url",
    "original_url",
    "amp_web_url",
    "cdn_amp_web_url",
    "provider_name",
    "provider_domain",
    "topics",
]
OF_LINKS = [
    "title",
    "excerpt",
    "type",
    "quality",
    "heat",
    "published_date_time",
    "updated_date_time",
    "web_url",
    "original_url",
    "amp_web_url",
    "cdn_amp_web_url",
    "provider_name",
    "provider_domain",
]
ARTICLES_AT_ONCE = 5_000
FILED = """
SELECT article_id, term_id, name_id FROM article_terms
WHERE article_id > :after AND article_id <= :last ORDER BY article_id, term_id
"""


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column("articles", sa.Column("topic_names", sa.Text))
    op.add_column("articles", sa.Column("terms", sa.Text, nullable=False, server_default="[]"))
    _fill()
    op.drop_table("images")
    for table, columns in (("articles", OF_ARTICLES), ("links", OF_LINKS)):
        for column in columns:
            op.drop_column(table, column)
    if connection.dialect.name == "postgresql":
        op.alter_column("articles", "terms", server_default=None)
        op.drop_constraint("fk_article_terms_article_id", "article_terms")
        op.drop_index("ix_article_terms_article_id_term_id", "article_terms")
    else:
        _rebuild_article_terms()


def _fill() -> None:
    connection = op.get_bind()
    articles = sa.table("articles", *map(sa.column, ("id", "topics", "item", "topic_names", "terms")))
    update = (
        articles.update()
        .where(articles.c.id == sa.bindparam("of_id"))
        .values(topic_names=sa.bindparam("names"), terms=sa.bindparam("filed"))
    )
    after = 0
    while rows := connection.execute(
        sa.select(articles.c.id, articles.c.topics, articles.c.item)
        .where(articles.c.id > after)
        .order_by(articles.c.id)
        .limit(ARTICLES_AT_ONCE)
    ).all():
        last = rows[-1].id
        filed = connection.execute(sa.text(FILED), {"after": after, "last": last})
        terms = {
            article_id: [id_ for row in of_article for id_ in (row.term_id, row.name_id)]
            for article_id, of_article in groupby(filed, key=lambda row: row.article_id)
        }
        connection.execute(
            update,
            [
                {
                    "of_id": row.id,
                    "names": row.topics if json.loads(row.topics) != json.loads(row.item)["topics"] else None,
                    "filed": json.dumps(terms.get(row.id, []), separators=(",", ":")),
                }
                for row in rows
            ],
        )
        after = last


def _rebuild_article_terms() -> None:
    """SQLite drops no foreign key from a table; a new one is filled in its order, and so densely."""
    op.drop_index("ix_article_terms_article_id_term_id", "article_terms")
    op.rename_table("article_terms", "old_article_terms")
    op.create_table(
        "article_terms",
        sa.Column("term_id", Identifier, autoincrement=False, nullable=False),
        sa.Column("published", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("newest", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("path", Ordered, nullable=False),
        sa.Column("source", Ordered, nullable=False),
        sa.Column("article_id", Identifier, nullable=False),
        sa.Column("name_id", Identifier),
        sa.ForeignKeyConstraint(
            ["term_id"], ["terms.id"], name="fk_article_terms_term_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["name_id"], ["term_names.id"], name="fk_article_terms_name_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term_id", "published", "newest", "path", "source", name="pk_article_terms"),
        sqlite_with_rowid=False,
    )
    columns = "term_id, published, newest, path, source, article_id, name_id"
    op.execute(
        f"INSERT INTO article_terms ({columns}) SELECT {columns} FROM old_article_terms "  # noqa: S608
        "ORDER BY term_id, published, newest, path, source"
    )
    op.drop_table("old_article_terms")


def downgrade() -> None:
    raise NotImplementedError("There is no way back to what was not read: restore a backup.")
