"""What one would like to know of a catalogue at a glance, of all that the public may see."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from app.catalog.state import read_state
from app.catalog.tables import articles, sources


@dataclass(frozen=True, slots=True)
class Figures:
    """`imported_at` is None where an older version has imported."""

    revision: int
    articles: int
    imported_at: str | None


def read_figures(connection: Connection) -> Figures:
    published = select(func.count()).select_from(articles).where(articles.c.published == 1)
    return Figures(
        read_state(connection).revision,
        connection.scalars(published).one(),
        connection.scalars(select(func.max(sources.c.imported_at))).one(),
    )
