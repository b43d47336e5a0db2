"""Values -> YAML text that every YAML reader reads back as those values. Knows no key."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

# What needs no quotes: words without a sign in them that could mean anything, URLs, dates.
_PLAIN: Final = re.compile(
    r"[A-Za-z\u00c0-\u024f][\w /.,()+-]*(?<! )"
    r"|https?://[!-~]*[\w/]"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?"
)
# Words that some version of YAML reads as something else than a text.
_NO_TEXT: Final = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
# As a block that reads as it stands: no line is indented by itself or ends in white space.
_LINE: Final = r"[^\s\ufeff][^\n\t\u2028\u2029\ufeff]*(?<!\s)"
_BLOCK: Final = re.compile(rf"(?:{_LINE}\n+)+{_LINE}")
# A longer key must be announced; YAML's own limit is 1,024.
_MAX_KEY_CHARACTERS: Final = 1_000
# JSON is YAML, but for what YAML 1.1 takes for a line end or a byte order mark.
_NOT_AS_IN_JSON: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


def yaml_text(mapping: dict[str, Any]) -> str:
    """Keys in their order; texts, whole and other numbers, booleans, None, lists and mappings as values."""
    return "".join(line + "\n" for line in _mapping(mapping, ""))


def _mapping(mapping: dict[str, Any], indent: str) -> Iterator[str]:
    for key, value in mapping.items():
        name = _text(key)
        opening = f"{name}:" if len(name) <= _MAX_KEY_CHARACTERS else f"? {name}\n{indent}:"
        yield from _after(indent + opening, value, indent)


def _list(values: list[Any], indent: str) -> Iterator[str]:
    for value in values:
        if isinstance(value, dict) and value:
            # The first key stands beside the dash, where a mapping's own indentation begins.
            first, *others = _mapping(value, indent + "  ")
            yield f"{indent}- {first.lstrip(' ')}"
            yield from others
        else:
            yield from _after(f"{indent}-", value, indent)


def _after(opening: str, value: Any, indent: str) -> Iterator[str]:
    match value:
        case dict() if value:
            yield opening
            yield from _mapping(value, indent + "  ")
        case list() | tuple() if value:
            yield opening
            yield from _list(list(value), indent + "  ")
        case str() if _BLOCK.fullmatch(value):
            yield f"{opening} |-"
            yield from (f"{indent}  {line}" if line else "" for line in value.split("\n"))
        case _:
            yield f"{opening} {_scalar(value)}"


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            return _text(value)
        case dict():
            return "{}"
        case _:
            return "[]"


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXT and "  " not in text:
        return text
    written = json.dumps(text, ensure_ascii=False)
    return _NOT_AS_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
