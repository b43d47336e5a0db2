"""Unicode's normal forms in time linear to the text, whatever it holds. Knows no word and no name."""

import re
import unicodedata
from typing import Final, Literal

# UAX #15 calls more than 30 no text. C sorts them by swapping neighbours, 100,000 of them for 5 s, in which
# nothing else of Python runs. Most names are no longer than this, and so need not be looked through.
MAX_MARKS_IN_A_ROW: Final = 100

_NO_LETTERS: Final = re.compile(rf"[^\x00-\x7f\w\s]{{{MAX_MARKS_IN_A_ROW + 1},}}")


def normalized(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """The text in a normal form, less the marks that no letter can have."""
    if len(text) > MAX_MARKS_IN_A_ROW and not text.isascii():
        if form != "NFC":
            # The only letters that become marks:  ｶﾞ -> ガ
            text = text.replace("\uff9e", "\u3099").replace("\uff9f", "\u309a")
        text = _NO_LETTERS.sub(_with_few_marks, text)
    return unicodedata.normalize(form, text)


def _with_few_marks(found: re.Match[str]) -> str:
    kept = []
    marks = 0
    for character in found[0]:
        decomposed = unicodedata.normalize("NFKD", character)
        marks = marks + len(decomposed) if unicodedata.combining(decomposed[0]) else 0
        if marks <= MAX_MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)
