"""What an article without a title is called: its body's first heading, or its file. Knows no front matter."""

import re
from pathlib import PurePosixPath
from typing import Final

# Lines are looked at one by one: eight million empty ones take 3 s.
MAX_CHARACTERS_BEFORE: Final = 1_000_000

_LINE: Final = re.compile(r"(?:^|(?<=\n))[^\n]*")
_FENCE: Final = re.compile(r" {0,3}(```|~~~)")
_HEADING: Final = re.compile(r" {0,3}#[ \t]")
_UNDERLINE: Final = re.compile(r" {0,3}=+[ \t]*")
_LEADING_DATE: Final = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[-_ ]*")


def body_title(body: str) -> str | None:
    """The text of the first heading of level 1, `# Heading` or underlined with `===`, as it is written.

    A heading after MAX_CHARACTERS_BEFORE is the title of a part, not of the whole.
    """
    fence: str | None = None
    line_before = ""
    # One line after the other: a list of them takes 200 MB, if a body of 8 MB has hardly anything else.
    for match in _LINE.finditer(body, 0, MAX_CHARACTERS_BEFORE):
        line = match.group()
        mark = _FENCE.match(line)
        if fence is not None:
            fence = None if mark and mark[1] == fence else fence
        elif mark:
            fence = mark[1]
        elif _HEADING.match(line) and (heading := _heading_text(line)):
            return heading
        elif line_before and _UNDERLINE.fullmatch(line):
            return line_before
        line_before = "" if fence is not None or mark else line.strip()
    return None


def _heading_text(line: str) -> str:
    """`# C# by example ##` -> `C# by example`."""
    text = line.strip()[1:].strip()
    without_end = text.rstrip("#")
    return without_end.rstrip() if not without_end or without_end[-1] in " \t" else text


def name_without_date(path: str) -> str:
    """`posts/2024-03-01-a-link.md` -> `a-link`."""
    name = PurePosixPath(path).stem
    return _LEADING_DATE.sub("", name, count=1) or name
