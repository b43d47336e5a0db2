"""When two names are one: topics, providers and all other clauses fold names in the same way."""

import hashlib
import re
import unicodedata

from app.unicode_forms import normalized

_NOT_IN_A_SLUG = re.compile(r"[^\w+#.]+|_+")


def fold(name: str) -> str:
    """NFKC, Unicode case folding, white space collapsed:  "ＡＩ ", "ai" and "Ai" are one name.

    Folding again after NFKC settles the few characters whose folding is not normal: fold(fold(x)) == fold(x).
    """
    if name.isascii():
        return " ".join(name.lower().split())
    folded = normalized("NFKC", name).casefold()
    if not unicodedata.is_normalized("NFKC", folded):
        folded = normalized("NFKC", unicodedata.normalize("NFKC", folded).casefold())
    return " ".join(folded.split())


_folded_names: dict[str, str] = {}
# A document has at most 30,000 names, and each takes two entries.
_MAX_FOLDED_NAMES = 60_000


def fold_of_document(name: str) -> str:
    """Like fold, with a cache: an import folds each name five times. Requests use fold: anybody may ask."""
    folded = _folded_names.get(name)
    if folded is None:
        if len(_folded_names) >= _MAX_FOLDED_NAMES:
            _folded_names.clear()
        folded = _folded_names[name] = fold(name)
        _folded_names[folded] = folded
    return folded


def slug(name: str) -> str:
    """A readable id that tells "C", "C++" and "C#" apart:  "Teams integration" -> "teams-integration"."""
    return _NOT_IN_A_SLUG.sub("-", fold(name)).strip("-")


def slug_with_digest(name: str) -> str:
    """The slug and six hex digits of the folded name's SHA-256, for a slug that is empty or taken."""
    return f"{slug(name)}-{hashlib.sha256(fold(name).encode()).hexdigest()[:6]}"
