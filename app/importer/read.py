"""Looks through a tree: which files there are, and what those say that are not as they were stored."""

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.documents.article import ArticleDocument
from app.documents.files import EXTENSIONS, TreeFiles, list_files, read_file
from app.documents.problems import Problem
from app.documents.reading import READER_VERSION, Reading, read_document
from app.documents.repeated_links import MAX_CACHED_LINKS
from app.importer.plan import Seen
from app.importer.report import Report
from app.importer.serialise import LinkShape, shape_of
from app.importer.workers import PARTS_AHEAD, Processes

# Other processes take some 0.3 s to start, so that as much must be left to do for each.
SECONDS_WORTH_PROCESSES = 1.0


_FILES_AT_ONCE = 100


# What one process gets at a time. Neighbours mention the same articles, which each process reads for itself.
_MOST_FILES_FOR_A_PROCESS = 400


File = tuple[str, Collection[bytes]]


Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A tree to import as `source`; with `only`, just these parts of it, files or folders below `root`."""

    root: Path
    source: str
    only: tuple[Path, ...] | None = None

    def parts(self) -> tuple[str, ...]:
        """The parts looked at, as paths below the root; none means all of it."""
        root = self.root.resolve()
        return tuple(part.resolve().relative_to(root).as_posix() for part in self.only or ())


def list_tree(request: Request, report: Report) -> TreeFiles:
    """Folders that could not be listed and links to folders are told of, and are no files to count."""
    listing = list_files(request.root, request.only)
    report.problems += [each for each in listing.rejected if not each.path.lower().endswith(EXTENSIONS)]
    report.skipped_files += listing.skipped
    return listing


def look(
    root: Path,
    listing: TreeFiles,
    stored: Mapping[str, Collection[bytes]],
    base_url: str | None,
    processes: Processes,
    progress: Progress,
) -> Iterator[Seen]:
    """`stored` has the digests that are known of a path's bytes: a file of one of them is not read on."""
    for problem in listing.rejected:
        if problem.path.lower().endswith(EXTENSIONS):
            yield Seen(problem.path, b"", _rejected(problem), None)
    # The same bytes read by another version, or against another base URL, may be another document.
    salt = f"{READER_VERSION}\0{base_url}\0".encode()
    look_at = partial(_look_at, root, base_url, salt)
    files = [(path, stored.get(path, ())) for path in listing.files]
    began, done, seconds_left = time.monotonic(), 0, 0.0
    links: dict[bytes, LinkShape] = {}
    while done < len(files) and not (processes.most > 1 and seconds_left > SECONDS_WORTH_PROCESSES):
        progress(done, len(files))
        batch = look_at(files[done : done + _FILES_AT_ONCE])
        done += len(batch)
        seconds_left = (time.monotonic() - began) / done * (len(files) - done)
        yield from _sharing(links, batch)
    if done < len(files):
        processes.start()
        size = min(_MOST_FILES_FOR_A_PROCESS, -(-(len(files) - done) // (processes.most * PARTS_AHEAD)))
        parts = (files[start : start + size] for start in range(done, len(files), size))
        for batch in processes.map(look_at, parts):
            progress(done, len(files))
            done += len(batch)
            yield from _sharing(links, batch)


def _sharing(links: dict[bytes, LinkShape], batch: list[Seen]) -> list[Seen]:
    """Equal links are one in memory, whoever read them: of 660,000 links 4,000 differ."""
    if len(links) >= MAX_CACHED_LINKS:
        links.clear()
    for seen in batch:
        if seen.shape:
            seen.shape.links = tuple([links.setdefault(link.value_hash, link) for link in seen.shape.links])
    return batch


def _look_at(root: Path, base_url: str | None, salt: bytes, files: Sequence[File]) -> list[Seen]:
    seen = []
    for path, known in files:
        content = read_file(root, path)
        if isinstance(content, Problem):
            seen.append(Seen(path, b"", _rejected(content), None))
            continue
        # Processors have instructions for SHA-256, with which it takes half the time of BLAKE2b.
        bytes_hash = hashlib.sha256(salt + content).digest()[:16]
        reading = None if bytes_hash in known else read_document(path, content, base_url)
        seen.append(_shaped(path, bytes_hash, reading))
    return seen


def _shaped(path: str, bytes_hash: bytes, reading: Reading | None) -> Seen:
    document = reading.document if reading else None
    if reading is None or document is None:
        return Seen(path, bytes_hash, reading, None)
    shape = shape_of(document)
    if isinstance(document, ArticleDocument):
        # They are in the shape.
        reading = replace(reading, document=replace(document, related=()))
    return Seen(path, bytes_hash, reading, shape)


def _rejected(problem: Problem) -> Reading:
    return Reading(None, None, None, (problem,), ())
