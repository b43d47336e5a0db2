"""The table of words: which articles have a word, and how an import changes that in bounded memory."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

from pyroaring import BitMap
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    bindparam,
    delete,
    func,
    select,
    update,
)

from app.catalog.index import ranges
from app.catalog.index.ranges import joined, range_of_words
from app.catalog.index.sets import as_bytes
from app.catalog.search_language import stem_of
from app.catalog.search_text import SearchText
from app.catalog.tables import article_words, articles, word_articles
from app.database.rows import chunked, insert_tuples


class Occurrences(NamedTuple):
    """Ids of the articles that have something in their title, in their excerpt, in any of their texts.

    An article that has it in the title may be missing in `excerpt`.
    """

    title: BitMap
    excerpt: BitMap
    anywhere: BitMap


def most_rows() -> ColumnElement[int]:
    """How many rows the words of `most_rows_values` have at most: one for each range that has articles."""
    count = select(func.max(articles.c.id).op(">>")(bindparam("range_bits", type_=Integer)) + 1)
    return bindparam("words", type_=BigInteger) * func.coalesce(count.scalar_subquery(), 1)


def most_rows_values(words: int) -> dict[str, int]:
    return {"words": words, "range_bits": ranges.WORD_RANGE_BITS}


@dataclass(frozen=True, slots=True)
class WordLimits:
    """How much an import holds of words at once; the defaults take some 100 MB."""

    # Whichever is reached first halves the words that are collected in one pass over the texts.
    max_words: int = 100_000
    max_postings: int = 3_000_000
    # The texts of so many removed articles wait in memory for those that take their place: a word that stands
    # in both is then not written. Those of more articles are removed from the index at once.
    max_waiting_texts: int = 1_000
    # One pass over the texts of so many articles writes each word of theirs once.
    articles_at_once: int = 20_000


# An article's id, and its texts.
_Text = tuple[int, SearchText]
_Texts = Callable[[], Iterable[_Text]]

# word -> (removed, added) of one range; each entry is `article id * 4 + in_title + 2 * in_excerpt`.
# Example: article 41, with the word in the title only, is 165.
_Postings = Mapping[str, tuple[list[int], list[int]]]


# The columns of a row's sets, as Occurrences has them.
_COLUMNS: Final = ("in_title", "in_excerpt", "anywhere")


class WordChanges:
    """What an import removes from the words' articles, and adds to them."""

    def __init__(self, connection: Connection, limits: WordLimits) -> None:
        self._connection = connection
        self._limits = limits
        self._waiting: list[_Text] = []
        self._added = array("q")

    def remove(self, article_ids: Sequence[int]) -> None:
        """Call it once, while the texts of these articles are stored."""
        if len(article_ids) <= self._limits.max_waiting_texts:
            self._waiting += self._stored_texts(article_ids)
            return
        for ids in chunked(article_ids, self._limits.articles_at_once):
            self._change(lambda ids=ids: self._stored_texts(ids), tuple)  # type: ignore[misc]

    def add(self, article_id: int) -> None:
        """The text of this article is stored by the time of `write`."""
        self._added.append(article_id)

    def write(self) -> None:
        first, *others = list(chunked(self._added, self._limits.articles_at_once)) or [()]
        self._change(lambda: self._waiting, lambda: self._stored_texts(first))
        self._waiting = []
        for ids in others:
            self._change(tuple, lambda ids=ids: self._stored_texts(ids))  # type: ignore[misc]

    def _stored_texts(self, article_ids: Sequence[int]) -> Iterator[_Text]:
        for ids in chunked(article_ids):
            rows = self._connection.execute(
                select(article_words).where(article_words.c.article_id.in_(list(ids)))
            )
            for article_id, *texts in rows:
                yield article_id, SearchText(*texts)

    def _change(self, removed: _Texts, added: _Texts) -> None:
        for range_, postings in _postings_in_bounded_memory(removed, added, self._limits):
            changed = sorted(
                word for word, (before, after) in postings.items() if sorted(before) != sorted(after)
            )
            for words in chunked(changed):
                _write_words(self._connection, range_, words, postings)


def _postings_in_bounded_memory(
    removed: _Texts, added: _Texts, limits: WordLimits
) -> Iterator[tuple[int, _Postings]]:
    """All postings of a part of the words, range by range, then those of the next part.

    There is one pass over the texts for each part.
    """
    parts, part = 1, 0
    while part < parts:
        by_range: dict[int, dict[str, tuple[list[int], list[int]]]] = defaultdict(
            lambda: defaultdict(lambda: ([], []))
        )
        count = 0
        for is_added, (article_id, (title, excerpt, content)) in chain(
            ((False, text) for text in removed()), ((True, text) for text in added())
        ):
            postings = by_range[range_of_words(article_id)]
            in_title, in_excerpt = set(title.split()), set(excerpt.split())
            for word in in_title | in_excerpt | set(content.split()):
                if parts == 1 or hash(word) % parts == part:
                    posting = article_id * 4 + (word in in_title) + 2 * (word in in_excerpt)
                    postings[word][is_added].append(posting)
                    count += 1
            # The first part decides how many there are: hashes make all of them alike.
            while part == 0 and (
                sum(map(len, by_range.values())) > limits.max_words or count > limits.max_postings
            ):
                parts *= 2
                for postings in by_range.values():
                    for word in [word for word in postings if hash(word) % parts]:
                        count -= sum(map(len, postings.pop(word)))
        yield from by_range.items()
        part += 1


def _write_words(connection: Connection, range_: int, words: Sequence[str], postings: _Postings) -> None:
    is_changed = (word_articles.c.range == range_) & word_articles.c.word.in_(words)
    stored = {
        word: Occurrences(*(joined([piece]) for piece in pieces))
        for word, _, _, *pieces in connection.execute(select(word_articles).where(is_changed))
    }
    nowhere = Occurrences(BitMap(), BitMap(), BitMap())
    new, emptied = [], []
    changed: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for word in words:
        before = stored.get(word, nowhere)
        bitmaps = zip(before, *map(_where, postings[word]), strict=True)
        after = Occurrences(*((articles - removed) | added for articles, removed, added in bitmaps))
        pieces = {
            column: as_bytes(articles) if articles else None
            for column, articles, old in zip(_COLUMNS, after, before, strict=True)
            if articles != old or word not in stored
        }
        if not after.anywhere:
            emptied.append(word)
        elif word in stored:
            changed[tuple(pieces)].append({"changed_word": word, **pieces})
        else:
            new.append((word, range_, stem_of(word), *pieces.values()))
    insert_tuples(connection, word_articles, ("word", "range", "stem", *_COLUMNS), new)
    # An update leaves the indexes alone, and PostgreSQL writes no column anew that it does not name.
    for rows in changed.values():
        is_row = (word_articles.c.range == range_) & (word_articles.c.word == bindparam("changed_word"))
        connection.execute(update(word_articles).where(is_row), rows)
    if emptied:
        is_emptied = (word_articles.c.range == range_) & word_articles.c.word.in_(emptied)
        connection.execute(delete(word_articles).where(is_emptied))


def _where(postings: Sequence[int]) -> Occurrences:
    return Occurrences(
        BitMap([posting >> 2 for posting in postings if posting & 1]),
        BitMap([posting >> 2 for posting in postings if posting & 2]),
        BitMap([posting >> 2 for posting in postings]),
    )
