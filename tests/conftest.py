"""The worlds that tests begin in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.settings import PREFIX
from tests.support.databases import drop_postgresql, new_postgresql_url, sqlite_url, stop_postgresql
from tests.support.templates import drop_templates, new_postgresql_catalogue, new_sqlite_catalogue
from tests.support.worlds import World, new_world

BOTH_DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(autouse=True)
def settings_of_the_process() -> Iterator[None]:
    """`serve` hands its options to workers by the environment, and some tests run it in this process."""
    before = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    yield
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update(before)


@contextmanager
def empty_database(kind: str, folder: Path) -> Iterator[str]:
    """A database without a table, for tests of what the first import and `migrate` do."""
    if kind == "sqlite":
        yield sqlite_url(folder)
    else:
        url = new_postgresql_url()
        yield url
        drop_postgresql(url)


@contextmanager
def empty_catalogue(kind: str, folder: Path) -> Iterator[str]:
    """A catalogue without an article, and of a schema that is up to date."""
    if kind == "sqlite":
        yield new_sqlite_catalogue(folder)
    else:
        url = new_postgresql_catalogue()
        yield url
        drop_postgresql(url)


@contextmanager
def empty_world(folder: Path, database_url: str) -> Iterator[World]:
    world = new_world(folder, database_url)
    yield world
    world.engine.dispose()


@pytest.fixture(scope="module")
def small_ranges() -> Iterator[None]:
    """Words are in pieces of 8 ids, other sets in pieces of 16: a few articles are in several of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.catalog.index.ranges.WORD_RANGE_BITS", 3)
        patch.setattr("app.catalog.index.ranges.SET_RANGE_BITS", 4)
        yield


@pytest.fixture(params=BOTH_DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of either kind: a test that takes this runs once on each."""
    with empty_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture(params=BOTH_DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty folder of documents, and an empty catalogue on either database."""
    with empty_catalogue(request.param, tmp_path) as url, empty_world(tmp_path, url) as world:
        yield world


@pytest.fixture
def world_without_catalogue(tmp_path: Path, database_url: str) -> Iterator[World]:
    """The state before the first import."""
    with empty_world(tmp_path, database_url) as world:
        yield world


@pytest.fixture(scope="module", params=BOTH_DATABASES)
def shared_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for all tests of a module: it is imported once, and then only asked."""
    folder = tmp_path_factory.mktemp("shared")
    with empty_catalogue(request.param, folder) as url, empty_world(folder, url) as world:
        yield world


def pytest_sessionfinish() -> None:
    drop_templates()
    stop_postgresql()
