"""Unicode's normal forms in time linear to the text, whatever it holds. Knows no word and no name."""

import re
import unicodedata
from typing import Final, Literal

# UAX #15 says that no real text has more than 30 combining marks in a row. CPython sorts them by swapping
# neighbours: 100,000 marks take 5 s, in which no other thread runs. Most names are shorter than this limit
# and need no search.
MAX_MARKS_IN_A_ROW: Final = 100

_NO_LETTERS: Final = re.compile(rf"[^\x00-\x7f\w\s]{{{MAX_MARKS_IN_A_ROW + 1},}}")


def normalized(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """The text in a normal form, without the marks above the limit."""
    if len(text) > MAX_MARKS_IN_A_ROW and not text.isascii():
        if form != "NFC":
            # These two letters alone become marks:  ｶﾞ -> ガ
            text = text.replace("\uff9e", "\u3099").replace("\uff9f", "\u309a")
        text = _NO_LETTERS.sub(_with_few_marks, text)
    return unicodedata.normalize(form, text)


def _with_few_marks(match: re.Match[str]) -> str:
    characters = []
    marks = 0
    for character in match[0]:
        decomposed = unicodedata.normalize("NFKD", character)
        marks = marks + len(decomposed) if unicodedata.combining(decomposed[0]) else 0
        if marks <= MAX_MARKS_IN_A_ROW:
            characters.append(character)
    return "".join(characters)
