"""The sources of the catalogue, and how one leaves it. Knows no tree."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, func, select

from app.catalog.index.keep import WordLimits
from app.catalog.state import KNOWN_SECONDS
from app.catalog.tables import articles, sources
from app.database.engines import exclusive
from app.importer.apply import apply_plans
from app.importer.plan import Plan, Source
from app.importer.read import Progress
from app.importer.report import GoneArticle, Report
from app.importer.spool import Spool
from app.importer.stored import stored_documents
from app.importer.tables.article_terms import MAX_WAITING_ROWS
from app.interrupts import hold_interrupts
from app.migrate import upgrade
from app.moments import rfc3339


@dataclass(frozen=True, slots=True)
class SourceSummary:
    name: str
    articles: int
    base_url: str | None
    last_import: str | None

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "articles": self.articles,
            "baseUrl": self.base_url,
            "lastImport": self.last_import,
        }


class NoSuchSource(Exception):
    """Its text is the names of those that are there."""


def list_sources(connection: Connection) -> list[SourceSummary]:
    by_source = select(articles.c.source, func.count()).group_by(articles.c.source)
    counts: dict[str, int] = dict(connection.execute(by_source).all())
    rows = connection.execute(select(sources).order_by(sources.c.name))
    return [SourceSummary(row.name, counts.get(row.name, 0), row.base_url, row.imported_at) for row in rows]


def remove_source(engine: Engine, name: str, progress: Progress = lambda done: None) -> Report:
    """An import of a tree in which nothing is left does the same. Raises NoSuchSource, nothing written."""
    with exclusive(engine) as connection, Spool() as spool:
        upgrade(connection)
        row = connection.execute(select(sources).where(sources.c.name == name)).one_or_none()
        if row is None:
            raise NoSuchSource(_names(list_sources(connection)))
        stored = stored_documents(connection, Source(row.id, name, row.base_url), ())
        gone = [GoneArticle(name, path) for path in stored.paths("article")]
        report = Report(removed=len(gone), removed_articles=gone)
        plan = Plan((), sorted(stored.ids()), report)
        now = rfc3339(datetime.now(UTC))
        report.revision = apply_plans(
            connection, [plan], spool, now, WordLimits(), MAX_WAITING_ROWS, progress
        )
        connection.execute(delete(sources).where(sources.c.id == row.id))
        hold_interrupts()
    # Services know of it when the command returns, as after an import.
    time.sleep(KNOWN_SECONDS[engine.dialect.name])
    return report


def _names(summaries: Iterable[SourceSummary]) -> str:
    return ", ".join(summary.name for summary in summaries) or "none"
