"""When two names are one: topics, providers and all other clauses fold names in the same way."""

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


# An import folds each name of a document five times, and the folded name twice; a document has at most 30,000
# names. Requests use `fold`: whoever asks for many names must not fill a cache.
fold_of_document = lru_cache(maxsize=60_000)(fold)


def slug(name: str) -> str:
    """A readable id that tells "C", "C++" and "C#" apart:  "Teams integration" -> "teams-integration"."""
    return _NOT_IN_A_SLUG.sub("-", fold(name)).strip("-")


def slug_with_digest(name: str) -> str:
    """The slug and six hex digits of the folded name's SHA-256, for a slug that is empty or taken."""
    return f"{slug(name)}-{hashlib.sha256(fold(name).encode()).hexdigest()[:6]}"
