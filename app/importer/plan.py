"""What an import is to do with one tree: a pure comparison of the files read with the documents stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.documents.files import Skipped
from app.documents.problems import Problem
from app.documents.reading import Reading
from app.importer.report import Report
from app.importer.serialise import Document, Shape


@dataclass(frozen=True, slots=True)
class Seen:
    """A file of the tree. `reading` is None where its bytes are those stored.

    `shape` is that of its document, and has the related links, which the document is without.
    """

    path: str
    bytes_hash: bytes
    reading: Reading | None
    shape: Shape | None

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return self.reading.warnings if self.reading else ()


@dataclass(frozen=True, slots=True)
class Stored:
    document_id: int
    bytes_hash: bytes
    meaning_hash: bytes
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """A document to write; `document_id` is of the one it takes the place of."""

    document: Document
    shape: Shape
    bytes_hash: bytes
    warnings: tuple[Problem, ...]
    document_id: int | None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A document whose bytes changed and whose meaning did not."""

    document_id: int
    bytes_hash: bytes
    warnings: tuple[Problem, ...]


@dataclass(slots=True)
class Plan:
    taken: list[Taken]
    refreshed: list[Refreshed]
    gone: list[int]
    gone_articles: int
    stored_articles: int
    report: Report


def plan_changes(seen: Iterable[Seen], stored: Mapping[tuple[str, str], Stored]) -> Plan:
    """`stored` is by path and kind, of the part of the tree that is looked at.

    A file that cannot be taken now keeps what was stored of it; what no file says any more is gone.
    """
    report = Report()
    plan = Plan([], [], [], 0, sum(kind == "article" for _, kind in stored), report)
    kept: set[tuple[str, str]] = set()
    for file in seen:
        if file.reading is None:
            kind, before = _same_bytes(file, stored)
            kept.add((file.path, kind))
            report.warnings += before.warnings
            _count(report, kind, "unchanged")
            continue
        reading = file.reading
        report.warnings += reading.warnings
        if reading.problems:
            report.rejected += 1
            report.problems += reading.problems
            kept |= {(file.path, kind) for kind in KINDS}
        elif reading.damage and (was := _stored_kind(file, stored)):
            report.rejected += 1
            report.problems.append(_damaged(file, was, reading.damage))
            kept |= {(file.path, kind) for kind in KINDS}
        elif reading.document is None or file.shape is None:
            report.skipped += 1
            report.skipped_files.append(Skipped(file.path, reading.skipped or ""))
        else:
            kept.add((file.path, _compare(plan, file, reading.document, file.shape, stored)))
    gone = stored.keys() - kept
    plan.gone = sorted(stored[each].document_id for each in gone)
    plan.gone_articles = sum(kind == "article" for _, kind in gone)
    return plan


KINDS = {"article": "an article", "topic": "a topic", "organization": "a provider"}


def _same_bytes(file: Seen, stored: Mapping[tuple[str, str], Stored]) -> tuple[str, Stored]:
    for kind in KINDS:
        before = stored.get((file.path, kind))
        if before and before.bytes_hash == file.bytes_hash:
            return kind, before
    raise LookupError(file.path)


def _stored_kind(file: Seen, stored: Mapping[tuple[str, str], Stored]) -> str | None:
    return next((kind for kind in KINDS if (file.path, kind) in stored), None)


def _damaged(file: Seen, kind: str, damage: str) -> Problem:
    """An emptied file is a slip of an editor, a disk or a merge; who means it deletes the file."""
    advice = "Restore its front matter, or delete the file; until then its last good state is kept."
    return Problem(file.path, 1, 1, None, f"was {KINDS[kind]} and now {damage}", advice)


def _compare(
    plan: Plan, file: Seen, document: Document, shape: Shape, stored: Mapping[tuple[str, str], Stored]
) -> str:
    before = stored.get((file.path, shape.kind))
    if before and before.meaning_hash == shape.meaning_hash:
        _count(plan.report, shape.kind, "unchanged")
        plan.refreshed.append(Refreshed(before.document_id, file.bytes_hash, file.warnings))
        return shape.kind
    _count(plan.report, shape.kind, "updated" if before else "created")
    document_id = before.document_id if before else None
    plan.taken.append(Taken(document, shape, file.bytes_hash, file.warnings, document_id))
    return shape.kind


def _count(report: Report, kind: str, what: str) -> None:
    name = {"article": what, "topic": "topics", "organization": "providers"}[kind]
    setattr(report, name, getattr(report, name) + 1)
