"""A clause of a query: any of these, none of these, has one, has none. Knows no field and no table."""

import re
from dataclasses import dataclass
from typing import Final

# Whoever asks for more than this wants a file of everything.
MAX_VALUES: Final = 50

_QUOTED: Final = re.compile(r'\s*"((?:[^"]|"")*)"\s*(,|$)')
_PLAIN: Final = re.compile(r"([^,]*)(,|$)")
_NEEDS_QUOTES: Final = re.compile(r'[,"]|^[-*\s]|\s$')


@dataclass(frozen=True, slots=True)
class Clause:
    """Matches what has any of the values, or anything at all; `none_of` turns it round.

    str(clause) is how it is written in a query, and reads back as an equal clause.
    """

    values: tuple[str, ...]
    anything: bool
    none_of: bool

    def __str__(self) -> str:
        written = ["*"] if self.anything else []
        written += [_written(value) for value in self.values]
        return ("-" if self.none_of else "") + ",".join(written)


def read_clause(text: str) -> Clause:
    """`a,b`, `-a`, `*`, `-*`, `"Rock, Paper, Shotgun"`, `""` for a quote within. Raises ValueError."""
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
    if found := _QUOTED.match(text, place):
        return found[1].replace('""', '"'), True, found.end(), found[2]
    found = _PLAIN.match(text, place)
    if not found or found[1].lstrip().startswith('"'):
        raise ValueError('has a quotation mark that is not closed; write "" for one within a quoted value')
    return found[1].strip(), False, found.end(), found[2]


def _written(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if _NEEDS_QUOTES.search(value) else value
