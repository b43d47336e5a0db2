"""Durations back from now: the clock changes an answer when articles come or go by it, and not before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.services import EDITOR, answer, service_of, walk
from tests.support.worlds import World

NOW = datetime.now(UTC).replace(microsecond=0)
ROLLING = (
    "publishedFrom=P7D",
    "updatedFrom=P7D&sort=title",
    "publishedBefore=PT36H",
    "updatedBefore=P2D",
    "publishedFrom=P7D&updatedFrom=P300D&publishedBefore=PT1H&type=-video",
)


@pytest.fixture
def world(world: World) -> World:
    """An article a day for ten days, at noon of them all but a minute, and one of long ago."""
    for days in range(10):
        world.write(
            f"{days}.md",
            f"title: {days} days ago\npublishedDateTime: {ago(days)}\nupdatedDateTime: {ago(days)}\n"
            f"topics: [T{days % 2}]\npublished: {'no' if days == 3 else 'yes'}",
        )
    world.write("old.md", "title: Old\npublishedDateTime: 2001-01-01\nupdatedDateTime: 2001-01-01")
    world.import_()
    return world


def ago(days: int) -> str:
    """Ten minutes later in the day than now, so that in ten minutes the next one is so old."""
    return f"{NOW - timedelta(days=days) + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}"


class Clock:
    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def set(self, minutes: int) -> None:
        class Set(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> "Set":
                return cls.fromtimestamp((NOW + timedelta(minutes=minutes)).timestamp(), tz)

        self._patch.setattr("app.catalog.query.datetime", Set)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("ending", ["rss", "atom", "json"])
def test_a_rolling_feed_changes_only_with_its_entries(world: World, clock: Clock, ending: str) -> None:
    with service_of(world, public_url="https://example.org") as client:
        for query in ROLLING:
            url = f"/feeds/articles.{ending}?{query}&limit=50"
            clock.set(0)
            first = client.get(url)
            clock.set(9)
            assert later(client, url, first).status_code == 304
            # The newest articles but one are a day apart.
            clock.set(24 * 60 + 11)
            assert later(client, url, first).status_code == 200
        feed = client.get(f"/feeds/articles.{ending}?publishedFrom=P7D").text
    assert f"https://example.org/feeds/articles.{ending}?publishedFrom=P7D" in feed
    assert "https://example.org/?publishedFrom=P7D" in feed
    assert "Articles from 7 days ago" in feed


def later(client: TestClient, url: str, first: Any) -> Any:
    return client.get(url, headers={"If-None-Match": first.headers["etag"]})


@pytest.mark.parametrize("path", ["articles?limit=2", "facets?", "timeline?interval=year"])
def test_an_answer_changes_only_with_its_articles(world: World, clock: Clock, path: str) -> None:
    with service_of(world) as client:
        for query in (*ROLLING, "publishedFrom=P90Y", "publishedBefore=PT1S"):
            url = f"/{path}&{query}"
            clock.set(0)
            first = client.get(url)
            clock.set(9)
            assert later(client, url, first).status_code == 304, url
            counted = first.json()
            values = [value for facet in counted.get("facets", {}).values() for value in facet["values"]]
            for value in (*counted.get("buckets", ()), *values):
                assert answer(client, value["url"])["total"] == value["count"], value


@pytest.mark.parametrize("published", ["true", "any"])
@pytest.mark.parametrize("sort", ["-publishedDateTime", "publishedDateTime", "title"])
def test_a_walk_goes_on_in_the_window_it_began_in(
    world: World, clock: Clock, sort: str, published: str
) -> None:
    """Days after it began it still has the same articles, each once, and the editors' their own."""
    for query in ("publishedFrom=P7D", "publishedBefore=P2D", "updatedFrom=P5D", "updatedBefore=P8D"):
        url = f"/articles?limit=2&sort={sort}&published={published}&{query}"
        with service_of(world) as client:
            clock.set(0)
            whole = answer(client, url.replace("limit=2", "limit=200"), EDITOR)
            first = answer(client, url, EDITOR)
            clock.set(4 * 24 * 60)
            pages = [first, *walk(client, first["next"], EDITOR)]
        assert [item["id"] for page in pages for item in page["items"]] == [
            item["id"] for item in whole["items"]
        ]
        assert {page["total"] for page in pages} == {whole["total"]}
