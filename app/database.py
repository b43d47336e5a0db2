"""Engines and transactions, and what SQLite and PostgreSQL do differently there. Knows no table."""

import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Table,
    any_,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    insert,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from app.errors import DatabaseUnavailable, ImportRefused, QueryTimedOut

T = TypeVar("T")

# Hourly imports take seconds; who waits longer than this is not waiting for an import.
IMPORT_WAIT_SECONDS = 60
# At a million articles all but phrases of the commonest words take less than a quarter of it; who asks for
# more is told so in time.
QUERY_SECONDS = 1.0
# Instructions of SQLite's machine between two looks at the clock: some 0.1 ms.
_STEPS_BETWEEN_LOOKS = 20_000
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
# Both databases take 32,000 and more; fewer keep a statement's plan and its text small.
_VALUES_IN_A_STATEMENT = 500
_READ_SESSION = (
    "-c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on "
    # Of memory and flash; for turning disks a plan would rather read and sort whole tables.
    "-c random_page_cost=1.1 -c jit=off "
    f"-c statement_timeout={int(QUERY_SECONDS * 1000)}"
)


def writing_engine(url: str) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        engine = _sqlite_engine(url, _WRITING_CACHE_KIB)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # What the driver logs of a lost connection is raised too; on a terminal it would be said twice.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    return create_engine(url, connect_args={"connect_timeout": 10})


def reading_engine(url: str) -> Engine:
    """For `snapshot`, which begins and ends transactions by itself; no statement runs over QUERY_SECONDS."""
    if make_url(url).get_backend_name() == "sqlite":
        engine = _sqlite_engine(url, _READING_CACHE_KIB, isolation_level="AUTOCOMMIT")
    else:
        engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=READ_CONNECTIONS,
            max_overflow=0,
            pool_timeout=QUERY_SECONDS,
            connect_args={"connect_timeout": 5, "options": _READ_SESSION},
        )
    event.listen(engine, "engine_disposed", _close_idle)
    return engine


# Taking one from SQLAlchemy's pool and giving it back takes longer than a page by index.
_idle: WeakKeyDictionary[Engine, list[Connection]] = WeakKeyDictionary()


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """All that is read within comes from one state of the database.

    Raises DatabaseUnavailable or QueryTimedOut.
    """
    connection = None
    try:
        connection = _begun(engine)
        yield connection
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        if _ran_out_of_time(error.orig if isinstance(error, DBAPIError) else error):
            raise QueryTimedOut("The question took too long to answer.") from error
        raise DatabaseUnavailable("The database cannot be read.") from error
    except TimeoutError as error:
        raise DatabaseUnavailable("All connections to the database are busy.") from error
    finally:
        if connection is not None:
            _end(engine, connection)


def _begun(engine: Engine) -> Connection:
    """In a transaction, by a connection that is idle, or a new one: the server may be another since."""
    idle = _idle.setdefault(engine, [])
    while idle:
        connection = idle.pop()
        try:
            _begin(connection)
        except engine.dialect.loaded_dbapi.Error:
            _drop(connection)
            continue
        return connection
    connection = engine.connect()
    _begin(connection)
    return connection


def _begin(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN")
    if connection.dialect.name == "sqlite":
        _stop_in_time(driver)


def _end(engine: Engine, connection: Connection) -> None:
    if connection.invalidated:
        # Lost meanwhile.
        _drop(connection)
        return
    try:
        # With a rollback psycopg would forget the statements that PostgreSQL has planned.
        if connection.in_transaction():
            # Of what SQLAlchemy asked itself; it ends the driver's too.
            connection.commit()
        else:
            driver: Any = connection.connection.driver_connection
            driver.commit()
    except (DBAPIError, engine.dialect.loaded_dbapi.Error):
        _drop(connection)
    else:
        _idle.setdefault(engine, []).append(connection)


def _close_idle(engine: Engine) -> None:
    for connection in _idle.pop(engine, []):
        _drop(connection)


def _drop(connection: Connection) -> None:
    """Not back into the pool."""
    connection.invalidate()
    connection.close()


@contextmanager
def exclusive(engine: Engine) -> Iterator[Connection]:
    """One transaction beside which nobody else writes; readers go on reading the state before it.

    Waits IMPORT_WAIT_SECONDS for another one. Raises ImportRefused or DatabaseUnavailable.
    """
    try:
        # SQLite's lock on writing is taken at once: at the first write it would be too late to wait.
        with (
            engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{IMPORT_WAIT_SECONDS}s'"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_IMPORT_LOCK})"))
            yield connection
    except (OperationalError, sqlite3.OperationalError) as error:
        # SQLAlchemy passes on as it is what the driver raises at the beginning of a transaction.
        reason = error.orig if isinstance(error, OperationalError) else error
        if _is_locked(reason):
            raise ImportRefused(
                f"Another import is under way for over {IMPORT_WAIT_SECONDS} s; try again when it is done."
            ) from error
        raise DatabaseUnavailable(f"The database cannot be written: {_first_line(reason)}") from error
    except DBAPIError as error:
        raise DatabaseUnavailable(f"The database refused: {_first_line(error.orig)}") from error


def insert_rows(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Inserts rows by the names of their columns, which are the same in each, by the fastest way."""
    rows = list(rows)
    if rows:
        columns = tuple(rows[0])
        insert_tuples(connection, table, columns, [itemgetter(*columns)(row) for row in rows])


def insert_tuples(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """As `insert_rows`, for narrow tables with many rows: each has values for these columns in this order."""
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {table.name} ({', '.join(columns)}) FROM STDIN", rows)
    else:
        rows = list(rows)
        if not rows:
            return
        dialect = sqlite.dialect(paramstyle="qmark")
        statement: Any = insert(table).compile(dialect=dialect, column_keys=list(columns))
        in_statement_order = itemgetter(*(columns.index(name) for name in statement.positiontup))
        connection.exec_driver_sql(str(statement), list(map(in_statement_order, rows)))


def _copy(connection: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    driver_error = connection.dialect.loaded_dbapi.Error
    try:
        with connection.connection.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except driver_error as error:
        # SQLAlchemy knows no COPY, so the driver's error is not yet one of its own.
        raise DBAPIError.instance(statement, None, error, driver_error) from error


def is_one_of(dialect: str, column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Of any number of ids, the value of a named parameter; `ids_value` is what to give for it."""
    if dialect == "postgresql":
        return column == any_(cast(bindparam(name), ARRAY(BigInteger)))
    return column.in_(select(func.json_each(bindparam(name)).table_valued("value").c.value))


def ids_value(dialect: str, ids: Iterable[int]) -> str:
    listed = ",".join(map(str, ids))
    return f"{{{listed}}}" if dialect == "postgresql" else f"[{listed}]"


def position(dialect: str, text_: ColumnElement[str], part: Any) -> ColumnElement[int]:
    """Where a text has a part of it, counted from 1; 0 where it has not."""
    return func.strpos(text_, part) if dialect == "postgresql" else func.instr(text_, part)


def in_parts(values: Sequence[T], at_once: int = _VALUES_IN_A_STATEMENT) -> Iterator[Sequence[T]]:
    """By default for `IN (...)`: each part has few enough values for one statement."""
    for start in range(0, len(values), at_once):
        yield values[start : start + at_once]


def _sqlite_engine(url: str, cache_kib: int, **options: Any) -> Engine:
    engine = create_engine(
        url, pool_size=READ_CONNECTIONS, max_overflow=0, pool_timeout=QUERY_SECONDS, **options
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, cache_kib))
    return engine


def _prepare_sqlite(cache_kib: int, connection: sqlite3.Connection, _: object) -> None:
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    # Python's own transactions begin late and never for a SELECT; ours begin when they say so.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {IMPORT_WAIT_SECONDS * 1000}")
    # A new catalogue gets these pages; it counts before the first write alone.
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")
    # What an import reported as done must outlive a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(connection.get_execution_options().get("begin", "BEGIN"))


def renew_deadline(connection: Connection) -> None:
    """For who asks many questions of one snapshot, each of them in time. PostgreSQL times each anyway."""
    if connection.dialect.name == "sqlite":
        _stop_in_time(connection.connection.driver_connection)  # type: ignore[arg-type]


def _stop_in_time(connection: sqlite3.Connection, *_: object, seconds: float = QUERY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)


def _ran_out_of_time(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorname == "SQLITE_INTERRUPT"
    return getattr(error, "sqlstate", None) == _QUERY_CANCELED


def _is_locked(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return getattr(error, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().split("\n", 1)[0]
