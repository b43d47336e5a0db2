"""Read-only snapshots, and the connections that read them. Knows no table."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import Connection, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

from app.database.engines import BEGIN_INFO, QUERY_SECONDS, first_line, reading_engine
from app.database.sqlite_file import file_of
from app.errors import DatabaseUnavailable, QueryTimedOut

# This SQLSTATE means that a statement ran into its timeout.
_QUERY_CANCELED = "57014"

# SQLite calls our timeout check every 20,000 VM steps, about every 0.1 ms.
_VM_STEPS_BETWEEN_CHECKS = 20_000


class Reader:
    """Reads one database in snapshots. Owns its engine and the connections that are idle."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.engine = reading_engine(url, read_only=read_only)
        self._file = file_of(self.engine)
        self._signature = self._file.signature() if self._file else None
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
        """Everything that is read in it comes from one state of the database.

        Raises DatabaseUnavailable, DatabaseUnusable, NoCatalogue or QueryTimedOut.
        """
        connection = None
        is_usable = True
        try:
            connection = self._checkout()
            signature = self._signature
            yield connection
        except (DBAPIError, self._driver_error) as error:
            if _is_timeout(error.orig if isinstance(error, DBAPIError) else error):
                raise QueryTimedOut("The question took too long to answer.") from error
            is_usable = not _is_damaged(error.orig if isinstance(error, DBAPIError) else error)
            raise DatabaseUnavailable(f"The database cannot be read: {first_line(error)}") from error
        except TimeoutError as error:
            raise DatabaseUnavailable("All connections to the database are busy.") from error
        finally:
            if connection is not None:
                if is_usable and signature == self._signature:
                    self._checkin(connection)
                else:
                    _discard(connection)

    @property
    def _driver_error(self) -> type[Exception]:
        error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        return error

    def _checkout(self) -> Connection:
        """Reuses an idle connection; opens a new one if the server restarted or the file changed since."""
        if self._file and (signature := self._file.signature()) != self._signature:
            self._signature = signature
            while self._idle:
                _discard(self._idle.pop())
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
            # The server closed the connection during the snapshot.
            _discard(connection)
            return
        try:
            # We commit because psycopg drops its prepared statements after a rollback.
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
    driver.execute(connection.info.get(BEGIN_INFO, "BEGIN"))
    if connection.dialect.name == "sqlite":
        _set_deadline(driver)


def read_alone(connection: PoolProxiedConnection, statement: str) -> tuple[Any, ...] | None:
    """The first row of a statement that is a transaction of its own; the driver commits by itself."""
    driver: Any = connection.driver_connection
    if begin := connection.info.get(BEGIN_INFO):
        cursor = driver.execute(f"{begin}; {statement}; COMMIT").set_result(-2)
    else:
        cursor = driver.execute(statement)
    row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _discard(connection: Connection) -> None:
    """Closes a connection for good: the pool does not get it back."""
    connection.invalidate()
    connection.close()


def restart_clock(connection: Connection) -> None:
    """Gives the next query its full time. PostgreSQL times each statement; on SQLite we time the snapshot."""
    if connection.dialect.name == "sqlite":
        _set_deadline(connection.connection.driver_connection)  # type: ignore[arg-type]


def _set_deadline(connection: sqlite3.Connection, *_: object, seconds: float = QUERY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _VM_STEPS_BETWEEN_CHECKS)


@contextmanager
def timeouts_named(connection: Connection) -> Iterator[None]:
    """For those who go on after a time-out: drivers have errors of their own, and snapshots name them late.

    Raises QueryTimedOut. A transaction of PostgreSQL answers nothing after it.
    """
    driver_error: type[Exception] = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except (DBAPIError, driver_error) as error:
        if _is_timeout(error.orig if isinstance(error, DBAPIError) else error):
            raise QueryTimedOut("The question took too long to answer.") from error
        raise


def _is_damaged(error: BaseException | None) -> bool:
    """The connection remembers parts of a file that somebody was writing over."""
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR"))


def _is_timeout(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorname == "SQLITE_INTERRUPT"
    return getattr(error, "sqlstate", None) == _QUERY_CANCELED
