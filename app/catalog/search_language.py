"""The words of texts and of searches, found in the same way at import and for each question. Knows no table.

Case, accents and Unicode forms make no difference (NFKD, case folding, no combining marks). Beside its words
a text has stems (English, Snowball): a single word is looked up by its stem, phrases and prefixes as written.
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

# Kana and Chinese characters have no spaces: each character is a word, and a run of them is a phrase.
_UNSPACED: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# "C++" and "C#" are words.
WORD: Final = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])+(?:\+\+|#(?!\w))?")
# ASCII text without + and # has the same words when it is split here, four times as fast.
_NO_WORD: Final = str.maketrans({code: " " for code in range(128) if not chr(code).isalnum()})
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
# NFKD makes letters of these, but "Windows™" is not "WindowsTM".
_TRADEMARK_SIGNS: Final = str.maketrans("™℠", "  ")
_MARKUP: Final = re.compile(r"<[A-Za-z/!][^<>]*>")
_SEARCH_PARTS: Final = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')

# PostgreSQL's index rows take 2,700 bytes, and nobody types a longer word.
MAX_WORD_CHARACTERS: Final = 100
# A book of 60 pages has so many words; the words of an article beyond them are not found.
MAX_WORDS: Final = 16_000
# A text of more characters with fewer words is no text. Looking through so many takes 0.2 s.
MAX_TEXT_CHARACTERS: Final = 1_000_000
# Folding or cleaning so many characters takes a millisecond or two, in which nothing else of Python runs;
# folding may make eighteen times as many of them.
CHARACTERS_AT_ONCE: Final = 8_192

# PyStemmer's own cache (here 0) is not safe between threads; lru_cache is.
_english = Stemmer.Stemmer("english", 0)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words side by side; `is_prefix`: the last of them may go on.  `comp*` finds "computer"."""

    words: tuple[str, ...]
    is_prefix: bool


@dataclass(frozen=True, slots=True)
class Search:
    """Matches texts with a phrase of each group in `all_of`, and with none of `none_of`."""

    all_of: tuple[tuple[Phrase, ...], ...]
    none_of: tuple[Phrase, ...]


def words_of(text: str) -> list[str]:
    text = _folded(text)
    is_simple = text.isascii() and "+" not in text and "#" not in text
    words = text.translate(_NO_WORD).split() if is_simple else WORD.findall(text)
    return [word[:MAX_WORD_CHARACTERS] for word in words]


def words_of_text(text: str, max_words: int) -> list[str]:
    """The first words of a text of any length."""
    return _first_words(_chunks(text), max_words)


def words_of_content(content: str, max_words: int) -> list[str]:
    """The first words of a content that may be HTML: those that a reader of the page sees."""
    return _first_words(_chunks_without_markup(content), max_words)


def without_markup(content: str) -> str:
    """The text that a reader of the page sees:  "<b>Nov&#8217;19</b>" has the words of "Nov’19"."""
    return "".join(_chunks_without_markup(content))


def _first_words(chunks: Iterator[str], max_words: int) -> list[str]:
    words: list[str] = []
    characters = 0
    for chunk in chunks:
        words += words_of(chunk)
        characters += len(chunk)
        if len(words) >= max_words or characters >= MAX_TEXT_CHARACTERS:
            break
    return words[:max_words]


def _chunks(text: str) -> Iterator[str]:
    """The text cut between words; within a word only if there is no space for thousands of characters."""
    start = 0
    while start < len(text):
        end = _end_of_chunk(text, start, start)
        yield text[start:end]
        start = end


def _chunks_without_markup(content: str) -> Iterator[str]:
    """The visible text, cut where no tag, no entity and no word goes on."""
    start = 0
    while start < len(content):
        end = start + CHARACTERS_AT_ONCE
        opened, closed = content.rfind("<", start, end), content.rfind(">", start, end)
        if end >= len(content) or opened <= closed:
            end = _end_of_chunk(content, start, max(start, closed + 1))
        elif opened > start:
            end = opened
        else:
            # A tag with a picture in its URL may be longer than a chunk.
            tag = _MARKUP.match(content, start)
            end = tag.end() if tag else _end_of_chunk(content, start, start)
        yield unescape(_MARKUP.sub(" ", content[start:end]))
        start = end


def _end_of_chunk(text: str, start: int, earliest: int) -> int:
    end = start + CHARACTERS_AT_ONCE
    if end >= len(text):
        return len(text)
    space = max(text.rfind(" ", earliest, end), text.rfind("\n", earliest, end))
    return space if space > start else earliest if earliest > start else end


@lru_cache(maxsize=30_000)
def stem_of(word: str) -> str:
    return str(_english.stemWord(word))


@lru_cache(maxsize=1_000)
def read_search(text: str) -> Search:
    """Reads `words "a phrase" -without either OR or begin*`. Anything else is a word."""
    all_of: list[tuple[Phrase, ...]] = []
    none_of: list[Phrase] = []
    may_join = joins = False
    parts = [match.groups() for match in _SEARCH_PARTS.finditer(text)]
    for number, (minus, quoted, word) in enumerate(parts):
        is_last = number == len(parts) - 1
        if word == "OR" and not minus and may_join and not is_last and not parts[number + 1][0]:
            joins, may_join = True, False
            continue
        phrase = _phrase(word if quoted is None else quoted, may_be_prefix=quoted is None)
        if not phrase:
            continue
        if minus:
            none_of.append(phrase)
        elif joins:
            all_of[-1] = (*all_of[-1], phrase)
        else:
            all_of.append((phrase,))
        may_join, joins = not minus, False
    return Search(tuple(all_of), tuple(none_of))


def _phrase(text: str, *, may_be_prefix: bool) -> Phrase | None:
    words = tuple(words_of(text))
    return Phrase(words, may_be_prefix and text.endswith("*")) if words else None


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    text = text.translate(_TRADEMARK_SIGNS)
    folded = normalized("NFKD", normalized("NFKD", text).casefold())
    return _BEYOND_ASCII.sub(_without_marks, folded)


def _without_marks(match: re.Match[str]) -> str:
    return "".join(character for character in match[0] if not unicodedata.combining(character))
