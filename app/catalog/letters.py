"""Which letters a search tells apart, and which are one. Knows no word.

- Case, Unicode forms and invisible characters (soft hyphens, joiners) make no difference.
- A letter with a stroke or a hook is its plain letter: `ł` is l, `þ` is th, `ı` is i.
- Marks are left out where they are accents: on Latin and Greek letters, the points of Hebrew and Arabic, the
  stress of Cyrillic. Elsewhere they are letters: Indic vowel signs, the voicing of kana, the breve of `й`.

Arabic letters are what Arabs and Persians type for each other: alef without its hamza, one yeh, one kaf, and
no tatweel, which only stretches a word.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from app.unicode_forms import normalized

# Words of one script go together: calling Python for each takes longer than what is done with it.
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+(?: [^\x00-\x7f]+)*")
# NFKD makes letters of these, but "Windows™" is not "WindowsTM".
_TRADEMARK_SIGNS: Final = str.maketrans("™℠", "  ")
# Case folding makes a letter of this accent:  ᾳ -> αι
_IOTA_BELOW: Final = "\u0345"
# A Cyrillic letter and its mark, as NFKD parts them.
_MARKED_CYRILLIC: Final = re.compile("[\u0430-\u052f][\u0300-\u0314]")
# Writers leave these marks out:  ещё, еще
_CYRILLIC_ACCENTS: Final = frozenset("ёѐѝ")
# The pattern has marks alone, no letters and no signs.
_ACCENTS: Final = re.compile(
    "["
    "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # of any script that has accents
    "\u0483-\u0489\u2de0-\u2dff\ua66f-\ua67d\ua69e-\ua69f"  # Church Slavonic
    "\u0591-\u05c7"  # Hebrew points
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0898-\u089f\u08ca-\u08ff"  # Arabic
    "\u0711\u0730-\u074a\u0816-\u082d"  # Syriac and Samaritan vowels
    "\u0951-\u0954\u1cd0-\u1cff"  # how the Vedas are recited
    "\u302a-\u302f"  # tones beside Chinese characters and Hangul
    "\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
    "]"
)
# Tatweel, and two signs of transliteration:  Qurʾān, ʿAlī
_WITHOUT_MEANING: Final = frozenset("\u0640\u02be\u02bf")
# These are typed as apostrophes too, which part words:  Hawaiʻi, м'я
_APOSTROPHES: Final = frozenset("\u02bb\u02bc")
# No normal form takes these apart or makes them one.
_PLAIN_LETTERS: Final = {
    "ı": "i",
    "ȷ": "j",
    "þ": "th",
    "ð": "d",
    "æ": "ae",
    "œ": "oe",
    "ŋ": "n",
    "ĸ": "q",
    "ی": "ي",
    "ک": "ك",
}
# "LATIN SMALL LETTER L WITH STROKE". Those with accents were taken apart before.
_LATIN_WITH_A_STROKE: Final = re.compile(r"LATIN SMALL LETTER ([A-Z]) WITH ")
# Real texts have some thousand different characters beyond ASCII.
_MAX_REMEMBERED: Final = 20_000
# Hangul letters, which make syllables together. The last two ranges have those of keyboards and narrow fonts.
_HANGUL_LETTERS: Final = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\u3131-\u318e\uffa0-\uffdc]")
_HANGUL: Final = re.compile("[\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff\u3131-\u318e\uffa0-\uffdc]")
# The voicing marks of narrow kana count as letters:  ｶﾞ
_NARROW_MARKS: Final = frozenset("\uff9e\uff9f")


def folded(text: str) -> str:
    """ASCII as it is, less case; beyond it only letters, digits, marks that are letters, and spaces."""
    if text.isascii():
        return text.lower()
    text = normalized("NFKD", text.translate(_TRADEMARK_SIGNS)).replace(_IOTA_BELOW, "").casefold()
    text = _BEYOND_ASCII.sub(_plain, normalized("NFKD", text))
    return text if text.isascii() else normalized("NFC", text)


def folded_with_places(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The folded text, and for each of its characters the part of the text that it was made of."""
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    for start, end in _pieces_that_fold_alone(text):
        piece = _folded_piece(text[start:end])
        pieces.append(piece)
        places += [(start, end)] * len(piece)
    return "".join(pieces), places


def _pieces_that_fold_alone(text: str) -> Iterator[tuple[int, int]]:
    """A letter with its marks and invisible characters, or Hangul letters that make a syllable."""
    start = 0
    letter = ""
    for place, character in enumerate(text):
        if character.isascii() or not _goes_on(letter, character):
            if place:
                yield start, place
            start, letter = place, character
        elif _HANGUL_LETTERS.match(character):
            letter = character
    if text:
        yield start, len(text)


def _plain(match: re.Match[str]) -> str:
    return _MARKED_CYRILLIC.sub(_whole_letter, match[0]).translate(_plain_characters)


def _whole_letter(match: re.Match[str]) -> str:
    letter = unicodedata.normalize("NFC", match[0])
    return match[0] if letter in _CYRILLIC_ACCENTS else letter


class _PlainCharacters(dict[int, str | None]):
    """Made when they are met: Unicode has 140,000 characters, and a catalogue a few hundred of them."""

    def __missing__(self, code: int) -> str | None:
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        plain = self[code] = _plain_character(chr(code))
        return plain


_plain_characters: Final = _PlainCharacters()


def _plain_character(character: str) -> str | None:
    if _is_mark(character):
        return None if _ACCENTS.match(character) else character
    if unicodedata.category(character) == "Cf" or character in _WITHOUT_MEANING:
        return None
    if not character.isalnum() or character in _APOSTROPHES:
        return " "
    latin = _LATIN_WITH_A_STROKE.match(unicodedata.name(character, ""))
    return latin[1].lower() if latin else _PLAIN_LETTERS.get(character, character)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


@lru_cache(maxsize=_MAX_REMEMBERED)
def _goes_on(letter: str, character: str) -> bool:
    """Whether a character folds together with the letter that stands before it, or before its marks."""
    if _HANGUL_LETTERS.match(character):
        return bool(_HANGUL.match(letter))
    return (
        _is_mark(character)
        or unicodedata.category(character) == "Cf"
        or character in _WITHOUT_MEANING
        or character in _NARROW_MARKS
    )


@lru_cache(maxsize=_MAX_REMEMBERED)
def _folded_piece(piece: str) -> str:
    return folded(piece)
