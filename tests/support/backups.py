"""Backups of a world's catalogue, restored in place under whoever reads it. Knows no pytest."""

import sqlite3
from collections.abc import Callable

import psycopg

from app.catalog.tables import metadata
from tests.support.worlds import World


def backup(world: World) -> Callable[[], None]:
    """What restores the catalogue as it is now."""
    return _of_sqlite(world) if world.engine.dialect.name == "sqlite" else _of_postgresql(world)


def _of_sqlite(world: World) -> Callable[[], None]:
    kept = sqlite3.connect(":memory:")
    _copy(sqlite3.connect(str(world.engine.url.database)), kept)
    return lambda: _copy(kept, sqlite3.connect(str(world.engine.url.database)))


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    source.backup(target)
    for connection in (source, target):
        if connection.execute("PRAGMA database_list").fetchone()[2]:
            connection.close()


def _of_postgresql(world: World) -> Callable[[], None]:
    """As pg_dump --data-only and pg_restore --single-transaction, without a process for each."""
    dsn = world.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    tables = [table.name for table in metadata.sorted_tables]
    kept: dict[str, bytes] = {}
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        for table in tables:
            with cursor.copy(f"COPY {table} TO STDOUT".encode()) as copy:
                kept[table] = b"".join(bytes(part) for part in copy)

    def restore() -> None:
        with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)}".encode())
            for table in tables:
                with cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
                    copy.write(kept[table])

    return restore
