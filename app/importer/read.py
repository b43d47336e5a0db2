"""Reads a tree: which files there are, and what those say whose bytes are not as they were stored."""

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from app.documents.article import READER_VERSION
from app.documents.files import EXTENSIONS, TreeFiles, list_files, path_below, read_file
from app.documents.problems import Problem
from app.documents.reading import Reading, read_document
from app.documents.tree_keys import TreeKeys
from app.documents.tree_settings import TreeSettings
from app.importer.plan import BYTES_HASH_BYTES, CONTENT_BYTES, ReadFile
from app.importer.report import Report
from app.importer.serialise import Document
from app.importer.workers import PARTS_AHEAD, Workers

T = TypeVar("T")

# Workers take some 0.3 s to start, so that as much must be left to do for each.
SECONDS_WORTH_WORKERS = 1.0


_FILES_AT_ONCE = 100


# A worker gets so many at a time. Neighbours mention the same articles, which each worker reads for itself.
_MAX_FILES_FOR_A_WORKER = 400


# A path, and the hashes of the bytes that are stored of it.
_File = tuple[str, Collection[bytes]]


# It is told in words what is done so far:  "300 of 13,000 files".
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A tree to import as `source`; with `only`, just these parts of it, files or folders below `root`."""

    root: Path
    source: str
    only: tuple[Path, ...] | None = None
    settings: TreeSettings = field(default_factory=TreeSettings)

    def parts(self) -> tuple[str, ...]:
        """The parts looked at, as paths below the root; none means all of it."""
        return tuple(path_below(self.root, part) or "." for part in self.only or ())


def list_tree(request: Request, report: Report) -> TreeFiles:
    """The report tells of folders that could not be listed and of links to folders: they are no files."""
    listing = list_files(request.root, request.only, request.settings.ignore)
    report.problems += [
        problem for problem in listing.rejected if not problem.path.lower().endswith(EXTENSIONS)
    ]
    report.skipped_files += listing.skipped
    return listing


def read_tree(
    request: Request,
    listing: TreeFiles,
    stored_hashes: Callable[[str], Collection[bytes]],
    base_url: str | None,
    make: Callable[[Document], T],
    workers: Workers,
    progress: Progress = lambda done: None,
) -> Iterator[ReadFile[T]]:
    """`stored_hashes` knows what bytes of a path are stored: a file of these bytes is not parsed.

    `make` is called where a document was read; its result is handed on in place of the document.
    """
    for problem in listing.rejected:
        if problem.path.lower().endswith(EXTENSIONS):
            yield ReadFile(problem.path, b"", _rejected(problem), None)
    keys = request.settings.keys
    # The same bytes read by another version, another base URL or other keys may be another document.
    settings = f"{READER_VERSION}\0{base_url}\0".encode() + keys.digest
    settings_hash = hashlib.sha256(settings).digest()[: BYTES_HASH_BYTES - CONTENT_BYTES]
    read_files = partial(_read_files, request.root, base_url, keys, settings_hash, make)
    paths = listing.files

    def files(start: int, count: int) -> Sequence[_File]:
        return [(path, stored_hashes(path)) for path in paths[start : start + count]]

    began, done, seconds_left = time.monotonic(), 0, 0.0
    while done < len(paths) and not (workers.limit > 1 and seconds_left > SECONDS_WORTH_WORKERS):
        progress(_done(done, paths))
        batch = read_files(files(done, _FILES_AT_ONCE))
        done += len(batch)
        seconds_left = (time.monotonic() - began) / done * (len(paths) - done)
        yield from batch
    if done < len(paths):
        workers.start()
        size = min(_MAX_FILES_FOR_A_WORKER, -(-(len(paths) - done) // (workers.limit * PARTS_AHEAD)))
        parts = (files(start, size) for start in range(done, len(paths), size))
        for batch in workers.map(read_files, parts):
            progress(_done(done, paths))
            done += len(batch)
            yield from batch


def _done(count: int, paths: Sequence[str]) -> str:
    return f"{count:,} of {len(paths):,} files read"


def _read_files(
    root: Path,
    base_url: str | None,
    keys: TreeKeys,
    settings_hash: bytes,
    make: Callable[[Document], T],
    files: Sequence[_File],
) -> list[ReadFile[T]]:
    read: list[ReadFile[T]] = []
    for path, stored_hashes in files:
        content = read_file(root, path)
        if isinstance(content, Problem):
            read.append(ReadFile(path, b"", _rejected(content), None))
            continue
        # Processors have instructions for SHA-256, with which it takes half the time of BLAKE2b.
        bytes_hash = hashlib.sha256(content).digest()[:CONTENT_BYTES] + settings_hash
        if bytes_hash in stored_hashes:
            read.append(ReadFile(path, bytes_hash, None, None))
            continue
        reading = read_document(path, content, base_url, keys)
        if reading.document is None:
            read.append(ReadFile(path, bytes_hash, reading, None))
        else:
            result = make(reading.document)
            read.append(ReadFile(path, bytes_hash, replace(reading, document=None), result))
    return read


def _rejected(problem: Problem) -> Reading:
    return Reading(None, None, None, (problem,), ())
