"""The import command: lock, read, decide, write, report."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count

from sqlalchemy import Connection, Engine

from app.catalog.index.keep import WordLimits
from app.catalog.state import KNOWN_SECONDS
from app.database.engines import exclusive
from app.importer.apply import apply_plans
from app.importer.plan import Plan, Planner
from app.importer.read import Progress, Request, list_tree, read_tree
from app.importer.report import Report
from app.importer.serialise import serialise
from app.importer.spool import MAX_SPOOLED_BYTES, Spool
from app.importer.stored import (
    contradictions,
    count_unpublished,
    next_document_id,
    source_named,
    stored_documents,
)
from app.importer.tables.article_terms import MAX_WAITING_ROWS
from app.importer.workers import Workers
from app.interrupts import hold_interrupts
from app.migrate import upgrade
from app.moments import rfc3339

SOURCE_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an import holds in memory at once. Lower ones change nothing but its speed."""

    spooled_bytes: int = MAX_SPOOLED_BYTES
    waiting_rows: int = MAX_WAITING_ROWS
    words: WordLimits = field(default_factory=WordLimits)


@dataclass(frozen=True, slots=True)
class Options:
    prune: bool = False
    force: bool = False
    dry_run: bool = False
    strict: bool = False
    base_url: str | None = None
    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


def import_trees(
    engine: Engine, requests: Sequence[Request], options: Options, progress: Progress | None = None
) -> Report:
    """All or nothing, in one transaction. Raises ImportRefused or DatabaseUnavailable, nothing written.

    A dry run writes everything and rolls it back: so its report is exactly that of the import.
    """
    with exclusive(engine) as connection, Spool(options.limits.spooled_bytes) as spool:
        upgrade(connection)
        new_ids = count(next_document_id(connection))
        with Workers(options.workers) as workers:
            plans = [
                _read_and_plan(connection, request, options, spool, new_ids, workers, progress)
                for request in requests
            ]
        report = Report()
        for plan in plans:
            report.add(plan.report)
        now = rfc3339(options.clock())
        limits = options.limits
        report.revision = apply_plans(connection, plans, spool, now, limits.words, limits.waiting_rows)
        names = [request.source for request in requests]
        report.warnings += contradictions(connection, names)
        report.unpublished = count_unpublished(connection, names)
        if options.dry_run or (options.strict and report.problems):
            connection.rollback()
        hold_interrupts()
    # Services ask for the revision this often: all of them answer with the new one when the command returns.
    time.sleep(KNOWN_SECONDS[engine.dialect.name])
    return report


def _read_and_plan(
    connection: Connection,
    request: Request,
    options: Options,
    spool: Spool,
    new_ids: Iterator[int],
    workers: Workers,
    progress: Progress | None,
) -> Plan:
    source = source_named(connection, request.source, options.base_url)
    stored = stored_documents(connection, source, request.parts())
    planner = Planner(source, stored, new_ids)
    folders = Report()
    listing = list_tree(request, folders)
    files = read_tree(
        request.root,
        listing,
        stored.bytes_hashes,
        source.base_url,
        partial(serialise, source.name),
        workers,
        progress or (lambda done, files: None),
    )
    for file in files:
        if document := planner.saw(file):
            spool.add(document)
    return planner.conclude(folders, incomplete=listing.incomplete, prune=options.prune, force=options.force)
