"""Engines, their limits, and the one transaction that writes. Knows no table."""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from socket import gethostname
from threading import Timer
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from app.database.opening import check_on_connect
from app.database.sqlite_file import OPTION, SqliteFile
from app.errors import DatabaseUnavailable, ImportRefused

# Hourly imports take seconds: who meets one that takes longer says so, and comes again.
IMPORT_WAIT_SECONDS = 60
# Most imports end within this time, and whoever waits for one need not tell.
SILENT_SECONDS = 3.0
# SQLite waits in C, where no signal is heard, so it waits for so long at once.
_WAIT_AT_ONCE_SECONDS = 0.1

# Every query takes less than a quarter of this at a million articles, except phrases of the commonest words.
# A client that asks for more gets 503 after one second.
QUERY_SECONDS = 1.0

# Twelve connections are enough for four reading threads, four exports, the event loop, the revision and two
# checks of health at once. The event loop must never wait for a connection.
READ_CONNECTIONS = 12

# An import changes the same pages again and again, so a large cache pays. A reader finds its pages in the
# operating system's cache anyway, and each of its twelve connections has a cache of its own.
_WRITING_CACHE_KIB, _READING_CACHE_KIB = 32_000, 8_000

# Five articles fit into a page of 8 kB, and two into SQLite's default of 4 kB: the file gets 5 % smaller.
_PAGE_BYTES = 8_192

# Answers take milliseconds; a download reads longer, and then the log waits for the next import.
_WRITE_BACK_MILLISECONDS = 500
_MAX_IDLE_LOG_BYTES = 16_000_000

# This is an SQLSTATE. Importing psycopg for its named errors takes longer than an import without changes.
_LOCK_NOT_AVAILABLE = "55P03"

# The number is arbitrary: other programs on the same server are unlikely to choose it.
_IMPORT_LOCK = 0x_C11_991_465

# An import is done within microseconds of its commit, on a busy machine within milliseconds.
_SETTLING_MILLISECONDS = 300

# A machine that lost its power or network while it imports says nothing more. Without these the server would
# hold the lock for it for two hours (tcp_keepalives_idle of Linux); so it does for a minute.
_IMPORT_TRANSACTION = "; ".join(
    [
        # A transaction of another level would see the catalogue as it was before it waited.
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET LOCAL tcp_keepalives_idle = 30",
        "SET LOCAL tcp_keepalives_interval = 10",
        "SET LOCAL tcp_keepalives_count = 3",
        "SET LOCAL tcp_user_timeout = 60000",
    ]
)
# The same for the other end, as libpq's parameters. An import notices in a minute that the server vanished,
# and a service in ten seconds: its threads would wait for an answer for a quarter of an hour.
_WRITER_PARAMETERS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_READER_PARAMETERS = {
    "connect_timeout": 5,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_HOLDER = text(
    """SELECT application_name, pid FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted AND datname = current_database()
    AND database = datid AND classid = :high AND objid = :low AND objsubid = 1"""
).bindparams(high=_IMPORT_LOCK >> 32, low=_IMPORT_LOCK & 0xFFFF_FFFF)

# The name of the info of a pooled connection that holds the statement which begins its snapshots.
BEGIN_INFO = "begin"
# PostgreSQL cuts longer names.
_MAX_APPLICATION_NAME = 63


def writing_engine(
    url: str,
    wait_seconds: float = IMPORT_WAIT_SECONDS,
    say_waiting: Callable[[str], None] = lambda line: None,
) -> Engine:
    """The engine for `exclusive`, which waits `wait_seconds` for another import to end.

    `say_waiting` gets one line of it, from whatever thread, if it takes longer than SILENT_SECONDS.
    """
    options = {"wait_seconds": wait_seconds, "say_waiting": say_waiting}
    if make_url(url).get_backend_name() == "sqlite":
        engine = _sqlite_engine(url, _WRITING_CACHE_KIB, wait_seconds, execution_options=options)
        event.listen(engine, "connect", _use_write_ahead_log)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        # The driver logs a lost connection and raises it too; a terminal would show it twice.
        logging.getLogger("psycopg").addHandler(logging.NullHandler())
        parameters = _parameters_beside(url, "writer", _WRITER_PARAMETERS)
        engine = create_engine(url, connect_args=parameters, execution_options=options)
        event.listen(engine, "connect", _note_pooler)
    check_on_connect(engine, may_create_file=True)
    return engine


def reading_engine(url: str, *, read_only: bool = False) -> Engine:
    """The engine for a Reader, which begins and ends transactions itself.

    No statement runs longer than QUERY_SECONDS. `read_only` lets SQLite write not even its log back.
    """
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        is_path = parts.database and not parts.query.get("uri")
        file = SqliteFile(Path(parts.database or ""), read_only=read_only) if is_path else None
        engine = _sqlite_engine(
            url,
            _READING_CACHE_KIB,
            QUERY_SECONDS,
            isolation_level="AUTOCOMMIT",
            execution_options={OPTION: file},
        )
    else:
        engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=READ_CONNECTIONS,
            max_overflow=0,
            pool_timeout=QUERY_SECONDS,
            connect_args=_parameters_beside(url, "reader", _READER_PARAMETERS),
        )
        event.listen(engine, "do_connect", _connect_impatiently)
        event.listen(engine, "connect", _prepare_reading_session)
    check_on_connect(engine, may_create_file=False)
    return engine


@contextmanager
def exclusive(engine: Engine) -> Iterator[Connection]:
    """The only transaction that writes; readers go on reading the state before it.

    It waits for another one as long as its engine says. Raises ImportRefused, DatabaseUnavailable or
    DatabaseUnusable.
    """
    try:
        with (
            engine.connect().execution_options(begin=_begin_sqlite_alone) as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                _take_import_lock(connection)
            yield connection
        if engine.dialect.name == "sqlite":
            _write_log_back(engine)
    # Statements that we give to the driver ourselves, such as BEGIN, raise the driver's own errors.
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        if _is_locked(original):
            wait_seconds = engine.get_execution_options()["wait_seconds"]
            for_so_long = f" for over {wait_seconds:g} s" if wait_seconds else ""
            raise ImportRefused(
                f"Another import is under way{for_so_long}; try again when it is done."
            ) from error
        is_operational = isinstance(original, engine.dialect.loaded_dbapi.OperationalError)
        summary = "The database cannot be written" if is_operational else "The database refused"
        raise DatabaseUnavailable(f"{summary}: {first_line(original)}") from error


def wait_for_import(connection: Connection) -> None:
    """Waits a moment until no import runs on this server, which is none that replays what another one does.

    Whoever begins a transaction after it sees what was committed before.
    """
    require_primary(connection, "cannot know what is true")
    connection.execute(text(f"SET LOCAL lock_timeout = {_SETTLING_MILLISECONDS}"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock_shared({_IMPORT_LOCK})"))


def require_primary(connection: Connection, what_it_lacks: str) -> None:
    """Raises DatabaseUnavailable where this server is a standby, which `cannot …` or `takes no …`."""
    if connection.dialect.name == "postgresql" and connection.scalar(text("SELECT pg_is_in_recovery()")):
        raise DatabaseUnavailable(f"CLIPPINGS_DATABASE_URL leads to a standby, which {what_it_lacks}.")


def import_under_way(connection: Connection) -> str | None:
    """The connection that writes to this database of PostgreSQL now."""
    holder = connection.execute(_HOLDER).first()
    return f"{holder.application_name or 'a client'} (process {holder.pid} of PostgreSQL)" if holder else None


def _take_import_lock(connection: Connection) -> None:
    """Imports get the lock in the order of their arrival: PostgreSQL keeps the queue."""
    options = connection.get_execution_options()
    connection.exec_driver_sql(_IMPORT_TRANSACTION)
    require_primary(connection, "takes no imports; name the primary")
    if not connection.scalar(select(func.pg_try_advisory_xact_lock(_IMPORT_LOCK))):
        line = f"waiting for another import: {import_under_way(connection) or 'it may be done by now'}"
        _limit_lock_waits(connection, options["wait_seconds"])
        with _said_later(options["say_waiting"], line):
            connection.execute(select(func.pg_advisory_xact_lock(_IMPORT_LOCK)))
    # A migration waits for readers of its tables, and those who come meanwhile wait for the migration.
    _limit_lock_waits(connection, IMPORT_WAIT_SECONDS)


def _limit_lock_waits(connection: Connection, seconds: float) -> None:
    # Zero would be no limit.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(seconds * 1000, 1):.0f}")


@contextmanager
def _said_later(say: Callable[[str], None], line: str) -> Iterator[None]:
    timer = Timer(SILENT_SECONDS, say, [line])
    timer.daemon = True
    # Memory that does not suffice for a thread is no reason not to wait.
    with suppress(RuntimeError):
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _begin_sqlite_alone(connection: Connection) -> None:
    """Takes the write lock at once: a transaction that has read can no longer wait for it."""
    driver: Any = connection.connection.driver_connection
    options = connection.get_execution_options()
    wait_seconds = options["wait_seconds"]
    started = time.monotonic()
    is_said = False
    while True:
        waited = time.monotonic() - started
        seconds = min(max(wait_seconds - waited, 0), _WAIT_AT_ONCE_SECONDS)
        driver.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if waited >= wait_seconds or not _is_locked(error):
                raise
        else:
            break
        if waited >= SILENT_SECONDS and not is_said:
            is_said = True
            options["say_waiting"]("waiting for another import into this file")
    driver.execute(f"PRAGMA busy_timeout = {wait_seconds * 1000:.0f}")


def _write_log_back(engine: Engine) -> None:
    """Brings what is in the log into the file itself, which people copy, replace and serve from elsewhere.

    It waits a moment for those who read an older state, and never fails: the import is done, and whoever
    writes next will do it.
    """
    with suppress(DBAPIError, sqlite3.Error), engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout = {_WRITE_BACK_MILLISECONDS}")
        try:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            wait_seconds = engine.get_execution_options()["wait_seconds"]
            driver.execute(f"PRAGMA busy_timeout = {wait_seconds * 1000:.0f}")


def _sqlite_engine(url: str, cache_kib: int, wait_seconds: float, **options: Any) -> Engine:
    engine = create_engine(
        url, pool_size=READ_CONNECTIONS, max_overflow=0, pool_timeout=QUERY_SECONDS, **options
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, cache_kib, wait_seconds))
    return engine


def _prepare_sqlite(cache_kib: int, wait_seconds: float, connection: sqlite3.Connection, _: object) -> None:
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    # Python's sqlite3 would begin transactions late, and none for a SELECT; we begin them ourselves.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {wait_seconds * 1000:.0f}")
    # The page size has an effect only before the first write, so only a new catalogue gets it.
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    # An import that reported success must survive a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _parameters_beside(url: str, role: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of libpq that are ours, but for those that the URL gives itself.

    `options` is none of them: poolers refuse it at the start of a connection, and it would replace the URL's.
    """
    # Whoever looks into pg_stat_activity sees whose connection it is, unless the URL names it otherwise.
    name = f"clippings {role} {os.getpid()} on {gethostname()}"[:_MAX_APPLICATION_NAME]
    ours = {"fallback_application_name": name, **parameters}
    return {key: value for key, value in ours.items() if key not in make_url(url).query}


def _reading_settings() -> dict[str, str]:
    return {
        "statement_timeout": f"{QUERY_SECONDS * 1000:.0f}",
        # Random reads are cheap on SSDs; with the default (4.0) the planner reads and sorts whole tables.
        "random_page_cost": "1.1",
        "jit": "off",
    }


def _settings_of_session() -> str:
    reading = {
        "default_transaction_isolation": "'repeatable read'",
        "default_transaction_read_only": "on",
        **_reading_settings(),
    }
    return "; ".join(f"SET {name} = {value}" for name, value in reading.items())


def _beginning_of_pooled_snapshot() -> str:
    """A pooled session is somebody else's after each transaction, so each one brings its settings."""
    settings = [f"SET LOCAL {name} = {value}" for name, value in _reading_settings().items()]
    return "; ".join(["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", *settings])


def _note_pooler(connection: Any, record: ConnectionPoolEntry) -> None:
    """Prepares no statements behind a pooler, where the next transaction may be on another server process.

    A pooler cannot know at connecting which process will answer, so it names one that is none.
    """
    [process] = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.commit()
    if process != connection.info.backend_pid:
        connection.prepare_threshold = None
        record.info[BEGIN_INFO] = _beginning_of_pooled_snapshot()


def _connect_impatiently(
    dialect: Any, record: ConnectionPoolEntry, arguments: list[Any], parameters: dict[str, Any]
) -> Any:
    # SQLite must not pay for loading psycopg.
    from app.database.silence import ImpatientConnection  # noqa: PLC0415

    return ImpatientConnection.connect(*arguments, **parameters)


def _prepare_reading_session(connection: Any, record: ConnectionPoolEntry) -> None:
    """SET costs 30 µs of a list in each transaction, so a session that is ours alone has it once."""
    _note_pooler(connection, record)
    if BEGIN_INFO not in record.info:
        connection.execute(_settings_of_session())
        connection.commit()


def _use_write_ahead_log(connection: sqlite3.Connection, _: object) -> None:
    """A write-ahead log lets readers go on during an import. The file keeps the mode: readers set nothing."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")
    # A log that grew beside a long download is cut when it is begun anew.
    connection.execute(f"PRAGMA journal_size_limit = {_MAX_IDLE_LOG_BYTES}")


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("begin")
    if begin is None:
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN")
    else:
        begin(connection)


def _is_locked(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return getattr(error, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def first_line(error: BaseException | None) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n", 1)[0]
