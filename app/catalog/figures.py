"""What one would like to know of a catalogue at a glance, of all that the public may see."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from app.catalog.state import read_state
from app.catalog.tables import sources
from app.catalog.terms import count_of_all


@dataclass(frozen=True, slots=True)
class Figures:
    """`imported_at` is None where an older version has imported."""

    revision: int
    articles: int
    imported_at: str | None


def read_figures(connection: Connection) -> Figures:
    return Figures(
        read_state(connection).revision,
        count_of_all(connection, "true"),
        connection.scalars(select(func.max(sources.c.imported_at))).one(),
    )
