"""One history of the schema, the same on both databases."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app import migrate as schema
from app.catalog.state import read_state
from app.catalog.tables import metadata
from app.database.engines import exclusive, writing_engine

HISTORY = Path(__file__).parents[2] / "migrations"


def test_migrated_from_nothing_the_tables_are_those_of_the_code(database_url: str) -> None:
    engine = writing_engine(database_url)
    with exclusive(engine) as connection:
        assert not schema.is_current(connection)
        schema.upgrade(connection)
        assert schema.is_current(connection)
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        identity = connection.exec_driver_sql("SELECT identity FROM catalogue").scalar()
        schema.upgrade(connection)
        assert connection.exec_driver_sql("SELECT identity FROM catalogue").scalar() == identity
    engine.dispose()


def test_a_migration_that_is_interrupted_leaves_nothing(database_url: str) -> None:
    engine = writing_engine(database_url)
    with pytest.raises(KeyboardInterrupt), exclusive(engine) as connection:
        schema.upgrade(connection)
        raise KeyboardInterrupt
    with exclusive(engine) as connection:
        assert not schema.is_current(connection)
    engine.dispose()


def test_a_catalogue_of_an_older_version_gets_a_name_for_each_revision(database_url: str) -> None:
    engine = writing_engine(database_url)
    with exclusive(engine) as connection:
        command.upgrade(schema.history(connection), "0004")
        connection.exec_driver_sql("INSERT INTO revisions VALUES (1, '2026-01-01'), (2, '2026-01-02')")
        connection.exec_driver_sql("UPDATE catalogue SET revision = 2")
        schema.upgrade(connection)
        names = connection.exec_driver_sql("SELECT revision, name FROM revisions ORDER BY revision").all()
        assert [number for number, _ in names] == [1, 2]
        assert len({name for _, name in names if len(name) == 16}) == 2
        assert read_state(connection)[1:] == names[1]
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_newest_revision_is_the_one_the_code_looks_for() -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(HISTORY))
    assert ScriptDirectory.from_config(configuration).get_current_head() == schema.HEAD
