"""An entry of an export as it stands there, and why an entry or a file is of no use. Knows no format."""

from dataclasses import dataclass
from typing import Any, Final

from app.errors import ClippingsError

# A document's body may have 8 MB. The limit bounds what one entry takes in memory, whatever the file holds.
MAX_ENTRY_CHARACTERS: Final = 8_000_000
# Real exports nest folders and elements a dozen deep.
MAX_DEPTH: Final = 100
# XML and HTML are read so many bytes at a time.
CHUNK: Final = 65_536


class PlainText(str):
    """A text that is not HTML: `<p>` in it is the name of an element, and `&amp;` is five characters."""

    __slots__ = ()


class HtmlText(str):
    """A text that is HTML, whatever it looks like."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class EntryPosition:
    """Where an entry begins: its line, or its number from 1 where the format is read without lines."""

    line: int | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class ExportEntry:
    """`fields` has the export's own names. Values are texts, numbers, booleans, lists and mappings."""

    place: EntryPosition
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unusable:
    """An entry that is no link; the others go on. What is only `skipped` was not meant to be one."""

    place: EntryPosition
    reason: str
    advice: str
    is_skipped: bool = False


class ConversionFailed(ClippingsError):
    """A file cannot be read as an export, or a document cannot be written."""


def at_line(line: int, reason: str) -> ConversionFailed:
    return ConversionFailed(f"line {line}: {reason}")
