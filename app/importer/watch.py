"""Imports a tree again whenever it changes. Asks the files themselves, which works on every kind of disk."""

import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final, NoReturn

from app.documents.tree import list_files
from app.importer.look import Request

# Soon enough for who edits, and seldom enough for a tree that is at rest.
SECONDS_BETWEEN_LOOKS: Final = 1.0
# Looking through a large tree takes its time; it may take this part of one processor.
MOST_OF_A_PROCESSOR: Final = 0.05


def watch(requests: Sequence[Request], import_once: Callable[[], None]) -> NoReturn:
    """Imports at once, then after each change, when the tree has been at rest for one look."""
    imported = None
    before = None
    while True:
        started = time.monotonic()
        now = _signature(requests)
        if now not in (imported, None) and (now == before or before is None):
            import_once()
            imported = now
        before = now
        took = time.monotonic() - started
        time.sleep(max(SECONDS_BETWEEN_LOOKS, took / MOST_OF_A_PROCESSOR))


def _signature(requests: Sequence[Request]) -> bytes:
    """Changes when a file comes, goes, or is written."""
    digest = blake2b(digest_size=16)
    for request in requests:
        listing = list_files(request.root, request.only)
        digest.update(repr((listing.incomplete, len(listing.rejected))).encode())
        for path in listing.files:
            try:
                status = (request.root / path).stat()
                found = (path, status.st_mtime_ns, status.st_size, status.st_ino)
            except OSError:
                # It went between the two looks; the next one will not list it.
                found = (path, 0, 0, 0)
            digest.update(repr(found).encode(errors="surrogateescape"))
    return digest.digest()
