"""The catalogue: documents, articles, what they are filed under, and what they link to."""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Identifier = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "catalogue",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("warnings", sa.Text, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_catalogue_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue"),
    )
    op.create_table(
        "changes",
        sa.Column("public_id", Ordered, nullable=False),
        sa.Column("public_revision", sa.Integer, nullable=True),
        sa.Column("editor_revision", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("public_id", name="pk_changes"),
    )
    op.create_index("ix_changes_editor_revision_public_id", "changes", ["editor_revision", "public_id"])
    op.create_index("ix_changes_public_revision_public_id", "changes", ["public_revision", "public_id"])
    op.create_table(
        "revisions",
        sa.Column("revision", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("imported_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_revisions"),
    )
    op.create_table(
        "sources",
        sa.Column("id", Identifier, autoincrement=False, nullable=False),
        sa.Column("name", Ordered, nullable=False),
        sa.Column("base_url", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
        sa.UniqueConstraint("name", name="uq_sources_name"),
    )
    op.create_table(
        "terms",
        sa.Column("id", Identifier, autoincrement=False, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("by_name", sa.SmallInteger, nullable=False),
        sa.Column("key", Ordered, nullable=False),
        sa.Column("folded_key", Ordered, nullable=False),
        sa.Column("described", sa.SmallInteger, nullable=False),
        sa.Column("public_name", sa.Text, nullable=True),
        sa.Column("editor_name", sa.Text, nullable=True),
        sa.Column("public_count", sa.Integer, nullable=False),
        sa.Column("editor_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_terms"),
        sa.UniqueConstraint("field", "by_name", "key", name="uq_terms_field_by_name_key"),
    )
    op.create_index("ix_terms_field_folded_key", "terms", ["field", "folded_key"])
    op.create_table(
        "documents",
        sa.Column("id", Identifier, autoincrement=False, nullable=False),
        sa.Column("source_id", Identifier, nullable=False),
        sa.Column("path", Ordered, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("bytes_hash", sa.LargeBinary, nullable=False),
        sa.Column("meaning_hash", sa.LargeBinary, nullable=False),
        sa.Column("view_hash", sa.LargeBinary, nullable=False),
        sa.Column("warnings", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.CheckConstraint("kind IN ('article', 'topic', 'organization')", name="ck_documents_known_kind"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_documents_source_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
        sa.UniqueConstraint("source_id", "path", "kind", name="uq_documents_source_id_path_kind"),
    )
    op.create_table(
        "term_names",
        sa.Column("id", Identifier, autoincrement=False, nullable=False),
        sa.Column("term_id", Identifier, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("name", Ordered, nullable=False),
        sa.Column("folded", Ordered, nullable=False),
        sa.Column("described", sa.SmallInteger, nullable=False),
        sa.Column("public_count", sa.Integer, nullable=False),
        sa.Column("editor_count", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name="fk_term_names_term_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_term_names"),
        sa.UniqueConstraint("term_id", "name", name="uq_term_names_term_id_name"),
    )
    op.create_index("ix_term_names_field_folded", "term_names", ["field", "folded"])
    op.create_table(
        "articles",
        sa.Column("id", Identifier, autoincrement=False, nullable=False),
        sa.Column("public_id", sa.Text, nullable=False),
        sa.Column("source", Ordered, nullable=False),
        sa.Column("path", Ordered, nullable=False),
        sa.Column("published", sa.SmallInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("excerpt", sa.Text, nullable=True),
        sa.Column("type", sa.Text, nullable=True),
        sa.Column("category", sa.Text, nullable=True),
        sa.Column("locale", sa.Text, nullable=True),
        sa.Column("quality", sa.Integer, nullable=True),
        sa.Column("heat", sa.Integer, nullable=True),
        sa.Column("published_date_time", sa.Text, nullable=True),
        sa.Column("updated_date_time", sa.Text, nullable=True),
        sa.Column("web_url", sa.Text, nullable=True),
        sa.Column("original_url", sa.Text, nullable=True),
        sa.Column("amp_web_url", sa.Text, nullable=True),
        sa.Column("cdn_amp_web_url", sa.Text, nullable=True),
        sa.Column("provider_name", sa.Text, nullable=True),
        sa.Column("provider_domain", sa.Text, nullable=True),
        sa.Column("image_count", sa.Integer, nullable=False),
        sa.Column("related_count", sa.Integer, nullable=False),
        sa.Column("topics", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("newest", sa.BigInteger, nullable=False),
        sa.Column("oldest", sa.BigInteger, nullable=False),
        sa.Column("newest_updated", sa.BigInteger, nullable=False),
        sa.Column("oldest_updated", sa.BigInteger, nullable=False),
        sa.Column("best", sa.BigInteger, nullable=False),
        sa.Column("worst", sa.BigInteger, nullable=False),
        sa.Column("hottest", sa.BigInteger, nullable=False),
        sa.Column("coolest", sa.BigInteger, nullable=False),
        sa.Column("first_title", sa.LargeBinary, nullable=False),
        sa.Column("last_title", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("published IN (0, 1)", name="ck_articles_boolean_published"),
        sa.ForeignKeyConstraint(["id"], ["documents.id"], name="fk_articles_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_articles"),
        sa.UniqueConstraint("public_id", name="uq_articles_public_id"),
    )
    op.create_index("ix_articles_best", "articles", ["published", "best", "path", "source"])
    op.create_index("ix_articles_coolest", "articles", ["published", "coolest", "path", "source"])
    op.create_index("ix_articles_first_title", "articles", ["published", "first_title", "path", "source"])
    op.create_index("ix_articles_hottest", "articles", ["published", "hottest", "path", "source"])
    op.create_index("ix_articles_last_title", "articles", ["published", "last_title", "path", "source"])
    op.create_index("ix_articles_newest", "articles", ["published", "newest", "path", "source"])
    op.create_index(
        "ix_articles_newest_updated", "articles", ["published", "newest_updated", "path", "source"]
    )
    op.create_index("ix_articles_oldest", "articles", ["published", "oldest", "path", "source"])
    op.create_index(
        "ix_articles_oldest_updated", "articles", ["published", "oldest_updated", "path", "source"]
    )
    op.create_index("ix_articles_worst", "articles", ["published", "worst", "path", "source"])
    op.create_table(
        "providers",
        sa.Column("term_id", Identifier, autoincrement=False, nullable=False),
        sa.Column("document_id", Identifier, nullable=True),
        sa.Column("description", sa.Text, nullable=True),
        sa.Column("images", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_providers_document_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name="fk_providers_term_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("term_id", name="pk_providers"),
    )
    op.create_table(
        "topics",
        sa.Column("term_id", Identifier, autoincrement=False, nullable=False),
        sa.Column("document_id", Identifier, nullable=True),
        sa.Column("parent_id", Identifier, nullable=True),
        sa.Column("shortname", sa.Text, nullable=True),
        sa.Column("keywords", sa.Text, nullable=False),
        sa.Column("hashtags", sa.Text, nullable=False),
        sa.Column("images", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_topics_document_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["terms.id"], name="fk_topics_parent_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name="fk_topics_term_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("term_id", name="pk_topics"),
    )
    op.create_index("ix_topics_parent_id", "topics", ["parent_id"])
    op.create_table(
        "article_terms",
        sa.Column("term_id", Identifier, autoincrement=False, nullable=False),
        sa.Column("published", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("newest", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("path", Ordered, nullable=False),
        sa.Column("source", Ordered, nullable=False),
        sa.Column("article_id", Identifier, nullable=False),
        sa.Column("name_id", Identifier, nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_article_terms_article_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["name_id"], ["term_names.id"], name="fk_article_terms_name_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["terms.id"], name="fk_article_terms_term_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term_id", "published", "newest", "path", "source", name="pk_article_terms"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_article_terms_article_id_term_id", "article_terms", ["article_id", "term_id"])
    op.create_table(
        "article_urls",
        sa.Column("url_key", sa.LargeBinary, nullable=False),
        sa.Column("article_id", Identifier, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_article_urls_article_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("url_key", "article_id", name="pk_article_urls"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_article_urls_article_id", "article_urls", ["article_id"])
    op.create_table(
        "contents",
        sa.Column("article_id", Identifier, autoincrement=False, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_contents_article_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name="pk_contents"),
    )
    op.create_table(
        "images",
        sa.Column("article_id", Identifier, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=True),
        sa.Column("height", sa.Integer, nullable=True),
        sa.Column("title", sa.Text, nullable=True),
        sa.Column("attribution", sa.Text, nullable=True),
        sa.Column("is_cached", sa.SmallInteger, nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_images_article_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "position", name="pk_images"),
    )
    op.create_table(
        "links",
        sa.Column("id", Identifier, autoincrement=False, nullable=False),
        sa.Column("value_hash", sa.LargeBinary, nullable=False),
        sa.Column("title", sa.Text, nullable=True),
        sa.Column("excerpt", sa.Text, nullable=True),
        sa.Column("type", sa.Text, nullable=True),
        sa.Column("quality", sa.Integer, nullable=True),
        sa.Column("heat", sa.Integer, nullable=True),
        sa.Column("published_date_time", sa.Text, nullable=True),
        sa.Column("updated_date_time", sa.Text, nullable=True),
        sa.Column("web_url", sa.Text, nullable=True),
        sa.Column("original_url", sa.Text, nullable=True),
        sa.Column("amp_web_url", sa.Text, nullable=True),
        sa.Column("cdn_amp_web_url", sa.Text, nullable=True),
        sa.Column("provider_name", sa.Text, nullable=True),
        sa.Column("provider_domain", sa.Text, nullable=True),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("target_article_id", Identifier, nullable=True),
        sa.ForeignKeyConstraint(
            ["target_article_id"], ["articles.id"], name="fk_links_target_article_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.UniqueConstraint("value_hash", name="uq_links_value_hash"),
    )
    op.create_index("ix_links_target_article_id", "links", ["target_article_id"])
    op.create_table(
        "link_urls",
        sa.Column("url_key", sa.LargeBinary, nullable=False),
        sa.Column("link_id", Identifier, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_link_urls_link_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("url_key", "link_id", name="pk_link_urls"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_link_urls_link_id", "link_urls", ["link_id"])
    op.create_table(
        "related_links",
        sa.Column("article_id", Identifier, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("link_id", Identifier, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_related_links_article_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_related_links_link_id"),
        sa.PrimaryKeyConstraint("article_id", "position", name="pk_related_links"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_related_links_link_id", "related_links", ["link_id"])

    if op.get_bind().dialect.name == "postgresql":
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
    catalogue = sa.table(
        "catalogue", *(sa.column(name) for name in ("id", "identity", "revision", "warnings"))
    )
    op.bulk_insert(catalogue, [{"id": 1, "identity": secrets.token_hex(8), "revision": 0, "warnings": "[]"}])


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
