"""Which articles have a word, and which are not published: sets, as of terms.

The full-text index of either database, and the set of what is published, are no more.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op
from pyroaring import BitMap
from sqlalchemy.dialects.postgresql import TSVECTOR

from app.catalog.search_words import Texts, word_texts
from app.catalog.tables import article_words
from app.database import write_rows
from app.importer.words import put_into_words

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Identifier = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

ARTICLES_AT_ONCE = 10_000
TEXTS = """
SELECT id, title, excerpt, content FROM articles JOIN contents ON article_id = id
WHERE id > :after ORDER BY id LIMIT :limit
"""


def upgrade() -> None:
    op.drop_table("search")
    if op.get_bind().dialect.name == "postgresql":
        # As it is kept in `changes`: PostgreSQL looks nothing up by an index of another order.
        op.execute('ALTER TABLE articles ALTER COLUMN public_id TYPE text COLLATE "C"')
    op.create_table(
        "article_words",
        sa.Column("article_id", Identifier, autoincrement=False, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("excerpt", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_article_words_article_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name="pk_article_words"),
    )
    op.create_table(
        "word_articles",
        sa.Column("word", Ordered, nullable=False),
        sa.Column("stem", Ordered, nullable=False),
        sa.Column("in_title", sa.LargeBinary, nullable=True),
        sa.Column("in_excerpt", sa.LargeBinary, nullable=True),
        sa.Column("anywhere", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("word", name="pk_word_articles"),
    )
    op.create_index("ix_word_articles_stem", "word_articles", ["stem"])
    for count in ("public_count", "editor_count"):
        op.create_index(f"ix_terms_field_{count}", "terms", ["field", count])
    hidden = BitMap(op.get_bind().scalars(sa.text("SELECT id FROM articles WHERE published = 0")))
    _replace_set("published", "unpublished", hidden)
    # As an import finds them: they are no facts of their own, and another way of finding fills them anew.
    for texts in _texts():
        write_rows(op.get_bind(), article_words, word_texts(texts))
        put_into_words(op.get_bind(), [article_id for article_id, *_ in texts], ())


def _replace_set(old: str, new: str, articles: BitMap) -> None:
    article_sets = sa.table("article_sets", *map(sa.column, ("kind", "key", "article_ids")))
    op.execute(article_sets.delete().where(article_sets.c.kind == old))
    if articles:
        articles.run_optimize()
        op.bulk_insert(article_sets, [{"kind": new, "key": 1, "article_ids": articles.serialize()}])


def _texts() -> Iterator[list[Texts]]:
    after = 0
    while rows := [
        (row.id, row.title, row.excerpt, row.content)
        for row in op.get_bind().execute(sa.text(TEXTS), {"after": after, "limit": ARTICLES_AT_ONCE})
    ]:
        yield rows
        after = rows[-1][0]


def downgrade() -> None:
    """To what the older version fills: it finds no words before its next import, which takes all anew."""
    connection = op.get_bind()
    for count in ("public_count", "editor_count"):
        op.drop_index(f"ix_terms_field_{count}", "terms")
    op.drop_table("word_articles")
    op.drop_table("article_words")
    published = BitMap(connection.scalars(sa.text("SELECT id FROM articles WHERE published = 1")))
    _replace_set("unpublished", "published", published)
    if connection.dialect.name == "postgresql":
        op.execute('ALTER TABLE articles ALTER COLUMN public_id TYPE text COLLATE "default"')
        op.create_table(
            "search",
            sa.Column("article_id", sa.BigInteger, nullable=False),
            sa.Column("words", TSVECTOR, nullable=False),
            sa.ForeignKeyConstraint(
                ["article_id"], ["articles.id"], name="fk_search_article_id", ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("article_id", name="pk_search"),
        )
        op.create_index("ix_search_words", "search", ["words"], postgresql_using="gin")
    else:
        op.execute(
            "CREATE VIRTUAL TABLE search USING "
            "fts5(title, excerpt, content, columnsize=0, tokenize=\"ascii tokenchars '+#='\")"
        )
    # Of no document, so that each is taken for a changed one.
    documents = sa.table("documents", sa.column("bytes_hash"), sa.column("meaning_hash"))
    op.execute(documents.update().values(bytes_hash=b"", meaning_hash=b""))
