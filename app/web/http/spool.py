"""What is made for a slow client goes to the disk first. Knows no content.

A download is read from a snapshot of the database. While that is open, SQLite keeps every change in its log,
which grew by 11 MB with each import beside a client that read 40 kB a second, and PostgreSQL keeps dead rows.
"""

import logging
from collections.abc import Generator, Iterator
from tempfile import TemporaryFile
from typing import IO, Final

log = logging.getLogger(__name__)

# The first megabyte comes from memory: a download begins at once, and a small one needs no file.
MAX_BYTES_AT_ONCE: Final = 1_000_000
# The client's own speed counts again beyond this: no disk is filled for somebody who may never read.
MAX_SPOOLED_BYTES: Final = 2_000_000_000
_READ_BYTES: Final = 200_000


def spooled(chunks: Generator[bytes]) -> Generator[bytes]:
    """The same bytes. `chunks` are read to their end once a megabyte was taken, however slow the rest is."""
    try:
        taken = 0
        for chunk in chunks:
            yield chunk
            taken += len(chunk)
            if taken > MAX_BYTES_AT_ONCE:
                break
        else:
            return
        try:
            file = TemporaryFile(buffering=0)  # noqa: SIM115  closed below
        except OSError as error:
            _warn(error)
            yield from chunks
            return
        with file:
            written, unwritten = _write_all(file, chunks)
            file.seek(0)
            while written:
                piece = file.read(min(_READ_BYTES, written))
                written -= len(piece)
                yield piece
        if unwritten:
            yield unwritten
        # Nothing is left, unless the disk was full or the file too long.
        yield from chunks
    finally:
        chunks.close()


def _write_all(file: IO[bytes], chunks: Iterator[bytes]) -> tuple[int, bytes]:
    """How many bytes were written, and the chunk that could not be."""
    written = 0
    for chunk in chunks:
        left = memoryview(chunk)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            _warn(error)
            return written, chunk
        written += len(chunk)
        if written > MAX_SPOOLED_BYTES:
            break
    return written, b""


def _warn(error: OSError) -> None:
    """The client gets the file all the same, and the database keeps its snapshot as long as that takes."""
    log.warning("A download cannot be written to the disk first: %s.", error.strerror)
