"""What is really asked of a database: every statement, with its parameters, and its plan. Knows no pytest."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection, Engine, event

# Three hundred rows are sorted in no time; a million must be readable in order.
METHODS_FOR_FEW_ROWS = ("seqscan", "sort", "incremental_sort", "bitmapscan", "hashjoin", "mergejoin")


class Statement(NamedTuple):
    sql: str
    parameters: Sequence[Any] | Mapping[str, Any]


@contextmanager
def recording() -> Iterator[list[Statement]]:
    """All that is executed by connections that are opened within, whichever way it reaches the driver."""
    statements: list[Statement] = []

    def record(sql: Any, parameters: Any) -> None:
        text = sql if isinstance(sql, str) else bytes(sql).decode()
        # Beginnings, ends and settings of transactions have no plan.
        if text.lstrip("( ").upper().startswith(("SELECT", "WITH", "VALUES")):
            statements.append(Statement(text, parameters or ()))

    def connect(dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            options["factory"] = _recording_sqlite(record)
        else:
            options["cursor_factory"] = _recording_postgresql(record)

    event.listen(Engine, "do_connect", connect)
    try:
        yield statements
    finally:
        event.remove(Engine, "do_connect", connect)


def plan(connection: Connection, statement: Statement) -> str:
    """As the database explains it; on PostgreSQL what suits few rows is switched off for the transaction."""
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        for method in METHODS_FOR_FEW_ROWS:
            connection.exec_driver_sql(f"SET LOCAL enable_{method} = off")
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    parameters: Any = statement.parameters
    if not isinstance(parameters, Mapping):
        parameters = tuple(parameters)
    rows = connection.exec_driver_sql(explain + statement.sql, parameters or None)
    return "\n".join(str(row[-1]) for row in rows)


def _recording_sqlite(record: Callable[[Any, Any], None]) -> type[sqlite3.Connection]:
    class RecordingCursor(sqlite3.Cursor):
        def execute(self, sql: str, parameters: Any = (), /) -> "RecordingCursor":
            record(sql, parameters)
            super().execute(sql, parameters)
            return self

    class RecordingConnection(sqlite3.Connection):
        def cursor(self, _factory: Any = None) -> Any:
            return super().cursor(RecordingCursor)

        def execute(self, sql: str, parameters: Any = (), /) -> Any:
            return self.cursor().execute(sql, parameters)

    return RecordingConnection


def _recording_postgresql(record: Callable[[Any, Any], None]) -> type[psycopg.Cursor[Any]]:
    class RecordingCursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            record(query, params)
            return super().execute(query, params, **options)

    return RecordingCursor
