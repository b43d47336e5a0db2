"""Sets in pieces: a row has the articles of a set whose ids are in one range.

A set of a million articles would be written whole for one article more. An import writes the pieces that its
articles are in, each of which takes 8 kB at most. The pieces of a set have no article in common, so counts of
them add up, and their union is the set.
"""

from collections.abc import Iterable
from typing import Final

from pyroaring import BitMap

# Stored: never change. A range has 65,536 ids, as a container of a Roaring bitmap has.
RANGE_BITS: Final = 16


def range_of(article_id: int) -> int:
    return article_id >> RANGE_BITS


def joined(pieces: Iterable[bytes | None]) -> BitMap:
    """The union of stored pieces, of one set or of several; None is a piece that is not there."""
    articles = BitMap()
    for piece in pieces:
        if piece:
            articles |= BitMap.deserialize(piece)
    return articles
