"""Rows in bulk and lists of ids, by each database's fastest way. Knows no table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    any_,
    bindparam,
    cast,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")


# Both databases take 32,000 and more; fewer keep a statement's plan and its text small.
_VALUES_IN_A_STATEMENT = 500


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
