"""An import from beginning to end: lock, look, plan, apply, report."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, select, update

from app.catalog.tables import articles, catalogue, documents, sources
from app.database import exclusive
from app.documents.problem import Problem
from app.documents.reading import READER_VERSION, Reading, read_document
from app.documents.tree import EXTENSIONS, Listing, list_files, read_file
from app.errors import ImportRefused
from app.importer.apply import Tree, carry_out
from app.importer.plan import Plan, Seen, Stored, plan_changes
from app.importer.report import Report
from app.schema import upgrade

SOURCE_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
# A tree that lost most of its documents at once is more likely half mounted than half deleted.
MOST_TO_PRUNE = 0.5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A tree to import as `source`; with `only`, just these parts of it, files or folders below `root`."""

    root: Path
    source: str
    only: tuple[Path, ...] | None = None


@dataclass(frozen=True, slots=True)
class Options:
    prune: bool = False
    force: bool = False
    dry_run: bool = False
    strict: bool = False
    base_url: str | None = None


def import_trees(
    engine: Engine, requests: Sequence[Request], options: Options, progress: Progress | None = None
) -> Report:
    """All or nothing, in one transaction. Raises ImportRefused or DatabaseUnavailable, nothing written."""
    report = Report()
    with exclusive(engine) as connection:
        upgrade(connection)
        trees = [_plan(connection, request, options, progress or _silent) for request in requests]
        for tree in trees:
            _settle_gone(tree.plan, options)
            report.add(tree.plan.report)
        report.revision = carry_out(connection, trees, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        names = [tree.source for tree in trees]
        report.warnings += _contradictions(connection, names)
        report.unpublished = connection.scalars(
            select(func.count()).where(articles.c.source.in_(names), articles.c.published == 0)
        ).one()
        if options.dry_run or (options.strict and report.problems):
            connection.rollback()
    return report


def check_trees(requests: Sequence[Request], base_url: str | None) -> Report:
    """Reads as an import does and compares with nothing: every document good enough is `created`."""
    report = Report()
    for request in requests:
        listing = list_files(request.root, request.only)
        report.add(plan_changes(_look(request.root, listing, {}, base_url, _silent), {}).report)
        _add_folders(report, listing)
    return report


def _silent(done: int, files: int) -> None:
    """No progress is shown."""


def _plan(connection: Connection, request: Request, options: Options, progress: Progress) -> Tree:
    source_id, base_url = _source(connection, request.source, options.base_url)
    stored = _stored(connection, source_id, _parts(request))
    listing = list_files(request.root, request.only)
    plan = plan_changes(_look(request.root, listing, stored, base_url, progress), stored)
    _add_folders(plan.report, listing)
    if listing.incomplete:
        plan.gone, plan.gone_articles = [], 0
    return Tree(request.source, source_id, plan)


def _add_folders(report: Report, listing: Listing) -> None:
    """Folders that could not be listed and links to folders are told of, and are no files to count."""
    report.problems += [each for each in listing.rejected if not each.path.lower().endswith(EXTENSIONS)]
    report.skipped_files += listing.skipped


def _source(connection: Connection, name: str, base_url: str | None) -> tuple[int, str | None]:
    known = connection.execute(select(sources).where(sources.c.name == name)).one_or_none()
    if known is None:
        source_id = (connection.scalar(select(func.max(sources.c.id))) or 0) + 1
        connection.execute(insert(sources).values(id=source_id, name=name, base_url=base_url))
        return source_id, base_url
    if base_url and base_url != known.base_url:
        connection.execute(update(sources).where(sources.c.id == known.id).values(base_url=base_url))
    return known.id, base_url or known.base_url


def _parts(request: Request) -> tuple[str, ...]:
    """The parts looked at, as paths below the root; none means all of it."""
    if request.only is None:
        return ()
    root = request.root.resolve()
    return tuple(part.resolve().relative_to(root).as_posix() for part in request.only)


def _stored(connection: Connection, source_id: int, parts: Sequence[str]) -> Mapping[tuple[str, str], Stored]:
    query = select(
        documents.c.path,
        documents.c.kind,
        documents.c.id,
        documents.c.bytes_hash,
        documents.c.meaning_hash,
        documents.c.warnings,
    ).where(documents.c.source_id == source_id)
    return {
        (row.path, row.kind): Stored(
            row.id,
            row.bytes_hash,
            row.meaning_hash,
            tuple(Problem(*each) for each in json.loads(row.warnings)),
        )
        for row in connection.execute(query)
        if not parts or any(part in (".", row.path) or row.path.startswith(f"{part}/") for part in parts)
    }


def _look(
    root: Path,
    listing: Listing,
    stored: Mapping[tuple[str, str], Stored],
    base_url: str | None,
    progress: Progress,
) -> Iterator[Seen]:
    known: dict[str, set[bytes]] = {}
    for (path, _), document in stored.items():
        known.setdefault(path, set()).add(document.bytes_hash)
    for problem in listing.rejected:
        if problem.path.lower().endswith(EXTENSIONS):
            yield Seen(problem.path, b"", Reading(None, None, (problem,), ()))
    # The same bytes read by another version, or against another base URL, may be another document.
    salt = hashlib.blake2b(f"{READER_VERSION}\0{base_url}".encode(), digest_size=16).digest()
    for done, path in enumerate(listing.files):
        progress(done, len(listing.files))
        content = read_file(root, path)
        if isinstance(content, Problem):
            yield Seen(path, b"", Reading(None, None, (content,), ()))
            continue
        bytes_hash = hashlib.blake2b(content, digest_size=16, salt=salt).digest()
        same = bytes_hash in known.get(path, ())
        yield Seen(path, bytes_hash, None if same else read_document(path, content, base_url))


def _settle_gone(plan: Plan, options: Options) -> None:
    if not options.prune:
        plan.report.missing = plan.gone_articles
        plan.gone = []
        return
    if plan.gone_articles > plan.stored_articles * MOST_TO_PRUNE and not options.force:
        raise ImportRefused(
            f"--prune would remove {plan.gone_articles} of {plan.stored_articles} articles, more than half; "
            "if the documents are meant to be gone, add --force. Nothing was written."
        )
    plan.report.removed = plan.gone_articles


def _contradictions(connection: Connection, names: Sequence[str]) -> list[Problem]:
    said = json.loads(connection.scalars(select(catalogue.c.warnings)).one())
    return [Problem(*problem) for source, *problem in said if source in names]
