"""The language and direction of an article's texts, by its locale. Pure."""

import re
from functools import lru_cache
from typing import Final

_TAG: Final = re.compile("[a-z]{2,3}(?:-[a-z0-9]{2,8})*", re.IGNORECASE)
_RIGHT_TO_LEFT: Final = frozenset("ar arc ckb dv fa he ks ku ps sd ug ur yi".split())

# A tree has some twenty locales.
_MAX_LOCALES: Final = 256


@lru_cache(_MAX_LOCALES)
def language_of(locale: str | None) -> str | None:
    """The locale as HTML's `lang`, None where it is no language tag (BCP 47):  "en_us" -> "en-us"."""
    tag = (locale or "").replace("_", "-")
    return tag if _TAG.fullmatch(tag) else None


@lru_cache(_MAX_LOCALES)
def direction_of(locale: str | None) -> str:
    """HTML's `dir`. `auto` goes by the first letter, and confines marks such as U+202E to the text."""
    language = language_of(locale)
    return "rtl" if language and language.partition("-")[0].lower() in _RIGHT_TO_LEFT else "auto"
