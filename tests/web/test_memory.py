"""What was answered is given again while the catalogue is the same, and not a moment longer."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.catalog.state import KNOWN_SECONDS, State
from app.web.http.audience import Asker
from app.web.http.cache import HEAD_LINES, CacheKey, RequestKey, ResponseCache
from app.web.http.resources import Resources
from app.web.http.response import CompleteResponse
from tests.support.databases import drop_postgresql
from tests.support.services import EDITOR, answer, service_of
from tests.support.statements import Statement, recording
from tests.support.worlds import World


@pytest.fixture
def asked() -> Iterator[list[Statement]]:
    """What is asked of the database; the service looks at the revision in between."""
    with recording() as statements:
        yield statements


def questions(asked: list[Statement]) -> list[str]:
    return [statement.sql for statement in asked if "FROM catalogue" not in statement.sql]


@pytest.fixture
def client(world: World, asked: list[Statement]) -> Iterator[TestClient]:
    world.write("a.md", "title: A\npublishedDateTime: 2020-01-01")
    world.write("hidden.md", "title: Hidden\npublished: false")
    world.import_()
    with service_of(world) as client:
        # Each answer would have an id of its own.
        client.headers["X-Request-Id"] = "mine"
        yield client


def wait_for_the_next_look() -> None:
    time.sleep(2 * KNOWN_SECONDS["postgresql"])


def test_a_question_asked_again_is_not_asked_of_the_database(
    client: TestClient, asked: list[Statement]
) -> None:
    first = client.get("/articles")
    assert questions(asked)
    asked.clear()
    for _ in range(3):
        again = client.get("/articles")
        assert (again.content, again.headers, questions(asked)) == (first.content, first.headers, [])
        head = client.head("/articles")
        assert (head.headers, head.content, questions(asked)) == (first.headers, b"", [])
        unchanged = client.get("/articles", headers={"If-None-Match": first.headers["ETag"]})
        assert (unchanged.status_code, unchanged.content, questions(asked)) == (304, b"", [])
        assert client.get("/articles", headers={"Accept": "text/html"}).status_code == 406
    packed = client.get("/articles", headers={"Accept-Encoding": "gzip"})
    assert packed.json() == first.json()
    assert questions(asked)


def test_after_an_import_nothing_older_is_said(client: TestClient, world: World) -> None:
    before = client.get("/articles")
    world.write("b.md", "title: B")
    world.import_()
    after = client.get("/articles")
    assert [item["title"] for item in after.json()["items"]] == ["A", "B"]
    assert int(after.headers["Catalogue-Revision"]) == int(before.headers["Catalogue-Revision"]) + 1


def test_what_the_editor_was_told_is_told_to_nobody_else(client: TestClient) -> None:
    path = "/articles?published=any"
    for _ in range(2):
        assert answer(client, path, EDITOR)["total"] == 2
        assert client.get(path).status_code == 401
        [hidden] = answer(client, "/articles?published=false", EDITOR)["items"]
        assert client.get(f"/articles/{hidden['id']}", headers=EDITOR).status_code == 200
        assert client.get(f"/articles/{hidden['id']}").status_code == 404
        assert client.get("/articles", headers=EDITOR).headers["Cache-Control"].startswith("private")
        assert client.get("/articles").headers["Cache-Control"].startswith("public")


@pytest.mark.parametrize(
    "path", ["/articles?publishedFrom=P7D", "/facets?updatedBefore=P1D", "/health/ready"]
)
def test_what_depends_on_more_than_the_catalogue_is_asked_anew(
    client: TestClient, path: str, asked: list[Statement]
) -> None:
    first = client.get(path)
    asked.clear()
    again = client.get(path)
    assert (again.status_code, again.content) == (200, first.content)
    assert questions(asked)


def test_while_the_database_is_away_nothing_is_remembered(world: World, client: TestClient) -> None:
    assert client.get("/articles").status_code == 200
    resources: Resources = cast(FastAPI, client.app).state.resources
    resources.databases.close()
    world.engine.dispose()
    if world.engine.dialect.name == "sqlite":
        file = Path(str(world.engine.url.database))
        file.rename(file.with_name("elsewhere"))
        file.mkdir()
    else:
        drop_postgresql(world.engine.url.render_as_string(hide_password=False))
    wait_for_the_next_look()
    assert client.get("/articles").status_code == 503


def test_memory_is_bounded_and_forgets_what_was_not_asked_for_the_longest() -> None:
    memory = ResponseCache(max_bytes=100_000)
    state = State("one", 1, "a")

    def sized(size: int) -> CompleteResponse:
        return CompleteResponse(200, [], b"x" * size, "text/plain", None)

    def asked(number: int, query: bytes = b"") -> CacheKey:
        return CacheKey(f"/{number:02}", query, Asker(may_see_unpublished=False, has_token=False), None)

    for number in range(100):
        memory.put(state, asked(number), sized(3_000))
        memory.get(state, asked(0))
    kept = [number for number in range(100) if memory.get(state, asked(number))]
    # An answer takes some bytes beside its text, and 33 texts are as much as there may be.
    assert 22 < len(kept) < 33
    assert kept == [0, *range(101 - len(kept), 100)]
    for large in (sized(10_000), CompleteResponse(200, [(b"link", b"x" * 10_000)], b"", "text/plain", None)):
        memory.put(state, asked(1), large)
        assert memory.get(state, asked(1)) is None
    memory.put(state, asked(1, b"x" * 10_000), sized(1))
    assert memory.get(state, asked(1, b"x" * 10_000)) is None
    assert memory.get(State("one", 2, "b"), asked(0)) is None
    memory.put(State("one", 2, "b"), asked(0), sized(1))
    assert memory.get(state, asked(99)) is None
    nothing = ResponseCache(0)
    nothing.put(state, asked(0), sized(1))
    assert nothing.get(state, asked(0)) is None


def test_messages_are_ready_for_few_that_ask_for_an_answer_and_go_with_it() -> None:
    memory = ResponseCache(max_bytes=20_000)
    state = State("one", 1, "a")
    messages = {"type": "http.response.start", "headers": [(b"a", b"b")]}, {"type": "http.response.body"}
    kept = {**messages[0], HEAD_LINES: b"a: b\r\n"}, messages[1]
    asked = CacheKey("/a", b"", Asker(may_see_unpublished=False, has_token=False), None)

    def sent(accept: bytes) -> RequestKey:
        return RequestKey("GET", "/a", b"", ((b"accept", accept),))

    memory.put(state, asked, CompleteResponse(200, [], b"x", "text/plain", None))
    for number in range(6):
        memory.put_messages(asked, sent(b"%d" % number), messages)
    assert [memory.get_messages(state, sent(b"%d" % number)) for number in range(6)] == [
        *[None] * 4,
        *[kept] * 2,
    ]
    memory.put_messages(asked, sent(b"x" * 501), messages)
    assert memory.get_messages(state, sent(b"x" * 501)) is None
    assert memory.get_messages(State("one", 2, "b"), sent(b"5")) is None
    for number in range(40):
        memory.put(state, asked._replace(path=f"/{number}"), CompleteResponse(200, [], b"x" * 500, "", None))
    assert memory.get_messages(state, sent(b"5")) is None
