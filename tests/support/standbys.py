"""Standbys as far as a service can see: databases of the same server that follow when a test says so.

Real ones follow by themselves; `make prove-cluster` has those. A copy takes 40 ms.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, make_url

from tests.support.backups import replace_tables, tables_of
from tests.support.databases import drop_postgresql, new_database, set_connections
from tests.support.worlds import World


@dataclass(frozen=True)
class Standby:
    """A copy of a world's database as it was when it last followed."""

    primary: URL
    url: str

    def follow(self) -> None:
        replace_tables(make_url(self.url), tables_of(self.primary))


@contextmanager
def standby_of(world: World) -> Iterator[Standby]:
    """The world has PostgreSQL, and nobody else is connected to it: such a database could not be copied."""
    world.engine.dispose()
    url = new_database(world.engine.url, str(world.engine.url.database))
    try:
        yield Standby(world.engine.url, url)
    finally:
        drop_postgresql(url)


@contextmanager
def away(url: str | URL) -> Iterator[None]:
    """Nobody can be connected to this database meanwhile."""
    set_connections(make_url(url), allowed=False)
    try:
        yield
    finally:
        set_connections(make_url(url), allowed=True)
