"""What a catalogue of any size takes on disk and writes for one article, by a model of what it is made of.

python -m benchmarks.simulate 13000 1000000 100000000
python -m benchmarks.simulate --check sqlite:///million.db

The model has the words, terms and rows of generated articles, whose numbers follow those of real trees. It
counts expected bytes and draws nothing by chance. Sets are Roaring bitmaps: in each 65,536 ids two bytes for
an article, or 8,192 bytes, whichever is less.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sqlite3 import connect
from typing import Final

import click

_CHUNK: Final = 65_536
_PAGE: Final = 8_192
# Pages of words are so full in the mean.
_FULL: Final = 0.9
# A set that has less than that, in the mean, is mostly not stored.
_HALF_AN_ARTICLE: Final = 0.5
MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Model:
    """Its numbers are those of benchmarks/articles.py, which says what they follow."""

    # The n-th of the frequent words comes up a n-th part as often as the first (Zipf).
    frequent_words: int = 5_000
    words_in_title: float = 6
    words_in_excerpt: float = 20
    words_in_content: float = 80
    # The article whose import is simulated is longer than those that are there, as one of a news site is.
    words_of_new: float = 340
    # Words beyond the frequent ones, of which twice the text has 2 ** (1 / steepness) times as many (Heaps).
    new_in_title: float = 0.06
    new_in_content: float = 0.004
    steepness: float = 1.5
    # Names of events: one that is new and one that may come up again, in titles.
    events: float = 0.11
    articles_of_event: float = 2.8
    word_bytes: float = 26
    terms: Mapping[str, tuple[int, float]] = field(
        # How many of a field there are, and how many an article has; they follow Zipf as words do.
        default_factory=lambda: {"topic": (400, 2.3), "tag": (2_000, 1.9), "provider": (300, 1)}
    )
    # Sets of equal parts: the numbers of a quality and of a heat.
    equal: Mapping[str, tuple[int, float]] = field(
        default_factory=lambda: {"quality": (101, 0.8), "heat": (501, 0.6)}
    )
    # Sets of a great part of all articles: types, categories, locales, what articles have, bits of numbers.
    large_shares: Sequence[float] = (
        *(0.8, 0.12, 0.05, 0.03, 0.38, 0.15, 0.15, 0.08, 0.85, 0.09, 0.04, 0.02, 0.02),
        *(0.85, 0.23, 0.5, 0.3, 0.6, 0.25, 0.2, 0.77, 0.35),
    )
    days: int = 5_479
    # Links that many mention, those of an article's own event, and the bytes of one.
    common_links: int = 4_172
    links_of_article: float = 0.176
    link_bytes: float = 1_120
    # Bytes of the rows and indexes of one article, as 100,000 were measured; docs/scale.md has the table.
    row_bytes: Mapping[str, float] = field(
        default_factory=lambda: {
            "articles and their orders": 3_590,
            "texts and bodies": 1_590,
            "terms of articles": 894,
            "documents": 242,
            "changes": 137,
            "URLs, mentions and stories": 150,
            "groups": 24,
        }
    )


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes by group of tables, and what one new article writes of them."""

    articles: int
    rows: Mapping[str, float]
    word_sets: float
    term_sets: float
    words: float
    written_whole: float
    written_in_ranges: float

    @property
    def total(self) -> float:
        return sum(self.rows.values()) + self.word_sets + self.term_sets


def simulate(model: Model, articles: int, range_ids: int = _CHUNK) -> Sizes:
    words = list(_word_sets(model, articles))
    new_words, new_bytes = _new_words(model, articles)
    terms = list(_term_sets(model, articles))
    word_sets = sum(_stored(_sizes_of_word(shares, articles), model.word_bytes) for shares, _ in words)
    term_sets = sum(_stored([_roaring(share * articles, articles)], 12) for share, _ in terms)
    sizes = _Pages(
        (word_sets + new_bytes) / _PAGE,
        (len(words) + new_words) * (model.word_bytes / 2 + 12) / _FULL / _PAGE,
    )
    ids_of_last = min(articles, articles % range_ids or range_ids)
    return Sizes(
        articles,
        {
            **{name: bytes_ * articles for name, bytes_ in model.row_bytes.items()},
            "links": model.link_bytes * (model.common_links + model.links_of_article * articles),
        },
        word_sets + new_bytes,
        term_sets + 2 * model.days * 35,
        len(words) + new_words,
        # A set that is one row was deleted and inserted, and so were its entries in two indexes.
        _written(model, articles, sizes, words, terms, entries=2),
        _written(model, ids_of_last, sizes, words, terms, entries=0),
    )


# The shares of articles that have a word in the title, in the excerpt and anywhere; how likely it is in a new
# article.
_Word = tuple[tuple[float, float, float], float]


def _word_sets(model: Model, articles: int) -> Iterator[_Word]:
    sum_ = sum(1 / rank for rank in range(1, model.frequent_words + 1))
    for rank in range(1, model.frequent_words + 1):
        often = 1 / rank / sum_
        title, excerpt = (_has(often, words) for words in (model.words_in_title, model.words_in_excerpt))
        every = model.words_in_title + model.words_in_excerpt + model.words_in_content
        anywhere = _has(often, every)
        if anywhere * articles >= 1:
            yield (title, excerpt, anywhere), _has(often, model.words_of_new)


def _has(often: float, words: float) -> float:
    return 1 - math.exp(words * math.log1p(-often))


def _new_words(model: Model, articles: int) -> tuple[float, float]:
    """How many, and the bytes of their rows and index entries: each is in few articles."""
    # All articles of an event repeat its names, which are drawn once.
    drawn = articles * (
        model.words_in_title * model.new_in_title
        + model.words_in_content * model.new_in_content
        + model.events
    )
    tail = (drawn * (model.steepness - 1) / model.frequent_words) ** (1 / model.steepness)
    distinct = model.frequent_words * max(0, math.gamma(1 - 1 / model.steepness) * tail - 1)
    count = min(distinct, drawn) + articles * model.events
    occurrences = drawn + articles * model.events * 2 * (model.articles_of_event - 1)
    # A set of few ids takes 16 bytes and 2 to 10 for each id, once anywhere and mostly once in the title.
    sets = 2 * 16 + 5 * occurrences / count
    return count, count * (sets + model.word_bytes + 6 + 2 * (model.word_bytes / 2 + 8)) / _FULL


def _term_sets(model: Model, articles: int) -> Iterator[tuple[float, float]]:
    """The share of articles in a set, and how likely a new one is in it."""
    for count, of_article in model.terms.values():
        sum_ = sum(1 / rank for rank in range(1, count + 1))
        for rank in range(1, count + 1):
            share = min(0.9, of_article / rank / sum_)
            if share * articles >= 1:
                yield share, share
    for count, of_article in model.equal.values():
        yield from [(of_article / count, of_article / count)] * count
    for share in model.large_shares:
        yield share, share


def _roaring(members: float, ids: float) -> float:
    """Bytes of a set of so many of so many ids, alike all over them."""
    chunks = ids / _CHUNK
    if chunks <= 1:
        return 16 + min(2 * members, _CHUNK / 8)
    of_chunk = members / chunks
    filled = chunks * (1 - math.exp(-of_chunk))
    return 8 + 8 * filled + chunks * min(2 * of_chunk, _CHUNK / 8)


def _sizes_of_word(shares: tuple[float, float, float], ids: float) -> list[float]:
    return [_roaring(share * ids, ids) for share in shares if share * ids >= _HALF_AN_ARTICLE]


def _stored(sets: list[float], key_bytes: float) -> float:
    """Bytes of a row in pages: what does not fit into one has its own, and the last is half empty."""
    size = sum(sets) + key_bytes + 12
    if size < _PAGE / 2:
        return size / _FULL + 2 * (key_bytes / 2 + 8) / _FULL
    return size + _PAGE / 2 + 2 * (key_bytes / 2 + 8) / _FULL


@dataclass(frozen=True, slots=True)
class _Pages:
    """The bytes of the table of words, and of one of its indexes."""

    table: float
    index: float


def _written(
    model: Model,
    ids: float,
    pages: _Pages,
    words: Sequence[_Word],
    terms: Sequence[tuple[float, float]],
    entries: int,
) -> float:
    """The bytes of one new article: its sets, whose rows hold so many ids, and pages of rows."""
    large, small = _written_rows([(sum(_sizes_of_word(shares, ids)), likely) for shares, likely in words])
    all_words = sum(likely for _, likely in words)
    word_pages = _distinct(small, pages.table) + entries * _distinct(all_words, pages.index)
    term_large, term_small = _written_rows([(_roaring(share * ids, ids), likely) for share, likely in terms])
    # Each order of articles, each term of the article and each index of other rows writes a page of its own.
    of_rows = 24 + 10 + sum(of_article for _, of_article in model.terms.values())
    return large + term_large + _PAGE * (word_pages + term_small + of_rows)


def _written_rows(rows: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The bytes of rows that fill pages of their own, and the number of the others, as likely as each is."""
    large = small = 0.0
    for size, likely in rows:
        if size > _PAGE / 2:
            large += likely * (math.ceil(size / _PAGE) + 1) * _PAGE
        else:
            small += likely
    return large, small


def _distinct(touches: float, pages: float) -> float:
    """How many different ones of so many pages are touched."""
    return pages * (1 - math.exp(-touches / pages)) if pages else 0


@click.command()
@click.argument("counts", metavar="ARTICLES...", nargs=-1, type=click.IntRange(min=1))
@click.option("--check", "files", multiple=True, metavar="FILE", help="SQLite catalogues to compare with.")
def command(counts: tuple[int, ...], files: tuple[str, ...]) -> None:
    """Print what catalogues of so many ARTICLES take."""
    model = Model()
    if counts:
        click.echo(_table([simulate(model, count) for count in counts]))
    for file in files:
        click.echo(_comparison(model, file))


def _table(sizes: Sequence[Sizes]) -> str:
    rows = [
        ["what", *(f"{size.articles:,}" for size in sizes)],
        ["---"] * (len(sizes) + 1),
        *([name, *(_gigabytes(size.rows[name]) for size in sizes)] for name in sizes[0].rows),
        ["sets of words", *(_gigabytes(size.word_sets) for size in sizes)],
        ["sets of terms, days and numbers", *(_gigabytes(size.term_sets) for size in sizes)],
        ["all, GB", *(_gigabytes(size.total) for size in sizes)],
        ["words", *(f"{size.words:,.0f}" for size in sizes)],
        ["one new article writes, sets in one piece, MB", *(f"{s.written_whole / MB:,.1f}" for s in sizes)],
        ["the same, in pieces of 65,536 ids, MB", *(f"{s.written_in_ranges / MB:,.1f}" for s in sizes)],
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:,.3g}"


# The tables of each group, by how the names of tables and of their indexes begin.
_GROUPS: Final = {
    "articles and their orders": ("articles", "ix_articles", "sqlite_autoindex_articles"),
    "texts and bodies": ("article_words", "contents"),
    "terms of articles": ("article_terms",),
    "documents": ("documents", "sqlite_autoindex_documents"),
    "changes": ("changes", "ix_changes", "sqlite_autoindex_changes"),
    "URLs, mentions and stories": (
        *("article_urls", "ix_article_urls", "related_links", "ix_related_links"),
        *("stories", "ix_stories", "sqlite_autoindex_stories"),
    ),
    "links": ("links", "ix_links", "sqlite_autoindex_links", "link_urls", "ix_link_urls"),
    "groups": ("article_groups", "sqlite_autoindex_article_groups"),
    "sets of words": ("word_articles", "ix_word_articles", "sqlite_autoindex_word_articles"),
    "sets of terms, days and numbers": ("article_sets", "sqlite_autoindex_article_sets"),
}


def _comparison(model: Model, file: str) -> str:
    with connect(f"file:{file}?mode=ro", uri=True) as database:
        [articles] = database.execute("SELECT count(*) FROM articles").fetchone()
        [words] = database.execute("SELECT count(DISTINCT word) FROM word_articles").fetchone()
        stored = dict(database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    simulated = simulate(model, articles)
    groups = {
        **simulated.rows,
        "sets of words": simulated.word_sets,
        "sets of terms, days and numbers": simulated.term_sets,
    }
    lines = [f"| {articles:,} articles | measured, MB | simulated, MB | error |", "| --- | --- | --- | --- |"]
    for name, size in (groups | {"all": simulated.total}).items():
        beginnings = _GROUPS.get(name, ("",))
        measured = sum(bytes_ for table, bytes_ in stored.items() if table.startswith(beginnings))
        lines.append(f"| {name} | {measured / MB:,.1f} | {size / MB:,.1f} | {size / measured - 1:+.0%} |")
    lines.append(f"| words | {words:,} | {simulated.words:,.0f} | {simulated.words / words - 1:+.0%} |")
    return "\n".join(lines)


if __name__ == "__main__":
    command()
