"""What the service says of itself: a line and a metric for each kind of answer, and names for requests."""

import json
import logging
import os
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.errors import SettingsError
from app.logs import logging_configuration
from app.main import create_app
from app.settings import Settings
from app.web.http.connections import HttpConnection
from app.web.http.request_log import Complaints, RequestLog
from tests.proofs.connections import LIVE, exchange
from tests.proofs.run import catalogue, workers_of
from tests.proofs.run import service as command
from tests.support.logs import noted
from tests.support.routes import TOKEN, gate, service
from tests.support.services import service_of
from tests.support.worlds import World
from tests.web.test_connections import HANG_SECONDS, connected, running, until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
QUERY = "q=somebodys-secret"

# Each kind of answer: what is asked, and the line's method, route and status.
KINDS: list[tuple[str, str, dict[str, str], tuple[str, str | None, int]]] = [
    ("GET", "/things", {}, ("GET", "/things", 200)),
    ("HEAD", "/things", {}, ("HEAD", "/things", 200)),
    ("GET", "/things/a", {}, ("GET", "/things/{thing_id}", 200)),
    ("GET", "/stream.csv", {}, ("GET", "/stream.csv", 200)),
    ("OPTIONS", "/things", {}, ("OPTIONS", "/things", 204)),
    ("GET", "/things", {"If-None-Match": "*"}, ("GET", "/things", 304)),
    ("GET", "/things/hidden", {}, ("GET", "/things/{thing_id}", 401)),
    ("GET", "/things", {"Authorization": "Bearer wrong"}, ("GET", "/things", 401)),
    ("GET", "/nowhere%0Aforged", {}, ("GET", None, 404)),
    ("GET", "/things/" + "x" * 3_000, {}, ("GET", None, 404)),
    ("POST", "/things", {}, ("POST", "/things", 405)),
    ("GET", "/things", {"Accept": "text/html"}, ("GET", "/things", 406)),
    ("GET", "/things/gone", {}, ("GET", "/things/{thing_id}", 410)),
    ("GET", f"/things?{QUERY}", {}, ("GET", "/things", 422)),
    ("GET", "/things/broken", {}, ("GET", "/things/{thing_id}", 500)),
    ("GET", "/things/away", {}, ("GET", "/things/{thing_id}", 503)),
    ("GET", "/things/slow", {}, ("GET", "/things/{thing_id}", 503)),
    ("GET", "/health/live", {}, ("GET", "/health/live", 200)),
]


@contextmanager
def logged(style: str, tmp_path: Path) -> Iterator[tuple[TestClient, Path]]:
    app = service(log=style, editor_token=TOKEN)
    file = tmp_path / "log"
    with file.open("wb") as written:
        app.state.resources.request_log._file = written.fileno()
        with TestClient(app, headers={"Accept-Encoding": "identity"}) as client:
            yield client, file


def test_each_kind_of_answer_is_a_line_of_json(tmp_path: Path) -> None:
    with logged("json", tmp_path) as (client, file):
        answers = [client.request(method, path, headers=headers) for method, path, headers, _ in KINDS]
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        expected for *_, expected in KINDS
    ]
    for answer, line in zip(answers, lines, strict=True):
        assert line["requestId"] == answer.headers["X-Request-Id"]
        assert line["bytes"] == len(answer.content)
        assert line["level"] == ("warning" if line["status"] >= 500 else "info")
        assert line["milliseconds"] >= 0
        assert line["traceId"] is None
        assert abs(datetime.fromisoformat(line["time"]).timestamp() - time.time()) < 60
    for word in (QUERY, TOKEN, "forged", "wrong"):
        assert word not in file.read_text()


def test_each_kind_of_answer_is_a_line_of_text(tmp_path: Path) -> None:
    with logged("text", tmp_path) as (client, file):
        for method, path, headers, _ in KINDS:
            client.request(method, path, headers={**headers, "traceparent": f"00-{TRACE}-{'1' * 16}-01"})
    pattern = re.compile(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?:INFO|WARNING) ([A-Z]+) (\S+) (\d{3}) \d+ bytes "
        rf"\d+\.\d ms request \S+ trace {TRACE}"
    )
    found = [pattern.fullmatch(line) for line in file.read_text().splitlines()]
    assert [match and match.groups() for match in found] == [
        (method, route or "-", str(status)) for *_, (method, route, status) in KINDS
    ]


# Pages for people, by a browser whose cookie may be an editor's: what is asked and sent, and the line.
PAGES: list[tuple[str, str, dict[str, str], tuple[str, str | None, int]]] = [
    ("GET", "/", {}, ("GET", "/", 200)),
    ("GET", f"/?{QUERY}", {}, ("GET", "/", 200)),
    ("GET", f"/?{QUERY}&utm_source=mail", {}, ("GET", "/", 200)),
    ("GET", "/view/topics/AI", {}, ("GET", "/view/topics/{topic}", 200)),
    ("GET", "/view/topics/nothing", {}, ("GET", "/view/topics/{topic}", 404)),
    ("GET", "/view/somebodys-secret", {}, ("GET", None, 404)),
    ("GET", "/?limit=0", {}, ("GET", "/", 422)),
    ("POST", "/view/sign-in", {"token": "wrong"}, ("POST", "/view/sign-in", 403)),
    ("POST", "/view/sign-in", {"token": TOKEN}, ("POST", "/view/sign-in", 303)),
    ("GET", "/", {}, ("GET", "/", 200)),
    ("GET", "/?published=any", {}, ("GET", "/", 200)),
    ("POST", "/view/sign-out", {}, ("POST", "/view/sign-out", 303)),
    ("POST", "/", {}, ("POST", "/", 405)),
]


def test_pages_and_forms_are_lines_and_are_counted_by_their_route(world: World, tmp_path: Path) -> None:
    world.write("a.md", "title: A\ntopics: [AI]")
    world.import_()
    file = tmp_path / "log"
    # The third time an answer to the public is remembered as it is written.
    asked = PAGES * 3
    with file.open("wb") as written, service_of(world, log="json", editor_token=TOKEN) as client:
        before = requests_of(client.get("/metrics").text)
        client.app.state.resources.request_log.flush()  # type: ignore[attr-defined]
        client.app.state.resources.request_log._file = written.fileno()  # type: ignore[attr-defined]
        answers = [
            client.request(
                method, path, data=form or None, headers={"Accept": "text/html"}, follow_redirects=False
            )
            for method, path, form, _ in asked
        ]
        after = requests_of(client.get("/metrics").text)
    *lines, _ = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        expected for *_, expected in asked
    ]
    for answer, line in zip(answers, lines, strict=True):
        assert line["requestId"] == answer.headers["X-Request-Id"]
    for word in ("secret", TOKEN, "clippings_editor"):
        assert word not in file.read_text()
    expected = Counter((method, route or "", str(status)) for *_, (method, route, status) in asked)
    assert {key: after[key] - before.get(key, 0) for key in expected} == expected


def test_a_log_that_is_off_has_no_lines_of_requests(tmp_path: Path) -> None:
    with logged("off", tmp_path) as (client, file):
        for method, path, headers, _ in KINDS:
            assert client.request(method, path, headers=headers).headers["X-Request-Id"]
    assert file.read_text() == ""


@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [
        ("a1b2-c3", True),
        ("Root=1-67891233-abcdef012345678912345678", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("", False),
        ("two words", False),
        ('quote"', False),
        ("tab\t", False),
        ("-begins-so", False),
        ("é", False),
    ],
)
def test_a_request_has_the_id_that_it_brings_if_it_is_a_word(sent: str, is_taken: bool) -> None:
    client = TestClient(service())
    answers = [client.get("/things", headers={b"X-Request-Id": sent.encode()}) for _ in range(3)]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert ids == {sent} if is_taken else (len(ids) == 3 and sent not in ids)


def test_a_refused_connection_is_a_line_and_a_metric_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = service(log="json")
    file = tmp_path / "log"
    large = b"Host: x\r\nX-Request-Id: mine\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000
    with file.open("wb") as written, running(app) as (address, _):
        app.state.resources.request_log._file = written.fileno()
        answers = [
            exchange(address, sent)
            for sent in (
                b"nonsense\r\n\r\n",
                LIVE + b"a: b\r\n" * 20_000,
                b"GET /things?topic=" + b"a" * 70_000,
                b"GET /" + b"a" * 70_000,
                b"GET /sleep HTTP/1.1\r\n" + large,
            )
        ]
        # Others are answered at once, and what they send on and on is no second request.
        posted = exchange(address, b"POST /things HTTP/1.1\r\n" + large)
        time.sleep(0.6)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["method"], line["route"], line["status"]) for line in lines[:5]] == [
        ("_OTHER", None, 400),
        ("GET", "/health/live", 431),
        ("GET", "/things", 414),
        ("GET", None, 414),
        ("GET", "/sleep", 413),
    ]
    assert [(line["method"], line["route"], line["requestId"]) for line in lines[5:]] == [
        ("POST", "/things", "mine")
    ]
    assert b" %d " % lines[5]["status"] in posted.splitlines()[0]
    for answer, line in zip(answers, lines, strict=False):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"x-request-id: %s\r\n" % line["requestId"].encode() in head
        assert line["bytes"] == len(body)
    # uvicorn would warn of an invalid request beside it.
    assert [message for message in caplog.messages if "/sleep" not in message] == []


def test_a_client_that_leaves_is_a_line_too(tmp_path: Path) -> None:
    app = service(log="json")
    file = tmp_path / "log"
    with file.open("wb") as written, running(app) as (address, server):
        app.state.resources.request_log._file = written.fileno()
        with gate.closed():
            with connected(address) as client:
                client.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
                until(lambda: server.server_state.tasks)
            until(lambda: not server.server_state.connections)
    [line] = [json.loads(line) for line in file.read_text().splitlines()]
    assert (line["route"], line["status"]) == ("/wait", 200)


@pytest.mark.parametrize(("is_cut_off", "status"), [(True, 444), (False, 499)])
def test_a_file_that_did_not_come_to_its_end_is_a_line_that_says_so(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_cut_off: bool, status: int
) -> None:
    if is_cut_off:
        monkeypatch.setattr(HttpConnection, "stall_seconds", 0.1)
        monkeypatch.setattr(HttpConnection, "max_stall_seconds", 0.1)
    for number in range(4):
        world.write(f"{number}.md", f"title: {number}", "long " * 100_000)
    world.import_()
    url = world.engine.url.render_as_string(hide_password=False)
    app = create_app(Settings(database_url=url, log="json"))
    file = tmp_path / "log"
    with file.open("wb") as written, running(app) as (address, server):
        app.state.resources.request_log._file = written.fileno()
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect(address)
            until(lambda: server.server_state.connections)
            [connection] = server.server_state.connections
            system = connection.transport.get_extra_info("socket")
            system.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
            client.sendall(b"GET /exports/articles.ndjson?fields=content HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(1)
            if is_cut_off:
                until(lambda: not server.server_state.connections)
        until(lambda: not server.server_state.tasks)
    [line] = [json.loads(line) for line in file.read_text().splitlines()]
    assert (line["route"], line["status"]) == ("/exports/articles.ndjson", status)


def test_what_many_requests_meet_is_said_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    complaints = Complaints(lambda: now[0], quiet_seconds=10)
    for _ in range(100):
        complaints.complain("slow", "GET /facets took 2 s.")
        complaints.complain("busy", "4 files are being sent already.")
    now[0] = 11.0
    complaints.complain("slow", "GET /facets took 3 s.")
    assert [record.getMessage() for record in caplog.records] == [
        "GET /facets took 2 s.",
        "4 files are being sent already.",
        "GET /facets took 3 s. It happened 99 more times since the last line.",
    ]


def test_a_fault_and_a_slow_question_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(service())
    for _ in range(5):
        client.get("/things/broken")
        client.get("/things/slow")
    for _ in range(2):
        client.get("/sleep")
    assert [record.levelname for record in noted(caplog.records)] == ["ERROR", "WARNING"]
    assert re.fullmatch(r"GET /sleep took \d\.\d\d s \(request \S+\)\.", caplog.records[-1].getMessage())


def test_other_lines_of_the_log_have_time_and_level_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        for style in ("text", "json"):
            handler = logging.StreamHandler()
            formatter = logging_configuration(style)["formatters"]["line"]["()"]
            module, _, name = formatter.rpartition(".")
            handler.setFormatter(getattr(__import__(module, fromlist=[name]), name)())
            record = logging.LogRecord("app", logging.WARNING, "", 0, "a\nb %s", ("c\x1b",), None)
            line = handler.format(record)
            assert "\n" not in line
            assert "\x1b" not in line
            moment = json.loads(line)["time"] if style == "json" else line.partition(" ")[0]
            assert abs(datetime.fromisoformat(moment).timestamp() - time.time()) < 60
    finally:
        monkeypatch.undo()
        time.tzset()


def metrics(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """As Prometheus' own client reads them."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def requests_of(text: str) -> dict[tuple[str, str, str], float]:
    """How many requests by method, route and status."""
    found: dict[tuple[str, str, str], float] = {}
    for (name, pairs), value in metrics(text).items():
        if name == "http_server_request_duration_seconds_count":
            labels = dict(pairs)
            key = (labels["http_request_method"], labels["http_route"], labels["http_response_status_code"])
            found[key] = found.get(key, 0) + value
    return found


def test_a_wish_for_a_later_revision_is_told_apart_from_trouble() -> None:
    client = TestClient(service())
    assert client.get("/articles", headers={"Minimum-Revision": "99"}).status_code == 503
    told = {
        labels["error_type"]
        for name, pairs in metrics(client.get("/metrics").text)
        if (labels := dict(pairs)).get("http_response_status_code") == "503" and "count" in name
    }
    assert "behind_minimum_revision" in told


def test_each_kind_of_answer_is_counted_by_its_route() -> None:
    client = TestClient(service(editor_token=TOKEN))
    before = requests_of(client.get("/metrics").text)
    for method, path, headers, _ in KINDS:
        client.request(method, path, headers=headers)
    client.request("INVENTED", "/things")
    after = requests_of(client.get("/metrics").text)
    counted = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}
    expected = Counter([("GET", "/metrics", "200"), ("_OTHER", "/things", "405")])
    for *_, (method, route, status) in KINDS:
        expected[method, route or "", str(status)] += 1
    assert counted == expected


def test_the_catalogue_is_measured_and_what_is_unpublished_is_not(world: World) -> None:
    world.write("a.md", "title: A")
    world.write("hidden.md", "title: Hidden\npublished: false")
    world.import_()
    with service_of(world) as client:
        client.get("/articles")
        answer = client.get("/metrics")
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        found = {name: value for (name, _), value in metrics(answer.text).items()}
        assert (found["clippings_revision"], found["clippings_articles"]) == (1, 1)
        assert found["clippings_last_import_timestamp_seconds"] == 1_793_536_200
        assert found["clippings_remembered_bytes"] > 0
        assert found["clippings_build_info"] == found["clippings_catalogue_readable"] == 1
        assert found["http_server_active_requests"] == 1
        assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_catalogue_there_are_metrics_all_the_same(world_without_catalogue: World) -> None:
    with service_of(world_without_catalogue) as client:
        found = {name: value for (name, _), value in metrics(client.get("/metrics").text).items()}
    assert found["clippings_catalogue_readable"] == 0
    assert "clippings_articles" not in found


def test_the_metrics_of_all_workers_are_one(tmp_path: Path) -> None:
    """Also of one that was killed; whose gauges are gone, and whose folder is."""
    with (
        catalogue(3) as url,
        command(url, "--workers", "2", CLIPPINGS_LOG="json") as (address, process, said),
    ):
        base = "http://{}:{}".format(*address)
        before = count_requests(base)
        for _ in range(40):
            # Each on a connection of its own, which either worker may take.
            assert httpx2.get(f"{base}/articles", timeout=HANG_SECONDS).status_code == 200
        # A killed worker's lines and counts are lost if it has not written them yet.
        until(lambda: count_answers(said()) == 40 and count_requests(base) == before + 40)
        [child, *_] = workers_of(process.pid)
        os.kill(child, signal.SIGKILL)
        until(lambda: child not in workers_of(process.pid) and len(workers_of(process.pid)) == 2)
        until(lambda: [line for line in said() if '"Worker ' in line])
        [replaced] = [json.loads(line) for line in said() if '"Worker ' in line]
        assert replaced["level"] == "warning"
        assert re.fullmatch(
            rf"Worker {child} was ended by SIGKILL; worker \d+ replaces it\.", replaced["message"]
        )
        for _ in range(4):
            assert count_requests(base) == before + 40
        [folder] = {
            value.partition(b"=")[2].decode()
            for value in Path(f"/proc/{workers_of(process.pid)[0]}/environ").read_bytes().split(b"\0")
            if value.startswith(b"PROMETHEUS_MULTIPROC_DIR=")
        }
        assert Path(folder).is_dir()
        process.terminate()
        process.wait()
        assert count_answers(said()) == 40
        assert not [line for line in said() if '"traceback"' in line]
    assert not Path(folder).exists()


def count_requests(base: str) -> float:
    text = httpx2.get(f"{base}/metrics", timeout=HANG_SECONDS).text
    return requests_of(text).get(("GET", "/articles", "200"), 0)


def count_answers(said: list[str]) -> int:
    """The lines of the log that are whole decide."""
    return len([line for line in said if line.endswith("}") and '"route":"/articles"' in line])


def test_the_log_goes_on_when_nobody_reads_it() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    log = RequestLog("text", writing)
    log._waiting = ["a line\n"]
    log.flush()
    os.close(writing)


def test_a_wrong_style_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPPINGS_LOG", "loud")
    with pytest.raises(SettingsError, match="CLIPPINGS_LOG: must be 'text', 'json' or 'off'"):
        Settings.read()
