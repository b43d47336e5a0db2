"""Downloads that end before their time give back what they held: place, connection and snapshot."""

import asyncio
import gc
import logging
import re
import resource
import signal
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import text
from starlette.types import Message

from app.main import create_app
from app.settings import Settings
from app.web.exports import Abandoned
from app.web.http.connections import HttpConnection
from app.web.http.resources import MAX_DOWNLOADS
from app.web.http.spool import spooled
from tests.support.logs import noted
from tests.support.worlds import World

Address = tuple[str, int]

# PostgreSQL's sessions that hold a state of this database and ask nothing.
IDLE = "FROM pg_stat_activity WHERE state LIKE 'idle in trans%' AND datname = current_database()"

# Nothing here takes so long unless it hangs.
SECONDS = 60.0


def service_of_long_articles(world: World, articles: int = 100) -> FastAPI:
    """Of which a file is larger than what sockets hold on the way."""
    for number in range(articles):
        world.write(f"{number}.md", f"title: Long\nexcerpt: {'x' * (6_000_000 // articles)}")
    world.import_()
    return create_app(Settings(database_url=world.engine.url.render_as_string(hide_password=False)))


@contextmanager
def running(world: World, articles: int = 100) -> Iterator[Address]:
    """The service on a socket."""
    app = service_of_long_articles(world, articles)
    config = uvicorn.Config(app, log_config=None, http=HttpConnection)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            assert comes_true(lambda: server.started)
            yield listening.getsockname()
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def without_the_garbage_collector() -> Iterator[None]:
    """It gives everything back sooner or later, on a quiet server much later."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def begun(address: Address, path: str = "/exports/articles.ndjson", times: int = 1) -> socket.socket:
    """A download of which the client has read the beginning; it may have asked for more after it."""
    ends = time.monotonic() + SECONDS
    while True:
        client = socket.socket()
        # Little of the file is on the way.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        client.connect(address)
        # Closing then breaks off, as a killed client does.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * times)
        if client.recv(100).startswith(b"HTTP/1.1 200"):
            return client
        # The places of those who went are free when the service has noticed.
        client.close()
        assert time.monotonic() < ends
        time.sleep(0.01)


def holds_nothing(world: World) -> bool:
    """No reader of the database keeps a state of it."""
    with world.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # It empties the log only when nobody reads from there.
            return connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one() == (0, 0, 0)
        return connection.execute(text(f"SELECT count(*) {IDLE}")).one() == (0,)


def change(world: World) -> None:
    """So that who still has a snapshot has an old one."""
    world.write("new.md", "title: New")
    world.import_()


def comes_true(condition: Callable[[], bool]) -> bool:
    ends = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.01)
    return True


def test_a_download_that_is_broken_off_gives_back_what_it_held(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with running(world) as address, without_the_garbage_collector():
        clients = [begun(address) for _ in range(MAX_DOWNLOADS)]
        url = "http://{}:{}/exports/articles.csv".format(*address)
        refused = httpx2.get(url, timeout=SECONDS)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        change(world)
        for client in clients:
            client.close()
        assert comes_true(lambda: httpx2.head(url, timeout=SECONDS).status_code == 200)
        assert comes_true(lambda: holds_nothing(world))
        with ExitStack() as others:
            for _ in range(MAX_DOWNLOADS):
                others.enter_context(begun(address))
    said = noted(caplog.records)
    assert not [record for record in said if record.exc_info]
    assert "4 files are being sent already" in said[0].getMessage()


@pytest.mark.parametrize("path", ["/exports/articles.ndjson", "/articles?limit=200"])
def test_who_goes_away_with_more_requests_unanswered_leaves_nothing_behind(
    world: World, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with running(world) as address, without_the_garbage_collector():
        clients = [begun(address, path, times=3) for _ in range(MAX_DOWNLOADS)]
        change(world)
        for client in clients:
            client.close()
        assert comes_true(lambda: holds_nothing(world))
        for _ in range(MAX_DOWNLOADS):
            begun(address).close()
    # Who is early is told so.
    said = [record.getMessage() for record in noted(caplog.records)]
    assert not [line for line in said if "are being sent" not in line]


def test_a_download_whose_answer_needs_no_file_gives_back_what_it_held(world: World) -> None:
    with running(world) as address, without_the_garbage_collector():
        change(world)
        with httpx2.Client(base_url="http://{}:{}/exports/".format(*address), timeout=SECONDS) as client:
            for _ in range(MAX_DOWNLOADS + 1):
                assert comes_true(lambda: client.head("articles.ndjson").status_code == 200)
                refused = client.get("articles.ndjson", headers={"Accept": "image/png"})
                assert refused.status_code == 406
                assert client.get("articles.ndjson?limit=1").status_code == 422
        assert comes_true(lambda: holds_nothing(world))


def test_a_server_that_stops_cuts_downloads_without_a_traceback(world: World) -> None:
    app = service_of_long_articles(world)

    async def stop() -> None:
        waiting = asyncio.Event()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                waiting.set()
                await asyncio.Event().wait()

        async def receive() -> Message:
            return await asyncio.Event().wait()  # type: ignore[return-value]

        scope = {"type": "http", "method": "GET", "query_string": b"", "headers": []}
        download = asyncio.ensure_future(app({**scope, "path": "/exports/articles.ndjson"}, receive, send))
        await waiting.wait()
        change(world)
        # The server does so when the time to stop is over, and logs what escapes.
        download.cancel()
        await download
        assert holds_nothing(world)

    with without_the_garbage_collector():
        asyncio.run(stop())
    app.state.resources.close()


def test_a_database_that_goes_away_cuts_a_download_with_a_line(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.engine.dialect.name == "sqlite":
        pytest.skip("has no server")
    # The rest is read as the client takes it, as beyond what goes to the disk.
    monkeypatch.setattr("app.web.http.spool.MAX_SPOOLED_BYTES", 0)
    # More than are read at once.
    with running(world, articles=600) as address:
        url = "http://{}:{}/exports/articles.ndjson".format(*address)
        with httpx2.stream("GET", url, timeout=SECONDS) as answer:
            # It asks for the next rows now and then, and is not idle then.
            assert comes_true(lambda: bool(world.query(f"SELECT pg_terminate_backend(pid) {IDLE}")))
            with pytest.raises(httpx2.RemoteProtocolError):
                answer.read()
        begun(address).close()
    errors = noted(caplog.records, logging.ERROR)
    assert not [record for record in errors if record.exc_info]
    assert errors[0].getMessage().startswith("The catalogue cannot be read")
    assert len(errors) <= 2, "ours, and the server's that the answer is incomplete"


def test_a_download_that_is_read_too_slowly_is_cut_and_not_taken_for_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.exports.MAX_SECONDS", 0.1)
    with running(world) as address, begun(address) as client:
        time.sleep(0.2)
        received = b""
        with suppress(ConnectionResetError):
            while part := client.recv(1_000_000):
                received = part
        assert not received.endswith(b"0\r\n\r\n")
        begun(address).close()


def test_a_sheet_that_nobody_waits_for_is_not_made_to_its_end(world: World, tmp_path: Path) -> None:
    """It is made before its first byte is sent, so only the event of its client's end can stop it."""
    made = threading.Event()

    def slow_items(items: Iterator[str], is_abandoned: threading.Event) -> Iterator[str]:
        yield from items
        made.set()
        assert is_abandoned.wait(SECONDS)
        raise Abandoned

    with pytest.MonkeyPatch.context() as patch, running(world, articles=3) as address:
        patch.setattr("app.web.exports._unless_abandoned", slow_items)
        patch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
        (tmp_path / "temporary").mkdir()
        for _ in range(MAX_DOWNLOADS):
            with socket.create_connection(address) as client:
                client.sendall(b"GET /exports/articles.xlsx HTTP/1.1\r\nHost: x\r\n\r\n")
                assert made.wait(SECONDS)
                assert list((tmp_path / "temporary").iterdir())
            assert comes_true(lambda: not list((tmp_path / "temporary").iterdir()))
            made.clear()
        patch.undo()
        url = "http://{}:{}/exports/articles.xlsx".format(*address)
        assert httpx2.get(url, timeout=SECONDS).content.startswith(b"PK")
        change(world)
        assert comes_true(lambda: holds_nothing(world))


def test_a_text_that_nobody_waits_for_goes_to_the_disk_no_further(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written there at once, so only the event of its client's end can stop it."""
    spooling, ended = threading.Event(), threading.Event()

    def slow_items(items: Iterator[str], is_abandoned: threading.Event) -> Iterator[str]:
        try:
            for number, item in enumerate(items):
                # The chunk is beyond the megabyte that comes from memory, and not the last one.
                if number == 300:
                    spooling.set()
                    assert is_abandoned.wait(SECONDS)
                    raise Abandoned
                yield item
        finally:
            ended.set()

    monkeypatch.setattr("app.web.exports._unless_abandoned", slow_items)
    with running(world, articles=600) as address:
        for _ in range(MAX_DOWNLOADS + 1):
            client = begun(address)
            assert spooling.wait(SECONDS)
            assert not ended.is_set()
            client.close()
            assert ended.wait(SECONDS)
            assert comes_true(lambda: holds_nothing(world))
            spooling.clear()
            ended.clear()


def test_a_slow_download_keeps_no_snapshot_and_gets_the_whole_file_of_its_revision(world: World) -> None:
    # Far more than the sockets hold on the way.
    with running(world, articles=2_000) as address:
        client = begun(address)
        change(world)
        assert comes_true(lambda: holds_nothing(world))
        client.settimeout(SECONDS)
        said = b""
        while not said.endswith(b"0\r\n\r\n"):
            said += client.recv(1_000_000)
        # The heads of chunks go, since one may stand in a title.
        said = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", said)
        assert said.count(b'"title":"Long"') == 2_000
        assert b'"title":"New"' not in said
        client.close()


def test_what_cannot_be_written_to_the_disk_is_sent_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = [bytes([number]) * 300_000 for number in range(30)]
    with tempfile.TemporaryDirectory() as folder:

        def limited(**_: object) -> IO[bytes]:
            """As a full disk: the system writes a part, and then no more."""
            return (Path(folder) / "spool").open("w+b", buffering=0)

        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        for made in (limited, lambda **_: open("/nowhere/at/all", "wb")):  # noqa: PTH123, SIM115
            monkeypatch.setattr("app.web.http.spool.TemporaryFile", made)
            handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
            try:
                found = b"".join(spooled(chunk for chunk in expected))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
                signal.signal(signal.SIGXFSZ, handler)
            assert found == b"".join(expected)
    assert len(caplog.records) == 2


def test_a_spool_ends_where_it_may() -> None:
    ended = []

    def chunks() -> Generator[bytes]:
        try:
            for number in range(100):
                yield bytes([number]) * 100_000
        finally:
            ended.append(number)

    made = spooled(chunks())
    for _ in range(5):
        next(made)
    made.close()
    made = spooled(chunks())
    for _ in range(12):
        next(made)
    assert ended == [4, 99], "everything is made once a megabyte was taken"
    assert sum(map(len, made)) > 0
