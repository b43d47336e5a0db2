"""The import command: lock, read, decide, write, report."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Final

from sqlalchemy import Connection, Engine

from app.catalog.index.keep import WordLimits
from app.catalog.state import KNOWN_SECONDS
from app.database.engines import exclusive
from app.importer.apply import apply_plans
from app.importer.plan import Plan, Planner
from app.importer.read import Progress, Request, list_tree, read_tree
from app.importer.report import Report
from app.importer.second_names import SecondNames, is_new
from app.importer.serialise import serialise
from app.importer.spool import MAX_SPOOLED_BYTES, Spool
from app.importer.stored import (
    contradictions,
    count_unpublished,
    count_unread_keys,
    dates_ahead,
    missing_items,
    next_document_id,
    note_import,
    source_named,
    stored_documents,
    time_of_latest_import,
    undescribed_topics,
)
from app.importer.tables.article_terms import MAX_WAITING_ROWS
from app.importer.workers import Workers
from app.interrupts import hold_interrupts
from app.migrate import upgrade
from app.moments import rfc3339

# A machine's clock in the wrong zone is at most 26 hours off: from UTC-12 to UTC+14.
MAX_CLOCK_STEP: Final = timedelta(hours=26)


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
    engine: Engine,
    requests: Sequence[Request],
    options: Options,
    progress: Progress = lambda done: None,
) -> Report:
    """All or nothing, in one transaction. Raises ImportRefused or DatabaseUnavailable, nothing written.

    A dry run writes everything and rolls it back: so its report is exactly that of the import.
    """
    with exclusive(engine) as connection, Spool(options.limits.spooled_bytes) as spool:
        upgrade(connection)
        new_ids = count(next_document_id(connection))
        second_names = SecondNames()
        with Workers(options.workers) as workers:
            plans = [
                _read_and_plan(connection, request, options, spool, new_ids, workers, second_names, progress)
                for request in requests
            ]
        report = Report()
        for plan in plans:
            report.add(plan.report)
        now, report.time_ahead = _time_of_import(connection, options.clock())
        report.revision = apply_plans(
            connection,
            plans,
            spool,
            rfc3339(now),
            options.limits.words,
            options.limits.waiting_rows,
            progress,
        )
        names = [request.source for request in requests]
        note_import(connection, names, rfc3339(now))
        report.warnings += contradictions(connection, names)
        report.warnings += undescribed_topics(connection, requests)
        report.warnings += missing_items(connection, requests)
        report.warnings += dates_ahead(connection, requests, now)
        report.unpublished = count_unpublished(connection, names)
        report.unread_keys = count_unread_keys(connection, names)
        if options.dry_run or (options.strict and report.problems):
            connection.rollback()
        hold_interrupts()
    # Services ask for the revision this often: all of them answer with the new one when the command returns.
    time.sleep(KNOWN_SECONDS[engine.dialect.name])
    return report


def _time_of_import(connection: Connection, now: datetime) -> tuple[datetime, str]:
    """The time that this import notes, and that of an earlier one if the clock is far behind it.

    A clock that is set back by some seconds, or by the hours of a wrong zone, would sort what is added now
    below what was added before, where nobody who reads `sort=-addedDateTime` sees it. Where it is more, one
    of the two clocks was wrong, and nobody knows which: a wrong one may not last for ever.
    """
    latest = time_of_latest_import(connection)
    if latest is None or latest <= now:
        return now, ""
    return (latest, "") if latest - now <= MAX_CLOCK_STEP else (now, rfc3339(latest))


def _read_and_plan(
    connection: Connection,
    request: Request,
    options: Options,
    spool: Spool,
    new_ids: Iterator[int],
    workers: Workers,
    second_names: SecondNames,
    progress: Progress,
) -> Plan:
    base_url = options.base_url or request.settings.base_url
    source = source_named(connection, request.source, base_url)
    must_be_another = not options.force and is_new(connection, source)
    stored = stored_documents(connection, source, request.parts())
    planner = Planner(source, stored, new_ids)
    folders = Report()
    listing = list_tree(request, folders)
    files = read_tree(
        request,
        listing,
        stored.bytes_hashes,
        source.base_url,
        partial(serialise, source.name, source.base_url),
        workers,
        progress,
    )
    bytes_hashes: list[bytes] = []
    for file in files:
        if document := planner.saw(file):
            spool.add(document)
            if must_be_another:
                bytes_hashes.append(file.bytes_hash)
    if must_be_another:
        second_names.refuse(connection, source, bytes_hashes)
    return planner.conclude(folders, incomplete=listing.incomplete, prune=options.prune, force=options.force)
