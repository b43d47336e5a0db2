"""When two names are one: the folding that topics, providers and every other clause share."""

import hashlib
import re
import unicodedata
from functools import lru_cache

from app.unicode_forms import normalized

_NOT_IN_A_SLUG = re.compile(r"[^\w+#.]+|_+")


def fold(name: str) -> str:
    """NFKC, Unicode case folding, white space collapsed:  "ＡＩ ", "ai" and "Ai" are one name.

    Folding again after NFKC settles the few characters whose folding is not normal: fold(fold(x)) == fold(x).
    """
    folded = normalized("NFKC", name).casefold()
    folded = unicodedata.normalize("NFKC", folded).casefold()
    return " ".join(normalized("NFKC", folded).split())


# An import asks for each name of a document five times, and for what it folds to twice; a document has at
# most 30,000 names. Not for questions, which anybody may ask.
fold_of_document = lru_cache(maxsize=60_000)(fold)


def slug(name: str) -> str:
    """A readable id that tells "C", "C++" and "C#" apart:  "Teams integration" -> "teams-integration"."""
    return _NOT_IN_A_SLUG.sub("-", fold(name)).strip("-")


def slug_with_digest(name: str) -> str:
    """The slug and six hex digits of SHA-256 of the folded name: for where the slug is empty or taken."""
    return f"{slug(name)}-{hashlib.sha256(fold(name).encode()).hexdigest()[:6]}"
