"""Brings the tables up to date by the history in migrations/. Knows no table by name."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    """Within the caller's transaction: after a failure the tables are as they were."""
    command.upgrade(_configuration(connection), "head")


def is_current(connection: Connection) -> bool:
    newest = ScriptDirectory.from_config(_configuration(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == newest


def _configuration(connection: Connection) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(_history()).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def _history() -> Path:
    # The wheel carries the history within the package; a checkout has it beside.
    here = Path(__file__).parent
    inside = here / "_migrations"
    return inside if inside.is_dir() else here.parent / "migrations"
