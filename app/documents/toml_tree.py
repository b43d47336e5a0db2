"""TOML text -> text, None, lists and mappings, within the limits of YAML. Knows no key of ours."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import Any, Final

from app.documents.plain_values import PlainValues
from app.documents.problems import KeyPath
from app.documents.yaml_tree import MAX_DEPTH, MAX_NODES, PlainScalar, SyntaxProblem

# Texts in quotes or after # have no structure.
_NO_STRUCTURE: Final = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:"{3,5})?'
    r"|'''(?:[^']++|'(?!''))*+(?:'{3,5})?"
    r'|"(?:[^"\\\n]++|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
_STRUCTURE: Final = "=,[{."
# tomllib calls itself for each bracket, and copies a dotted key for each of its dots.
_DOTTED_DEEP: Final = re.compile(rf"(?:\.[^.=,\[\]{{}}\n]*+){{{MAX_DEPTH}}}")
# tomllib takes 150 bytes of memory for each digit.
_LONG_NUMBER: Final = re.compile(r"(?<![0-9_])[0-9_]{1000}")
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_KEY: Final = r"""(?:"[^"\n]*+"|'[^'\n]*+'|[A-Za-z0-9_-]+)"""
_DOTTED_KEY: Final = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*+"
_HEADER: Final = re.compile(rf"[ \t]*\[\[?[ \t]*({_DOTTED_KEY})[ \t]*\]")
_ASSIGNMENT: Final = re.compile(rf"[ \t]*({_DOTTED_KEY})[ \t]*=")
_KEY_PART: Final = re.compile(_KEY)


@dataclass(frozen=True)
class TomlTree:
    """`value` is what `text` says, its scalars as the texts that YAML would have had."""

    value: Any
    text: str

    def position(self, key_path: KeyPath) -> tuple[int, int] | None:
        """Line and column, from 1, of the key, or of the innermost one above it that stands on a line."""
        names = tuple(part for part in key_path if isinstance(part, str))
        lengths = range(len(names), 0, -1)
        return next((self._positions[names[:n]] for n in lengths if names[:n] in self._positions), None)

    @cached_property
    def _positions(self) -> dict[tuple[str, ...], tuple[int, int]]:
        """Positions by the names of tables and keys; the first element of an array of tables counts."""
        positions: dict[tuple[str, ...], tuple[int, int]] = {}
        table: tuple[str, ...] = ()
        blanked = _NO_STRUCTURE.sub(_blanked, self.text)
        lines = zip(self.text.split("\n"), blanked.split("\n"), strict=True)
        for number, (line, structure) in enumerate(lines, start=1):
            # A line within a text of several lines is blank, whatever it looks like.
            header = _HEADER.match(line) if structure.lstrip().startswith("[") else None
            match = header or (_ASSIGNMENT.match(line) if "=" in structure else None)
            if match is None:
                continue
            key = tuple(part.strip("\"'") for part in _KEY_PART.findall(match[1]))
            if header:
                table = key
            positions.setdefault(key if header else table + key, (number, match.start(1) + 1))
        return positions


def read_toml(text: str) -> TomlTree | SyntaxProblem:
    structure = _NO_STRUCTURE.sub("", text)
    if sum(map(structure.count, _STRUCTURE)) >= MAX_NODES:
        return SyntaxProblem(1, 1, f"has {MAX_NODES:,} values or more", "Split the document.")
    if _is_deep(structure) or _DOTTED_DEEP.search(structure):
        return SyntaxProblem(1, 1, f"nests {MAX_DEPTH} deep or more", "Use fewer levels.")
    if _LONG_NUMBER.search(structure):
        return SyntaxProblem(1, 1, "has a number of 1,000 digits", "Write it in quotes, as a text.")
    try:
        document = tomllib.loads(text, parse_float=PlainScalar)
    # Python refuses whole numbers of over 4,300 digits with a ValueError of its own.
    except ValueError as error:
        return _not_toml(str(error), text)
    tree = TomlTree(None, text)
    value = PlainValues(_as_text, tree.position).build(document)
    return value if isinstance(value, SyntaxProblem) else TomlTree(value, text)


def _is_deep(structure: str) -> bool:
    """True where brackets nest too deep; a bracket of a table's header closes on its line."""
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", structure):
        depth += 1 if bracket.group() in "[{" else -1
        if depth >= MAX_DEPTH:
            return True
    return False


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return PlainScalar("true" if value else "false")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value if isinstance(value, str) else PlainScalar(value)


def _blanked(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _not_toml(message: str, text: str) -> SyntaxProblem:
    place = _PLACE.search(message)
    end = text.rstrip().count("\n") + 1
    line, column = (int(place[1]), int(place[2])) if place and place[1] else (end, 1)
    reason = _PLACE.sub("", message)
    return SyntaxProblem(
        line,
        column,
        f"is not TOML: {reason[:1].lower()}{reason[1:]}",
        'Correct this line or one before it; a text needs quotes, as in title = "A title".',
    )
