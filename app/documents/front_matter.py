"""A file's bytes -> its YAML and its body. Knows where the front matter ends, and not what it says."""

import re
from dataclasses import dataclass
from typing import Final

from app.documents.yaml_tree import NOT_TEXT, Flaw, named

# The largest real file has 143 kB; this bounds what one file may ask of memory.
MOST_FILE_BYTES: Final = 8_000_000
# A million values take libyaml 2.4 s.
MOST_FRONT_MATTER_BYTES: Final = 2_000_000

# Before the decoding, in any encoding: byte order marks, blank lines, then the dashes, with
# the NULs of UTF-16 and UTF-32 among them.
_MAY_OPEN: Final = re.compile(rb"[\xef\xbb\xbf\xff\xfe\x00 \t\r\n]*+-\x00{0,3}-\x00{0,3}-")
_OPENING: Final = re.compile(r"(?:[ \t]*+\n)*+---[ \t]*(?:\n|\Z)")
_CLOSING: Final = re.compile(r"\n---[ \t]*(?:\n|\Z)")
# What git, Mercurial and Jujutsu begin a conflict with. No YAML has it at the beginning of a line, but for a
# text in quotes that was in conflict itself.
_MERGE_MARK: Final = "<<<<<<< "
_MERGE_MARKED: Final = re.compile(f"^{_MERGE_MARK}", re.MULTILINE)
_MERGE_MARK_OPENS: Final = re.compile(rb"[\xef\xbb\xbf \t\r\n]*+" + _MERGE_MARK.encode())
_ANY_FENCE: Final = re.compile(rb"^---[ \t]*\r?$", re.MULTILINE)
_CONTROLS: Final = bytes(byte for byte in range(0x20) if byte not in b"\t\n\r") + b"\x7f"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """`yaml` begins after line `lines_before` of the file; line ends are LF."""

    yaml: str
    body: str
    lines_before: int


def split(content: bytes) -> FrontMatter | Flaw | None:
    """None for what has no front matter, whatever its encoding."""
    if _MAY_OPEN.match(content) is None:
        return _merge_marks_first(content)
    text = _decoded(content)
    if isinstance(text, Flaw):
        return text
    opening = _OPENING.match(text)
    if opening is None:
        return None
    opened_in = text.count("\n", 0, opening.end() - 1) + 1
    closing = _CLOSING.search(text, opening.end() - 1)
    if closing is None:
        reason, advice = "opens its front matter and never closes it", "Add a line --- after the last key."
        return Flaw(opened_in, 1, reason, advice)
    return _checked(text[opening.end() : closing.start() + 1], text[closing.end() :], opened_in)


def all_front_matter(content: bytes) -> FrontMatter | Flaw:
    """For YAML files: there is no body."""
    text = _decoded(content)
    return text if isinstance(text, Flaw) else _checked(text, "", lines_before=0)


def _merge_marks_first(content: bytes) -> Flaw | None:
    """Both sides of a conflict may hold the whole front matter, and then the marks stand before it."""
    found = _MERGE_MARK_OPENS.match(content)
    if found is None or _ANY_FENCE.search(content, found.end()) is None:
        return None
    before = content[: found.end()].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _merge_marked(before.count(b"\n") + 1)


def _merge_marked(line: int) -> Flaw:
    return Flaw(line, 1, "holds merge marks (<<<<<<<)", "Resolve the conflict, and remove the marks.")


def _checked(yaml: str, body: str, lines_before: int) -> FrontMatter | Flaw:
    # A character takes four bytes at most, so the small ones, nearly all, need not be encoded to be measured.
    if 4 * len(yaml) > MOST_FRONT_MATTER_BYTES and len(yaml.encode()) > MOST_FRONT_MATTER_BYTES:
        megabytes = MOST_FRONT_MATTER_BYTES // 1_000_000
        reason = f"has more than {megabytes} MB of front matter"
        return Flaw(1, 1, reason, "Split it, or move long texts to the body.")
    if _MERGE_MARK in yaml and (found := _MERGE_MARKED.search(yaml)):
        return _merge_marked(lines_before + yaml.count("\n", 0, found.start()) + 1)
    return FrontMatter(yaml, body, lines_before)


def _decoded(content: bytes) -> str | Flaw:
    if len(content) > MOST_FILE_BYTES:
        return Flaw(None, None, f"has more than {MOST_FILE_BYTES // 1_000_000} MB", "Split it.")
    # In UTF-16 and UTF-32 the dashes of the first line stand among NULs.
    if b"\x00" in content[:16]:
        return Flaw(None, None, "is UTF-16 or UTF-32, not UTF-8", "Save it as UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Flaw(line, None, "is not UTF-8", "Save it as UTF-8.")
    # Bytes tell quickly that there are none, as nearly always; others begin with \xc2 or \xef\xbf.
    may_hold_others = b"\xc2" in content or b"\xef\xbf" in content
    if may_hold_others or len(content.translate(None, _CONTROLS)) != len(content):
        found = NOT_TEXT.search(text)
        if found:
            return _not_text(text, found.start())
    return _with_line_feeds(text)


def _not_text(text: str, at: int) -> Flaw:
    before = _with_line_feeds(text[:at])
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return Flaw(line, column, f"holds {named(text[at])}, which is not text", "Remove the character.")


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
