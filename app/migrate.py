"""Brings the tables up to date by the history in migrations/. Knows no table but its own mark."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from app.errors import DatabaseUnusable, NoCatalogue, SchemaOutdated

if TYPE_CHECKING:
    from alembic.config import Config


# The newest revision in migrations/; a test compares. Reading the history would be half of an import's start.
HEAD = "0023"

_TABLES_OF_EXTENSIONS = """SELECT relname FROM pg_class JOIN pg_depend ON pg_depend.objid = pg_class.oid
    WHERE pg_depend.classid = 'pg_class'::regclass AND pg_depend.deptype = 'e'"""


def upgrade(connection: Connection) -> None:
    """Within the caller's transaction: after a failure the tables are as they were.

    Raises DatabaseUnusable where the tables are not ours to change.
    """
    if is_current(connection):
        return
    _require_known(connection)
    # Loading Alembic takes 0.15 s, as long as looking through a small tree.
    from alembic import command  # noqa: PLC0415

    command.upgrade(history(connection), "head")


def history(connection: Connection) -> "Config":
    """All versions, as Alembic's commands take them."""
    from alembic.config import Config  # noqa: PLC0415  as said above

    configuration = Config()
    configuration.set_main_option("script_location", str(_history()).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def require_current(connection: Connection) -> None:
    """Commands that only read ask this first. Raises NoCatalogue, SchemaOutdated or DatabaseUnusable."""
    if is_current(connection):
        return
    _require_known(connection)
    if not inspect(connection).has_table("catalogue"):
        raise NoCatalogue
    raise SchemaOutdated("The schema of the database is an older version's: run `clippings migrate` first.")


def _require_known(connection: Connection) -> None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415  as said above

    tables = inspect(connection)
    if not tables.has_table("alembic_version"):
        if others := sorted(set(tables.get_table_names()) - _tables_of_extensions(connection)):
            raise DatabaseUnusable(
                f"The database has another program's table {others[0]!r}: name another database."
            )
        return
    known = {each.revision for each in ScriptDirectory.from_config(history(connection)).walk_revisions()}
    if set(connection.scalars(text("SELECT version_num FROM alembic_version"))) <= known:
        return
    if tables.has_table("catalogue"):
        raise DatabaseUnusable(
            "The database has the schema of a newer version of Clippings: use that version, or a backup."
        )
    raise DatabaseUnusable(
        "The database is another program's, which keeps its tables by Alembic too: name another database."
    )


def _tables_of_extensions(connection: Connection) -> frozenset[str]:
    """An extension of PostgreSQL may have tables in an empty database: PostGIS has `spatial_ref_sys`."""
    if connection.dialect.name != "postgresql":
        return frozenset()
    return frozenset(connection.scalars(text(_TABLES_OF_EXTENSIONS)))


def is_current(connection: Connection) -> bool:
    return inspect(connection).has_table("alembic_version") and is_head(connection)


def is_head(connection: Connection) -> bool:
    """The same as `is_current` in one question, of a database with our tables; else the database's error."""
    return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [HEAD]


def _history() -> Path:
    # The wheel carries the history within the package; a checkout has it beside.
    here = Path(__file__).parent
    inside = here / "_migrations"
    return inside if inside.is_dir() else here.parent / "migrations"
