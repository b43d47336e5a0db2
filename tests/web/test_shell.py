"""What every answer shares, shown on throw-away routes in the real service."""

import logging
from typing import Any

import pytest
import zstandard
from starlette.testclient import TestClient

from app.web.http.negotiation import accepts
from tests.support.routes import LONG, TOKEN, service


@pytest.fixture
def client() -> TestClient:
    return TestClient(service(editor_token=TOKEN), headers={"Accept-Encoding": "identity"})


def test_every_answer_has_the_security_cors_and_caching_headers(client: TestClient) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for method, path, headers, status, caching in [
        ("GET", "/things", {}, 200, "public, no-cache"),
        ("GET", "/things", bearer, 200, "private, no-cache"),
        ("GET", "/stream.csv", {}, 200, "public, no-cache"),
        ("GET", "/health/live", {}, 200, "no-store"),
        ("GET", "/things", {"If-None-Match": "*"}, 304, "public, no-cache"),
        ("OPTIONS", "/anywhere", {}, 204, "public, no-cache"),
        ("GET", "/things/hidden", {}, 401, "no-store"),
        ("GET", "/docs", {"Authorization": "bearer wrong"}, 401, "no-store"),
        ("GET", "/nowhere", {}, 404, "no-store"),
        ("GET", "/things/", {}, 404, "no-store"),
        ("GET", "/things%0A", {}, 404, "no-store"),
        ("GET", "/things/" + "x" * 3_000, {}, 404, "no-store"),
        ("POST", "/things", {}, 405, "no-store"),
        ("TRACE", "/nowhere", {}, 405, "no-store"),
        ("GET", "/things", {"Accept": "text/html"}, 406, "no-store"),
        ("GET", "/stream.csv", {"Accept": "application/json"}, 406, "no-store"),
        ("GET", "/things/gone", {}, 410, "no-store"),
        ("GET", "/things?nonsense=1", {}, 422, "no-store"),
        ("GET", "/things/broken", {}, 500, "no-store"),
        ("GET", "/things/away", {}, 503, "no-store"),
        ("GET", "/things/slow", {}, 503, "no-store"),
    ]:
        answer = client.request(method, path, headers={"Host": "evil.example", **headers})
        case = f"{method} {path[:30]} {headers}"
        assert (answer.status_code, answer.headers["Cache-Control"]) == (status, caching), case
        assert answer.headers["X-Content-Type-Options"] == "nosniff", case
        assert answer.headers["Access-Control-Allow-Origin"] == "*", case
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'"), case
        assert answer.headers["Vary"] == "Accept-Encoding, Authorization, Minimum-Revision", case
        assert "evil" not in str(answer.headers) + answer.text, case
        if status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json", case
            assert answer.json()["status"] == status, case
            assert {"type", "title", "detail"} <= answer.json().keys(), case
            assert not any(
                word in answer.text for word in ("SELECT", "passwd", "RuntimeError", "password")
            ), case


def test_an_error_tells_what_to_do_in_its_headers_too(client: TestClient) -> None:
    assert client.post("/things").headers["Allow"] == "GET, HEAD, OPTIONS"
    assert client.get("/things/away").headers["Retry-After"] == "5"
    assert client.get("/things/hidden").headers["WWW-Authenticate"] == "Bearer"
    wrong = client.get("/things", headers={"Authorization": "Bearer wrong"})
    assert wrong.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    restart = client.get("/things/gone")
    assert (restart.json()["first"], restart.headers["Link"]) == (
        "/things?limit=2",
        '</things?limit=2>; rel="first"',
    )


def test_an_escaped_exception_is_logged_once_and_without_the_query(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/things/broken?q=private")
    client.get("/things/broken", headers={"X-Other": "x"})
    messages = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert messages == ["GET /things/broken failed"]


@pytest.mark.parametrize(
    ("settings", "authorization", "status"),
    [
        ({"editor_token": TOKEN}, None, 401),
        ({"editor_token": TOKEN}, f"Bearer {TOKEN}", 200),
        ({"editor_token": TOKEN}, f"bEaReR  {TOKEN} ", 200),
        ({"editor_token": TOKEN}, f"Basic {TOKEN}", 401),
        ({"editor_token": TOKEN}, "Bearer", 401),
        ({"editor_token": TOKEN}, "Bearer tök", 401),
        ({}, None, 403),
        ({}, "Bearer guess", 401),
        ({"show_unpublished": True}, None, 200),
        ({"show_unpublished": True, "editor_token": TOKEN}, "Bearer wrong", 401),
    ],
)
def test_only_the_editor_sees_what_is_hidden(
    settings: dict[str, Any], authorization: str | None, status: int
) -> None:
    headers = {} if authorization is None else {b"authorization": authorization.encode()}
    assert TestClient(service(**settings)).get("/things/hidden", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("path", "if_none_match", "status"),
    [
        ("/things/tagged", '"mine"', 304),
        ("/things/tagged", 'W/"mine"', 304),
        ("/things/tagged", '"a,b", "mine"', 304),
        ("/things/tagged", "*", 304),
        ("/things/tagged", '"other"', 200),
        ("/things/tagged", "mine", 200),
        ("/things/nothing", '"mine"', 200),
        ("/things/away", "*", 503),
    ],
)
def test_a_client_that_has_the_answer_gets_304(
    client: TestClient, path: str, if_none_match: str, status: int
) -> None:
    answer = client.get(path, headers={"If-None-Match": if_none_match})
    assert answer.status_code == status
    if status == 304:
        assert answer.headers["ETag"] == '"mine"'
        assert answer.headers["Catalogue-Revision"] == "7"
        assert answer.content == b""


def test_an_etag_is_the_content_of_one_representation(client: TestClient) -> None:
    plain, again = client.get("/things/a"), client.get("/things/b")
    packed = client.get("/things/a", headers={"Accept-Encoding": "gzip"})
    assert plain.headers["ETag"] == again.headers["ETag"] != client.get("/things").headers["ETag"]
    assert packed.headers["ETag"] == plain.headers["ETag"][:-1] + '-gzip"'
    assert packed.content == plain.content


@pytest.mark.parametrize(
    ("accept_encoding", "encoding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("br;q=0.1, gzip;q=1", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0", None),
        ("zstd;q=0, *", "br"),
        ("identity;q=0, gzip", "gzip"),
        ("identity;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("", None),
    ],
)
def test_answers_are_packed_as_the_client_likes(
    client: TestClient, accept_encoding: str, encoding: str | None
) -> None:
    for path in ("/things/a", "/stream.csv"):
        answer = client.get(path, headers={"Accept-Encoding": accept_encoding})
        assert answer.headers.get("Content-Encoding") == encoding
        content = answer.content
        if encoding == "zstd":  # which the test client does not know
            content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        assert content in (LONG, b"a;b;c\r\n" * 5_000)
    assert "Content-Encoding" not in client.get("/things", headers={"Accept-Encoding": "gzip"}).headers


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/*", 200),
        ("text/html, */*;q=0.1", 200),
        ("application/json;charset=utf-8", 200),
        ("text/html, image/gif, *; q=.2, */*; q=.2", 200),
        ("", 200),
        ("text/*", 406),
        ("application/json;q=0, */*", 406),
        ("application/problem+json", 406),
    ],
)
def test_the_accept_header_is_honoured(client: TestClient, accept: str, status: int) -> None:
    assert client.get("/things", headers={"Accept": accept}).status_code == status


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RSS, NDJSON, CSV = "application/rss+xml", "application/x-ndjson", "text/csv"


@pytest.mark.parametrize(
    ("accept", "media_type", "is_accepted"),
    [
        ("text/xml", RSS, True),
        ("application/atom+xml, text/xml", RSS, True),
        ("application/xml", "application/atom+xml", True),
        ("application/rss+xml;q=0, text/xml", RSS, False),
        ("application/xml;q=0, */*", RSS, False),
        ("text/xml;q=0, */*", RSS, True),
        ("text/html", RSS, False),
        ("application/atom+xml", RSS, False),
        ("application/json", "application/feed+json", True),
        ("application/json", NDJSON, True),
        ("application/jsonl", NDJSON, True),
        ("text/plain", NDJSON, True),
        ("application/json;q=0, */*", NDJSON, True),
        ("application/xml", NDJSON, False),
        ("application/csv", CSV, True),
        ("application/octet-stream", CSV, True),
        ("application/json", CSV, False),
        ("application/vnd.ms-excel", XLSX, True),
    ],
)
def test_a_form_goes_by_all_its_names(accept: str, media_type: str, is_accepted: bool) -> None:
    assert accepts(accept, media_type) is is_accepted


@pytest.mark.parametrize("accept", ["text/html", "text/plain", "image/png", "application/json;q=0"])
def test_health_is_told_whatever_is_accepted(client: TestClient, accept: str) -> None:
    for path in ("/health/live", "/health/ready"):
        assert client.get(path, headers={"Accept": accept}).status_code == 200


def test_head_is_get_without_the_body(client: TestClient) -> None:
    for path in ("/things/a", "/things", "/nowhere", "/docs", "/openapi.json", "/stream.csv", "/things?x=1"):
        for accept_encoding in ("identity", "gzip"):
            headers = {"Accept-Encoding": accept_encoding, "X-Request-Id": "mine"}
            get, head = client.get(path, headers=headers), client.head(path, headers=headers)
            assert (head.status_code, head.headers, head.content) == (get.status_code, get.headers, b"")


def test_a_browser_may_send_its_token_from_any_page(client: TestClient) -> None:
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    answer = client.options("/things", headers=preflight)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, *"
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("query", "parameter", "value", "detail"),
    [
        ("limit=x", "limit", "x", "must be a whole number from 1 to 200"),
        ("limit=201", "limit", "201", "must be a whole number from 1 to 200"),
        ("minQuality=-1", "minQuality", "-1", "must be a whole number of at least 0"),
        ("limit=1&limit=2", "limit", "1, 2", "given twice: 1 and 2; give it once"),
        ("sort=date", "sort", "date", "must be title or -title"),
        ("hasImage=perhaps", "hasImage", "perhaps", "must be true or false"),
        ("limt=1", "limt", "1", "is unknown; did you mean limit?"),
        ("x%1B=1", "x\\x1b", "1", "is unknown; this address takes topic, limit, minQuality, sort, hasImage"),
        ("min_quality=1", "min_quality", "1", "is unknown; did you mean minQuality?"),
        ("topic=%FF", "topic", "%FF", "must be UTF-8, percent-encoded"),
        ("topic=%ED%A0%80", "topic", "%ED%A0%80", "must be UTF-8, percent-encoded"),
        (
            "topic=5%",
            "topic",
            "5%",
            "has a % that is not followed by two hexadecimal digits; write % itself as %25",
        ),
        ("topic=a%00", "topic", "a%00", "must not have a NUL character (%00)"),
        ("limit=" + "9" * 500, "limit", "9" * 99 + "…", "must be a whole number from 1 to 200"),
    ],
)
def test_a_bad_parameter_is_named_with_what_to_send_instead(
    client: TestClient, query: str, parameter: str, value: str, detail: str
) -> None:
    answer = client.get(f"/things?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"parameter": parameter, "value": value, "detail": detail}]


@pytest.mark.parametrize(
    ("query", "topics"),
    [
        ("topic=C++", ["C++"]),
        ("topic=C++,Java", ["C++,Java"]),
        ("topic=Java,C++&topic=g++", ["Java,C++", "g++"]),
        ("topic=C%2B+", None),
        ("topic=%22Notepad++%22", ['"Notepad++"']),
        ("topic=C++%2CJava", ["C++,Java"]),
        ("topic=Visual+C+++Compilers", ["Visual C++ Compilers"]),
        ("topic=C%2B%2B", ["C++"]),
        ("topic=Open+Source,+AI", ["Open Source, AI"]),
        ("topic=AI%20", ["AI "]),
        ("topic=Disney+", None),
        ("topic=Disney+,Netflix", None),
        ("topic=%22Disney+%22", None),
        ("topic=++", ["  "]),
    ],
)
def test_a_plus_at_the_end_of_a_value_is_no_space(
    client: TestClient, query: str, topics: list[str] | None
) -> None:
    """It answered with the articles of C to whoever asked for C++."""
    answer = client.get(f"/things?{query}")
    if topics:
        assert answer.json()["topics"] == topics
    else:
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["detail"].endswith("write + itself as %2B")


def test_what_trackers_add_to_a_link_is_passed_over(client: TestClient) -> None:
    plain = client.get("/things?topic=a&limit=3")
    for query in (
        "topic=a&utm_source=mail&limit=3&fbclid=IwAR0",
        "%75tm_medium=x&topic=a&limit=3&_=1700000000",
        "topic=a&limit=3&GCLID=&utm_source=again&utm_source=and%again",
    ):
        shared = client.get(f"/things?{query}")
        assert (shared.content, shared.headers["ETag"]) == (plain.content, plain.headers["ETag"])
    assert client.get("/health/live?utm_campaign=x").status_code == 200
    assert client.get("/things?source=mail").status_code == 422


def test_a_query_is_read_as_it_is_meant(client: TestClient) -> None:
    answer = client.get("/things?topic=C%2B%2B&&topic=a+b&topic=Z%C3%BCrich&limit=3&")
    assert answer.json() == {"topics": ["C++", "a b", "Zürich"], "limit": 3}
    assert len(client.get("/things?limit=x&sort=y&z=1").json()["errors"]) == 3
    for too_much in ("topic=" + "a" * 8_000, "&".join(["topic=a"] * 101)):
        assert client.get(f"/things?{too_much}").status_code == 422
    assert (
        client.get("/health/live?x=1").json()["errors"][0]["detail"]
        == "is unknown: this address takes no parameters"
    )
