"""Values -> YAML text that every YAML reader reads back as those values. Knows no key."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

# These texts need no quotes: words without a character that YAML could take for a sign, URLs, dates.
_PLAIN: Final = re.compile(
    r"[A-Za-z\u00c0-\u024f][\w /.,()+-]*(?<! )"
    r"|https?://[!-~]*[\w/]"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?"
)
# Some version of YAML reads these words as something other than a text.
_OTHER_SCALARS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
# A text can be a block if no line begins or ends with white space: a block keeps its lines as they stand.
_LINE: Final = r"[^\s\ufeff][^\n\t\u2028\u2029\ufeff]*(?<!\s)"
_BLOCK: Final = re.compile(rf"(?:{_LINE}\n+)+{_LINE}")
# YAML wants `? ` before a key of more than 1,024 characters.
_MAX_KEY_CHARACTERS: Final = 1_000
# A JSON text is a YAML text, but for the characters that YAML 1.1 takes for line ends or byte order marks.
_NOT_AS_IN_JSON: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


def yaml_text(mapping: dict[str, Any]) -> str:
    """The mapping's keys in their order. Values may be texts, numbers, booleans, None, lists and mappings."""
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
    if _PLAIN.fullmatch(text) and text.lower() not in _OTHER_SCALARS and "  " not in text:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _NOT_AS_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)
