"""Which catalogue this is, in which revision, and whether it was in another one before."""

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnClause,
    Connection,
    Engine,
    PoolProxiedConnection,
    Select,
    bindparam,
    literal_column,
    select,
)
from sqlalchemy.exc import DBAPIError

from app.catalog.tables import catalogue, revisions
from app.database.opening import is_missing_table
from app.database.snapshots import read_alone
from app.database.sqlite_file import file_of
from app.database.statements import statement
from app.errors import DatabaseUnavailable, DatabaseUnusable, NoCatalogue, SchemaOutdated
from app.migrate import HEAD

# A service may go on so long with the revision it knows: SQLite says it in 11 µs, PostgreSQL takes 140
# and another thread. An import waits as long before it is done, so that nobody is told of an older one after,
# unless by a standby.
KNOWN_SECONDS: Final = {"sqlite": 0.001, "postgresql": 0.02}


# The column has 32 bits: an import a second would fill them in 68 years.
MAX_REVISION: Final = 2**31 - 1


class State(NamedTuple):
    """Equal states give equal answers, whatever was restored in between.

    The number alone says too little: after a restored backup another import makes the same one again. `name`
    is None in the empty catalogue that no import has made, of which there is only one.
    """

    identity: str
    revision: int
    name: str | None

    def is_as_new_as(self, other: "State | None") -> bool:
        """Equal, or a later one of the same catalogue. Two of one number with other names are neither."""
        if other is None or self == other:
            return True
        return self.identity == other.identity and self.revision > other.revision

    @property
    def cache_tag(self) -> str:
        """What caches in front know all answers of this catalogue by, so that one purge empties them."""
        return f"clippings-{self.identity}"


def read_state(connection: Connection) -> State:
    return State(*_only_row(_states(connection).rows({})))


def read_current_state(connection: Connection) -> State:
    """Raises SchemaOutdated where another version has changed the tables."""
    return _state_of_version(_only_row(_states_and_versions(connection).rows({})))


def _only_row(rows: Sequence[Any]) -> Any:
    """Raises DatabaseUnavailable where a restore has put new tables in the place of this snapshot's."""
    if not rows:
        raise DatabaseUnavailable("The database cannot be read: a backup is being restored.")
    return rows[0]


def _state_of_version(row: Sequence[Any]) -> State:
    *state, version = row
    if version != HEAD:
        raise SchemaOutdated("The schema of the database is another version's.")
    return State(*state)


@statement
def _states() -> Select[Any]:
    return select(catalogue.c.identity, catalogue.c.revision, catalogue.c.revision_name)


def has_been(connection: Connection, now: State, state: State) -> bool:
    """Whether the catalogue was in `state` before, or is in it, and nothing that it was then was undone."""
    if state.identity != now.identity or not 0 <= state.revision <= now.revision:
        return False
    if state.revision == 0:
        return state.name is None
    rows = _revisions(connection).rows({"revision": state.revision})
    return [row.name for row in rows] == [state.name]


@statement
def _revisions() -> Select[Any]:
    return select(revisions.c.name).where(revisions.c.revision == bindparam("revision"))


def time_of_revision(connection: Connection, state: State) -> str | None:
    """When the import that made the state's revision took place; None in the empty catalogue."""
    rows = _times_of_revisions(connection).rows({"revision": state.revision})
    return next((row.imported_at for row in rows), None)


@statement
def _times_of_revisions() -> Select[Any]:
    return select(revisions.c.imported_at).where(revisions.c.revision == bindparam("revision"))


@statement
def _states_and_versions() -> Select[Any]:
    version: ColumnClause[str] = literal_column("(SELECT max(version_num) FROM alembic_version)")
    return _states.build().add_columns(version)


class StateReader:
    """Reads the state again and again, in some 11 µs on SQLite; for one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._row = RowReader(engine, str(_states_and_versions.build()))

    def read(self) -> State | None:
        """None while the database is away. Raises NoCatalogue where there is none.

        Raises SchemaOutdated where another version has changed the tables, or put its own in their place.
        """
        row = self._row.read()
        return None if row is None else _state_of_version(row)

    @property
    def is_open(self) -> bool:
        return self._row.is_open

    def close_if_older(self, seconds: float) -> None:
        self._row.close_if_older(seconds)

    def close(self) -> None:
        self._row.close()


class RowReader:
    """Reads one row again and again by a connection of its own, for one thread at a time."""

    def __init__(self, engine: Engine, statement: str) -> None:
        self._engine = engine
        self._statement = statement
        self._connection: PoolProxiedConnection | None = None
        self._opened_at = 0.0
        self._file = file_of(engine)
        self._signature = self._file.signature() if self._file else None

    def read(self) -> tuple[Any, ...] | None:
        """The driver reads it, as quickly as it can; None where the database cannot be asked.

        Raises NoCatalogue where it has no such table, or is not there at all.
        """
        if self._file and (signature := self._file.signature()) != self._signature:
            # The connection remembers parts of another file.
            self.close()
            self._signature = signature
        try:
            if self._connection is None:
                self._connection = self._engine.raw_connection()
                self._opened_at = time.monotonic()
            driver: Any = self._connection.driver_connection
            if self._engine.dialect.name == "postgresql" and not driver.autocommit:
                driver.autocommit = True
            row = read_alone(self._connection, self._statement)
        except (DBAPIError, TimeoutError, self._engine.dialect.loaded_dbapi.Error) as error:
            self.close()
            if is_missing_table(error):
                raise NoCatalogue from error
            return None
        except DatabaseUnusable:
            return None
        return row

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def close_if_older(self, seconds: float) -> None:
        """The next reading then opens another connection, which may lead to another server."""
        if self._connection is not None and time.monotonic() - self._opened_at > seconds:
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            # The pool's connections have transactions, so this one does not go back there.
            self._connection.invalidate()
            self._connection = None
