"""What is stored, column by column. Knows how a value is kept, and no question anyone may ask of it.

Everything an article can be filtered by is a term (a topic, a provider, a type, a tag ...), and
`article_terms` carries the order of the newest with each of them: one index range answers a list of any.

What is secured or unknown to the API lives in `documents` alone, which no query of the service reads.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql

from app.catalog.sort_keys import SORT_COLUMN

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


# SQLite uses a primary key as its row number only if it is declared INTEGER.
Identifier = BigInteger().with_variant(Integer, "sqlite")
# Sorted by code points on both databases. PostgreSQL's default order is a locale's, and differs by machine.
Ordered = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def _key(target: str) -> ForeignKey:
    return ForeignKey(target, ondelete="CASCADE")


# The table has one row: the catalogue's identity, which no other catalogue has, and its state.
catalogue = Table(
    "catalogue",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("identity", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("revision_name", Text),  # null before any import
    Column("warnings", Text, nullable=False),  # JSON: [source, problem] where descriptions disagree
    # The version of the rule that stories were made by; null before version 0020 of the schema.
    Column("story_version", Integer),
    # This version made the words and URL keys, see importer/tables/derived.py; null before version 0010.
    Column("derivation_version", Integer),
    CheckConstraint("id = 1", name="one_row"),
)

# `name` is random, since a restored backup comes to the same number again. `catalogue` repeats the newest
# name, so that reading the state needs no join.
revisions = Table(
    "revisions",
    metadata,
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("imported_at", Text, nullable=False),
    Column("name", Text, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("id", Identifier, primary_key=True, autoincrement=False),
    Column("name", Ordered, nullable=False, unique=True),
    Column("base_url", Text),
    # The last import of the source, whether it changed or not; null before version 0009 of the schema.
    Column("imported_at", Text),
)

# The kind is part of the key: a path may keep its article although its file now describes a topic.
documents = Table(
    "documents",
    metadata,
    Column("id", Identifier, primary_key=True, autoincrement=False),
    Column("source_id", Identifier, _key("sources.id"), nullable=False),
    Column("path", Ordered, nullable=False),
    Column("kind", Text, nullable=False),
    Column("bytes_hash", LargeBinary, nullable=False),
    Column("meaning_hash", LargeBinary, nullable=False),
    Column("view_hash", LargeBinary, nullable=False),
    # JSON: each import reports them again until they are mended.
    Column("warnings", Text, nullable=False),
    # JSON: what only an export repeats, `secured` and unknown keys.
    Column("data", Text, nullable=False),
    UniqueConstraint("source_id", "path", "kind"),
    CheckConstraint("kind IN ('article', 'topic', 'organization')", name="known_kind"),
)

# Sort keys are never null and all ascending, so that a place in a list is one row value; see sort_keys.
articles = Table(
    "articles",
    metadata,
    Column("id", Identifier, _key("documents.id"), primary_key=True, autoincrement=False),
    Column("public_id", Ordered, nullable=False, unique=True),
    Column("source", Ordered, nullable=False),
    Column("path", Ordered, nullable=False),
    Column("published", SmallInteger, nullable=False),
    Column("quality", Integer),
    Column("heat", Integer),
    Column("image_count", Integer, nullable=False),
    Column("related_count", Integer, nullable=False),
    # JSON: all topic names of the document. Null if `item` has them all; it has one name of each topic.
    Column("topic_names", Text),
    # JSON: term_id and name_id in turn, for each row of article_terms:  [7, 12, 9, null]
    Column("terms", Text, nullable=False),
    # JSON: the article as lists answer it, but for its story.
    Column("item", Text, nullable=False),
    Column("newest", BigInteger, nullable=False),
    Column("oldest", BigInteger, nullable=False),
    Column("newest_updated", BigInteger, nullable=False),
    Column("oldest_updated", BigInteger, nullable=False),
    Column("newest_added", BigInteger, nullable=False),
    Column("oldest_added", BigInteger, nullable=False),
    Column("best", BigInteger, nullable=False),
    Column("worst", BigInteger, nullable=False),
    Column("hottest", BigInteger, nullable=False),
    Column("coolest", BigInteger, nullable=False),
    Column("first_title", LargeBinary, nullable=False),
    Column("last_title", LargeBinary, nullable=False),
    # JSON: the story it is in, for the public and for editors:  {"id":"…","size":3}, null without one. An
    # import of another article changes it, so it is no part of `item`.
    Column("public_story", Text),
    Column("editor_story", Text),
    CheckConstraint("published IN (0, 1)", name="boolean_published"),
    *(Index(f"ix_articles_{key}", "published", key, "path", "source") for key in SORT_COLUMN.values()),
)

# Contents have a table of their own, so that reading a list does not read pages of bodies.
contents = Table(
    "contents",
    metadata,
    Column("article_id", Identifier, _key("articles.id"), primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    Column("details", Text, nullable=False),  # JSON
)

# `url_key` is a digest of a canonical URL: a URL may be longer than an index row.
article_urls = Table(
    "article_urls",
    metadata,
    Column("url_key", LargeBinary, primary_key=True),
    Column("article_id", Identifier, _key("articles.id"), primary_key=True, autoincrement=False),
    # 1: of its web URL. Articles that have it so in common are versions of one page.
    Column("is_page", SmallInteger, nullable=False, server_default="0"),
    Index(None, "article_id"),
    sqlite_with_rowid=False,
)

# Each distinct link is stored once: of 161,223 related links of one real tree only 4,172 differ.
links = Table(
    "links",
    metadata,
    Column("id", Identifier, primary_key=True, autoincrement=False),
    Column("value_hash", LargeBinary, nullable=False, unique=True),
    Column("item", Text, nullable=False),  # JSON: as answered, but for `position` and `articleId`
    # The time at which its page was published, in seconds from 1970; null if the link does not say.
    Column("time", BigInteger),
    # The article this link leads to: a published one if there is one, else the first by source and path.
    Column("target_article_id", Identifier, ForeignKey("articles.id", ondelete="SET NULL")),
    Index(None, "target_article_id"),
)

link_urls = Table(
    "link_urls",
    metadata,
    Column("url_key", LargeBinary, primary_key=True),
    Column("link_id", Identifier, _key("links.id"), primary_key=True, autoincrement=False),
    Index(None, "link_id"),
    sqlite_with_rowid=False,
)

related_links = Table(
    "related_links",
    metadata,
    Column("article_id", Identifier, _key("articles.id"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("link_id", Identifier, ForeignKey("links.id"), nullable=False),
    Index(None, "link_id"),
    sqlite_with_rowid=False,
)

# `key` is what the API calls the term: a topic's id, a provider's domain, else the folded name. Rows are
# never deleted, since a topic keeps its id; without articles and description nobody sees them. There is one
# count and one name for what the public may see, and one for what editors may see.
terms = Table(
    "terms",
    metadata,
    Column("id", Identifier, primary_key=True, autoincrement=False),
    Column("field", Text, nullable=False),
    Column("by_name", SmallInteger, nullable=False),  # 1: a provider that has no domain
    Column("key", Ordered, nullable=False),
    Column("folded_key", Ordered, nullable=False),
    Column("described", SmallInteger, nullable=False),
    Column("public_name", Text),
    Column("editor_name", Text),
    Column("public_count", Integer, nullable=False),
    Column("editor_count", Integer, nullable=False),
    UniqueConstraint("field", "by_name", "key"),
    Index(None, "field", "folded_key"),
    Index(None, "field", "public_count"),
    Index(None, "field", "editor_count"),
)

term_names = Table(
    "term_names",
    metadata,
    Column("id", Identifier, primary_key=True, autoincrement=False),
    Column("term_id", Identifier, _key("terms.id"), nullable=False),
    Column("field", Text, nullable=False),
    Column("name", Ordered, nullable=False),
    Column("folded", Ordered, nullable=False),
    Column("described", SmallInteger, nullable=False),  # 1: a document gives this name, 2: as the one to show
    Column("public_count", Integer, nullable=False),
    Column("editor_count", Integer, nullable=False),
    UniqueConstraint("term_id", "name"),
    Index(None, "field", "folded"),
)

# The words of names, by which `q` and suggestions find topics, providers, authors and tags. `name_id` is that
# of a row of `term_names`, or TERM_KEY for words of the term's own key: a topic's id or a provider's domain.
name_words = Table(
    "name_words",
    metadata,
    Column("field", Text, primary_key=True),
    Column("word", Ordered, primary_key=True),
    Column("term_id", Identifier, _key("terms.id"), primary_key=True, autoincrement=False),
    Column("name_id", Identifier, primary_key=True, autoincrement=False),
    Column("stem", Ordered, nullable=False),
    Index(None, "stem"),
    sqlite_with_rowid=False,
)

article_terms = Table(
    "article_terms",
    metadata,
    Column("term_id", Identifier, _key("terms.id"), primary_key=True, autoincrement=False),
    Column("published", SmallInteger, primary_key=True, autoincrement=False),
    Column("newest", BigInteger, primary_key=True, autoincrement=False),
    Column("path", Ordered, primary_key=True),
    Column("source", Ordered, primary_key=True),
    # No foreign key, since an index for it would repeat every path: each row of `articles` lists its terms.
    Column("article_id", Identifier, nullable=False),
    Column("name_id", Identifier, _key("term_names.id")),  # null: a provider known by its domain alone
    sqlite_with_rowid=False,
)

# Roaring bitmaps of article ids: those filed under a term, published on a day, with any term of a field ...
# A row has those of one range of ids. The docstring of catalog/index has all kinds and keys.
article_sets = Table(
    "article_sets",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Identifier, primary_key=True, autoincrement=False),
    Column("range", Integer, primary_key=True, autoincrement=False),
    Column("article_ids", LargeBinary, nullable=False),
)

# Stories as each audience sees them. `lead_id` also stands for the story in `article_groups`.
stories = Table(
    "stories",
    metadata,
    Column("for_editors", SmallInteger, primary_key=True, autoincrement=False),
    Column("lead_id", Identifier, _key("articles.id"), primary_key=True, autoincrement=False),
    # Sort keys: the negative second of the last coverage, UNKNOWN without any; the id.
    Column("newest", BigInteger, nullable=False),
    Column("public_id", Ordered, nullable=False),
    Column("first_time", BigInteger),  # seconds from 1970
    Column("last_time", BigInteger),
    Column("article_ids", Text, nullable=False),  # JSON, the lead first
    Column("link_count", Integer, nullable=False),
    Index(None, "for_editors", "newest", "public_id"),
    Index(None, "for_editors", "public_id"),
    Index(None, "lead_id"),
)

# A number for each article that is in a group with others: stories for the public and for editors, and the
# versions of a page. The docstring of catalog/index has the format.
article_groups = Table(
    "article_groups",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("numbers", LargeBinary, nullable=False),
)

# How many articles of a term its folded list leaves out; a term of which it has all has no row.
term_repeats = Table(
    "term_repeats",
    metadata,
    Column("collapse", Text, primary_key=True),  # story or url, as in a query
    Column("for_editors", SmallInteger, primary_key=True, autoincrement=False),
    Column("term_id", Identifier, _key("terms.id"), primary_key=True, autoincrement=False),
    Column("repeats", Integer, nullable=False),
    Index(None, "term_id"),
)

# Collections list paths within their source. `stem` is the path without its ending.
collection_items = Table(
    "collection_items",
    metadata,
    Column("article_id", Identifier, _key("articles.id"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("path", Text, nullable=False),
    Column("source", Ordered, nullable=False),
    Column("stem", Ordered, nullable=False),
    # The article at that path, as editors see it; null where there is none.
    Column("member_id", Identifier, ForeignKey("articles.id", ondelete="SET NULL")),
    # The public may see another one: a path can mean two files, and the first of them may be hidden.
    Column("public_member_id", Identifier, ForeignKey("articles.id", ondelete="SET NULL")),
    Index(None, "source", "stem"),
    Index(None, "member_id"),
    Index(None, "public_member_id"),
)

# The words of an article's texts in their order, each between spaces: phrases are searched in them.
article_words = Table(
    "article_words",
    metadata,
    Column("article_id", Identifier, _key("articles.id"), primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("excerpt", Text, nullable=False),
    Column("content", Text, nullable=False),
)

# Roaring bitmaps of the articles that have a word, as it is spelled; null if none has it in that text. A row
# has those of one range of ids.
word_articles = Table(
    "word_articles",
    metadata,
    Column("word", Ordered, primary_key=True),
    Column("range", Integer, primary_key=True, autoincrement=False),
    Column("stem", Ordered, nullable=False),
    Column("in_title", LargeBinary),
    Column("in_excerpt", LargeBinary),
    Column("anywhere", LargeBinary, nullable=False),
    Index(None, "stem"),
)

topics = Table(
    "topics",
    metadata,
    Column("term_id", Identifier, _key("terms.id"), primary_key=True, autoincrement=False),
    Column("document_id", Identifier, _key("documents.id")),
    Column("parent_id", Identifier, _key("terms.id")),
    Column("shortname", Text),
    Column("keywords", Text, nullable=False),  # JSON
    Column("hashtags", Text, nullable=False),  # JSON
    Column("images", Text, nullable=False),  # JSON
    Index(None, "parent_id"),
)

providers = Table(
    "providers",
    metadata,
    Column("term_id", Identifier, _key("terms.id"), primary_key=True, autoincrement=False),
    Column("document_id", Identifier, _key("documents.id")),
    Column("description", Text),
    Column("images", Text, nullable=False),  # JSON
)

# One row for each article that anybody ever saw, with the revisions in which it last changed for whom.
changes = Table(
    "changes",
    metadata,
    Column("public_id", Ordered, primary_key=True),
    Column("public_revision", Integer),
    Column("editor_revision", Integer, nullable=False),
    Index(None, "public_revision", "public_id"),
    Index(None, "editor_revision", "public_id"),
)
