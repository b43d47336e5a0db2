"""Looks through a tree: which files there are, and what those say that are not as they were stored."""

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path

from app.documents.article import ArticleDocument, RelatedLink
from app.documents.problem import Problem
from app.documents.reading import READER_VERSION, Reading, read_document
from app.documents.repeated import MOST_REMEMBERED
from app.documents.tree import EXTENSIONS, Listing, list_files, read_file
from app.errors import ReadersLost
from app.importer.plan import Seen
from app.importer.report import Report

# Another process takes 0.2 s to start, in which one reads some 2,000 documents.
FEWEST_FILES_FOR_PROCESSES = 2_000
_FILES_AT_ONCE = 100
# So many batches wait for each process, and no more: their results are in memory.
_BATCHES_AHEAD = 3

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


def list_tree(request: Request, report: Report) -> Listing:
    """Folders that could not be listed and links to folders are told of, and are no files to count."""
    listing = list_files(request.root, request.only)
    report.problems += [each for each in listing.rejected if not each.path.lower().endswith(EXTENSIONS)]
    report.skipped_files += listing.skipped
    return listing


def look(
    root: Path,
    listing: Listing,
    stored: Mapping[str, Collection[bytes]],
    base_url: str | None,
    workers: int,
    progress: Progress,
) -> Iterator[Seen]:
    """`stored` has the digests that are known of a path's bytes: a file of one of them is not read on."""
    for problem in listing.rejected:
        if problem.path.lower().endswith(EXTENSIONS):
            yield Seen(problem.path, b"", _rejected(problem))
    # The same bytes read by another version, or against another base URL, may be another document.
    salt = hashlib.blake2b(f"{READER_VERSION}\0{base_url}".encode(), digest_size=16).digest()
    look_at = partial(_look_at, root, base_url, salt)
    files = [(path, stored.get(path, ())) for path in listing.files]
    new = sum(not known for _, known in files)
    batches = [files[start : start + _FILES_AT_ONCE] for start in range(0, len(files), _FILES_AT_ONCE)]
    in_processes = workers > 1 and new >= FEWEST_FILES_FOR_PROCESSES
    done = 0
    for batch in _in_processes(look_at, batches, workers) if in_processes else map(look_at, batches):
        progress(done, len(files))
        done += len(batch)
        yield from batch


def _in_processes(
    look_at: Callable[[Sequence[tuple[str, Collection[bytes]]]], list[Seen]],
    batches: Sequence[Sequence[tuple[str, Collection[bytes]]]],
    workers: int,
) -> Iterator[list[Seen]]:
    # Started afresh: a fork would share the connection to the database.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_end_with_parent) as processes:
        ahead: deque[Future[list[Seen]]] = deque()
        try:
            links: dict[RelatedLink, RelatedLink] = {}
            for batch in batches:
                ahead.append(processes.submit(look_at, batch))
                if len(ahead) > workers * _BATCHES_AHEAD:
                    yield _sharing(links, ahead.popleft().result())
            while ahead:
                yield _sharing(links, ahead.popleft().result())
        except BrokenProcessPool as error:
            raise ReadersLost(
                "A process that reads documents was ended, for want of memory perhaps."
            ) from error
        finally:
            processes.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Of its own accord a process would wait for work for ever after the import was killed."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _sharing(links: dict[RelatedLink, RelatedLink], batch: list[Seen]) -> list[Seen]:
    """Equal links are one in memory, as they are where one process reads: 660,000 of them are 4,000."""
    if len(links) >= MOST_REMEMBERED:
        links.clear()
    return [_with_shared(links, seen) for seen in batch]


def _with_shared(links: dict[RelatedLink, RelatedLink], seen: Seen) -> Seen:
    document = seen.reading.document if seen.reading else None
    if not seen.reading or not isinstance(document, ArticleDocument) or not document.related:
        return seen
    related = tuple(links.setdefault(link, link) for link in document.related)
    return replace(seen, reading=replace(seen.reading, document=replace(document, related=related)))


def _look_at(
    root: Path, base_url: str | None, salt: bytes, files: Sequence[tuple[str, Collection[bytes]]]
) -> list[Seen]:
    seen = []
    for path, known in files:
        content = read_file(root, path)
        if isinstance(content, Problem):
            seen.append(Seen(path, b"", _rejected(content)))
            continue
        bytes_hash = hashlib.blake2b(content, digest_size=16, salt=salt).digest()
        reading = None if bytes_hash in known else read_document(path, content, base_url)
        seen.append(Seen(path, bytes_hash, reading))
    return seen


def _rejected(problem: Problem) -> Reading:
    return Reading(None, None, (problem,), ())
