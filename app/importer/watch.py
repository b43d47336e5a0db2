"""Imports a tree again whenever it changes. Asks the files themselves, which works on every kind of disk."""

import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final, NoReturn

from app.documents.files import SETTINGS_FILE, list_files
from app.importer.read import Request

# Soon enough for who edits, and seldom enough for a tree that is at rest.
SECONDS_BETWEEN_LOOKS: Final = 1.0
# Looking through a large tree takes its time, and may take this part of one processor for it.
MOST_OF_A_PROCESSOR: Final = 0.05
# Nobody who edits should wait for longer, also where a look at a million files takes some seconds.
MOST_SECONDS_BETWEEN_LOOKS: Final = 5.0
# A database that was away is asked again so often, and a refusal is said again so often.
SECONDS_BETWEEN_TRIES: Final = 30.0


def watch(look: Callable[[], Sequence[Request]], import_once: Callable[[], bool]) -> NoReturn:
    """Imports at once, then after each change, when the trees have been at rest for one look.

    `look` says which trees there are: what a tree says of itself may change too. `import_once` says whether
    it could; where not, it is tried again.
    """
    imported = before = failed = None
    while True:
        started = time.monotonic()
        now = _signature(look())
        pause = _pause_after(time.monotonic() - started)
        must_try_again = failed is not None and started - failed >= SECONDS_BETWEEN_TRIES
        if (now != imported or must_try_again) and before in (None, now):
            failed = None if import_once() else time.monotonic()
            imported = now
        before = now
        time.sleep(pause)


def _pause_after(seconds_of_a_look: float) -> float:
    """The look alone counts: an edit must not wait the longer for how long the import before it took."""
    wanted = seconds_of_a_look / MOST_OF_A_PROCESSOR
    return min(max(SECONDS_BETWEEN_LOOKS, wanted), MOST_SECONDS_BETWEEN_LOOKS)


def _signature(requests: Sequence[Request]) -> bytes:
    """Changes when a file comes, goes, or is written."""
    digest = blake2b(digest_size=16)
    for request in requests:
        listing = list_files(request.root, request.only, request.settings.ignore)
        digest.update(repr((listing.incomplete, len(listing.rejected), request.root)).encode())
        for path in (SETTINGS_FILE, *listing.files):
            try:
                status = (request.root / path).stat()
                found = (path, status.st_mtime_ns, status.st_size, status.st_ino)
            except OSError:
                # It went between the two looks, and the next one will not list it; or there are no settings.
                found = (path, 0, 0, 0)
            digest.update(repr(found).encode(errors="surrogateescape"))
    return digest.digest()
