"""Alembic's entry: runs the history on the connection, and in the transaction, that the service hands in."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
