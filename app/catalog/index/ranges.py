"""Sets in pieces: a row has the articles of a set whose ids are in one range.

A set of a million articles would be written whole for one article more. An import writes the pieces that its
articles are in: of a word 8 kB at most, of another set 64 kB. The pieces of a set have no article in common,
so counts of them add up, and their union is the set.
"""

from collections.abc import Iterable
from typing import Final

from pyroaring import BitMap

# Stored: never change. A new article changes 200 words and 30 other sets, so the ranges of words decide what
# it writes: 65,536 ids, as a container of a Roaring bitmap has. A facet reads hundreds of other sets, so they
# are in fewer pieces, of 524,288 ids. Among a million articles these are 0.8 MB, with 2^20 ids 1.6 MB.
WORD_RANGE_BITS: Final = 16
SET_RANGE_BITS: Final = 19


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
