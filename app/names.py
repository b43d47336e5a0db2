"""When two names are one: the folding that topics, providers and every other clause share."""

import hashlib
import re
import unicodedata

from app.unicode_forms import normalized

_NOT_IN_A_SLUG = re.compile(r"[^\w+#.]+|_+")


def fold(name: str) -> str:
    """NFKC, Unicode case folding, white space collapsed:  "ＡＩ ", "ai" and "Ai" are one name.

    Folding again after NFKC settles the few characters whose folding is not normal: fold(fold(x)) == fold(x).
    """
    folded = normalized("NFKC", name).casefold()
    folded = unicodedata.normalize("NFKC", folded).casefold()
    return " ".join(normalized("NFKC", folded).split())


_folded: dict[str, str] = {}
# Two of each name of a document, which has at most 30,000.
_MOST_FOLDED = 60_000


def fold_of_document(name: str) -> str:
    """As fold, which an import asks for each name five times; not for questions, which anybody may ask."""
    folded = _folded.get(name)
    if folded is None:
        if len(_folded) >= _MOST_FOLDED:
            _folded.clear()
        folded = _folded[name] = fold(name)
        _folded[folded] = folded
    return folded


def slug(name: str) -> str:
    """A readable id that tells "C", "C++" and "C#" apart:  "Teams integration" -> "teams-integration"."""
    return _NOT_IN_A_SLUG.sub("-", fold(name)).strip("-")


def slug_with_digest(name: str) -> str:
    """The slug and six hex digits of SHA-256 of the folded name: for where the slug is empty or taken."""
    return f"{slug(name)}-{hashlib.sha256(fold(name).encode()).hexdigest()[:6]}"
