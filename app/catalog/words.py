"""Words as search sees them, the same at import and at every question. Knows no table.

Case, accents and Unicode forms do not matter (NFKD, case folding, marks dropped). Beside its words a text
has stems (English, Snowball): a single word is looked up by its stem, phrases and beginnings as written.
"""

import re
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape
from itertools import islice
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
_PIECE: Final = re.compile(rf"\S{{1,{_CHARACTERS_AT_ONCE}}}")
_OPERATORS: Final = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
# NFKD would make letters of these:  "Windows™" is not "WindowsTM".
_MARKS_OF_TRADE: Final = str.maketrans("™℠", "  ")
_MARKUP: Final = re.compile(r"<[A-Za-z/!][^<>]*>")
# A few words around what was found, on either side.
_SNIPPET_CHARACTERS: Final = 80
# With the words of a search, for the marks of a text: thrice as many as a text has words. If a hundred
# phrases began alike, each word would be compared with all of them.
_MOST_COMPARED: Final = 50_000

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


def marked(text: str, search: Search, most_characters: int = MOST_CHARACTERS) -> str | None:
    """The text escaped for HTML, what was searched for in <mark>; None where nothing of it is there.

    It is looked for in the first characters alone.
    """
    pieces = []
    done = 0
    for start, end in _spans(text[:most_characters], search):
        if start >= done:
            pieces += [escape(text[done:start]), f"<mark>{escape(text[start:end])}</mark>"]
            done = end
    return "".join([*pieces, escape(text[done:])]) if pieces else None


def snippet(text: str, search: Search) -> str | None:
    """As `marked`, of what stands around the first place alone."""
    first = next(_spans(text, search), None)
    if first is None:
        return None
    start = max(0, first[0] - _SNIPPET_CHARACTERS)
    end = min(len(text), first[1] + 2 * _SNIPPET_CHARACTERS)
    # From and to the end of a word.
    while start and not text[start - 1].isspace() and first[0] - start < 2 * _SNIPPET_CHARACTERS:
        start -= 1
    while end < len(text) and not text[end].isspace() and end - first[1] < 3 * _SNIPPET_CHARACTERS:
        end += 1
    found = marked(" ".join(text[start:end].split()), search)
    return f"{'… ' if start else ''}{found}{' …' if end < len(text) else ''}" if found else None


def _spans(text: str, search: Search) -> Iterator[tuple[int, int]]:
    """Where the terms stand, in the order of the text, looking no further than for the next one."""
    terms = [term for group in search.all_of for term in group]
    stems = {stem_of(term.words[0]) for term in terms if len(term.words) == 1 and not term.begins}
    beginnings = tuple(term.words[0] for term in terms if len(term.words) == 1 and term.begins)
    phrases: dict[str, list[Term]] = {}
    for term in terms:
        if len(term.words) > 1:
            phrases.setdefault(term.words[0], []).append(term)
    places = islice(_places(text), MOST_WORDS)
    ahead = deque(islice(places, max((len(term.words) for term in terms), default=0)))
    compared = 0
    while ahead and compared < _MOST_COMPARED:
        word, start, end = ahead[0]
        compared += 1 + len(beginnings) // 8
        for term in phrases.get(word, ()):
            compared += len(term.words)
            here = list(islice(ahead, len(term.words)))
            if _stands(term, [each for each, _, _ in here]):
                yield start, here[-1][2]
                break
        else:
            if word.startswith(beginnings) or stem_of(word) in stems:
                yield start, end
        ahead.popleft()
        ahead.extend(islice(places, 1))


def _places(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word with where it begins and ends."""
    for found in _PIECE.finditer(text):
        piece, at = found[0], found.start()
        if piece.isascii():
            for one in _WORD.finditer(piece):
                yield one[0].lower()[:MOST_WORD_CHARACTERS], at + one.start(), at + one.end()
            continue
        # A piece may fold to several words; each of its own letters then stands for the whole piece.
        composed = normalized("NFC", piece)
        for one in _WORD.finditer(composed):
            start, end = (at + one.start(), at + one.end()) if piece == composed else (at, found.end())
            for word in words_of(one[0]):
                yield word, start, end


def _stands(phrase: Term, words: list[str]) -> bool:
    if len(words) < len(phrase.words):
        return False
    if phrase.begins:
        return tuple(words[:-1]) == phrase.words[:-1] and words[-1].startswith(phrase.words[-1])
    return tuple(words) == phrase.words


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    text = text.translate(_MARKS_OF_TRADE)
    folded = normalized("NFKD", normalized("NFKD", text).casefold())
    return _BEYOND_ASCII.sub(_without_marks, folded)


def _without_marks(found: re.Match[str]) -> str:
    return "".join(character for character in found[0] if not unicodedata.combining(character))
