"""A file's bytes -> its text, in lines or chunks of bounded length. Knows no format."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO, Final

from app.conversion.entries import CHUNK, MAX_ENTRY_CHARACTERS, ConversionFailed, at_line

# UTF-32 comes first: its little-endian mark begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HTML_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([A-Za-z0-9_-]{1,40})", re.IGNORECASE)


def encoding_of(beginning: bytes) -> str:
    """The byte order mark says it, or the HTML says it of itself; otherwise it is UTF-8."""
    for mark, encoding in _MARKS:
        if beginning.startswith(mark):
            if not encoding:
                raise ConversionFailed("the file is UTF-32; save it as UTF-8")
            return encoding
    if b"\x00" in beginning:
        raise ConversionFailed("the file is UTF-16 without a byte order mark, or no text; save it as UTF-8")
    if charset := _HTML_CHARSET.search(beginning):
        try:
            return codecs.lookup(charset[1].decode()).name
        except LookupError:
            name = charset[1].decode()
            raise ConversionFailed(
                f"the file says it is in {name}, which is no known encoding; save it as UTF-8"
            ) from None
    return "utf-8"


def check_text(file: IO[bytes], encoding: str) -> None:
    """Refuses a file with a byte that is not text before anything is written; then begins again."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    while True:
        chunk = file.read(CHUNK)
        try:
            line += decoder.decode(chunk, final=not chunk).count("\n")
        except UnicodeDecodeError as error:
            line += error.object[: error.start].count(b"\n")
            name = encoding.upper().removesuffix("-SIG")
            raise at_line(line, f"is not {name}; save the file as UTF-8") from None
        if not chunk:
            break
    file.seek(0)


def text_chunks(file: IO[bytes], encoding: str) -> Iterator[str]:
    """Nobody needs the file after its text: it is closed then."""
    with io.TextIOWrapper(file, encoding, newline=None) as text:
        while chunk := text.read(CHUNK):
            yield chunk


def text_lines(file: IO[bytes], encoding: str) -> Iterator[str]:
    """Lines keep their ends as they stand, since quoted cells of CSV keep them."""
    with io.TextIOWrapper(file, encoding, newline="") as text:
        number = 0
        while line := text.readline(MAX_ENTRY_CHARACTERS):
            number += 1
            if len(line) == MAX_ENTRY_CHARACTERS:
                raise at_line(number, f"has {MAX_ENTRY_CHARACTERS:,} characters or more")
            yield line
