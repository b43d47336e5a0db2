"""Engines, their limits, and the one transaction that writes. Knows no table."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import DBAPIError

from app.database.opening import look_first
from app.errors import DatabaseUnavailable, ImportRefused

# Hourly imports take seconds; who waits longer than this is not waiting for an import.
IMPORT_WAIT_SECONDS = 60


# At a million articles all but phrases of the commonest words take less than a quarter of it; who asks for
# more is told so in time.
QUERY_SECONDS = 1.0


# For four reading threads, four exports, the event loop, the revision, and two checks of health at once. The
# event loop must not wait for one.
READ_CONNECTIONS = 12


# An import turns over the same pages again and again. A reader's own copy of what the operating system has in
# memory anyway is no faster when it is larger, and there are several.
_WRITING_CACHE_KIB, _READING_CACHE_KIB = 32_000, 8_000


# Five articles fit into 8 kB, two into SQLite's own 4 kB: a catalogue is a twentieth smaller.
_PAGE_BYTES = 8_192


# Of PostgreSQL, by number: loading its driver takes longer than an import that finds nothing changed.
_QUERY_CANCELED, _LOCK_NOT_AVAILABLE = "57014", "55P03"


# Any number that other programs on the same server are unlikely to choose.
_IMPORT_LOCK = 0x_C11_991_465


_READ_SESSION = (
    "-c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on "
    # Of memory and flash; for turning disks a plan would rather read and sort whole tables.
    "-c random_page_cost=1.1 -c jit=off "
    f"-c statement_timeout={int(QUERY_SECONDS * 1000)}"
)


def writing_engine(url: str, wait_seconds: float = IMPORT_WAIT_SECONDS) -> Engine:
    """For `exclusive`, which waits so long for another import."""
    options = {"wait_seconds": wait_seconds}
    if make_url(url).get_backend_name() == "sqlite":
        engine = _sqlite_engine(url, _WRITING_CACHE_KIB, wait_seconds, execution_options=options)
        event.listen(engine, "connect", _log_ahead)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        # What the driver logs of a lost connection is raised too; on a terminal it would be said twice.
        logging.getLogger("psycopg").addHandler(logging.NullHandler())
        engine = create_engine(url, connect_args={"connect_timeout": 10}, execution_options=options)
    look_first(engine, makes_file=True)
    return engine


def reading_engine(url: str) -> Engine:
    """For a Reader, which begins and ends transactions by itself; no statement runs over QUERY_SECONDS."""
    if make_url(url).get_backend_name() == "sqlite":
        engine = _sqlite_engine(url, _READING_CACHE_KIB, QUERY_SECONDS, isolation_level="AUTOCOMMIT")
    else:
        engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=READ_CONNECTIONS,
            max_overflow=0,
            pool_timeout=QUERY_SECONDS,
            connect_args={"connect_timeout": 5, "options": _READ_SESSION},
        )
    look_first(engine, makes_file=False)
    return engine


@contextmanager
def exclusive(engine: Engine) -> Iterator[Connection]:
    """One transaction beside which nobody else writes; readers go on reading the state before it.

    Waits as long for another one as its engine says. Raises ImportRefused, DatabaseUnavailable or
    DatabaseUnusable.
    """
    wait_seconds = engine.get_execution_options()["wait_seconds"]
    try:
        # SQLite's lock on writing is taken at once: at the first write it would be too late to wait.
        with (
            engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{wait_seconds * 1000:.0f}ms'"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_IMPORT_LOCK})"))
            yield connection
    # What begins a transaction, and whatever is asked of the driver itself, raises the driver's own.
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        if _is_locked(original):
            raise ImportRefused(
                f"Another import is under way for over {wait_seconds:g} s; try again when it is done."
            ) from error
        written = isinstance(original, engine.dialect.loaded_dbapi.OperationalError)
        words = "The database cannot be written" if written else "The database refused"
        raise DatabaseUnavailable(f"{words}: {first_line(original)}") from error


def _sqlite_engine(url: str, cache_kib: int, wait_seconds: float, **options: Any) -> Engine:
    engine = create_engine(
        url, pool_size=READ_CONNECTIONS, max_overflow=0, pool_timeout=QUERY_SECONDS, **options
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, cache_kib, wait_seconds))
    return engine


def _prepare_sqlite(cache_kib: int, wait_seconds: float, connection: sqlite3.Connection, _: object) -> None:
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    # Python's own transactions begin late and never for a SELECT; ours begin when they say so.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {wait_seconds * 1000:.0f}")
    # A new catalogue gets these pages; it counts before the first write alone.
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    # What an import reported as done must outlive a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _log_ahead(connection: sqlite3.Connection, _: object) -> None:
    """So that readers go on beside an import. The file keeps it: readers need not write for it."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(connection.get_execution_options().get("begin", "BEGIN"))


def _is_locked(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return getattr(error, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def first_line(error: BaseException | None) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n", 1)[0]
