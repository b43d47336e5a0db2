"""New catalogues without articles: copies of one that was migrated once in this process. Knows no pytest.

The migrations take 0.1 s on SQLite and 0.4 s on PostgreSQL, for each of a thousand tests; a copy takes 2 ms
and 60 ms. The migrations have tests of their own, and so has the first import into an empty database.
"""

import secrets
import sqlite3
import tempfile
import time
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from app.database.engines import exclusive, writing_engine
from app.migrate import upgrade
from tests.support.databases import drop_postgresql, new_postgresql_url, sqlite_url


def new_sqlite_catalogue(folder: Path) -> str:
    url = sqlite_url(folder)
    file = Path(str(make_url(url).database))
    file.write_bytes(_sqlite_template())
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA synchronous = OFF")
    # A copy is another catalogue, whose places in the changes and ETags are its own.
    with connection:
        connection.execute("UPDATE catalogue SET identity = ?", [secrets.token_hex(8)])
    connection.close()
    return url


def new_postgresql_catalogue() -> str:
    url = new_postgresql_url(str(make_url(_postgresql_template()).database))
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE catalogue SET identity = %s", [secrets.token_hex(8)])
    return url


@cache
def _sqlite_template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        _migrate(sqlite_url(Path(folder)))
        return Path(str(make_url(sqlite_url(Path(folder))).database)).read_bytes()


@cache
def _postgresql_template() -> str:
    """The database's URL."""
    url = new_postgresql_url()
    _migrate(url)
    # Nobody may be connected to what is copied, and our session may still be there for a moment.
    server = make_url(url).set(drivername="postgresql", database="postgres")
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        while connection.execute(sessions, [make_url(url).database]).fetchone() != (0,):
            time.sleep(0.01)
    return url


def drop_templates() -> None:
    """A server that others use too keeps nothing of a test run."""
    if _postgresql_template.cache_info().currsize:
        drop_postgresql(_postgresql_template())
        _postgresql_template.cache_clear()


def _migrate(url: str) -> None:
    engine = writing_engine(url)
    with exclusive(engine) as connection:
        upgrade(connection)
    engine.dispose()
