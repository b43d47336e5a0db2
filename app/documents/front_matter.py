"""A file's bytes -> its YAML and its body. Knows where the front matter ends, and not what it says."""

import re
from dataclasses import dataclass
from typing import Final

from app.documents.yaml_tree import NOT_TEXT, Flaw, named

# The largest real file has 143 kB; this bounds what one file may ask of memory.
MOST_FILE_BYTES: Final = 8_000_000
# A million values take libyaml 2.4 s.
MOST_FRONT_MATTER_BYTES: Final = 2_000_000

_OPENING: Final = re.compile(r"---[ \t]*(?:\n|\Z)")
_CLOSING: Final = re.compile(r"\n---[ \t]*(?:\n|\Z)")
_BYTE_ORDER_MARKS_AND_NUL: Final = b"\xef\xbb\xbf\xff\xfe\x00"
_CONTROLS: Final = bytes(byte for byte in range(0x20) if byte not in b"\t\n\r") + b"\x7f"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """`yaml` begins after line `lines_before` of the file; line ends are LF."""

    yaml: str
    body: str
    lines_before: int


def split(content: bytes) -> FrontMatter | Flaw | None:
    """None for what has no front matter, whatever its encoding."""
    if not content[:16].translate(None, _BYTE_ORDER_MARKS_AND_NUL).startswith(b"---"):
        return None
    text = _decoded(content)
    if isinstance(text, Flaw):
        return text
    opening = _OPENING.match(text)
    if opening is None:
        return None
    closing = _CLOSING.search(text, opening.end() - 1)
    if closing is None:
        return Flaw(1, 1, "opens its front matter and never closes it", "Add a line --- after the last key.")
    return _limited(text[opening.end() : closing.start() + 1], text[closing.end() :], lines_before=1)


def all_front_matter(content: bytes) -> FrontMatter | Flaw:
    """For YAML files: there is no body."""
    text = _decoded(content)
    return text if isinstance(text, Flaw) else _limited(text, "", lines_before=0)


def _limited(yaml: str, body: str, lines_before: int) -> FrontMatter | Flaw:
    # A character takes four bytes at most, so the small ones, nearly all, need not be encoded to be measured.
    if 4 * len(yaml) > MOST_FRONT_MATTER_BYTES and len(yaml.encode()) > MOST_FRONT_MATTER_BYTES:
        megabytes = MOST_FRONT_MATTER_BYTES // 1_000_000
        reason = f"has more than {megabytes} MB of front matter"
        return Flaw(1, 1, reason, "Split it, or move long texts to the body.")
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
