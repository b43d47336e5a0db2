"""Engines and transactions, and what SQLite and PostgreSQL do differently there. Knows no table."""

import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import itemgetter
from typing import Any, Self, TypeVar

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
from sqlalchemy.exc import DBAPIError

from app.errors import DatabaseUnavailable, ImportRefused, QueryTimedOut
from app.opening import look_first

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


class Reader:
    """Reads one database in snapshots. Owns its engine and the connections that are idle between them."""

    def __init__(self, url: str) -> None:
        self.engine = reading_engine(url)
        # A checkout from SQLAlchemy's pool costs 30 µs of a 220 µs list.
        self._idle: list[Connection] = []

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        while self._idle:
            _discard(self._idle.pop())
        self.engine.dispose()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """All that is read within comes from one state of the database.

        Raises DatabaseUnavailable, DatabaseUnusable, NoCatalogue or QueryTimedOut.
        """
        connection = None
        try:
            connection = self._checkout()
            yield connection
        except (DBAPIError, self._driver_error) as error:
            if _ran_out_of_time(error.orig if isinstance(error, DBAPIError) else error):
                raise QueryTimedOut("The question took too long to answer.") from error
            raise DatabaseUnavailable(f"The database cannot be read: {first_line(error)}") from error
        except TimeoutError as error:
            raise DatabaseUnavailable("All connections to the database are busy.") from error
        finally:
            if connection is not None:
                self._checkin(connection)

    @property
    def _driver_error(self) -> type[Exception]:
        error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        return error

    def _checkout(self) -> Connection:
        """Reuses an idle connection; opens a new one if the server has restarted since."""
        while self._idle:
            connection = self._idle.pop()
            try:
                _begin(connection)
            except self._driver_error:
                _discard(connection)
                continue
            return connection
        connection = self.engine.connect()
        _begin(connection)
        return connection

    def _checkin(self, connection: Connection) -> None:
        if connection.invalidated:
            # The connection was lost meanwhile.
            _discard(connection)
            return
        try:
            # A commit, not a rollback: after one psycopg forgets the statements that PostgreSQL has planned.
            if connection.in_transaction():
                # SQLAlchemy began its own transaction; its commit ends the driver's as well.
                connection.commit()
            else:
                driver: Any = connection.connection.driver_connection
                driver.commit()
        except (DBAPIError, self._driver_error):
            _discard(connection)
        else:
            self._idle.append(connection)


def _begin(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN")
    if connection.dialect.name == "sqlite":
        _stop_in_time(driver)


def _discard(connection: Connection) -> None:
    """Closes it for good: the pool does not get it back."""
    connection.invalidate()
    connection.close()


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


def first_line(error: BaseException | None) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n", 1)[0]
