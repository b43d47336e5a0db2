"""Read-only snapshots, and the connections that read them. Knows no table."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import Connection, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

from app.database.engines import (
    BEGIN_INFO,
    QUERY_SECONDS,
    first_line,
    reading_engine,
    wait_for_import,
)
from app.database.sqlite_file import file_of
from app.errors import DatabaseUnavailable, QueryTimedOut

# This SQLSTATE means that a statement ran into its timeout.
_QUERY_CANCELED = "57014"

# SQLite calls our timeout check every 20,000 VM steps, about every 0.1 ms.
_VM_STEPS_BETWEEN_CHECKS = 20_000

# A connection to one of several servers is closed when it is about this old: a standby that comes back is
# used again within minutes, and a promoted one relieved. Opening one takes 5 ms.
SPREAD_SECONDS = 180.0
# All connections of a service that has just started would else be closed at one moment.
_SPREAD_JITTER = 0.25

# A standby is behind for milliseconds after an import. Where it is for longer, a new connection may lead to
# another one, and nobody is to open connections all the time.
BEHIND_SECONDS = 5.0

# A server that refuses connections says so in a millisecond and may be asked again soon; one that drops
# packets costs whoever tries it seconds. Trying takes a tenth of the time at most.
_SHORTEST_REST_SECONDS, _LONGEST_REST_SECONDS, _RESTS_FOR_A_TRY = 0.1, 10.0, 10


class Reader:
    """Reads one database in snapshots. Owns its engine and the connections that are idle.

    One that `spreads` has several servers with the same database, and closes its connections now and then.
    """

    def __init__(self, url: str, *, read_only: bool = False, spreads: bool = False) -> None:
        self.engine = reading_engine(url, read_only=read_only)
        self._spreads = spreads
        self.has_failed = False
        self._retry_at = 0.0
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
            if self.has_failed:
                self.note_success()
            yield connection
        except (DBAPIError, self._driver_error) as error:
            if _is_timeout(error.orig if isinstance(error, DBAPIError) else error):
                raise QueryTimedOut("The question took too long to answer.") from error
            self._note_silence(error.orig if isinstance(error, DBAPIError) else error)
            is_usable = not _is_damaged(error.orig if isinstance(error, DBAPIError) else error)
            raise DatabaseUnavailable(f"The database cannot be read: {first_line(error)}") from error
        except TimeoutError as error:
            raise DatabaseUnavailable("All connections to the database are busy.") from error
        finally:
            if connection is not None:
                if is_usable:
                    self._checkin(connection)
                else:
                    _discard(connection)

    @contextmanager
    def settled_snapshot(self) -> Iterator[Connection]:
        """A snapshot of the primary with all that any of its standbys has shown before.

        A standby may show a commit a moment before the primary does. The import holds its lock until then.
        Raises DatabaseUnavailable while an import runs, and where this server is a standby itself.
        """
        if self.dialect == "postgresql":
            with self.snapshot() as connection:
                wait_for_import(connection)
        with self.snapshot() as connection:
            yield connection

    def is_away(self) -> bool:
        """Whether connecting has just failed. Now and then one asker gets False, and tries again."""
        now = time.monotonic()
        if now < self._retry_at:
            return True
        if self.has_failed:
            # Nobody else tries while this asker does.
            self._retry_at = now + _LONGEST_REST_SECONDS
        return False

    def note_failure(self, seconds: float) -> None:
        """Connecting has failed after so many seconds."""
        rest = max(_SHORTEST_REST_SECONDS, min(seconds * _RESTS_FOR_A_TRY, _LONGEST_REST_SECONDS))
        self.has_failed, self._retry_at = True, time.monotonic() + rest

    def note_success(self) -> None:
        self.has_failed, self._retry_at = False, 0.0

    def _note_silence(self, error: BaseException | None) -> None:
        """Leaves the idle connections of a server that hangs: each would be waited for."""
        if seconds := getattr(error, "silent_seconds", 0):
            self.note_failure(seconds)
            while self._idle:
                _discard(self._idle.pop())

    def set_aside(self, connection: Connection) -> None:
        """Its server is behind the others: it is used again after those that are idle, or closed."""
        connection.info["is_behind"] = True

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
        signature = self._signature
        while self._idle:
            connection = self._idle.pop()
            try:
                _begin(connection)
            except self._driver_error as error:
                _discard(connection)
                self._note_silence(error)
                continue
            return connection
        started_at = time.monotonic()
        try:
            connection = self.engine.connect()
        except DBAPIError:
            self.note_failure(time.monotonic() - started_at)
            raise
        connection.info["signature"] = signature
        if self._spreads:
            share = random.uniform(1 - _SPREAD_JITTER, 1 + _SPREAD_JITTER)  # noqa: S311
            connection.info["opened_at"] = time.monotonic()
            connection.info["lasting_seconds"] = SPREAD_SECONDS * share
        _begin(connection)
        return connection

    def _checkin(self, connection: Connection) -> None:
        # The server has closed the connection during the snapshot, or the file is no longer what was opened.
        if connection.invalidated or connection.info["signature"] != self._signature:
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
            if self._spreads:
                self._keep_or_close(connection)
            else:
                self._idle.append(connection)

    def _keep_or_close(self, connection: Connection) -> None:
        is_behind = connection.info.pop("is_behind", False)
        age_seconds = time.monotonic() - connection.info["opened_at"]
        if age_seconds > (BEHIND_SECONDS if is_behind else connection.info["lasting_seconds"]):
            _discard(connection)
        elif is_behind:
            self._idle.insert(0, connection)
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
    """Callers that go on after a time-out need its name now: drivers have others, and snapshots name it late.

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
