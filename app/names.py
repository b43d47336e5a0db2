"""When two names are one: the folding that topics, providers and every other clause share."""

import hashlib
import re

from app.unicode_forms import normalized

_NOT_IN_A_SLUG = re.compile(r"[^\w+#.]+|_+")


def fold(name: str) -> str:
    """NFKC, Unicode case folding, white space collapsed:  "ＡＩ ", "ai" and "Ai" are one name.

    Folding again after NFKC settles the few characters whose folding is not normal: fold(fold(x)) == fold(x).
    """
    folded = normalized("NFKC", name).casefold()
    folded = normalized("NFKC", folded).casefold()
    return " ".join(normalized("NFKC", folded).split())


def slug(name: str) -> str:
    """A readable id that tells "C", "C++" and "C#" apart:  "Teams integration" -> "teams-integration"."""
    return _NOT_IN_A_SLUG.sub("-", fold(name)).strip("-")


def slug_with_digest(name: str) -> str:
    """The slug and six hex digits of SHA-256 of the folded name: for where the slug is empty or taken."""
    return f"{slug(name)}-{hashlib.sha256(fold(name).encode()).hexdigest()[:6]}"
