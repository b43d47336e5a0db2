"""Searches as they were probably meant: words that nothing has, replaced by the likeliest of the catalogue.

Likely is a word that is one slip away, in many articles, and away by a usual slip. All words that are one
slip away are looked up by the key of the words' table: that takes as long in any catalogue, and needs no
index of its own. Only what the asker may see counts, so a word that unpublished articles alone have is never
suggested.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice, product
from string import ascii_lowercase, digits
from typing import Final

from sqlalchemy import Connection

from app.catalog.audience import Published
from app.catalog.filters import Selection, matching
from app.catalog.index.find import count_articles_with_words
from app.catalog.name_words import count_articles_named
from app.catalog.query import MAX_SEARCH_CHARACTERS, ArticleQuery
from app.catalog.search_language import words_of
from app.database.snapshots import timeouts_named
from app.errors import QueryTimedOut, TooManyWords

# Nearly everything is one slip away from a shorter word. A syllable of Hangul counts as its letters.
MIN_LETTERS: Final = 3
# 40 letters of the largest alphabets have 10,000 words beside them, which are looked up in 10 ms.
MAX_CHARACTERS: Final = 40
# A search with more unknown words is another language's, or no words at all.
MAX_UNKNOWN_WORDS: Final = 3
# Each is a whole search; the first one finds something unless the query has other filters.
MAX_ATTEMPTS: Final = 5
# Two letters that changed places, a letter typed twice and one left out are so many times likelier than any
# letter in the place of another, as measured by benchmarks/spelling.py: there are 25 others.
_USUAL, _CHANGED, _ADDED = 10, 2, 1
# Unicode has the letters of a script together in blocks of 128 characters, as a rule.
_BLOCK: Final = 128


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another `q` for a query, which finds something; None where none is likely."""

    q: str | None


def propose(selection: Selection) -> Proposal | None:
    """None if the query has no words that nothing has. Call it last: it may use up the question's time."""
    unknown: Sequence[str] = ()
    try:
        with timeouts_named(selection.connection):
            unknown = selection.unknown_words()
            return Proposal(_other_q(selection.connection, selection.query, unknown)) if unknown else None
    except (QueryTimedOut, TooManyWords):
        # The page is read already, and a guess is not worth an error.
        return Proposal(None) if unknown else None


def _other_q(connection: Connection, query: ArticleQuery, unknown: Sequence[str]) -> str | None:
    if not query.q or len(unknown) > MAX_UNKNOWN_WORDS:
        return None
    by_word = [likeliest_words(connection, word, query.published) or [word] for word in unknown]
    for words in islice(_best_first(by_word), MAX_ATTEMPTS):
        q = _with_words(query.q, dict(zip(unknown, words, strict=True)))
        is_other = q != query.q and len(q) <= MAX_SEARCH_CHARACTERS
        if is_other and matching(connection, query.model_copy(update={"q": q})).total():
            return q
    return None


def likeliest_words(connection: Connection, word: str, published: Published) -> list[str]:
    """The words of the catalogue that are one slip away from this one, the likeliest first."""
    if len(word) > MAX_CHARACTERS or len(unicodedata.normalize("NFD", word)) < MIN_LETTERS:
        return []
    slips = _one_slip_away(word)
    counts = count_articles_with_words(connection, list(slips), published)
    for name_word, count in count_articles_named(connection, list(slips), published).items():
        counts[name_word] = max(count, counts.get(name_word, 0))
    likely = sorted(counts, key=lambda other: (-counts[other] * slips[other], other))
    return likely[:MAX_ATTEMPTS]


def _one_slip_away(word: str) -> Mapping[str, int]:
    """Every word that may have been meant, known or not, and how usual the slip is."""
    slips: dict[str, int] = {}

    def add(other: str, usual: int) -> None:
        slips[other] = max(usual, slips.get(other, 0))

    for place, letter in enumerate(word):
        before, after = word[:place], word[place + 1 :]
        add(before + after, _USUAL if before[-1:] == letter else _ADDED)
        if after:
            add(before + after[0] + letter + after[1:], _USUAL)
        for other in _alphabet_of(letter):
            add(before + other + after, _CHANGED)
            add(before + other + letter + after, _USUAL)
    for other in _alphabet_of(word[-1]):
        add(word + other, _USUAL)
    del slips[word]
    return slips


def _alphabet_of(letter: str) -> str:
    if letter.isascii():
        return ascii_lowercase if letter.isalpha() else digits
    return _letters_of_block(ord(letter) // _BLOCK)


@lru_cache(maxsize=64)
def _letters_of_block(block: int) -> str:
    """The letters of a block as words have them: without capitals, and without accents where they go."""
    characters = map(chr, range(block * _BLOCK, (block + 1) * _BLOCK))
    return "".join(character for character in characters if words_of(character) == [character])


def _best_first(by_word: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """A word of each list in every combination: the first of all, then those with one second, and so on."""
    places = product(*(range(len(words)) for words in by_word))
    for combination in sorted(places, key=lambda places: (sum(places), places)):
        yield tuple(words[place] for words, place in zip(by_word, combination, strict=True))


def _with_words(q: str, replacements: Mapping[str, str]) -> str:
    """The text with these words replaced where they stand, whatever their case, and all else as it was."""
    parts = []
    for _, characters in groupby(q, key=_is_of_word):
        part = "".join(characters)
        word = " ".join(words_of(part))
        # Words are stored taken apart, Hangul into its letters.
        other = unicodedata.normalize("NFC", replacements.get(word, word))
        parts.append(part if other == word else other)
    return "".join(parts)


def _is_of_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")
