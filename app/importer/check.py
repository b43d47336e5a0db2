"""Reads documents as an import does, compares them with each other, and writes nothing. Knows no database."""

from collections import defaultdict
from collections.abc import Sequence

from app.documents.article import ArticleDocument
from app.documents.files import read_file
from app.documents.problems import KeyPath, Problem, key_text
from app.documents.reading import locate
from app.documents.taxonomy import TopicDocument
from app.importer.plan import Taken, plan_changes
from app.importer.read import Request, list_tree, look
from app.importer.report import Report
from app.importer.workers import Processes
from app.names import fold
from app.urls import canonical


def check_trees(requests: Sequence[Request], base_url: str | None, workers: int) -> Report:
    """Every document that can be taken is `created`. Findings come in the order of files and lines."""
    report = Report()
    for request in requests:
        listing = list_tree(request, report)
        with Processes(workers) as processes:
            seen = look(request.root, listing, {}, base_url, processes, lambda done, files: None)
            plan = plan_changes(seen, {})
        report.add(plan.report)
        report.warnings += _undescribed_topics(request, plan.taken)
        report.warnings += _shared_urls(request, plan.taken)
    report.problems.sort(key=_place)
    report.warnings.sort(key=_place)
    return report


def _undescribed_topics(request: Request, taken: Sequence[Taken]) -> list[Problem]:
    """Where a tree describes its topics, another name is more likely misspelt than meant."""
    described: set[str] = set()
    for each in taken:
        if isinstance(each.document, TopicDocument):
            names = (each.document.topic_id, each.document.name, each.document.shortname)
            described |= {fold(name) for name in names if name}
    if not described:
        return []
    return [
        _warning(
            request,
            each.document.path,
            ("topics", place),
            f"no document describes the topic “{name}”",
            "Correct the name, or describe the topic.",
        )
        for each in taken
        if isinstance(each.document, ArticleDocument)
        for place, name in enumerate(each.document.topics)
        if fold(name) not in described
    ]


def _shared_urls(request: Request, taken: Sequence[Taken]) -> list[Problem]:
    """Captures of a live page share one, and that is meant; so this is only a warning."""
    paths: dict[str, list[str]] = defaultdict(list)
    for each in taken:
        if isinstance(each.document, ArticleDocument) and each.document.web_url:
            paths[canonical(each.document.web_url)].append(each.document.path)
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
