"""Nobody is told of an older revision than before, whichever database answers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.catalog.state import KNOWN_SECONDS
from tests.conftest import empty_database, empty_world
from tests.support.services import service_of
from tests.support.standbys import Standby, away, standby_of
from tests.support.worlds import World

LISTS = (
    "/articles?limit=1",
    "/topics?limit=1",
    "/providers?limit=1",
    "/feeds/articles.rss?limit=1",
    "/?limit=1",
)


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[World]:
    """Two articles, one on each page, in PostgreSQL."""
    with empty_database("postgresql", tmp_path) as url, empty_world(tmp_path, url) as world:
        world.write(
            "a.md", "title: A\ntopics: [AI]\nprovider: {domain: a.org}\npublishedDateTime: 2026-01-01"
        )
        world.write(
            "b.md", "title: B\ntopics: [Go]\nprovider: {domain: b.org}\npublishedDateTime: 2026-01-02"
        )
        world.import_()
        yield world


def import_more(world: World, title: str) -> None:
    world.write(f"{title}.md", f"title: {title}")
    world.import_()


@contextmanager
def service_with_standby(world: World, **settings: Any) -> Iterator[tuple[TestClient, Standby]]:
    with standby_of(world) as standby, service_of(world, read_database_url=standby.url, **settings) as client:
        yield client, standby


def revision(client: TestClient, path: str = "/articles", **headers: str) -> int:
    response = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert response.status_code == 200, response.text
    return int(response.headers["Catalogue-Revision"])


def let_the_known_state_grow_old() -> None:
    time.sleep(2 * KNOWN_SECONDS["postgresql"])


def test_questions_go_to_the_standby_until_somebody_was_told_more(primary: World) -> None:
    with service_with_standby(primary) as (client, standby):
        import_more(primary, "C")
        assert [revision(client), revision(client)] == [1, 1]
        assert revision(client, Minimum_Revision="2") == 2
        let_the_known_state_grow_old()
        paths = ("/articles", "/articles?limit=1", "/topics", "/", "/changes", "/exports/articles.csv")
        assert {revision(client, path) for path in paths} == {2}
        standby.follow()
        with away(primary.engine.url):
            assert revision(client, "/articles?limit=2") == 2
