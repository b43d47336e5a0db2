"""A file's bytes -> its front matter and its body. Knows where the first ends, and not what it says."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from app.documents.yaml_tree import MAX_DEPTH, MAX_NODES, NOT_TEXT, SyntaxProblem, character_name

# The largest real file has 143 kB. The limit bounds the memory that one file can take.
MAX_FILE_BYTES: Final = 8_000_000
# libyaml needs 2.4 s for a million values, the most that fit into 2 MB.
MAX_FRONT_MATTER_BYTES: Final = 2_000_000

Syntax = Literal["YAML", "TOML", "JSON"]

# The pattern is tried before decoding and fits every encoding: byte order marks, blank lines, then dashes,
# plus signs or a brace, with the NULs of UTF-16 and UTF-32 among them.
_POSSIBLE_OPENING: Final = re.compile(
    rb"[\xef\xbb\xbf\xff\xfe\x00 \t\r\n]*+"
    rb'(?:-\x00{0,3}-\x00{0,3}-|\+\x00{0,3}\+\x00{0,3}\+|\{[\x00 \t\r\n]*+["}])'
)
_OPENING: Final = re.compile(r"(?:[ \t]*+\n)*+(---|\+\+\+)[ \t]*(?:\n|\Z)")
_CLOSINGS: Final[dict[str, re.Pattern[str]]] = {
    "---": re.compile(r"\n---[ \t]*(?:\n|\Z)"),
    "+++": re.compile(r"\n\+\+\+[ \t]*(?:\n|\Z)"),
}
_SYNTAX_OF_FENCE: Final[dict[str, Syntax]] = {"---": "YAML", "+++": "TOML"}
# Templates begin with `{%` and `{{`; a JSON object has a text in quotes after its brace, or nothing.
_JSON_OPENING: Final = re.compile(r'[ \t\n]*+\{(?=\s*+["}])')
# A text that is never closed goes to the end: a pattern that failed there would begin again at each quote.
_JSON_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[{}\[\],]', re.DOTALL)
# Git, Mercurial and Jujutsu begin a conflict with it. No YAML has it at the beginning of a line, but for a
# text in quotes that was in conflict itself.
_MERGE_MARK: Final = "<<<<<<< "
_MERGE_MARK_LINE: Final = re.compile(f"^{_MERGE_MARK}", re.MULTILINE)
_MERGE_MARK_FIRST: Final = re.compile(rb"[\xef\xbb\xbf \t\r\n]*+" + _MERGE_MARK.encode())
_ANY_FENCE: Final = re.compile(rb"^(?:---|\+\+\+|\{)[ \t]*\r?$", re.MULTILINE)
_CONTROLS: Final = bytes(byte for byte in range(0x20) if byte not in b"\t\n\r") + b"\x7f"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """`text` begins after line `lines_before` of the file; line ends are LF.

    `left_out` is a warning where the body lost characters that are no text.
    """

    text: str
    body: str
    lines_before: int
    syntax: Syntax = "YAML"
    left_out: SyntaxProblem | None = None


@dataclass(frozen=True, slots=True)
class _Decoded:
    """`may_hold_controls` is False only for a text that holds no character that is not text."""

    text: str
    may_hold_controls: bool


def split(content: bytes) -> FrontMatter | SyntaxProblem | None:
    """None for a file without front matter, whatever its encoding."""
    if _POSSIBLE_OPENING.match(content) is None:
        return _unresolved_conflict(content)
    decoded = _decoded(content)
    if isinstance(decoded, SyntaxProblem):
        return decoded
    text = decoded.text
    opening = _OPENING.match(text)
    if opening is None:
        return _split_json(decoded)
    fence = opening[1]
    opening_line = text.count("\n", 0, opening.end() - 1) + 1
    closing = _CLOSINGS[fence].search(text, opening.end() - 1)
    if closing is None:
        return _never_closed(opening_line, f"Add a line {fence} after the last key.")
    return _front_matter(
        decoded, opening.end(), closing.start() + 1, closing.end(), opening_line, _SYNTAX_OF_FENCE[fence]
    )


def all_front_matter(content: bytes) -> FrontMatter | SyntaxProblem:
    """The whole of a YAML file, which has no body."""
    decoded = _decoded(content)
    if isinstance(decoded, SyntaxProblem):
        return decoded
    end = len(decoded.text)
    return _front_matter(decoded, 0, end, end, lines_before=0, syntax="YAML")


def _split_json(decoded: _Decoded) -> FrontMatter | SyntaxProblem | None:
    """The object ends where its brackets close; whether it is JSON is not asked here."""
    text = decoded.text
    opening = _JSON_OPENING.match(text)
    if opening is None:
        return None
    start = opening.end() - 1
    lines_before = text.count("\n", 0, start)
    depth = values = 0
    for token in _JSON_TOKEN.finditer(text, start):
        mark = token.group()
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
        # Each value but the first of its list or mapping has a comma before it.
        values += mark in "{[,"
        if depth >= MAX_DEPTH or values >= MAX_NODES:
            nests = f"nests {MAX_DEPTH} deep or more"
            reason = nests if depth >= MAX_DEPTH else f"has {MAX_NODES:,} values or more"
            place = _place_of(text, token.start())
            return SyntaxProblem(*place, reason, "Use fewer levels, or split the document.")
        if depth == 0:
            return _front_matter(decoded, start, token.end(), token.end(), lines_before, "JSON")
    return _never_closed(lines_before + 1, "Close its braces and quotes.")


def _never_closed(line: int, advice: str) -> SyntaxProblem:
    return SyntaxProblem(line, 1, "opens its front matter and never closes it", advice)


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


def _front_matter(
    decoded: _Decoded, start: int, end: int, body_start: int, lines_before: int, syntax: Syntax
) -> FrontMatter | SyntaxProblem:
    text, body, left_out = decoded.text[start:end], decoded.text[body_start:], None
    # A character has four bytes at most, so nearly all texts are known to be small without encoding them.
    if 4 * len(text) > MAX_FRONT_MATTER_BYTES and len(text.encode()) > MAX_FRONT_MATTER_BYTES:
        megabytes = MAX_FRONT_MATTER_BYTES // 1_000_000
        reason = f"has more than {megabytes} MB of front matter"
        return SyntaxProblem(1, 1, reason, "Split it, or move long texts to the body.")
    if _MERGE_MARK in text and (mark := _MERGE_MARK_LINE.search(text)):
        return _merge_marks_at(lines_before + text.count("\n", 0, mark.start()) + 1)
    if decoded.may_hold_controls:
        control = NOT_TEXT.search(decoded.text, start, end)
        if control:
            reason = f"holds {character_name(control.group())}, which is not text"
            return SyntaxProblem(*_place_of(decoded.text, control.start()), reason, "Remove the character.")
        control = NOT_TEXT.search(decoded.text, body_start)
        if control:
            body, count = NOT_TEXT.subn("", body)
            reason = f"holds {character_name(control.group())} in its body, which is not text"
            more = f" (and {count - 1:,} more like it)" if count > 1 else ""
            place = _place_of(decoded.text, control.start())
            left_out = SyntaxProblem(*place, reason + more, "Remove the character; it is left out.")
    return FrontMatter(text, body, lines_before, syntax, left_out)


def _decoded(content: bytes) -> _Decoded | SyntaxProblem:
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
    may_hold_controls = may_hold_wide_ones or len(content.translate(None, _CONTROLS)) != len(content)
    return _Decoded(_with_line_feeds(text), may_hold_controls)


def _place_of(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 1."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
