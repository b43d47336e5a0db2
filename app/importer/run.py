"""An import from beginning to end: lock, look, plan, apply, report."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, func, insert, select, update

from app.catalog.state import KNOWN_SECONDS
from app.catalog.tables import articles, catalogue, documents, sources
from app.database.engines import exclusive
from app.documents.problems import Problem
from app.errors import ImportRefused
from app.importer.apply import Tree, carry_out
from app.importer.plan import Plan, Stored, plan_changes
from app.importer.read import Progress, Request, list_tree, look
from app.importer.report import Report
from app.importer.workers import Processes
from app.interrupts import hold_interrupts
from app.migrate import upgrade

SOURCE_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
# A tree that lost most of its documents at once is more likely half mounted than half deleted.
MOST_TO_PRUNE = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    prune: bool = False
    force: bool = False
    dry_run: bool = False
    strict: bool = False
    base_url: str | None = None
    workers: int = 1


def import_trees(
    engine: Engine, requests: Sequence[Request], options: Options, progress: Progress | None = None
) -> Report:
    """All or nothing, in one transaction. Raises ImportRefused or DatabaseUnavailable, nothing written."""
    report = Report()
    with Processes(options.workers) as processes, exclusive(engine) as connection:
        upgrade(connection)
        trees = [
            _plan(connection, request, options.base_url, processes, progress or (lambda done, files: None))
            for request in requests
        ]
        for tree in trees:
            _settle_gone(tree.plan, options)
            report.add(tree.plan.report)
        report.revision = carry_out(
            connection, trees, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), processes
        )
        names = [tree.source for tree in trees]
        report.warnings += _contradictions(connection, names)
        report.unpublished = connection.scalars(
            select(func.count()).where(articles.c.source.in_(names), articles.c.published == 0)
        ).one()
        if options.dry_run or (options.strict and report.problems):
            connection.rollback()
        hold_interrupts()
    # Services know of it by now.
    time.sleep(KNOWN_SECONDS[engine.dialect.name])
    return report


def _plan(
    connection: Connection,
    request: Request,
    new_base_url: str | None,
    processes: Processes,
    progress: Progress,
) -> Tree:
    source_id, base_url = _source(connection, request.source, new_base_url)
    stored = _stored(connection, source_id, request.parts())
    folders = Report()
    listing = list_tree(request, folders)
    known: dict[str, set[bytes]] = {}
    for (path, _), document in stored.items():
        known.setdefault(path, set()).add(document.bytes_hash)
    seen = look(request.root, listing, known, base_url, processes, progress)
    plan = plan_changes(seen, stored)
    plan.report.add(folders)
    if listing.incomplete:
        plan.gone, plan.gone_articles = [], 0
    return Tree(request.source, source_id, plan)


def _source(connection: Connection, name: str, base_url: str | None) -> tuple[int, str | None]:
    known = connection.execute(select(sources).where(sources.c.name == name)).one_or_none()
    if known is None:
        source_id = (connection.scalar(select(func.max(sources.c.id))) or 0) + 1
        connection.execute(insert(sources).values(id=source_id, name=name, base_url=base_url))
        return source_id, base_url
    if base_url and base_url != known.base_url:
        connection.execute(update(sources).where(sources.c.id == known.id).values(base_url=base_url))
    return known.id, base_url or known.base_url


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
        (path, kind): Stored(document_id, bytes_hash, meaning_hash, _problems(warnings))
        for path, kind, document_id, bytes_hash, meaning_hash, warnings in connection.execute(query)
        if not parts or any(part in (".", path) or path.startswith(f"{part}/") for part in parts)
    }


def _problems(warnings: str) -> tuple[Problem, ...]:
    # Nearly no document has any.
    return () if warnings == "[]" else tuple(Problem(*each) for each in json.loads(warnings))


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
