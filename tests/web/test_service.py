"""The service as it is run: its settings, its OpenAPI document, its health, and a real socket."""

import json
import logging
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from app.catalog.fields import ITEM_KEYS
from app.catalog.item_keys import LONG_KEYS
from app.errors import DatabaseUnavailable, SettingsError
from app.main import create_app
from app.settings import Settings, unknown_names
from app.web.http.connections import HttpConnection
from app.web.http.problems import COMMON_PROBLEMS, problems
from app.web.http.resources import READING_THREADS
from app.web.openapi import EXAMPLES, REFUSED_PARAMETERS, openapi_bytes, openapi_document
from tests.proofs.connections import LAST, exchange, read, statuses
from tests.support import api_examples
from tests.support.logs import noted
from tests.support.routes import gate, get_thing, list_things, service
from tests.support.services import service_of
from tests.support.serving import Address
from tests.support.worlds import World
from tests.web.test_connections import HANG_SECONDS, connected, running

MINIMUM_REVISION = {"$ref": "#/components/parameters/MinimumRevision"}


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        (
            {"DATABASE_URL": "mysql://u:secret@h/x"},
            "must begin with sqlite:///, postgresql:// or postgres://",
        ),
        ({"DATABASE_URL": "postgres://u:secret@h:secret/x"}, "is not a database URL"),
        ({"CLIPPINGS_DATABASE_URL": "sqlite://"}, "must name a file"),
        ({"CLIPPINGS_PUBLIC_URL": "example.org/secret"}, "must be an absolute URL"),
        ({"CLIPPINGS_PUBLIC_URL": "https://example.org/?secret"}, "must have neither a query nor a fragment"),
        ({"CLIPPINGS_EDITOR_TOKEN": "secret word"}, "must be printable ASCII without spaces"),
        ({"CLIPPINGS_SHOW_UNPUBLISHED": "secret"}, "must be true or false"),
        ({"CLIPPINGS_SITE_NAME": "secret" * 20}, "must have at most 100 characters"),
        ({"CLIPPINGS_SITE_DESCRIPTION": "secret\x07"}, "must be text without control characters"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line_without_its_value(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], reason: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        Settings.read()
    (line,) = str(refused.value).splitlines()
    assert line.startswith("CLIPPINGS_")
    assert reason in line
    assert "secret" not in line


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", "")
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p%40w@h/x")
    monkeypatch.setenv("CLIPPINGS_EDITOR_TOKEN", " ")
    monkeypatch.setenv("CLIPPINGS_PUBLIC_URL", "https://example.org/news/")
    monkeypatch.setenv("CLIPPINGS_SITE_NAME", " News of  Ada\u200d\n")
    settings = Settings.read(show_unpublished=True)
    assert settings.database_url == "postgresql+psycopg://u:p%40w@h/x"
    assert (settings.editor_token, settings.show_unpublished) == (None, True)
    assert (settings.site_name, settings.site_description) == ("News of Ada\u200d", None)
    assert (settings.public_url, settings.public_path) == ("https://example.org/news", "/news")
    assert "p%40w" not in repr(settings)
    assert unknown_names(["CLIPPINGS_EDITOR_TOKEN", "CLIPPINGS_EDITOR_TOCKEN", "HOME"]) == [
        "CLIPPINGS_EDITOR_TOCKEN"
    ]


def test_a_route_is_described_as_an_ordinary_one_would_be() -> None:
    ordinary = FastAPI(generate_unique_id_function=lambda route: route.name)
    routes = APIRouter(tags=["things"], responses=COMMON_PROBLEMS)
    routes.get("/things", response_model=Any, responses=problems(410))(list_things)
    routes.get("/things/{thing_id}", response_model=Any, responses=problems(404))(get_thing)
    ordinary.include_router(routes)
    ours = service().openapi()["paths"]
    for path, described in ordinary.openapi()["paths"].items():
        del described["get"]["responses"]["200"], ours[path]["get"]["responses"]["200"]
        assert ours[path] == described


def test_the_openapi_document_says_how_problems_look() -> None:
    client = TestClient(service(public_url="https://example.org/news"))
    document = client.get("/openapi.json").json()
    assert document["servers"] == [{"url": "/news"}]
    assert document["security"] == [{}, {"editorToken": []}]
    assert document["externalDocs"]["url"] == "/news/docs/guide"
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path in document["paths"].values():
        assert set(path) <= {"get", "parameters"}
        assert all('"null"' not in json.dumps(each["schema"]) for each in path["get"].get("parameters", ()))
        asks_catalogue = "service" not in path["get"]["tags"]
        assert path.get("parameters", []) == [MINIMUM_REVISION] * asks_catalogue
        for status, answer in path["get"]["responses"].items():
            if status not in ("200", "304"):
                schema = answer["content"]["application/problem+json"]["schema"]["$ref"]
                assert schema.rpartition("/")[2] in document["components"]["schemas"]
    errors = client.get("/things?limit=x").json()
    assert set(errors) == set(document["components"]["schemas"]["BadParameters"]["required"])


def test_the_examples_are_what_seeds_answer() -> None:
    """`python -m tests.support.api_examples` writes them anew."""
    assert json.loads(api_examples.FILE.read_text(encoding="utf-8")) == api_examples.examples()


def test_what_seeds_answer_is_of_the_schemas() -> None:
    document = openapi_document(create_app(Settings(database_url="sqlite:///unused.db")))
    components = {"components": document["components"]}
    for path in document["paths"].values():
        [content] = path["get"]["responses"]["200"]["content"].values()
        example = EXAMPLES.get(path["get"]["operationId"])
        if example:
            Draft202012Validator({**content["schema"], **components}).validate(example["answer"])


def test_every_key_of_an_answer_is_described() -> None:
    document = openapi_document(create_app(Settings(database_url="sqlite:///unused.db")))
    for name, schema in document["components"]["schemas"].items():
        for key, value in schema["properties"].items():
            assert value.get("description"), (name, key)
            if key.endswith("DateTime"):
                assert '"format": "date-time"' in json.dumps(value), (name, key)
            if key.endswith("Url"):
                assert '"format": "iri"' in json.dumps(value), (name, key)
    item = document["components"]["schemas"]["ListedArticle"]
    assert tuple(item["required"]) == ITEM_KEYS
    assert set(item["properties"]) - set(ITEM_KEYS) == {"highlights", *LONG_KEYS}
    [page] = document["paths"]["/articles"]["get"]["responses"]["200"]["content"].values()
    assert page["schema"] == {"$ref": "#/components/schemas/ArticlePage"}


def test_a_token_is_no_matter_of_health_and_examples_stand_in_the_descriptions() -> None:
    app = create_app(Settings(database_url="sqlite:///unused.db"))
    paths = openapi_document(app)["paths"]
    without_token = {path for path, described in paths.items() if described["get"].get("security") == []}
    assert without_token == {"/health/live", "/health/ready", "/metrics"}
    parameters = {each["name"]: each for each in paths["/articles"]["get"]["parameters"]}
    assert parameters["provider"]["description"].endswith("Such as `nasa.gov`")
    assert "`artificial-intelligence` or `AI,-Python`" in parameters["topic"]["description"]
    assert "example" not in parameters["topic"], "the page would send it with all others"
    guide = TestClient(app).get(openapi_document(app)["externalDocs"]["url"])
    assert (guide.status_code, guide.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<h1>Clippings</h1>" in guide.text


def test_the_first_who_ask_for_the_openapi_document_at_once_all_get_it() -> None:
    app = create_app(Settings(database_url="sqlite:///unused.db"))
    with ThreadPoolExecutor(8) as threads:
        documents = list(threads.map(lambda _: openapi_bytes(app), range(8)))
    assert len(set(documents)) == 1


def test_links_lead_from_answers_to_parameters_that_are_there() -> None:
    document = openapi_document(create_app(Settings(database_url="sqlite:///unused.db")))
    operations = {path["get"]["operationId"]: path["get"] for path in document["paths"].values()}
    taken = {
        (name, parameter["name"])
        for name, operation in operations.items()
        for parameter in operation.get("parameters", ())
    }
    links = 0
    for name, operation in operations.items():
        # Nobody reads the bytes of a spreadsheet.
        is_text = name != "export_xlsx"
        assert "example" in str(operation["responses"]["200"]) or name.startswith("get_") or not is_text
        for link in operation["responses"]["200"].get("links", {}).values():
            [(parameter, pointer)] = link["parameters"].items()
            assert (link["operationId"], parameter) in taken
            found = EXAMPLES[name]["answer"]
            for part in pointer.removeprefix("$response.body#/").split("/"):
                found = found[int(part) if part.isdigit() else part]
            links += 1
    assert links > 10


def test_the_service_answers_with_and_without_the_prefix_of_its_public_url() -> None:
    client = TestClient(service(public_url="https://example.org/news"))
    for path, status in [("/things", 200), ("/news/things", 200), ("/newsthings", 404), ("/news", 200)]:
        assert client.get(path).status_code == status


def test_the_documentation_needs_no_other_host() -> None:
    client = TestClient(service())
    page = client.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "docs.js"):
        assert f"docs/{name}" in page.text
        assert client.get(f"/docs/{name}").status_code == 200
    for name in ("docs.html", "nothing.js", "..%2f..%2fdocs.py", "%2e%2e"):
        assert client.get(f"/docs/{name}").status_code == 404


def test_readiness_is_503_while_the_database_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise DatabaseUnavailable("connection to postgresql://u:password@host failed")

    world.import_()
    app = create_app(Settings(database_url=world.engine.url.render_as_string(hide_password=False)))
    with TestClient(app) as client:
        assert client.get("/health/ready").status_code == 200
        monkeypatch.setattr("app.web.health.check_catalogue", away)
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "password" not in answer.text
        assert client.get("/health/live").status_code == 200


@pytest.fixture
def address() -> Iterator[Address]:
    with running(service(), server_header=False) as (address, _):
        yield address


def test_over_a_socket_answers_stream_stop_and_break_as_they_should(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with httpx2.Client(base_url="http://{}:{}".format(*address)) as client:
        streamed = client.get("/stream.csv", headers={"Accept-Encoding": "br"})
        assert (streamed.headers["Content-Encoding"], len(streamed.content)) == ("br", 35_000)
        assert "Server" not in streamed.headers
        head = client.head("/stream.csv")
        assert (head.status_code, head.content) == (200, b"")
        assert client.post("/things", content=b"x" * 100_000).status_code == 405
        assert client.get("/things?topic=a").json() == {"topics": ["a"], "limit": 20}
    for path in (b"/sleep", b"/stream.csv", b"/nowhere"):
        with socket.create_connection(address) as impatient:
            impatient.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    with httpx2.Client(base_url="http://{}:{}".format(*address)) as client:
        assert client.get("/sleep").status_code == 200
        assert noted(caplog.records) == []
        with pytest.raises(httpx2.RemoteProtocolError):
            client.get("/stream-that-breaks.csv")
        assert len(noted(caplog.records, logging.ERROR)) == 1


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"Content-Length: 999999999\r\n\r\n" + b"a" * 2_000_000, 413),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 30_000, 431),
        (b"Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n", 400),
    ],
)
def test_what_ends_badly_before_its_answer_is_refused_in_its_turn(
    address: Address, rest: bytes, status: int
) -> None:
    slow = b"GET /wait HTTP/1.1\r\nHost: x\r\n"
    for before in (b"", slow + b"\r\n"):
        with connected(address) as connection, ThreadPoolExecutor() as sender:
            with gate.closed():
                # The service takes no more than it wants before it has answered.
                sender.submit(connection.sendall, before + slow + rest + LAST)
                take_turns(address)
                said = b""
                if before:
                    gate.release()
                    said = connection.recv(65536)
                    take_turns(address)
            assert statuses(said + read(connection)) == [200, status][not before :]


def take_turns(address: Address) -> None:
    """The event loop has read what was sent before when it has answered so many others."""
    for _ in range(50):
        assert statuses(exchange(address, LAST)) == [200]


def test_half_a_head_waits_for_the_answer_before_it(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpConnection, "head_seconds", 0.3)
    with connected(address) as connection:
        with gate.closed():
            connection.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" + LAST[:20])
            # The time of half a head would be over.
            time.sleep(0.5)
            connection.sendall(LAST[20:])
            take_turns(address)
        assert statuses(read(connection)) == [200, 200]
    with connected(address) as connection:
        with gate.closed():
            connection.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" + LAST[:20])
            take_turns(address)
        # It begins with the answer, and goes by.
        assert statuses(read(connection)) == [200]


def test_the_service_lives_while_all_reading_threads_are_busy(address: Address) -> None:
    slow = [connected(address) for _ in range(READING_THREADS * 2)]
    with (
        httpx2.Client(base_url="http://{}:{}".format(*address), timeout=HANG_SECONDS) as client,
        gate.closed(),
    ):
        for connection in slow:
            connection.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        take_turns(address)
        for path in ("/health/live", "/health/ready", "/things/any"):
            assert client.get(path).status_code == 200
    for connection in slow:
        assert statuses(read(connection)) == [200]
        connection.close()


def test_the_document_leaves_out_parameters_that_are_always_refused(world: World) -> None:
    world.write("a.md", "title: A")
    world.import_()
    values = {"collapse": "story", "sort": "title"}
    with service_of(world) as client:
        operations = {
            path["get"]["operationId"]: (address, path["get"])
            for address, path in client.get("/openapi.json").json()["paths"].items()
        }
        for name, refused in REFUSED_PARAMETERS.items():
            address, operation = operations[name]
            for parameter in refused:
                needed = {"interval": "year"} if name == "get_timeline" else {}
                response = client.get(address, params=needed | {parameter: values[parameter]})
                assert response.status_code == 422
                assert parameter in response.json()["detail"]
            assert not refused & {parameter["name"] for parameter in operation["parameters"]}
            unknown = client.get(address, params={"zzzzzz": "1"}).json()["errors"][0]["detail"]
            assert "this address takes published, " in unknown
            assert not refused & set(unknown.replace(",", "").split())
