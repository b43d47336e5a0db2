"""What an import is to do with one tree: compares the files read with the documents stored. Pure.

`run` tells the planner of each file as it is read. The planner decides and forgets the file: of a document
it keeps no more than an id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Generic, NamedTuple, TypeVar

from app.documents.files import Skipped
from app.documents.problems import Problem
from app.documents.reading import Reading
from app.errors import ImportRefused
from app.importer.report import GoneArticle, Report
from app.importer.serialise import DIGEST_BYTES, Serialised

T = TypeVar("T")

# A tree that lost most of its documents at once is more likely half mounted than half deleted.
MAX_PRUNED_SHARE = 0.5

# A message stays one line.
MAX_NAMED = 3

# The bytes hash says what a file holds, then by what settings it was read. The same content under another
# name, base URL or version is known by the first part.
CONTENT_BYTES = 16
BYTES_HASH_BYTES = CONTENT_BYTES + 8

KINDS = {"article": "an article", "topic": "a topic", "organization": "a provider"}


@dataclass(frozen=True, slots=True)
class ReadFile(Generic[T]):
    """A file of the tree. `reading` is None where its bytes are those stored.

    `result` is what was made of its document, without which `reading` comes.
    """

    path: str
    bytes_hash: bytes
    reading: Reading | None
    result: T | None


class Source(NamedTuple):
    id: int
    name: str
    base_url: str | None


class StoredDocument(NamedTuple):
    document_id: int
    bytes_hash: bytes
    meaning_hash: bytes
    warnings: tuple[Problem, ...]


class DocumentToWrite(NamedTuple):
    """`document_id` is new, or that of the document whose place this one takes."""

    document_id: int
    replaces: bool
    source: Source
    bytes_hash: bytes
    warnings: tuple[Problem, ...]
    content: Serialised


class SameMeaning(NamedTuple):
    """A document whose bytes changed and whose meaning did not."""

    document_id: int
    bytes_hash: bytes
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done besides the documents to write, which were handed out one by one."""

    same_meaning: Sequence[SameMeaning]
    to_remove: Sequence[int]
    report: Report


class StoredDocuments:
    """Documents of a source by path and kind, packed: 200 bytes each, where objects take 600."""

    # Document id, number of its kind, hashes of its bytes and of its meaning. Older versions stored shorter
    # hashes of bytes, which are filled up here and so equal no new one.
    _PACKED = Struct(f"<qB{BYTES_HASH_BYTES}s{DIGEST_BYTES}s")
    _KINDS = tuple(KINDS)

    def __init__(self) -> None:
        # Nearly each path has one document, and nearly no document has warnings.
        self._packed: dict[str, bytes] = {}
        self._warnings: dict[tuple[str, str], tuple[Problem, ...]] = {}

    def add(self, path: str, kind: str, document: StoredDocument) -> None:
        document_id, bytes_hash, meaning_hash, warnings = document
        packed = self._PACKED.pack(document_id, self._KINDS.index(kind), bytes_hash, meaning_hash)
        self._packed[path] = self._packed.get(path, b"") + packed
        if warnings:
            self._warnings[path, kind] = warnings

    def at(self, path: str) -> dict[str, StoredDocument]:
        """The documents stored at a path, by their kind."""
        return {
            self._KINDS[kind]: StoredDocument(
                document_id, bytes_hash, meaning_hash, self._warnings.get((path, self._KINDS[kind]), ())
            )
            for document_id, kind, bytes_hash, meaning_hash in self._PACKED.iter_unpack(
                self._packed.get(path, b"")
            )
        }

    def bytes_hashes(self, path: str) -> tuple[bytes, ...]:
        packed = self._packed.get(path)
        return tuple([entry[2] for entry in self._PACKED.iter_unpack(packed)]) if packed else ()

    def discard(self, path: str, kind: str) -> None:
        others = [
            self._PACKED.pack(*entry)
            for entry in self._PACKED.iter_unpack(self._packed.pop(path, b""))
            if self._KINDS[entry[1]] != kind
        ]
        if others:
            self._packed[path] = b"".join(others)

    def discard_all_at(self, path: str) -> None:
        self._packed.pop(path, None)

    def paths(self, wanted_kind: str) -> list[str]:
        number = self._KINDS.index(wanted_kind)
        return sorted(
            path
            for path, packed in self._packed.items()
            if any(entry[1] == number for entry in self._PACKED.iter_unpack(packed))
        )

    def ids(self, *kinds: str) -> list[int]:
        return [
            entry[0]
            for packed in self._packed.values()
            for entry in self._PACKED.iter_unpack(packed)
            if not kinds or self._KINDS[entry[1]] in kinds
        ]


class Planner:
    """Tell it of each file by `saw`, then let it `conclude`.

    `stored` are the documents of the part of the tree that is looked at; those that are left when all files
    were seen have no file any more. A file that cannot be taken now keeps what was stored of it.
    """

    def __init__(self, source: Source, stored: StoredDocuments, new_ids: Iterator[int]) -> None:
        self._source = source
        self._without_file = stored
        self._new_ids = new_ids
        self._stored_articles = len(stored.ids("article"))
        self._same_meaning: list[SameMeaning] = []
        self._report = Report()

    def saw(self, file: ReadFile[Serialised]) -> DocumentToWrite | None:
        """The document of the file, if it is to be written."""
        stored = self._without_file.at(file.path)
        reading = file.reading
        if reading is None:
            kind = next(kind for kind in KINDS if _has_bytes(stored.get(kind), file.bytes_hash))
            self._without_file.discard(file.path, kind)
            self._report.warnings += stored[kind].warnings
            self._report.count(kind, "unchanged")
            return None
        self._report.warnings += reading.warnings
        if reading.problems:
            self._reject(file.path, reading.problems)
        elif reading.damage and stored:
            was = next(kind for kind in KINDS if kind in stored)
            self._reject(file.path, (_damaged(file.path, was, reading.damage),))
        elif file.result is None:
            self._report.skip(Skipped(file.path, reading.skipped or ""))
        else:
            self._without_file.discard(file.path, file.result.kind)
            return self._compare(file, reading, file.result, stored.get(file.result.kind))
        return None

    def conclude(self, folders: Report, *, incomplete: bool, prune: bool, force: bool) -> Plan:
        """`folders` has the findings of the tree's folders.

        `incomplete` says that some of them could not be listed: nobody knows then what is gone.
        """
        report, to_remove = self._report, list[int]()
        report.add(folders)
        if not incomplete:
            gone = [GoneArticle(self._source.name, path) for path in self._without_file.paths("article")]
            if not prune:
                report.missing, report.missing_articles = len(gone), gone
            elif len(gone) > self._stored_articles * MAX_PRUNED_SHARE and not force:
                raise ImportRefused(
                    f"--prune would remove {len(gone)} of {self._stored_articles} articles, more than half "
                    f"({_some(gone)}); if the documents are meant to be gone, add --force. "
                    "Nothing was written."
                )
            else:
                report.removed, report.removed_articles = len(gone), gone
                to_remove = sorted(self._without_file.ids())
        return Plan(tuple(self._same_meaning), to_remove, report)

    def _reject(self, path: str, problems: Sequence[Problem]) -> None:
        self._report.reject(problems)
        self._without_file.discard_all_at(path)

    def _compare(
        self, file: ReadFile[Serialised], reading: Reading, content: Serialised, stored: StoredDocument | None
    ) -> DocumentToWrite | None:
        if stored and stored.meaning_hash == content.meaning_hash:
            self._report.count(content.kind, "unchanged")
            self._same_meaning.append(SameMeaning(stored.document_id, file.bytes_hash, reading.warnings))
            return None
        self._report.count(content.kind, "updated" if stored else "created")
        document_id = stored.document_id if stored else next(self._new_ids)
        return DocumentToWrite(
            document_id, stored is not None, self._source, file.bytes_hash, reading.warnings, content
        )


def _some(gone: Sequence[GoneArticle]) -> str:
    named = ", ".join(article.path for article in gone[:MAX_NAMED])
    return named if len(gone) <= MAX_NAMED else f"{named} and {len(gone) - MAX_NAMED} more"


def _has_bytes(stored: StoredDocument | None, bytes_hash: bytes) -> bool:
    return stored is not None and stored.bytes_hash == bytes_hash


def _damaged(path: str, kind: str, damage: str) -> Problem:
    """An emptied file is a slip of an editor, a disk or a merge; who means it deletes the file."""
    advice = "Restore its front matter, or delete the file; until then its last good state is kept."
    return Problem(path, 1, 1, None, f"was {KINDS[kind]} and now {damage}", advice)
