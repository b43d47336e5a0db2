"""Reads documents as an import does, compares them with each other, and writes nothing. Knows no database."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from app.documents.article import ArticleDocument
from app.documents.files import Skipped, read_file
from app.documents.problems import Problem, key_text
from app.documents.taxonomy import OrganizationDocument, TopicDocument
from app.documents.tree_settings import has_settings
from app.importer.item_paths import ArticlePaths, possible_paths, without_ending
from app.importer.plan import ReadFile
from app.importer.read import Progress, Request, list_tree, read_tree
from app.importer.remarks import (
    ADVICE,
    Locator,
    date_ahead,
    latest_date,
    missing_item,
    undescribed_topic,
    unread_keys,
)
from app.importer.report import Report, most_frequent_first
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
    published_date_time: str | None = None
    unread_keys: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


class _Remark(NamedTuple):
    """What is said of a key of a document, `place` being its name and its place in the document's list."""

    path: str
    place: tuple[str, *tuple[int, ...]]
    reason: str
    advice: str


# A collection's path, and the place and the text of what it lists.
_Item = tuple[str, int, str]


def check_trees(
    requests: Sequence[Request],
    base_url: str | None,
    workers: int,
    shown: Callable[[Path], str] = os.fspath,
    progress: Progress = lambda done: None,
) -> Report:
    """Every document that can be taken is `created`. Findings come in the order of files and lines.

    `shown` gives a file the name that the report has it under.
    """
    report = Report()
    for request in requests:
        report.add(_check_tree(request, base_url, workers, shown, progress))
    report.problems.sort(key=_place)
    report.warnings.sort(key=_place)
    return report


def as_json(report: Report) -> dict[str, Any]:
    """What a check has to say: nothing is created or removed, and there is no revision."""
    return {
        "articles": report.created,
        "topics": report.topics,
        "providers": report.providers,
        "rejected": report.rejected,
        "skipped": report.skipped,
        "problems": [asdict(problem) for problem in report.problems],
        "warnings": [asdict(warning) for warning in report.warnings],
        "skippedFiles": [asdict(skipped) for skipped in report.skipped_files],
        "unreadKeys": report.unread_keys,
    }


def names_as_given(paths: Mapping[Path, Path]) -> Callable[[Path], str]:
    """`paths` has what was given by its absolute path. Files below a folder are named through it."""

    def shown(file: Path) -> str:
        for folder in (file, *file.parents):
            if folder in paths:
                return os.fspath(paths[folder] / file.relative_to(folder))
        # A tree's clippings.yaml may stand above all that was given.
        return os.path.relpath(file)

    return shown


def _check_tree(
    request: Request,
    base_url: str | None,
    workers: int,
    shown: Callable[[Path], str],
    progress: Progress,
) -> Report:
    report = Report()
    listing = list_tree(request, report)
    documents: list[CheckedDocument] = []
    with Workers(workers) as readers:
        files = read_tree(
            request,
            listing,
            lambda path: (),
            base_url or request.settings.base_url,
            _checked,
            readers,
            progress,
        )
        for file in files:
            _count(report, file)
            if file.result:
                documents.append(file.result)
        described = _described_topics(request, documents, readers)
        missing = _missing_items(request, documents, base_url, readers)

    def name(path: str) -> str:
        return shown(request.root / path)

    report.warnings += _located(
        request,
        [
            *_undescribed_topics(documents, described),
            *missing,
            *_shared_urls(documents, name),
            *_dates_ahead(documents),
        ],
    )
    report.problems = [replace(problem, path=name(problem.path)) for problem in report.problems]
    report.warnings = [replace(warning, path=name(warning.path)) for warning in report.warnings]
    report.skipped_files = [replace(skipped, path=name(skipped.path)) for skipped in report.skipped_files]
    keys = Counter(key for document in documents for key in document.unread_keys)
    report.unread_keys = most_frequent_first(keys)
    return report


def _checked(document: Document) -> CheckedDocument:
    keys = tuple(unread_keys(document.extra))
    match document:
        case ArticleDocument():
            date = document.published_date_time
            items = tuple(document.details.get("items", ()))
            return CheckedDocument(
                document.path, "article", document.topics, document.web_url, date, keys, items
            )
        case TopicDocument():
            names = tuple(filter(None, (document.topic_id, document.name, document.shortname)))
            return CheckedDocument(document.path, "topic", names, unread_keys=keys)
        case OrganizationDocument():
            return CheckedDocument(document.path, "organization", unread_keys=keys)


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


def _described_topics(request: Request, documents: Sequence[CheckedDocument], readers: Workers) -> set[str]:
    """Names of topics, folded. Where a part of a tree is checked, the rest of it may describe them."""
    if request.only is not None and has_settings(request.root):
        whole = replace(request, only=None)
        listing = list_tree(whole, Report())
        descriptions = tuple(path for path in listing.files if _may_describe(request.root, path))
        files = read_tree(
            whole, replace(listing, files=descriptions, rejected=()), lambda path: (), None, _checked, readers
        )
        documents = [*documents, *(file.result for file in files if file.result)]
    return {fold(name) for document in documents if document.kind == "topic" for name in document.topics}


def _may_describe(root: Path, path: str) -> bool:
    """Reading bytes takes a hundredth of the time of reading a document."""
    content = read_file(root, path)
    return not isinstance(content, Problem) and b"taxonomy" in content


def _undescribed_topics(documents: Sequence[CheckedDocument], described: Set[str]) -> list[_Remark]:
    """Where a tree describes its topics, another name is more likely misspelt than meant."""
    if not described:
        return []
    return [
        _Remark(document.path, ("topics", place), undescribed_topic(name), ADVICE["topics"])
        for document in documents
        if document.kind == "article"
        for place, name in enumerate(document.topics)
        if fold(name) not in described
    ]


def _missing_items(
    request: Request, documents: Sequence[CheckedDocument], base_url: str | None, readers: Workers
) -> list[_Remark]:
    """What collections list and no article has. Where a part of a tree is checked, the rest may have it."""
    paths = [document.path for document in documents if document.kind == "article"]
    missing = _not_at(paths, ((d.path, place, item) for d in documents for place, item in enumerate(d.items)))
    if missing and request.only is not None:
        if not has_settings(request.root):
            # Nobody knows then whether the paths of items begin at this folder.
            return []
        missing = _not_at([*paths, *_articles_elsewhere(request, missing, base_url, readers)], missing)
    return [
        _Remark(path, ("items", place), missing_item(item), ADVICE["items"]) for path, place, item in missing
    ]


def _not_at(paths: Iterable[str], items: Iterable[_Item]) -> list[_Item]:
    articles = ArticlePaths(paths)
    return [(path, place, item) for path, place, item in items if articles.find(path, item) is None]


def _articles_elsewhere(
    request: Request, items: Sequence[_Item], base_url: str | None, readers: Workers
) -> Iterator[str]:
    """The paths of articles that the items may name, in all of the tree."""
    starts = {start for path, _, item in items for start in possible_paths(path, item)}
    whole = replace(request, only=None)
    listing = list_tree(whole, Report())
    files = tuple(path for path in listing.files if path in starts or without_ending(path) in starts)
    named = read_tree(
        whole,
        replace(listing, files=files, rejected=()),
        lambda path: (),
        base_url or request.settings.base_url,
        _checked,
        readers,
    )
    return (file.path for file in named if file.result and file.result.kind == "article")


def _dates_ahead(documents: Iterable[CheckedDocument]) -> list[_Remark]:
    latest = latest_date(datetime.now(UTC))
    return [
        _Remark(
            document.path,
            ("publishedDateTime",),
            date_ahead(document.published_date_time),
            ADVICE["publishedDateTime"],
        )
        for document in documents
        if document.published_date_time and document.published_date_time > latest
    ]


def _shared_urls(documents: Sequence[CheckedDocument], name: Callable[[str], str]) -> list[_Remark]:
    """Captures of a live page share one, and that is meant; so this is only a warning."""
    paths: dict[str, list[str]] = defaultdict(list)
    for document in documents:
        if document.web_url:
            paths[canonical(document.web_url)].append(document.path)
    return [
        _Remark(
            path,
            ("webUrl",),
            f"is the URL of {name(shared[0])} too",
            "Remove one of the documents, unless both captures are meant.",
        )
        for shared in paths.values()
        for path in shared[1:]
    ]


def _located(request: Request, remarks: Iterable[_Remark]) -> list[Problem]:
    locator = Locator()
    warnings = []
    for remark in remarks:
        key, *places = remark.place
        problem = Problem(remark.path, None, None, key_text(remark.place), remark.reason, remark.advice)
        warnings.append(locator.located(request, problem, key, *places))
    return warnings


def _place(problem: Problem) -> tuple[str, int, int]:
    return problem.path, problem.line or 0, problem.column or 0
