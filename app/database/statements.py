"""Statements that are asked again and again, as the driver takes them. Knows no table."""

from collections import namedtuple
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection, Dialect, SelectBase

# Some 12 kB each; all shapes that a site's own queries have are few, those of a crawler may be many.
MOST_PREPARED = 500


class Prepared:
    """A statement as the driver takes it: making it anew takes far longer than a page by index does."""

    def __init__(self, statement: SelectBase, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._text = str(compiled)
        self._defaults = dict(compiled.params)
        self._positions: list[str] | None = getattr(compiled, "positiontup", None)
        # Of sets as text PostgreSQL would send each byte as two digits.
        self._options = {"binary": True} if dialect.name == "postgresql" else {}
        names = [str(name) for name in statement.selected_columns.keys()]  # noqa: SIM118  no dict
        row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
        # As its `_make`, in half the time.
        self._named: Any = partial(tuple.__new__, row)

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """`values` of the statement's named parameters. Rows are named tuples."""
        return list(self.each(connection, values))

    def each(self, connection: Connection, values: Mapping[str, Any]) -> Iterator[Any]:
        """As `rows`, of which SQLite then reads one after the other.

        Whoever does not read to the end must let go of them before the snapshot ends: it goes on as long.
        """
        given = {**self._defaults, **values}
        parameters = [given[name] for name in self._positions] if self._positions is not None else given
        driver: Any = connection.connection.driver_connection
        return map(self._named, driver.execute(self._text, parameters, **self._options))


_prepared: dict[Hashable, Prepared] = {}


def prepared(connection: Connection, shape: Hashable, make: Callable[[], SelectBase]) -> Prepared:
    """The statement of this shape, whose values are named parameters; `make` is called where it is new."""
    key = (connection.dialect.name, shape)
    found = _prepared.get(key)
    if found is None:
        if len(_prepared) >= MOST_PREPARED:
            _prepared.clear()
        found = _prepared[key] = Prepared(make(), connection.dialect)
    return found
