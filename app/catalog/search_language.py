"""The words of texts and of searches, found in the same way at import and for each question. Knows no table.

Scripts that are written without spaces are read cluster by cluster, a letter with its marks: so a word is
found within a sentence. Beside its words a text has stems (English, Snowball): a single word is looked up by
its stem, phrases and prefixes as written.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import Stemmer

from app.catalog.letters import folded, folded_with_places
from app.catalog.visible_text import CHARACTERS_AT_ONCE, chunks, visible_text

# Tibetan is not among them, since a sign stands between its syllables.
_UNSPACED: Final = "".join(
    (
        "\u0e00-\u0eff",  # Thai, Lao
        "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f",  # Myanmar
        "\u1780-\u17ff",  # Khmer
        "\u1950-\u19df\u1a00-\u1aaf\uaa80-\uaadf\U00011700-\U0001174f",  # scripts of the Tai, Buginese
        "\u1b00-\u1b7f\ua980-\ua9df\uaa00-\uaa5f",  # Balinese, Javanese, Cham
        "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c",  # `々`, `〇` and the like
        "\u3040-\u30ff\u31f0-\u31ff\U0001aff0-\U0001b16f",  # kana
        "\u3100-\u312f\u31a0-\u31bf",  # Bopomofo
        "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",  # Chinese characters
        "\ua000-\ua4cf\U00017000-\U00018dff\U0001b170-\U0001b2ff",  # Yi, Tangut, Khitan, Nushu
    )
)
# Folded texts have no other characters beyond ASCII than letters, digits and marks.
_MARK: Final = r"[^\x00-\x7f\w]"
# Signs by which the next consonant stands below this one, in Myanmar, Khmer and Tai Tham.
_STACKING: Final = "\u1039\u17d2\u1a60"
# The pattern finds words in a folded text. "C++" and "C#" are words.
_WORD: Final = re.compile(
    rf"(?=\w)(?:[{_UNSPACED}](?:{_MARK}|(?<=[{_STACKING}])[{_UNSPACED}])*"
    rf"|[^\x00-/:-`{{-\x7f{_UNSPACED}]+(?:\+\+|#(?!\w))?)"
)
# ASCII text without + and # has the same words when it is split here, four times as fast.
_NO_WORD: Final = str.maketrans({code: " " for code in range(128) if not chr(code).isalnum()})
_NON_SPACE: Final = re.compile(rf"\S{{1,{CHARACTERS_AT_ONCE}}}")
_SEARCH_PARTS: Final = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
# The signs of a search as editors, phones and Japanese keyboards write them:  “a phrase”  －without
_TYPED_SIGNS: Final = str.maketrans("“”„‟«»＂－＊", '"""""""-*')

# PostgreSQL's index rows take 2,700 bytes, and nobody types a longer word.
MAX_WORD_CHARACTERS: Final = 100
# A book of 60 pages has so many words; the words of an article beyond them are not found.
MAX_WORDS: Final = 16_000
# A text of more characters with fewer words is no text. Looking through so many takes 0.2 s.
MAX_TEXT_CHARACTERS: Final = 1_000_000
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
    text = folded(text)
    is_simple = text.isascii() and "+" not in text and "#" not in text
    words = text.translate(_NO_WORD).split() if is_simple else _WORD.findall(text)
    return [word[:MAX_WORD_CHARACTERS] for word in words]


def words_with_places(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word with where it begins and ends in the text, which is read no further than asked for."""
    for match in _NON_SPACE.finditer(text):
        piece, offset = match[0], match.start()
        if piece.isascii():
            for word in _WORD.finditer(piece.lower()):
                yield word[0][:MAX_WORD_CHARACTERS], offset + word.start(), offset + word.end()
            continue
        folded_piece, places = folded_with_places(piece)
        for word in _WORD.finditer(folded_piece):
            (start, _), (_, end) = places[word.start()], places[word.end() - 1]
            yield word[0][:MAX_WORD_CHARACTERS], offset + start, offset + end


def words_of_text(text: str, max_words: int) -> list[str]:
    """The first words of a text of any length."""
    return _first_words(chunks(text), max_words)


def words_of_content(content: str, max_words: int) -> list[str]:
    """The first words of a content that may be HTML: those that a reader of the page sees."""
    return _first_words(visible_text(content), max_words)


def _first_words(pieces: Iterable[str], max_words: int) -> list[str]:
    words: list[str] = []
    characters = 0
    for piece in pieces:
        words += words_of(piece)
        characters += len(piece)
        if len(words) >= max_words or characters >= MAX_TEXT_CHARACTERS:
            break
    return words[:max_words]


@lru_cache(maxsize=30_000)
def stem_of(word: str) -> str:
    return str(_english.stemWord(word))


@lru_cache(maxsize=1_000)
def read_search(text: str) -> Search:
    """Reads `words "a phrase" -without NOT without either OR or begin*`. Anything else is a word.

    AND, OR and NOT are words where nothing stands that they could join or exclude, and in lower case.
    """
    all_of: list[tuple[Phrase, ...]] = []
    none_of: list[Phrase] = []
    parts = [_Part(*match.groups()) for match in _SEARCH_PARTS.finditer(text.translate(_TYPED_SIGNS))]
    parts = _without_words_for_signs(parts)
    may_join = joins = False
    for number, part in enumerate(parts):
        following = parts[number + 1] if number + 1 < len(parts) else None
        if part.is_word("OR") and may_join and following and not following.minus:
            joins, may_join = True, False
            continue
        phrase = _phrase(part)
        if not phrase:
            continue
        if part.minus:
            none_of.append(phrase)
        elif joins:
            all_of[-1] = (*all_of[-1], phrase)
        else:
            all_of.append((phrase,))
        may_join, joins = not part.minus, False
    return Search(tuple(all_of), tuple(none_of))


class _Part(NamedTuple):
    """A part of a search: a phrase in quotation marks, or else a word."""

    minus: str
    quoted: str | None
    word: str | None

    def is_word(self, word: str) -> bool:
        return self.word == word and not self.minus


def _without_words_for_signs(parts: Sequence[_Part]) -> list[_Part]:
    """The same with a minus for NOT, and without the AND between two parts."""
    plain: list[_Part] = []
    is_after_and = negates = False
    for number, part in enumerate(parts):
        following = parts[number + 1] if number + 1 < len(parts) else None
        if part.is_word("NOT") and following and not following.minus and not negates:
            negates = True
        elif part.is_word("AND") and plain and following and not is_after_and and not negates:
            is_after_and = True
            continue
        else:
            plain.append(part._replace(minus="-") if negates else part)
            negates = False
        is_after_and = False
    return plain


def _phrase(part: _Part) -> Phrase | None:
    text = part.word or part.quoted or ""
    words = tuple(words_of(text))
    return Phrase(words, bool(part.word) and text.endswith("*")) if words else None
