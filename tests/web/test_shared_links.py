"""Addresses as people type them, and as mail and social networks pass them on."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.support.services import answer, service_of
from tests.support.worlds import World

QUERIES = [
    ("topic=C++", ["Plus"]),
    ("topic=C++,Java", ["Plus", "Java"]),
    ("topic=-C++", ["Java", "C"]),
    ("topic=C", ["C"]),
    ("topic=C%2B%2B", ["Plus"]),
    ("q=C++", ["Plus"]),
    ("q=C+++templates", ["Plus"]),
    ("q=C++%20templates", ["Plus"]),
    ("q=java+", ["Java"]),
    ("publishedFrom=2020-06-11T00:30:00+02:00&publishedBefore=2020-06-11T00:31:00+02:00", ["Plus"]),
    ("publishedFrom=2020-06-11T00:30+02:00&publishedBefore=2020-06-11+00:31+02:00", ["Plus"]),
    ("url=https://example.org/c++", ["Plus"]),
]


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    world.write(
        "plus.md",
        "title: Plus\nexcerpt: C++ templates\ntopics: [C++]\npublishedDateTime: 2020-06-10T22:30:00Z\n"
        "webUrl: https://example.org/c++",
    )
    world.write("c.md", "title: C\nexcerpt: pointers\ntopics: [C]")
    world.write("java.md", "title: Java\ntopics: [Java]\npublishedDateTime: 2019-01-01")
    world.import_()
    with service_of(world, public_url="https://example.org/news") as client:
        yield client


def test_a_plus_that_was_typed_is_a_plus(client: TestClient) -> None:
    for query, titles in QUERIES:
        items = answer(client, f"/articles?{query}")["items"]
        assert [item["title"] for item in items] == titles, query
    refused = client.get("/articles?topic=C+")
    assert refused.status_code == 422
    assert "write + itself as %2B" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["/articles", "/feeds/articles.rss", "/exports/articles.csv", "/timeline"])
@pytest.mark.parametrize("added", ["utm_source=mail&utm_medium=x", "fbclid=abc", "_=1700000000"])
def test_a_shared_link_is_the_link(client: TestClient, path: str, added: str) -> None:
    query = "topic=C&interval=year" if path == "/timeline" else "topic=C"
    plain, shared = client.get(f"{path}?{query}"), client.get(f"{path}?{query}&{added}")
    for response in (plain, shared):
        del response.headers["X-Request-Id"]
    assert (shared.status_code, shared.content, shared.headers) == (200, plain.content, plain.headers)
    only = client.get(f"{path}?{added}" + ("&interval=year" if path == "/timeline" else ""))
    assert only.status_code == 200
    assert added not in only.text
