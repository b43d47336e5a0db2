"""The worlds that tests begin in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import drop_postgresql, new_postgresql_url, sqlite_url, stop_postgresql
from tests.support.worlds import World, new_world


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of either kind: a test that takes this runs once on each."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
    else:
        url = new_postgresql_url()
        yield url
        drop_postgresql(url)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """An empty folder of documents, and an empty catalogue on either database."""
    world = new_world(tmp_path, database_url)
    yield world
    world.engine.dispose()


def pytest_sessionfinish() -> None:
    stop_postgresql()
