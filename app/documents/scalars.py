"""What one text means: a name, a moment, a boolean, a number, a URL. Each is a value, or why it is none."""

import re
from math import isfinite
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from app.documents.problems import Unfit, shown
from app.documents.yaml_tree import Plain
from app.moments import moment, rfc3339
from app.names import fold_of_document

# Names are indexed, and PostgreSQL's index rows hold 2,704 bytes: 500 characters of four bytes fit.
MOST_NAME_CHARACTERS: Final = 500
# The longest name that DNS knows; it becomes the provider's domain.
MOST_HOST_CHARACTERS: Final = 253
# Browsers and servers take no more; the longest real one has some 500.
MOST_URL_CHARACTERS: Final = 8_192
# Of a title, an excerpt or another text that lists show: what is longer belongs into the body.
MOST_TEXT_CHARACTERS: Final = 65_536
# JSON's numbers are doubles in most readers; beyond this they would round a whole number.
GREATEST_EXACT_INTEGER: Final = 2**53
# No number worth the name is longer, and converting one of 50,000 digits takes its time.
MOST_NUMBER_CHARACTERS: Final = 40

_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ORDINARY_URL: Final = re.compile(
    rf"https?://([a-z0-9][a-z0-9.-]{{0,{MOST_HOST_CHARACTERS - 1}}})(?:[/?#][!-~]*)?"
)
# Browsers drop these three and read a backslash as a slash: they would see another host than we do.
_NEVER_IN_A_URL: Final = re.compile(r"[\t\n\r]")
_NEVER_IN_A_HOST: Final = re.compile(r"[\s\"<>\\^`{|}]")

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


def label(text: str) -> str | Unfit:
    """Short enough to be indexed, also as it folds: NFKC makes eighteen characters of U+FDFA, and no more."""
    may_grow = len(text) * 18 > MOST_NAME_CHARACTERS and not text.isascii()
    if len(text) > MOST_NAME_CHARACTERS or (may_grow and len(fold_of_document(text)) > MOST_NAME_CHARACTERS):
        return _too_long(MOST_NAME_CHARACTERS)
    return text


def name(text: str) -> str | Unfit:
    return label(text.replace("\n", " "))


def date_time(text: str) -> str | Unfit:
    """RFC 3339 in UTC to the second; parts of a second are dropped."""
    try:
        when = moment(text)
    except ValueError:
        return Unfit(
            f"is {_quoted(text)}, a moment that does not exist", "Correct it; years go from 0001 to 9999."
        )
    if when is None:
        return Unfit(
            f"is {_quoted(text)}, which is no date",
            "Write 2020-06-11, 2020-06-11T00:07:00Z or 2020-06-11 02:07:00+02:00.",
        )
    return rfc3339(when)


def boolean(text: str) -> bool | Unfit:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    return Unfit(f"is {_quoted(text)}, neither true nor false", "Write true or false.")


def integer(text: str) -> int | Unfit:
    if _INTEGER.fullmatch(text) is None:
        return Unfit(f"is {_quoted(text)}, which is no whole number", "Write a whole number, such as 59.")
    # Python refuses to convert some thousands of digits.
    whole = int(text) if len(text) <= MOST_NUMBER_CHARACTERS else None
    if whole is None or not -(2**31) <= whole < 2**31:
        return Unfit(
            f"is {_quoted(text)}, more than 32 bits hold", "Write one from -2147483648 to 2147483647."
        )
    return whole


def shown_text(text: str) -> str | Unfit:
    return text if len(text) <= MOST_TEXT_CHARACTERS else _too_long(MOST_TEXT_CHARACTERS)


def url(text: str, base_url: str | None) -> str | Unfit:
    if len(text) > MOST_URL_CHARACTERS:
        return _too_long(MOST_URL_CHARACTERS)
    if host(text) is not None:
        return text
    if _SCHEME.match(text) or _NEVER_IN_A_URL.search(text):
        return _no_url(text)
    if base_url is None:
        return Unfit(
            f"is {_quoted(text)}, a relative URL",
            "Write it in full, or say by --base-url what it is relative to.",
        )
    return _resolved(text, base_url)


def image_url(text: str, base_url: str | None) -> str | Unfit:
    """Relative without a base URL is fine; `//` means https, whatever the base."""
    if text.startswith("//"):
        return url("https:" + text, None)
    if (
        len(text) <= MOST_URL_CHARACTERS
        and base_url is None
        and not _SCHEME.match(text)
        and not _NEVER_IN_A_URL.search(text)
    ):
        return text
    return url(text, base_url)


def host(absolute_url: str) -> str | None:
    """The host of an http(s) URL in lower case; None where the text is no such URL."""
    ordinary = _ORDINARY_URL.fullmatch(absolute_url)
    if ordinary:
        return ordinary.group(1)
    if _NEVER_IN_A_URL.search(absolute_url):
        return None
    try:
        parts = urlsplit(absolute_url)
        found, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not found or _NEVER_IN_A_HOST.search(parts.netloc):
        return None
    return found if len(found) <= MOST_HOST_CHARACTERS and found.strip(".-") else None


def _resolved(text: str, base_url: str) -> str | Unfit:
    try:
        joined = urljoin(base_url, text)
    except ValueError:
        return _no_url(text)
    if len(joined) > MOST_URL_CHARACTERS:
        return _too_long(MOST_URL_CHARACTERS)
    return joined if host(joined) is not None else _no_url(text)


def _no_url(text: str) -> Unfit:
    return Unfit(
        f"is {_quoted(text)}, which is no http(s) URL", "Write one that begins with https:// and a host."
    )


def _too_long(most_characters: int) -> Unfit:
    return Unfit(f"has more than {most_characters:,} characters", "Shorten it.")


def json_value(tree: Any) -> Any:
    """As JSON: booleans and numbers as YAML 1.2's core schema reads plain scalars, all else text."""
    if isinstance(tree, dict):
        return {key: json_value(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [json_value(value) for value in tree]
    if isinstance(tree, Plain):
        return _core_value(tree)
    return tree.strip() if isinstance(tree, str) else tree


def as_written(tree: Any) -> Any:
    """As JSON that can be written again as it stood: `false` is false, but `1.10` is a text, not 1.1."""
    if isinstance(tree, dict):
        return {key: as_written(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [as_written(value) for value in tree]
    if isinstance(tree, Plain):
        value = _core_value(tree)
        return value if str(value).lower() == tree.lower() else str(tree)
    return tree


def _core_value(plain: Plain) -> bool | int | float | str:
    text = str(plain)
    if text in _CORE_BOOLEANS:
        return _CORE_BOOLEANS[text]
    if len(text) > MOST_NUMBER_CHARACTERS:
        return text
    for pattern, base in _CORE_INTEGERS:
        if pattern.fullmatch(text):
            whole = int(text, base)
            return whole if abs(whole) <= GREATEST_EXACT_INTEGER else text
    if _CORE_FLOAT.fullmatch(text) and isfinite(float(text)):
        return float(text)
    return text


def _quoted(text: str) -> str:
    return f'"{shown(text)}"'
