"""A file's bytes -> its YAML and its body. Knows where the front matter ends, and not what it says."""

import re
from dataclasses import dataclass
from typing import Final

from app.documents.yaml_tree import NOT_TEXT, SyntaxProblem, character_name

# The largest real file has 143 kB. The limit bounds the memory that one file can take.
MAX_FILE_BYTES: Final = 8_000_000
# libyaml needs 2.4 s for a million values, the most that fit into 2 MB.
MAX_FRONT_MATTER_BYTES: Final = 2_000_000

# The pattern is tried before decoding and fits every encoding: byte order marks, blank lines, then the
# dashes, with the NULs of UTF-16 and UTF-32 among them.
_POSSIBLE_OPENING: Final = re.compile(rb"[\xef\xbb\xbf\xff\xfe\x00 \t\r\n]*+-\x00{0,3}-\x00{0,3}-")
_OPENING: Final = re.compile(r"(?:[ \t]*+\n)*+---[ \t]*(?:\n|\Z)")
_CLOSING: Final = re.compile(r"\n---[ \t]*(?:\n|\Z)")
# Git, Mercurial and Jujutsu begin a conflict with it. No YAML has it at the beginning of a line, but for a
# text in quotes that was in conflict itself.
_MERGE_MARK: Final = "<<<<<<< "
_MERGE_MARK_LINE: Final = re.compile(f"^{_MERGE_MARK}", re.MULTILINE)
_MERGE_MARK_FIRST: Final = re.compile(rb"[\xef\xbb\xbf \t\r\n]*+" + _MERGE_MARK.encode())
_ANY_FENCE: Final = re.compile(rb"^---[ \t]*\r?$", re.MULTILINE)
_CONTROLS: Final = bytes(byte for byte in range(0x20) if byte not in b"\t\n\r") + b"\x7f"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """`yaml` begins after line `lines_before` of the file; line ends are LF."""

    yaml: str
    body: str
    lines_before: int


def split(content: bytes) -> FrontMatter | SyntaxProblem | None:
    """None for a file without front matter, whatever its encoding."""
    if _POSSIBLE_OPENING.match(content) is None:
        return _unresolved_conflict(content)
    text = _decoded(content)
    if isinstance(text, SyntaxProblem):
        return text
    opening = _OPENING.match(text)
    if opening is None:
        return None
    opening_line = text.count("\n", 0, opening.end() - 1) + 1
    closing = _CLOSING.search(text, opening.end() - 1)
    if closing is None:
        reason, advice = "opens its front matter and never closes it", "Add a line --- after the last key."
        return SyntaxProblem(opening_line, 1, reason, advice)
    return _front_matter(text[opening.end() : closing.start() + 1], text[closing.end() :], opening_line)


def all_front_matter(content: bytes) -> FrontMatter | SyntaxProblem:
    """The whole of a YAML file, which has no body."""
    text = _decoded(content)
    return text if isinstance(text, SyntaxProblem) else _front_matter(text, "", lines_before=0)


def _unresolved_conflict(content: bytes) -> SyntaxProblem | None:
    """Both sides of a conflict may hold the whole front matter, and then the marks stand before it."""
    mark = _MERGE_MARK_FIRST.match(content)
    if mark is None or _ANY_FENCE.search(content, mark.end()) is None:
        return None
    before = content[: mark.end()].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _merge_marks_at(before.count(b"\n") + 1)


def _merge_marks_at(line: int) -> SyntaxProblem:
    return SyntaxProblem(
        line, 1, "holds merge marks (<<<<<<<)", "Resolve the conflict, and remove the marks."
    )


def _front_matter(yaml: str, body: str, lines_before: int) -> FrontMatter | SyntaxProblem:
    # A character has four bytes at most, so nearly all texts are known to be small without encoding them.
    if 4 * len(yaml) > MAX_FRONT_MATTER_BYTES and len(yaml.encode()) > MAX_FRONT_MATTER_BYTES:
        megabytes = MAX_FRONT_MATTER_BYTES // 1_000_000
        reason = f"has more than {megabytes} MB of front matter"
        return SyntaxProblem(1, 1, reason, "Split it, or move long texts to the body.")
    if _MERGE_MARK in yaml and (mark := _MERGE_MARK_LINE.search(yaml)):
        return _merge_marks_at(lines_before + yaml.count("\n", 0, mark.start()) + 1)
    return FrontMatter(yaml, body, lines_before)


def _decoded(content: bytes) -> str | SyntaxProblem:
    if len(content) > MAX_FILE_BYTES:
        return SyntaxProblem(None, None, f"has more than {MAX_FILE_BYTES // 1_000_000} MB", "Split it.")
    # UTF-16 and UTF-32 write the dashes of the first line with NULs between them.
    if b"\x00" in content[:16]:
        return SyntaxProblem(None, None, "is UTF-16 or UTF-32, not UTF-8", "Save it as UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return SyntaxProblem(line, None, "is not UTF-8", "Save it as UTF-8.")
    # Nearly no file holds such characters, and its bytes tell so quickly: the ones beyond ASCII begin with
    # \xc2 or \xef\xbf in UTF-8.
    may_hold_wide_ones = b"\xc2" in content or b"\xef\xbf" in content
    if may_hold_wide_ones or len(content.translate(None, _CONTROLS)) != len(content):
        match = NOT_TEXT.search(text)
        if match:
            return _not_text(text, match.start())
    return _with_line_feeds(text)


def _not_text(text: str, index: int) -> SyntaxProblem:
    before = _with_line_feeds(text[:index])
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return SyntaxProblem(
        line, column, f"holds {character_name(text[index])}, which is not text", "Remove the character."
    )


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
