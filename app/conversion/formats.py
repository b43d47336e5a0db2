"""Which format an export has, by how it begins, and its entries. Knows no key and no document."""

import re
from collections.abc import Iterator
from typing import IO, Final

from app.conversion.bookmarks import read_bookmarks
from app.conversion.encodings import check_text, encoding_of, text_chunks, text_lines
from app.conversion.entries import ConversionFailed, ExportEntry, Unusable
from app.conversion.feeds import ROOTS, is_json_feed, read_feed, read_json_feed
from app.conversion.outlines import ROOT, read_outline
from app.conversion.rows import load_json, read_csv, read_json
from app.conversion.xml_elements import root_of

# Comments and settings may stand before the first element that says what a file is.
_BEGINNING_BYTES: Final = 4_096
_COMMENTS: Final = re.compile(r"(?:\s|<!--.*?-->)+", re.DOTALL)
_HTML: Final = re.compile(
    r"<!doctype (?:netscape-bookmark|html)|<(?:html|head|title|meta|body|h1|h3|dl|dt|ul|li|a)\b",
    re.IGNORECASE,
)


def read_entries(file: IO[bytes]) -> Iterator[ExportEntry | Unusable]:
    """The file is read to its end before the first entry: one that is damaged is refused as a whole."""
    beginning = file.read(_BEGINNING_BYTES)
    file.seek(0)
    text = _first_text(beginning)
    if not text:
        raise ConversionFailed("the file is empty")
    if text.startswith("<") and not _HTML.match(text):
        return _read_xml(file)
    encoding = encoding_of(beginning)
    check_text(file, encoding)
    if text.startswith("<"):
        return read_bookmarks(text_chunks(file, encoding))
    if text.startswith(("{", "[")):
        tree = load_json(file, encoding)
        return read_json_feed(tree) if is_json_feed(tree) else read_json(tree)
    return read_csv(text_lines(file, encoding))


def _first_text(beginning: bytes) -> str:
    """Enough to tell the format; whether the whole file is text is found out later."""
    is_wide = beginning.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = beginning.decode("utf-16" if is_wide else "utf-8", errors="replace").lstrip("\ufeff")
    comments = _COMMENTS.match(text)
    return text[comments.end() :] if comments else text


def _read_xml(file: IO[bytes]) -> Iterator[ExportEntry | Unusable]:
    root = root_of(file)
    if root == ROOT:
        return read_outline(file)
    if root in ROOTS:
        return read_feed(file)
    raise ConversionFailed(f"XML of <{root}>; RSS, Atom and OPML are read")
