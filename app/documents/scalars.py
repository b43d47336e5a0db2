"""What one text means as a name, a moment, a boolean, a number, a URL: the value, or why there is none."""

import re
from datetime import datetime
from math import isfinite
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from app.documents.problems import WrongValue, printable_value
from app.documents.yaml_tree import PlainScalar
from app.moments import moment, rfc3339
from app.names import fold_of_document

# Names stand in indexes, whose rows hold 2,704 bytes on PostgreSQL: 500 characters of four bytes fit.
MAX_NAME_CHARACTERS: Final = 500
# DNS knows no longer name. The host becomes the provider's domain.
MAX_HOST_CHARACTERS: Final = 253
# Browsers and servers take no longer URL; the longest real one has some 500 characters.
MAX_URL_CHARACTERS: Final = 8_192
# Lists show titles, excerpts and the like; a longer text belongs into the body.
MAX_TEXT_CHARACTERS: Final = 65_536
# Most readers of JSON take numbers as doubles, which round whole numbers beyond this one.
MAX_EXACT_INTEGER: Final = 2**53
# No real number is longer, and converting 50,000 digits takes too long.
MAX_NUMBER_CHARACTERS: Final = 40

_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ORDINARY_URL: Final = re.compile(
    rf"https?://([a-z0-9][a-z0-9.-]{{0,{MAX_HOST_CHARACTERS - 1}}})(?:[/?#][!-~]*)?"
)
# Browsers drop tabs and line ends, and read a backslash as a slash: they would see another host than we do.
_FORBIDDEN_IN_A_URL: Final = re.compile(r"[\t\n\r]")
_FORBIDDEN_IN_A_HOST: Final = re.compile(r"[\s\"<>\\^`{|}]")

# Git and Jekyll write `2024-03-01 10:00:00 +0200`, others `2024-03-01t10:00:00z`.
_OTHER_MOMENT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9:.]+) ?(?:([Zz])|([+-][0-9]{2}):?([0-9]{2}))?"
)
# People write these where a whole URL belongs. Resolved against a base URL, they would name pages of ours.
_MEANT_AS_A_URL: Final = re.compile(r"www\.|<|\[.*\]\(|[^/?#.][^?#]*://|https?//", re.IGNORECASE | re.DOTALL)
# `nasa.gov/story`: a first folder with a dot is more likely a host than a folder.
_HOST_AND_PATH: Final = re.compile(r"(?:[a-z0-9-]+\.)+([a-z]{2,})(?:/|:[0-9]|\Z)", re.IGNORECASE)
_COMMON_TOP_LEVEL_DOMAINS: Final = frozenset("com org net edu gov io dev".split())
_FILE_ENDINGS: Final = frozenset("html htm xhtml php asp aspx jsp cgi md txt pdf xml json".split())

_CORE_BOOLEANS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_CORE_INTEGERS: Final = (
    (_INTEGER, 10),
    (re.compile(r"0o[0-7]+"), 8),
    (re.compile(r"0x[0-9a-fA-F]+"), 16),
)
_CORE_FLOAT: Final = re.compile(r"[+-]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][+-]?[0-9]+)?")


def label(text: str) -> str | WrongValue:
    """A text that fits into an index, folded too: NFKC makes 18 characters of U+FDFA, and never more."""
    may_grow = len(text) * 18 > MAX_NAME_CHARACTERS and not text.isascii()
    if len(text) > MAX_NAME_CHARACTERS or (may_grow and len(fold_of_document(text)) > MAX_NAME_CHARACTERS):
        return _too_long(MAX_NAME_CHARACTERS)
    return text


def name(text: str) -> str | WrongValue:
    return label(text.replace("\n", " "))


def date_time(text: str) -> str | WrongValue:
    """The moment as RFC 3339, in UTC, without parts of a second."""
    try:
        when = moment(text) or _other_moment(text)
    except ValueError:
        return WrongValue(
            f"is {_quoted(text)}, a moment that does not exist", "Correct it; years go from 0001 to 9999."
        )
    if when is None:
        return WrongValue(
            f"is {_quoted(text)}, which is no date",
            "Write 2020-06-11, 2020-06-11T00:07:00Z or 2020-06-11 02:07:00+02:00.",
        )
    return rfc3339(when)


def _other_moment(text: str) -> datetime | None:
    match = _OTHER_MOMENT.fullmatch(text)
    if match is None:
        return None
    day, clock, utc, hours, minutes = match.groups()
    return moment(f"{day}T{clock}" + ("Z" if utc else f"{hours}:{minutes}" if hours else ""))


def boolean(text: str) -> bool | WrongValue:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    return WrongValue(f"is {_quoted(text)}, neither true nor false", "Write true or false.")


def integer(text: str) -> int | WrongValue:
    if _INTEGER.fullmatch(text) is None:
        return WrongValue(
            f"is {_quoted(text)}, which is no whole number", "Write a whole number, such as 59."
        )
    # Python raises for more than 4,300 digits.
    whole = int(text) if len(text) <= MAX_NUMBER_CHARACTERS else None
    if whole is None or not -(2**31) <= whole < 2**31:
        return WrongValue(
            f"is {_quoted(text)}, more than 32 bits hold", "Write a number from -2147483648 to 2147483647."
        )
    return whole


def display_text(text: str) -> str | WrongValue:
    return text if len(text) <= MAX_TEXT_CHARACTERS else _too_long(MAX_TEXT_CHARACTERS)


def url(text: str, base_url: str | None) -> str | WrongValue:
    if len(text) > MAX_URL_CHARACTERS:
        return _too_long(MAX_URL_CHARACTERS)
    if host(text) is not None:
        return text
    if _SCHEME.match(text) or _FORBIDDEN_IN_A_URL.search(text):
        return not_a_url(text)
    if is_meant_as_a_url(text) or _begins_with_a_host(text):
        return WrongValue(
            f"is {_quoted(text)}, no whole URL and no path of this site",
            "Write the URL alone, from https:// on; a path of this site may begin with / or ./ instead.",
        )
    if base_url is None:
        return WrongValue(
            f"is {_quoted(text)}, a relative URL",
            "Write the whole URL, or say with --base-url what it is relative to.",
        )
    return _resolved(text, base_url)


def image_url(text: str, base_url: str | None) -> str | WrongValue:
    """The URL of an image may stay relative if there is no base URL; `//` means https, whatever the base."""
    if text.startswith("//"):
        return url("https:" + text, None)
    if (
        len(text) <= MAX_URL_CHARACTERS
        and not _SCHEME.match(text)
        and not _FORBIDDEN_IN_A_URL.search(text)
        and not is_meant_as_a_url(text)
    ):
        return text if base_url is None else _resolved(text, base_url)
    return url(text, base_url)


def is_meant_as_a_url(text: str) -> bool:
    """True for `www.x`, `<https://x>` and `[t](https://x)`, which are neither a URL nor a path."""
    return _MEANT_AS_A_URL.match(text) is not None


def _begins_with_a_host(text: str) -> bool:
    match = _HOST_AND_PATH.match(text)
    if match is None:
        return False
    ending = match[1].lower()
    return ending in _COMMON_TOP_LEVEL_DOMAINS or (match.end() < len(text) and ending not in _FILE_ENDINGS)


def host(absolute_url: str) -> str | None:
    """The host of an http(s) URL in lower case; None for any other text."""
    ordinary = _ORDINARY_URL.fullmatch(absolute_url)
    if ordinary:
        return ordinary.group(1)
    if _FORBIDDEN_IN_A_URL.search(absolute_url):
        return None
    try:
        parts = urlsplit(absolute_url)
        hostname, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not hostname or _FORBIDDEN_IN_A_HOST.search(parts.netloc):
        return None
    return hostname if len(hostname) <= MAX_HOST_CHARACTERS and hostname.strip(".-") else None


def _resolved(text: str, base_url: str) -> str | WrongValue:
    try:
        joined = urljoin(base_url, text)
    except ValueError:
        return not_a_url(text)
    if len(joined) > MAX_URL_CHARACTERS:
        return _too_long(MAX_URL_CHARACTERS)
    return joined if host(joined) is not None else not_a_url(text)


def not_a_url(text: str) -> WrongValue:
    return WrongValue(
        f"is {_quoted(text)}, which is no http(s) URL", "Write a URL that begins with https:// and a host."
    )


def _too_long(max_characters: int) -> WrongValue:
    return WrongValue(f"has more than {max_characters:,} characters", "Shorten it.")


def json_value(tree: Any) -> Any:
    """The value as JSON: YAML 1.2's core schema decides which plain scalars are booleans or numbers."""
    if isinstance(tree, dict):
        return {key: json_value(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [json_value(value) for value in tree]
    if isinstance(tree, PlainScalar):
        return _core_value(tree)
    return tree.strip() if isinstance(tree, str) else tree


def as_written(tree: Any) -> Any:
    """JSON that an export writes as it stood: `false` is false, but `1.10` is a text, not 1.1."""
    if isinstance(tree, dict):
        return {key: as_written(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [as_written(value) for value in tree]
    if isinstance(tree, PlainScalar):
        value = _core_value(tree)
        return value if str(value).lower() == tree.lower() else str(tree)
    return tree


def _core_value(plain: PlainScalar) -> bool | int | float | str:
    text = str(plain)
    if text in _CORE_BOOLEANS:
        return _CORE_BOOLEANS[text]
    if len(text) > MAX_NUMBER_CHARACTERS:
        return text
    for pattern, base in _CORE_INTEGERS:
        if pattern.fullmatch(text):
            whole = int(text, base)
            return whole if abs(whole) <= MAX_EXACT_INTEGER else text
    if _CORE_FLOAT.fullmatch(text) and isfinite(float(text)):
        return float(text)
    return text


def _quoted(text: str) -> str:
    return f'"{printable_value(text)}"'
