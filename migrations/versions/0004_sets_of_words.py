"""Which articles have a word, and which are not published: sets, as of terms.

The full-text index of either database, and the set of what is published, are no more.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from html import unescape

import sqlalchemy as sa
import Stemmer
from alembic import op
from pyroaring import BitMap

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Identifier = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# Their words, each with the articles that have it, take some 100 MB.
ARTICLES_AT_ONCE = 5_000
WORDS_AT_ONCE = 500
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
    for texts in _texts():
        _add_words(texts)


def _replace_set(old: str, new: str, articles: BitMap) -> None:
    article_sets = sa.table("article_sets", *map(sa.column, ("kind", "key", "article_ids")))
    op.execute(article_sets.delete().where(article_sets.c.kind == old))
    if articles:
        articles.run_optimize()
        op.bulk_insert(article_sets, [{"kind": new, "key": 1, "article_ids": articles.serialize()}])


def _texts() -> Iterator[list[tuple[int, str, str, str]]]:
    after = 0
    while rows := [
        (row.id, row.title, row.excerpt or "", row.content)
        for row in op.get_bind().execute(sa.text(TEXTS), {"after": after, "limit": ARTICLES_AT_ONCE})
    ]:
        yield rows
        after = rows[-1][0]


article_words = sa.table("article_words", *map(sa.column, ("article_id", "title", "excerpt", "content")))
word_articles = sa.table(
    "word_articles", *map(sa.column, ("word", "stem", "in_title", "in_excerpt", "anywhere"))
)


def _add_words(texts: list[tuple[int, str, str, str]]) -> None:
    connection = op.get_bind()
    # By word: articles that have it in their title, in their excerpt, anywhere.
    found: dict[str, tuple[BitMap, BitMap, BitMap]] = defaultdict(lambda: (BitMap(), BitMap(), BitMap()))
    rows = []
    for article_id, title, excerpt, content in texts:
        words_left, padded = MAX_WORDS, []
        for place, text in enumerate((title, excerpt, unescape(MARKUP.sub(" ", content)))):
            words = _words(text)[:words_left]
            words_left -= len(words)
            padded.append(f" {' '.join(words)} " if words else "")
            for word in set(words):
                found[word][place].add(article_id)
                found[word][2].add(article_id)
        rows.append(
            dict(zip(("article_id", "title", "excerpt", "content"), (article_id, *padded), strict=True))
        )
    connection.execute(article_words.insert(), rows)
    words = sorted(found)
    for start in range(0, len(words), WORDS_AT_ONCE):
        of_these = word_articles.c.word.in_(words[start : start + WORDS_AT_ONCE])
        for word, _, *stored in connection.execute(sa.select(word_articles).where(of_these)):
            for bitmap, before in zip(found[word], stored, strict=True):
                if before:
                    bitmap.update(BitMap.deserialize(before))
        connection.execute(word_articles.delete().where(of_these))
        connection.execute(
            word_articles.insert(), [_row(word, found[word]) for word in words[start : start + WORDS_AT_ONCE]]
        )


def _row(word: str, bitmaps: tuple[BitMap, BitMap, BitMap]) -> dict[str, object]:
    for bitmap in bitmaps:
        bitmap.run_optimize()
    sets = (bitmap.serialize() if bitmap else None for bitmap in bitmaps)
    return dict(
        zip(("word", "stem", "in_title", "in_excerpt", "anywhere"), (word, STEM(word), *sets), strict=True)
    )


# How words were found when this was written. It is a copy: what finds them today may find others.
STEM = Stemmer.Stemmer("english").stemWord
MAX_WORDS = 16_000
MAX_WORD_CHARACTERS = 100
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W_])+(?:\+\+|#(?!\w))?")
MARKUP = re.compile(r"<[A-Za-z/!][^<>]*>")


def _words(text: str) -> list[str]:
    text = text.translate(str.maketrans("™℠", "  "))
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    text = "".join(character for character in text if not unicodedata.combining(character))
    return [word[:MAX_WORD_CHARACTERS] for word in WORD.findall(text)]


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
