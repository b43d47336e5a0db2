"""One export -> a folder of documents, and what became of each entry. Knows neither formats nor printing."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Final

from app.conversion.entries import EntryPosition, ExportEntry, Unusable
from app.conversion.folder import DocumentFolder, Outcome, make_folder
from app.conversion.formats import read_entries
from app.conversion.keys import Converted, convert, set_aside
from app.documents.problems import Problem
from app.documents.reading import Reading, read_document
from app.yaml_text import yaml_text

# A document of nothing but these says what it is about; without them there is no link.
_NEEDED: Final = ("title", "webUrl")


@dataclass(slots=True)
class ConversionReport:
    """What became of the entries of an export; each is counted once."""

    written: int = 0
    unchanged: int = 0
    repeated: int = 0
    left_alone: int = 0
    rejected: int = 0
    skipped: int = 0
    private: int = 0


# A callback for each finding: its level, and what was wrong with which entry or file.
Tell = Callable[[str, Problem], None]


def convert_export(file: IO[bytes], name: str, folder: Path, tell: Tell) -> ConversionReport:
    """`file` can be read twice; `name` is what findings call it."""
    report = ConversionReport()
    entries = iter(read_entries(file))
    # A file that is no export says so before its first entry, and then no folder is made.
    first = list(islice(entries, 1))
    documents = make_folder(folder)
    for entry in chain(first, entries):
        if isinstance(entry, Unusable):
            _tell_unusable(entry, name, report, tell)
        else:
            _put(entry, name, documents, report, tell)
    return report


def _tell_unusable(entry: Unusable, name: str, report: ConversionReport, tell: Tell) -> None:
    if entry.is_skipped:
        report.skipped += 1
        tell("skipped", _finding(name, entry.place, None, entry.reason, entry.advice))
    else:
        report.rejected += 1
        tell("error", _finding(name, entry.place, None, entry.reason, entry.advice))


def _put(
    entry: ExportEntry, name: str, documents: DocumentFolder, report: ConversionReport, tell: Tell
) -> None:
    converted = convert(entry.fields)
    if not converted.values.get("title"):
        report.rejected += 1
        reason, advice = "has neither a URL nor a title", "Give it one of them."
        tell("error", _finding(name, entry.place, None, reason, advice))
        return
    converted, text, warnings, problem = _readable_document(converted)
    if problem:
        report.rejected += 1
        tell("error", _finding(name, entry.place, problem.key, problem.reason, problem.advice))
        return
    for warning in warnings:
        advice = "It is kept in the document's key `export`."
        tell("warning", _finding(name, entry.place, None, warning, advice))
    outcome, file_name = documents.put(converted.values, text)
    match outcome:
        case Outcome.WRITTEN:
            report.written += 1
        case Outcome.UNCHANGED:
            report.unchanged += 1
        case Outcome.REPEATED:
            report.repeated += 1
        case Outcome.LEFT_ALONE:
            report.left_alone += 1
            reason, advice = (
                "says something else and is left alone",
                "Move it, to have the entry as it is now.",
            )
            tell("note", Problem(f"{documents.root / file_name}", None, None, None, reason, advice))
    report.private += converted.values.get("published") is False


def _readable_document(converted: Converted) -> tuple[Converted, str, tuple[str, ...], Problem | None]:
    """The document as an import will read it: what a key cannot have is set aside, and the rest is read."""
    warnings = converted.warnings
    while True:
        text = _text(converted)
        problem = next(iter(_read(text).problems), None)
        key = (problem.key or "").partition("[")[0].partition(".")[0] if problem else ""
        if problem is None or key in _NEEDED or key not in converted.values or key == "export":
            return converted, text, warnings, problem
        converted = set_aside(converted, key)
        warnings += (f"{problem.key}: {problem.reason}",)


def _read(text: str) -> Reading:
    return read_document("entry.md", text.encode(), None)


def _text(converted: Converted) -> str:
    body = converted.body
    return f"---\n{yaml_text(converted.values)}---\n" + (f"\n{body}\n" if body else "")


def _finding(name: str, place: EntryPosition, key: Any, reason: str, advice: str) -> Problem:
    number = None if place.number is None else f"entry {place.number}"
    whole_key = ": ".join(part for part in (number, key) if part)
    return Problem(name, place.line, None, whole_key or None, reason, advice)
