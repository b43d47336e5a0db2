"""Bulk inserts and lists of ids, in each database's fastest way. Knows no table."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    Text,
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

# Both databases take 32,000 values and more; fewer keep a statement's text and plan small.
_MAX_VALUES_IN_A_STATEMENT = 500


def insert_rows(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Inserts rows that all have the same columns."""
    rows = list(rows)
    if rows:
        columns = tuple(rows[0])
        insert_tuples(connection, table, columns, [itemgetter(*columns)(row) for row in rows])


def insert_tuples(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Like `insert_rows`, for narrow tables with many rows: a row has its values in `columns`' order."""
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
        # SQLAlchemy has no COPY, so the driver's error is not wrapped yet.
        raise DBAPIError.instance(statement, None, error, driver_error) from error


def count_rows_for_planner(connection: Connection, tables: Sequence[Table]) -> None:
    """PostgreSQL counts new tables by itself, but not before a transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in tables)}")


def id_in_parameter(dialect: str, column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """The column's id is in a named parameter, whose value `ids_parameter` makes of any number of ids."""
    if dialect == "postgresql":
        return column == any_(cast(bindparam(name), ARRAY(BigInteger)))
    return column.in_(select(func.json_each(bindparam(name)).table_valued("value").c.value))


def ids_parameter(dialect: str, ids: Iterable[int]) -> str:
    id_list = ",".join(map(str, ids))
    return f"{{{id_list}}}" if dialect == "postgresql" else f"[{id_list}]"


def text_in_parameter(dialect: str, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Like `id_in_parameter`, for texts; the value is made by `texts_parameter`."""
    if dialect == "postgresql":
        return column == any_(cast(bindparam(name), ARRAY(Text)))
    return column.in_(select(func.json_each(bindparam(name)).table_valued("value").c.value))


def texts_parameter(dialect: str, texts: Sequence[str]) -> str | list[str]:
    return list(texts) if dialect == "postgresql" else json.dumps(texts)


def position(dialect: str, text_: ColumnElement[str], substring: Any) -> ColumnElement[int]:
    """The position of a substring in a text, counted from 1; 0 if it is not there."""
    return func.strpos(text_, substring) if dialect == "postgresql" else func.instr(text_, substring)


def chunked(values: Sequence[T], chunk_size: int = _MAX_VALUES_IN_A_STATEMENT) -> Iterator[Sequence[T]]:
    """The values in chunks. By default a chunk is small enough for the `IN (...)` of one statement."""
    for start in range(0, len(values), chunk_size):
        yield values[start : start + chunk_size]
