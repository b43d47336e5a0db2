"""Words as search sees them, the same at import and at every question. Knows no table.

Case, accents and Unicode forms do not matter (NFKD, case folding, marks dropped). Beside its words a text
has stems (English, Snowball): a single word is looked up by its stem, phrases and beginnings as written.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Final

import Stemmer

from app.unicode_forms import normalized

# "C++" and "C#" are words; of scripts written without spaces every character is, and a run of them a phrase.
_UNSPACED: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"


_WORD: Final = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])+(?:\+\+|#(?!\w))?")


# The same in ASCII without + and #, found four times as fast by splitting.
_NO_WORD: Final = str.maketrans({code: " " for code in range(128) if not chr(code).isalnum()})


_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")


# An index takes 2,700 bytes, and nobody types so many characters.
MOST_WORD_CHARACTERS: Final = 100


# Of one article: a book of 60 pages. What is beyond is neither found nor marked.
MOST_WORDS: Final = 16_000


# Of one text: so many characters without as many words are no text. All are looked through in 0.2 s.
MOST_CHARACTERS: Final = 1_000_000


# What is folded, cleaned or searched at once, in a millisecond or two: nothing else of Python runs meanwhile,
# and folding may make eighteen times as much of it.
_CHARACTERS_AT_ONCE: Final = 8_192


_OPERATORS: Final = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')


# NFKD would make letters of these:  "Windows™" is not "WindowsTM".
_MARKS_OF_TRADE: Final = str.maketrans("™℠", "  ")


_MARKUP: Final = re.compile(r"<[A-Za-z/!][^<>]*>")


# Its own cache is not safe between threads; ours is.
_english = Stemmer.Stemmer("english", 0)


@dataclass(frozen=True, slots=True)
class Term:
    """Words side by side; `begins`: the last of them goes on."""

    words: tuple[str, ...]
    begins: bool


@dataclass(frozen=True, slots=True)
class Search:
    """Matches texts with a term of each group in `all_of`, and with none of `none_of`."""

    all_of: tuple[tuple[Term, ...], ...]
    none_of: tuple[Term, ...]


def words_of(text: str) -> list[str]:
    text = _folded(text)
    simple = text.isascii() and "+" not in text and "#" not in text
    words = text.translate(_NO_WORD).split() if simple else _WORD.findall(text)
    return [word[:MOST_WORD_CHARACTERS] for word in words]


def words_of_text(text: str, most: int) -> list[str]:
    """The first of a text that may be as long as it likes."""
    return _first_words(_parts(text), most)


def words_of_content(content: str, most: int) -> list[str]:
    """The same of what a reader of the page sees."""
    return _first_words(_parts_without_markup(content), most)


def without_markup(content: str) -> str:
    """What a reader of the page sees:  "<b>Nov&#8217;19</b>" has the words of "Nov’19"."""
    return "".join(_parts_without_markup(content))


def _first_words(parts: Iterator[str], most: int) -> list[str]:
    words: list[str] = []
    characters = 0
    for part in parts:
        words += words_of(part)
        characters += len(part)
        if len(words) >= most or characters >= MOST_CHARACTERS:
            break
    return words[:most]


def _parts(text: str) -> Iterator[str]:
    """Cut between words, and within one only where there is no space for thousands of characters."""
    start = 0
    while start < len(text):
        end = _end_of_part(text, start, start)
        yield text[start:end]
        start = end


def _parts_without_markup(content: str) -> Iterator[str]:
    """Cut where no tag, no entity and no word goes on."""
    start = 0
    while start < len(content):
        end = start + _CHARACTERS_AT_ONCE
        opened, closed = content.rfind("<", start, end), content.rfind(">", start, end)
        if end >= len(content) or opened <= closed:
            end = _end_of_part(content, start, max(start, closed + 1))
        elif opened > start:
            end = opened
        else:
            # A tag may be as long as the picture in it.
            tag = _MARKUP.match(content, start)
            end = tag.end() if tag else _end_of_part(content, start, start)
        yield unescape(_MARKUP.sub(" ", content[start:end]))
        start = end


def _end_of_part(text: str, start: int, earliest: int) -> int:
    end = start + _CHARACTERS_AT_ONCE
    if end >= len(text):
        return len(text)
    space = max(text.rfind(" ", earliest, end), text.rfind("\n", earliest, end))
    return space if space > start else earliest if earliest > start else end


@lru_cache(maxsize=30_000)
def stem_of(word: str) -> str:
    return str(_english.stemWord(word))


@lru_cache(maxsize=1_000)
def read_search(text: str) -> Search:
    """`words "a phrase" -without either OR or begin*`. Any text is one: what is no operator is a word."""
    all_of: list[tuple[Term, ...]] = []
    none_of: list[Term] = []
    may_join = joins = False
    found = list(_OPERATORS.finditer(text))
    for place, (minus, phrase, word) in enumerate(each.groups() for each in found):
        is_last = place == len(found) - 1
        if word == "OR" and not minus and may_join and not is_last and not found[place + 1][1]:
            joins, may_join = True, False
            continue
        term = _term(phrase if phrase is not None else word, word is not None)
        if not term:
            continue
        if minus:
            none_of.append(term)
        elif joins:
            all_of[-1] = (*all_of[-1], term)
        else:
            all_of.append((term,))
        may_join, joins = not minus, False
    return Search(tuple(all_of), tuple(none_of))


def _term(text: str, may_begin: bool) -> Term | None:
    words = tuple(words_of(text))
    return Term(words, may_begin and text.endswith("*")) if words else None


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    text = text.translate(_MARKS_OF_TRADE)
    folded = normalized("NFKD", normalized("NFKD", text).casefold())
    return _BEYOND_ASCII.sub(_without_marks, folded)


def _without_marks(found: re.Match[str]) -> str:
    return "".join(character for character in found[0] if not unicodedata.combining(character))
