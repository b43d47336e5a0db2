"""Stories, versions and collections, which the next import computes: nothing that is stored tells of them.

Only the dates of links are taken from what is stored.
"""

import json
from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0013"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 500
_IDENTIFIER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("catalogue", sa.Column("story_version", sa.Integer, nullable=True))
    for column in ("public_story", "editor_story"):
        op.add_column("articles", sa.Column(column, sa.Text, nullable=True))
    op.add_column("article_urls", sa.Column("is_page", sa.SmallInteger, nullable=False, server_default="0"))
    op.add_column("links", sa.Column("time", sa.BigInteger, nullable=True))
    _fill_times(op.get_bind())
    op.create_table(
        "stories",
        sa.Column("for_editors", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "lead_id",
            _IDENTIFIER,
            sa.ForeignKey("articles.id", ondelete="CASCADE", name="fk_stories_lead_id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("newest", sa.BigInteger, nullable=False),
        sa.Column("public_id", _ORDERED, nullable=False),
        sa.Column("first_time", sa.BigInteger, nullable=True),
        sa.Column("last_time", sa.BigInteger, nullable=True),
        sa.Column("article_ids", sa.Text, nullable=False),
        sa.Column("link_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("for_editors", "lead_id", name="pk_stories"),
    )
    op.create_index(
        "ix_stories_for_editors_newest_public_id", "stories", ["for_editors", "newest", "public_id"]
    )
    op.create_index("ix_stories_for_editors_public_id", "stories", ["for_editors", "public_id"])
    op.create_index("ix_stories_lead_id", "stories", ["lead_id"])
    op.create_table(
        "article_groups",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("numbers", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("kind", "part", name="pk_article_groups"),
    )
    op.create_table(
        "collection_items",
        sa.Column(
            "article_id",
            _IDENTIFIER,
            sa.ForeignKey("articles.id", ondelete="CASCADE", name="fk_collection_items_article_id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("source", _ORDERED, nullable=False),
        sa.Column("stem", _ORDERED, nullable=False),
        sa.Column(
            "member_id",
            _IDENTIFIER,
            sa.ForeignKey("articles.id", ondelete="SET NULL", name="fk_collection_items_member_id"),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("article_id", "position", name="pk_collection_items"),
    )
    op.create_index("ix_collection_items_source_stem", "collection_items", ["source", "stem"])
    op.create_index("ix_collection_items_member_id", "collection_items", ["member_id"])


def _fill_times(connection: sa.Connection) -> None:
    after = 0
    while rows := connection.execute(
        sa.text("SELECT id, item FROM links WHERE id > :after ORDER BY id LIMIT :limit"),
        {"after": after, "limit": _ROWS_AT_ONCE},
    ).all():
        dated = [(row.id, json.loads(row.item)["publishedDateTime"]) for row in rows]
        values = [
            {"link_id": link_id, "time": int(datetime.fromisoformat(date).timestamp())}
            for link_id, date in dated
            if date
        ]
        if values:
            connection.execute(sa.text("UPDATE links SET time = :time WHERE id = :link_id"), values)
        after = rows[-1].id


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
