"""Reads documents as an import does, compares them with each other, and writes nothing. Knows no database."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

from app.documents.article import ArticleDocument
from app.documents.files import Skipped, read_file
from app.documents.problems import KeyPath, Problem, key_text
from app.documents.reading import locate
from app.documents.taxonomy import OrganizationDocument, TopicDocument
from app.importer.plan import ReadFile
from app.importer.read import Request, list_tree, read_tree
from app.importer.report import Report
from app.importer.serialise import Document
from app.importer.workers import Workers
from app.names import fold
from app.urls import canonical


class CheckedDocument(NamedTuple):
    """What is compared of a document with the others of its tree."""

    path: str
    kind: Literal["article", "topic", "organization"]
    # The topics that an article names, and the names that a description gives its topic.
    topics: tuple[str, ...] = ()
    web_url: str | None = None


def check_trees(requests: Sequence[Request], base_url: str | None, workers: int) -> Report:
    """Every document that can be taken is `created`. Findings come in the order of files and lines."""
    report = Report()
    for request in requests:
        listing = list_tree(request, report)
        documents: list[CheckedDocument] = []
        with Workers(workers) as readers:
            files = read_tree(
                request.root,
                listing,
                lambda path: (),
                base_url,
                _checked,
                readers,
                lambda done, files: None,
            )
            for file in files:
                _count(report, file)
                if file.result:
                    documents.append(file.result)
        report.warnings += _undescribed_topics(request, documents)
        report.warnings += _shared_urls(request, documents)
    report.problems.sort(key=_place)
    report.warnings.sort(key=_place)
    return report


def _checked(document: Document) -> CheckedDocument:
    match document:
        case ArticleDocument():
            return CheckedDocument(document.path, "article", document.topics, document.web_url)
        case TopicDocument():
            names = (document.topic_id, document.name, document.shortname)
            return CheckedDocument(document.path, "topic", tuple(name for name in names if name))
        case OrganizationDocument():
            return CheckedDocument(document.path, "organization")


def _count(report: Report, file: ReadFile[CheckedDocument]) -> None:
    reading = file.reading
    if reading is None:
        return
    report.warnings += reading.warnings
    if reading.problems:
        report.reject(reading.problems)
    elif file.result is None:
        report.skip(Skipped(file.path, reading.skipped or ""))
    else:
        report.count(file.result.kind, "created")


def _undescribed_topics(request: Request, documents: Sequence[CheckedDocument]) -> list[Problem]:
    """Where a tree describes its topics, another name is more likely misspelt than meant."""
    described = {fold(name) for document in documents if document.kind == "topic" for name in document.topics}
    if not described:
        return []
    return [
        _warning(
            request,
            document.path,
            ("topics", place),
            f"no document describes the topic “{name}”",
            "Correct the name, or describe the topic.",
        )
        for document in documents
        if document.kind == "article"
        for place, name in enumerate(document.topics)
        if fold(name) not in described
    ]


def _shared_urls(request: Request, documents: Sequence[CheckedDocument]) -> list[Problem]:
    """Captures of a live page share one, and that is meant; so this is only a warning."""
    paths: dict[str, list[str]] = defaultdict(list)
    for document in documents:
        if document.web_url:
            paths[canonical(document.web_url)].append(document.path)
    return [
        _warning(
            request,
            path,
            ("webUrl",),
            f"is the URL of {shared[0]} too",
            "Remove one of the documents, unless both captures are meant.",
        )
        for shared in paths.values()
        for path in shared[1:]
    ]


def _warning(request: Request, path: str, place: KeyPath, reason: str, advice: str) -> Problem:
    content = read_file(request.root, path)
    position = None if isinstance(content, Problem) else locate(path, content, place)
    line, column = position or (None, None)
    return Problem(path, line, column, key_text(place), reason, advice)


def _place(problem: Problem) -> tuple[str, int, int]:
    return problem.path, problem.line or 0, problem.column or 0
