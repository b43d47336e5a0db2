"""Which paths of a tree its `ignore` patterns name, by the rules of gitignore(5). Knows no file system."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

# Each file is compared with each pattern, so a thousand of them would double the time of listing a tree.
MAX_PATTERNS: Final = 1_000

# Two stars or more between slashes.
_ANY_FOLDERS: Final = re.compile(r"\*\*+")
# A star of a segment matches as little as it can and never gives back: `*a*a*a*b` stays linear.
_STARS: Final = re.compile(r"\*+")
_TRAILING_SPACES: Final = re.compile(r"(?<!\\) +\Z")
_CLASSES: Final = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "lower": "a-z",
    "space": r"\s",
    "upper": "A-Z",
}


@dataclass(frozen=True, slots=True)
class _Pattern:
    """`segments` are what stands between the slashes; None stands for `**`, any number of folders."""

    segments: tuple[re.Pattern[str] | None, ...]
    is_negated: bool
    is_for_folders: bool

    def fits(self, names: Sequence[str]) -> bool:
        # These are the places in the pattern that the names so far may have brought us to.
        places = _with_skipped_folders({0}, self.segments)
        for name in names:
            places = {
                place if segment is None else place + 1
                for place in places
                if place < len(self.segments)
                and ((segment := self.segments[place]) is None or segment.fullmatch(name))
            }
            places = _with_skipped_folders(places, self.segments)
            if not places:
                return False
        return len(self.segments) in places


@dataclass(frozen=True)
class IgnoreRules:
    """`lines` are those of a .gitignore: the last one that fits decides, `!` takes a path back."""

    lines: tuple[str, ...] = ()

    @cached_property
    def _patterns(self) -> tuple[_Pattern, ...]:
        return tuple(pattern for line in self.lines if (pattern := _pattern(line)))

    def name(self, path: str, *, is_folder: bool) -> bool:
        """Whether they name the path itself. Nobody asks for what lies in a folder that they name."""
        names = path.split("/")
        for pattern in reversed(self._patterns):
            if (is_folder or not pattern.is_for_folders) and pattern.fits(names):
                return not pattern.is_negated
        return False

    def name_any_of(self, path: str) -> bool:
        """Whether they name the file, or a folder that it lies in: nothing takes back what lies there."""
        names = path.split("/")
        folders = ("/".join(names[:depth]) for depth in range(1, len(names)))
        return any(self.name(folder, is_folder=True) for folder in folders) or self.name(
            path, is_folder=False
        )


def _with_skipped_folders(places: set[int], segments: Sequence[re.Pattern[str] | None]) -> set[int]:
    """`**` stands for no folder too, but at the end for all that lies in the folder before it."""
    reached = set(places)
    for place in sorted(places):
        at = place
        while at < len(segments) - 1 and segments[at] is None:
            at += 1
            reached.add(at)
    return reached


def _pattern(line: str) -> _Pattern | None:
    line = _TRAILING_SPACES.sub("", line.rstrip("\r\n"))
    if not line or line.startswith("#"):
        return None
    is_negated = line.startswith("!")
    line = line[1:] if is_negated else line
    is_for_folders = line.endswith("/")
    line = line.removesuffix("/")
    if not line:
        return None
    # A slash at the beginning or in the middle counts from the root; a name alone fits at any depth.
    parts = line.removeprefix("/").split("/") if "/" in line else ["**", line]
    segments = tuple(None if _ANY_FOLDERS.fullmatch(part) else _segment(part) for part in parts)
    # `folder/**` fits what lies in the folder, at least one name.
    if segments[-1] is None:
        segments = (*segments, _segment("*"))
    return _Pattern(segments, is_negated, is_for_folders)


def _segment(glob: str) -> re.Pattern[str]:
    chunks = [_chunk(chunk) for chunk in _split_at_stars(glob)]
    first, *others = chunks
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    return re.compile(first + "".join(f"(?>.*?{chunk})" for chunk in middle) + ".*" + last, re.DOTALL)


def _split_at_stars(glob: str) -> list[str]:
    """The chunks between stars; a star in brackets or after a backslash is none."""
    chunks, at = [""], 0
    while at < len(glob):
        if glob[at] == "\\" and at + 1 < len(glob):
            piece = glob[at : at + 2]
        elif glob[at] == "[" and (end := _end_of_brackets(glob, at)):
            piece = glob[at:end]
        elif stars := _STARS.match(glob, at):
            chunks.append("")
            at = stars.end()
            continue
        else:
            piece = glob[at]
        chunks[-1] += piece
        at += len(piece)
    return chunks


def _end_of_brackets(glob: str, at: int) -> int | None:
    """The place after `]`; one that comes first stands for itself. None where nothing closes the bracket."""
    begin = at + 1 + (glob[at + 1 : at + 2] in ("!", "^"))
    place = begin
    while place < len(glob):
        if glob[place] == "\\":
            place += 2
        elif glob.startswith("[:", place) and (end := glob.find(":]", place)) > 0:
            place = end + 2
        elif glob[place] == "]" and place > begin:
            return place + 1
        else:
            place += 1
    return None


def _chunk(chunk: str) -> str:
    """A piece of a name without stars, as a regular expression."""
    expression, at = "", 0
    while at < len(chunk):
        if chunk[at] == "?":
            expression, at = expression + ".", at + 1
        elif chunk[at] == "\\" and at + 1 < len(chunk):
            expression, at = expression + re.escape(chunk[at + 1]), at + 2
        elif chunk[at] == "[" and (end := _end_of_brackets(chunk, at)):
            expression, at = expression + _brackets(chunk[at + 1 : end - 1]), end
        else:
            expression, at = expression + re.escape(chunk[at]), at + 1
    return expression


def _brackets(inside: str) -> str:
    """`[a-z]` as a regular expression; of a range that runs backwards only its beginning fits, as in git."""
    is_negated = inside[0] in "!^"
    characters, at = "", int(is_negated)
    while at < len(inside):
        if inside.startswith("[:", at) and (end := inside.find(":]", at)) > 0:
            characters += _CLASSES.get(inside[at + 2 : end], "")
            at = end + 2
            continue
        first, at = _character(inside, at)
        if at + 1 < len(inside) and inside[at] == "-":
            last, at = _character(inside, at + 1)
            characters += f"{re.escape(first)}-{re.escape(last if first < last else first)}"
        else:
            characters += re.escape(first)
    if not characters:
        return "." if is_negated else "(?!)"
    return f"[{'^' if is_negated else ''}{characters}]"


def _character(inside: str, at: int) -> tuple[str, int]:
    if inside[at] == "\\" and at + 1 < len(inside):
        return inside[at + 1], at + 2
    return inside[at], at + 1
