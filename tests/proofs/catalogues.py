"""Catalogues to try things on: copies of one another, imported into by processes, judged by their rows."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection as PipeEnd
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event, inspect, make_url, select, text

from app.catalog.tables import articles, catalogue, metadata, revisions, sources
from app.cli import main
from app.database.engines import reading_engine, writing_engine
from app.importer.read import Request
from app.importer.report import Report
from app.importer.run import Options, import_trees
from tests.oracles.index import index_faults
from tests.support.databases import drop_postgresql, new_database, new_postgresql_url, sqlite_url
from tests.support.poolers import pooled

REPOSITORY = Path(__file__).parents[2]
# Nothing here takes so long unless it hangs.
HANG_SECONDS = 120
SOURCE = "news"

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.proofs.catalogues"])

# Chance and the clock make these, so they are not the same twice.
_NOT_COMPARED = {
    catalogue.c.identity,
    catalogue.c.revision_name,
    revisions.c.imported_at,
    revisions.c.name,
    sources.c.imported_at,
}
_MISCOUNTED = """SELECT count(*) FROM terms WHERE editor_count <>
    (SELECT count(*) FROM article_terms WHERE term_id = terms.id)"""
_UNFINDABLE = "SELECT count(*) FROM articles WHERE id NOT IN (SELECT article_id FROM article_words)"


@dataclass(frozen=True, slots=True)
class Catalogue:
    url: str

    @property
    def file(self) -> Path | None:
        """None on PostgreSQL."""
        database = make_url(self.url).database
        return Path(database or "") if self.url.startswith("sqlite") else None

    def command(self, tree: Path, *options: str, **how: Any) -> subprocess.Popen[str]:
        """An import as a curator starts it."""
        return subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "app", *_arguments(tree), *options],
            cwd=REPOSITORY,
            env=os.environ | {"CLIPPINGS_DATABASE_URL": self.url, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **how,
        )

    def forked(self, tree: Path) -> tuple[ForkServerProcess, PipeEnd]:
        """The same, from where Python and the program are loaded: what is killed is at its work.

        There is something to read when it is about to commit, and when it has ended.
        """
        reader, writer = _FORKS.Pipe(duplex=False)
        process = _FORKS.Process(target=_import, args=(self.url, tree, writer))
        process.start()
        writer.close()
        return process, reader

    def import_(self, tree: Path) -> Report:
        engine = writing_engine(self.url)
        try:
            return import_trees(engine, [Request(tree, SOURCE)], Options(prune=True))
        finally:
            engine.dispose()

    def state(self) -> str:
        """A digest of every row, equal for equal catalogues; "" where there are no tables."""
        # A reader makes no file, and fails where there is none.
        engine = writing_engine(self.url)
        with engine.connect() as connection:
            digest = hashlib.blake2b(digest_size=8)
            is_empty = not inspect(connection).has_table("catalogue")
            for table in () if is_empty else metadata.sorted_tables:
                columns = [column for column in table.columns if column not in _NOT_COMPARED]
                rows = sorted(repr(tuple(row)) for row in connection.execute(select(*columns)))
                digest.update(repr((table.name, rows)).encode())
        engine.dispose()
        return "" if is_empty else digest.hexdigest()

    def faults(self) -> list[str]:
        """What is broken in a catalogue whatever its state."""
        engine = writing_engine(self.url)
        with engine.begin() as connection:
            found = list(_faults(connection))
        engine.dispose()
        return found

    def wait_until_alone(self) -> None:
        """PostgreSQL goes on for a moment with what a killed client had asked for, even to commit it."""
        if self.file:
            return
        engine = writing_engine(self.url)
        others = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        deadline = time.monotonic() + HANG_SECONDS
        with engine.connect() as connection:
            while connection.execute(others).scalar_one() and time.monotonic() < deadline:
                time.sleep(0.005)
        engine.dispose()


def _arguments(tree: Path) -> list[str]:
    return ["import", str(tree), "--source", SOURCE, "--prune"]


def _import(url: str, tree: Path, writer: PipeEnd) -> None:
    event.listen(Engine, "commit", lambda connection: writer.send_bytes(b"commit"))
    os.environ["CLIPPINGS_DATABASE_URL"] = url
    sys.argv[1:] = _arguments(tree)
    sys.stdout = sys.stderr = io.StringIO()
    main()


def _faults(connection: Connection) -> Iterator[str]:
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        for row in connection.execute(text("PRAGMA integrity_check")):
            if row[0] != "ok":
                yield f"integrity_check: {row[0]}"
        yield from (
            f"foreign_key_check: {row}" for row in connection.execute(text("PRAGMA foreign_key_check"))
        )
    if not inspect(connection).has_table("catalogue"):
        return
    if not is_sqlite:
        # Reads every page that a table or an index has.
        connection.execute(text("SELECT count(*) FROM articles a JOIN documents d ON d.id = a.id"))
    for what, statement in (
        ("terms are miscounted", _MISCOUNTED),
        ("articles cannot be found", _UNFINDABLE),
    ):
        if number := connection.execute(text(statement)).scalar_one():
            yield f"{number} {what}"
    yield from index_faults(connection)


def articles_in(url: str) -> int:
    engine = reading_engine(url)
    with engine.connect() as connection:
        number = len(connection.execute(select(articles.c.id)).all())
    engine.dispose()
    return number


@contextmanager
def new_catalogue(database: str, server: URL | None = None) -> Iterator[Catalogue]:
    """An empty one; `server` is a PostgreSQL to use instead of the tests' own."""
    if database == "pgbouncer":
        with new_catalogue("postgresql", server) as behind, pooled(behind.url) as pooler:
            yield Catalogue(pooler.url)
        return
    with tempfile.TemporaryDirectory() as folder:
        if database == "sqlite":
            yield Catalogue(sqlite_url(Path(folder)))
        else:
            url = new_database(server) if server else new_postgresql_url()
            yield Catalogue(url)
            drop_postgresql(url)


@contextmanager
def copy_of(original: Catalogue) -> Iterator[Catalogue]:
    """Nobody may be connected to the original."""
    if original.file:
        with new_catalogue("sqlite") as copy:
            if original.file.exists():
                shutil.copy(original.file, copy.file or "")
            yield copy
    else:
        url = make_url(original.url)
        copied = new_database(url.set(database="postgres"), url.database or "")
        yield Catalogue(copied)
        drop_postgresql(copied)
