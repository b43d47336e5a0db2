"""Validators over a whole crawl: what changes, changes its own answers and no others.

Files of everything have none: they are streamed, and nobody knows their bytes before they are sent.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.services import EDITOR, service_of
from tests.support.templates import new_sqlite_catalogue
from tests.support.worlds import World, new_world

LISTS = [
    *("/articles?limit=2", "/articles?sort=title&limit=2", "/articles?topic=AI", "/articles?topic=Space"),
    *("/articles?q=mars&sort=title&highlight=true", "/articles?q=moon&sort=title", "/articles?q=moon"),
    *(
        "/articles?provider=one.example&fields=id",
        "/articles?type=video",
        "/articles?publishedBefore=2020-02-01",
    ),
    *(
        "/topics",
        "/topics/ai",
        "/topics/space",
        "/providers",
        "/providers/one.example",
        "/providers/two.example",
    ),
    *("/facets?topic=AI", "/facets?topic=Space", "/facets?field=type", "/timeline?interval=month&topic=AI"),
    *(
        "/timeline?interval=month&topic=Space",
        "/links?url=https://one.example/0",
        "/links?url=https://one.example/1",
    ),
    *(
        f"/feeds/articles.{ending}?topic={topic}"
        for ending in ("rss", "atom", "json")
        for topic in ("AI", "Space")
    ),
    *("/articles?published=any&limit=200", "/changes?limit=2", "/changes?published=any"),
    *("/openapi.json", "/docs", "/health/live", "/health/ready"),
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """On SQLite alone: both databases answer byte for byte the same, as another test says."""
    world = new_world(tmp_path, new_sqlite_catalogue(tmp_path))
    for number in range(6):
        world.write(f"{number}.md", article(number))
    world.write("hidden.md", "title: Hidden\npublished: no\ntopics: [AI]")
    world.import_()
    yield world
    world.engine.dispose()


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with service_of(world, public_url="https://example.org") as client:
        yield client


def article(number: int, **changed: str) -> str:
    written: dict[str, str] = {
        "title": f"{'Mars' if number % 2 else 'Moon'} {number}",
        "topics": "[Space]" if number % 2 else "[AI]",
        "type": "video" if number < 2 else "article",
        "webUrl": f"https://{'one' if number % 2 else 'two'}.example/{number}",
        "publishedDateTime": f"2020-0{number + 1}-01",
        "related": f"[{{title: R, webUrl: 'https://one.example/{(number + 1) % 6}'}}]",
        **changed,
    }
    return "\n".join(f"{key}: {value}" for key, value in written.items())


def crawl(client: TestClient) -> dict[str, tuple[str | None, bytes]]:
    """Every list with its pages, and every article: validator and bytes by path."""
    found: dict[str, tuple[str | None, bytes]] = {}
    waiting = list(LISTS)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        headers = EDITOR if "published=any" in path else {}
        given = client.get(path, headers=headers)
        assert given.status_code == 200, given.text
        found[path] = given.headers.get("etag"), given.content
        if given.headers["content-type"] == "application/json" and not path.startswith(
            ("/openapi", "/changes")
        ):
            body = given.json()
            waiting += [body["next"]] if body.get("next") else []
            if path.startswith("/articles?") and "fields" not in path:
                for item in body["items"]:
                    waiting += [f"/articles/{item['id']}", f"/articles/{item['id']}/related"] * item[
                        "published"
                    ]
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Paths whose validator changed; it does so exactly where the bytes do."""
    for path in before.keys() & after.keys():
        assert (before[path][0] == after[path][0]) == (before[path][1] == after[path][1]), path
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def test_every_path_answers_304_to_its_validator_in_any_form(client: TestClient) -> None:
    for path, (etag, body) in crawl(client).items():
        headers = EDITOR if "published=any" in path else {}
        assert etag is not None, path
        assert re.fullmatch(r'"[^"]+"', etag), "strong"
        for method, given in (("GET", etag), ("GET", f'"other", W/{etag}'), ("HEAD", etag), ("HEAD", "*")):
            found = client.request(method, path, headers={**headers, "If-None-Match": given})
            assert (found.status_code, found.content, found.headers["etag"]) == (304, b"", etag), path
        assert client.get(path, headers={**headers, "If-None-Match": '"other"'}).content == body
        assert client.head(path, headers=headers).headers["etag"] == etag


def test_an_unchanged_tree_changes_no_validator(client: TestClient, world: World) -> None:
    before = crawl(client)
    world.import_()
    world.write("3.md", article(3) + "\n# a comment")
    world.import_()
    assert changed(before, crawl(client)) == set()


@pytest.mark.parametrize(
    ("number", "change", "same"),
    [
        # Answers about Space alone stay when an article about AI changes.
        (4, {"title": "Moon renamed"}, "topic=Space topics providers field=type timeline q=mars"),
        (1, {"heat": "7"}, "topic=AI topics providers facets timeline q=moon&sort two.example"),
        (2, {"type": "video"}, "topic=Space topics providers timeline q=mars /links"),
        (0, {"publishedDateTime": "2020-01-02"}, "topics providers facets topic=Space timeline q=mars"),
        # Only a single article shows its details; and nobody what is secured or unknown.
        (5, {"length": "7"}, "/articles? topics providers facets timeline feeds links"),
        (4, {"secured": "c2VjcmV0"}, "/"),
        (4, {"unknownKey": "kept"}, "/"),
    ],
)
def test_a_change_of_one_article_changes_the_answers_it_is_in(
    client: TestClient, world: World, number: int, change: dict[str, str], same: str
) -> None:
    before = crawl(client)
    world.write(f"{number}.md", article(number, **change))
    world.import_()
    paths = changed(before, crawl(client))
    wrongly = [path for path in paths for part in same.split() if part in path and "/changes" not in path]
    assert wrongly == []
    items = client.get("/articles?limit=200").json()["items"]
    [own] = [item for item in items if item["path"] == f"{number}.md"]
    others = {item["id"] for item in items} - {own["id"]}
    assert (f"/articles/{own['id']}" in paths) == (same != "/")
    for other in others:
        assert f"/articles/{other}" not in paths
        assert f"/articles/{other}/related" not in paths


def test_a_target_that_goes_changes_those_that_mention_it(client: TestClient, world: World) -> None:
    before = crawl(client)
    ids = {item["path"]: item["id"] for item in client.get("/articles?limit=200").json()["items"]}
    world.write("3.md", article(3, published="no"))
    world.import_()
    paths = {path for path in changed(before, crawl(client)) if re.fullmatch(r"/articles/\w+", path)}
    assert paths == {f"/articles/{ids['3.md']}", f"/articles/{ids['2.md']}"}
