"""Alembic's entry: `alembic check` and the like; `clippings migrate` hands in its own connection."""

from alembic import context
from sqlalchemy import Connection

from app.catalog.tables import metadata
from app.database import writing_engine
from app.settings import Settings


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_server_default=True,
        transactional_ddl=True,
    )
    context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with writing_engine(Settings().database_url).connect() as connection, connection.begin():
        migrate(connection)
