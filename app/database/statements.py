"""Statements compiled once, and run by the driver itself. Knows no table.

    @statement
    def terms_of_field(published: Published) -> Select[Any]:
        return select(...).where(terms.c.field == bindparam("field"))

    rows = terms_of_field(connection, published).rows({"field": "topic"})

A compiled statement is cached by the function's arguments. The arguments must be hashable and take few
values; a value that changes with every request is a named parameter.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, Final, Generic, ParamSpec, TypeVar

from sqlalchemy import Connection, Dialect, SelectBase

# A compiled statement takes about 12 kB. Pages of lists need most of them: 26 pairs of a list and an order
# are each read forwards and backwards, from an end and from a place.
MAX_COMPILED_PER_FUNCTION: Final = 200

P = ParamSpec("P")
S = TypeVar("S", bound=SelectBase)


class Statement(Generic[P, S]):
    """A function that was decorated with `@statement`; `build` is the function itself."""

    def __init__(self, build: Callable[P, S]) -> None:
        self.build = build
        self._compiled: Callable[..., CompiledStatement] = lru_cache(MAX_COMPILED_PER_FUNCTION)(self._compile)

    def __call__(self, connection: Connection, *args: P.args, **kwargs: P.kwargs) -> "BoundStatement":
        return BoundStatement(self._compiled(connection.dialect, *args, **kwargs), connection)

    def _compile(self, dialect: Dialect, *args: P.args, **kwargs: P.kwargs) -> "CompiledStatement":
        return CompiledStatement(self.build(*args, **kwargs), dialect)


statement = Statement


class BoundStatement:
    """A compiled statement with the connection that it runs on. Rows are named tuples."""

    __slots__ = ("_compiled", "_connection")

    def __init__(self, compiled: "CompiledStatement", connection: Connection) -> None:
        self._compiled = compiled
        self._connection = connection

    def rows(self, values: Mapping[str, Any]) -> list[Any]:
        """`values` are the values of the statement's named parameters."""
        return list(self._compiled.run(self._connection, values))

    def stream(self, values: Mapping[str, Any]) -> Iterator[Any]:
        """The same rows, which SQLite reads one by one.

        A stream that is not read to its end keeps the snapshot open: close it before the snapshot ends.
        """
        return self._compiled.run(self._connection, values)


class CompiledStatement:
    """SQL for the driver. Compiling it takes longer than reading a page by an index, so it is kept."""

    def __init__(self, statement: SelectBase, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self._defaults = dict(compiled.params)
        self._positions: list[str] | None = getattr(compiled, "positiontup", None)
        # PostgreSQL sends rows in binary: text would have two hex digits for each byte of a bitmap.
        self._options = {"binary": True} if dialect.name == "postgresql" else {}
        names = [str(name) for name in statement.selected_columns.keys()]  # noqa: SIM118  no dict
        row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
        # This is `Row._make`, twice as fast.
        self._as_row: Any = partial(tuple.__new__, row)

    def parameters(self, values: Mapping[str, Any]) -> dict[str, Any] | list[Any]:
        named = {**self._defaults, **values}
        return named if self._positions is None else [named[name] for name in self._positions]

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Iterator[Any]:
        driver: Any = connection.connection.driver_connection
        return map(self._as_row, driver.execute(self.sql, self.parameters(values), **self._options))
