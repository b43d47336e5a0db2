"""A clause of a query: any of these, none of these, has one, has none. Knows no field and no table."""

import re
from dataclasses import dataclass
from typing import Final

# Someone who asks for more than this wants a file of everything.
MAX_VALUES: Final = 50

_QUOTED: Final = re.compile(r'\s*"((?:[^"]|"")*)"\s*(,|$)')
_PLAIN: Final = re.compile(r"([^,]*)(,|$)")
_NEEDS_QUOTES: Final = re.compile(r'[,"]|^[-*\s]|\s$')


@dataclass(frozen=True, slots=True)
class Clause:
    """Matches articles with any of the values, or with anything at all; `none_of` turns it round.

    str(clause) is its text in a query, and reads back as an equal clause.
    """

    values: tuple[str, ...]
    anything: bool
    none_of: bool

    def __str__(self) -> str:
        values = ["*"] if self.anything else [_quoted(value) for value in self.values]
        return ("-" if self.none_of else "") + ",".join(values)


def read_clause(text: str | Clause) -> Clause:
    """`a,b`, `-a`, `*`, `-*`, `"Rock, Paper, Shotgun"`, `""` for a quote within. Raises ValueError."""
    if isinstance(text, Clause):
        return text
    none_of = text.startswith("-")
    rest = text[1:] if none_of else text
    values: list[str] = []
    anything = False
    place, more = 0, ","
    while more:
        value, is_quoted, place, more = _next_value(rest, place)
        if not value.strip():
            raise ValueError("must not have an empty value; write * for anything, -* for nothing at all")
        if value == "*" and not is_quoted:
            anything = True
        else:
            values.append(value)
        if len(values) > MAX_VALUES:
            raise ValueError(f"must not have more than {MAX_VALUES} values")
    return Clause(() if anything else tuple(dict.fromkeys(values)), anything, none_of)


def _next_value(text: str, place: int) -> tuple[str, bool, int, str]:
    """The value, whether it was quoted, where the next one begins, and the comma if there is one."""
    if quoted := _QUOTED.match(text, place):
        return quoted[1].replace('""', '"'), True, quoted.end(), quoted[2]
    plain = _PLAIN.match(text, place)
    if not plain or plain[1].lstrip().startswith('"'):
        raise ValueError('has a quotation mark that is not closed; write "" for one within a quoted value')
    return plain[1].strip(), False, plain.end(), plain[2]


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if _NEEDS_QUOTES.search(value) else value
