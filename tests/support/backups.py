"""Backups of a world's catalogue, restored in place under whoever reads it. Knows no pytest."""

import sqlite3
from collections.abc import Callable

import psycopg
from sqlalchemy import URL

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
    kept = tables_of(world.engine.url)
    return lambda: replace_tables(world.engine.url, kept)


def tables_of(url: URL) -> dict[str, bytes]:
    """The same as pg_dump --data-only, without a process."""
    with psycopg.connect(_dsn(url)) as connection, connection.cursor() as cursor:
        kept: dict[str, bytes] = {}
        for table in metadata.sorted_tables:
            with cursor.copy(f"COPY {table.name} TO STDOUT".encode()) as copy:
                kept[table.name] = b"".join(bytes(part) for part in copy)
    return kept


def replace_tables(url: URL, kept: dict[str, bytes]) -> None:
    """The same as pg_restore --single-transaction."""
    with psycopg.connect(_dsn(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(kept)}".encode())
        for table, rows in kept.items():
            with cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
                copy.write(rows)


def _dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
