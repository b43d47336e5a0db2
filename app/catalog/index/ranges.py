"""Sets in pieces: a row has the articles of a set whose ids are in one range.

A set of a million articles would be written whole for one article more. An import writes the pieces that its
articles are in: of a word 8 kB at most, of another set 32 kB. The pieces of a set have no article in common,
so counts of them add up, and their union is the set.
"""

from collections.abc import Iterable
from typing import Final

from pyroaring import BitMap

# Stored: never change. An article has some 200 words and 30 terms, so what it writes follows from the ranges
# of words: 65,536 ids, as a container of a Roaring bitmap has. Facets read hundreds of sets, each of them in
# a quarter of the pieces: 262,144 ids.
WORD_RANGE_BITS: Final = 16
SET_RANGE_BITS: Final = 18


def range_of_words(article_id: int) -> int:
    return article_id >> WORD_RANGE_BITS


def range_of_sets(article_id: int) -> int:
    return article_id >> SET_RANGE_BITS


def joined(pieces: Iterable[bytes | None]) -> BitMap:
    """The union of stored pieces, of one set or of several; None is a piece that is not there."""
    articles = BitMap()
    for piece in pieces:
        if piece:
            articles |= BitMap.deserialize(piece)
    return articles
