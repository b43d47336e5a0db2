"""Brings the tables up to date by the history in migrations/. Knows no table by name."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

# The newest revision in migrations/; a test compares. Reading the history would be half of an import's start.
HEAD = "0005"


def upgrade(connection: Connection) -> None:
    """Within the caller's transaction: after a failure the tables are as they were."""
    if is_current(connection):
        return
    # Loading Alembic takes 0.15 s, as long as looking through a small tree.
    from alembic import command  # noqa: PLC0415

    command.upgrade(history(connection), "head")


def history(connection: Connection) -> "Config":
    """Of all versions, as Alembic's commands take it."""
    from alembic.config import Config  # noqa: PLC0415  as said above

    configuration = Config()
    configuration.set_main_option("script_location", str(_history()).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def is_current(connection: Connection) -> bool:
    return inspect(connection).has_table("alembic_version") and is_head(connection)


def is_head(connection: Connection) -> bool:
    """As `is_current`, in one question, of a database that has our tables; else the database's error."""
    return connection.scalars(text("SELECT version_num FROM alembic_version")).one_or_none() == HEAD


def _history() -> Path:
    # The wheel carries the history within the package; a checkout has it beside.
    here = Path(__file__).parent
    inside = here / "_migrations"
    return inside if inside.is_dir() else here.parent / "migrations"
