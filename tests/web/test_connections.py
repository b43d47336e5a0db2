"""What a connection may take of the service, as it is served: time for a request's head, bytes, its turn."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from app.serving import STOP_SECONDS
from app.settings import Settings
from app.web.http.connections import MAX_PART_BYTES, HttpConnection
from tests.proofs.connections import LAST, LIVE, exchange, is_closed, read, served, statuses
from tests.support.routes import gate, service
from tests.support.serving import Address

# Nothing here takes so long unless it hangs.
HANG_SECONDS = 60
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
STREAM_LAST = b"GET /stream.csv HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    with served(10) as (address, _):
        yield address


def test_who_was_answered_may_be_idle_for_longer_than_a_head_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HttpConnection, "head_seconds", 0.2)
    with running(service()) as (address, _), connected(address) as connection:
        connection.sendall(LIVE + b"\r\n")
        time.sleep(0.4)
        connection.sendall(LAST)
        assert statuses(read(connection)) == [200, 200]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("BREW /articles HTTP/1.1", 405),
        ("DELETE /articles HTTP/1.1", 405),
        ("get /articles HTTP/1.1", 405),
        ("BREW /articles", 400),
        ("BR(W /articles HTTP/1.1", 400),
    ],
)
def test_an_invented_method_is_not_allowed(address: Address, line: str, status: int) -> None:
    said = exchange(address, f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert statuses(said) == [status]
    assert (b"allow: GET, HEAD, OPTIONS" in said) == (status == 405)


def test_a_head_that_comes_byte_by_byte_is_answered(address: Address) -> None:
    assert statuses(exchange(address, *(bytes([byte]) for byte in LIVE + b"\r\n" + LAST))) == [200, 200]


@pytest.mark.parametrize(
    ("begin", "more", "status"),
    [
        (LIVE, b"a: " + b"b" * 95 + b"\r\n", 431),
        (LIVE, b"a:\r\n", 431),
        (LIVE + b"a: ", b"b", 431),
        (LIVE, b"b", 431),
        (b"GET /", b"a", 414),
        (b"GET /?", b"a=b&", 414),
        (b"GET ", b" ", 431),
        (LIVE + b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"a: b\r\n", 431),
        (LIVE + b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: ", b"a", 431),
        (LIVE + b"\r\n" + LIVE, b"a: b\r\n", [200, 431]),
    ],
)
def test_a_head_without_end_is_refused_in_a_line_and_closed(
    address: Address, begin: bytes, more: bytes, status: int | list[int]
) -> None:
    with connected(address) as connection:
        connection.sendall(begin + more * (2_000_000 // len(more)))
        said = read(connection)
        assert statuses(said) == (status if isinstance(status, list) else [status])
        head, _, body = said.rpartition(b"HTTP/1.1 ")[2].partition(b"\r\n\r\n")
        for header in (
            b"connection: close",
            b"content-type: application/problem+json",
            b"x-content-type-options: nosniff",
            b"content-security-policy: default-src 'none'",
            b"content-length: %d" % len(body),
        ):
            assert head.count(b"\r\n" + header) == 1
        assert b'64 kB."' in body
        with pytest.raises(OSError, match=r"reset|pipe"):
            while True:
                connection.sendall(more)
                time.sleep(0.01)


@pytest.mark.parametrize("before", [b"", LIVE + b"\r\n"])
@pytest.mark.parametrize("piece", [MAX_PART_BYTES, 1448])
def test_a_head_may_have_64_kilobytes(address: Address, before: bytes, piece: int) -> None:
    def head(size: int) -> Iterator[bytes]:
        text = LAST.removesuffix(b"\r\n") + b"a: "
        text += b"b" * (size - len(text) - 4) + b"\r\n\r\n"
        return (text[place : place + piece] for place in range(0, size, piece))

    is_alone = not before
    with connected(address) as connection:
        if before:
            connection.sendall(before)
            assert statuses(connection.recv(65536)) == [200]
        for text in head(MAX_PART_BYTES):
            connection.sendall(text)
        assert statuses(read(connection)) == [200]
    assert statuses(exchange(address, before, *head(MAX_PART_BYTES + 1))) == [200, 431][is_alone:]


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (CHUNKED + b"0\r\n", b"a: b\r\n"),
        (CHUNKED + b"0\r\na: ", b"b"),
        (CHUNKED + b"0\r\n", b"b"),
        (CHUNKED + b"1;", b"a"),
        (CHUNKED, b"1;a=b\r\nx\r\n"),
        (CHUNKED, b"0"),
        (b"Content-Length: 999999999999\r\n\r\n", b"a"),
    ],
)
def test_what_follows_a_head_without_end_is_closed_after_the_answer(
    address: Address, begin: bytes, more: bytes
) -> None:
    said = exchange(address, LIVE + begin + more * (12_000_000 // len(more)))
    # It depends on what is faster, the answer or the rest.
    assert statuses(said) in ([200], [413], [431])


def test_trailers_are_not_headers(address: Address) -> None:
    request = b"GET /articles?published=any HTTP/1.1\r\nHost: x\r\n" + CHUNKED
    assert statuses(exchange(address, request + b"0\r\nAuthorization: Bearer a-token\r\n\r\n" + LAST)) == [
        401,
        200,
    ]


def test_many_requests_at_once_are_answered_in_their_order(address: Address) -> None:
    requests = [(LIVE + b"\r\n", 200), (SMUGGLED, 404), (b"PUT" + SMUGGLED.removeprefix(b"GET"), 405)] * 100
    sent = b"".join(request for request, _ in requests)
    expected = [status for _, status in requests]
    assert statuses(exchange(address, sent + LAST)) == [*expected, 200]
    assert statuses(exchange(address, sent + b"nonsense\r\n\r\n")) == [*expected, 400]
    assert statuses(exchange(address, sent + LIVE + b"a: b\r\n" * 20_000)) == [*expected, 431]


def test_an_upgrade_is_not_taken_and_hides_nothing(address: Address) -> None:
    for protocol in (b"websocket", b"h2c"):
        upgrade = LIVE + b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n"
        assert statuses(exchange(address, (upgrade + b"\r\n") * 3 + LAST)) == [200, 200, 200, 200]
        for body in (
            b"Content-Length: %d\r\n\r\n%s" % (len(SMUGGLED), SMUGGLED),
            CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED),
        ):
            assert statuses(exchange(address, upgrade + body)) == [200]
            head, end, rest = (upgrade + body).partition(b"\r\n\r\n")
            assert statuses(exchange(address, head + end, rest)) == [200]


def framings() -> Iterator[bytes]:
    """Heads that two readers may see end at different places; who sees the earlier one finds a request."""
    size = b"%d" % len(SMUGGLED)
    lengths = (
        b"+" + size,
        b"-1",
        b"0x1a",
        size + b", 0",
        b"0, " + size,
        b"1e1",
        b" ",
        b"a",
        b"9" * 30,
        b"0_0",
    )
    yield from (b"Content-Length: " + length for length in lengths)
    yield b"Content-Length: 0\r\nContent-Length: " + size
    yield b"Content-Length: " + size + b"\r\nContent-Length: 0"
    yield b"Content-Length : " + size
    yield b"Content\x00-Length: " + size
    yield b" Content-Length: " + size
    codings = (
        b"xchunked",
        b"chunked, identity",
        b"identity",
        b"chunked\x0b",
        b"\x0bchunked",
        b'"chunked"',
        b"chunked;a=b",
        b"chunked, chunked",
        b"gzip",
        b"",
    )
    yield from (b"Transfer-Encoding: " + coding for coding in codings)
    yield b"Transfer-Encoding: chunked\r\nContent-Length: " + size
    yield b"Content-Length: " + size + b"\r\nTransfer-Encoding: chunked"
    yield b"Transfer-Encoding : chunked\r\nContent-Length: " + size
    yield b"Transfer-Encoding:\r\n chunked\r\nContent-Length: " + size
    yield b"Transfer\x00Encoding: chunked\r\nContent-Length: " + size
    yield b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: " + size
    yield b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"
    yield b"a: b\nContent-Length: " + size
    yield b"a: b\rContent-Length: " + size


def chunks() -> Iterator[bytes]:
    """What is no chunk, and none that could be meant."""
    for chunk in (
        b"0x0",
        b"-0",
        b"+0",
        b" 0",
        b"0 ",
        b"0_",
        b"g",
        b"",
        b"0\x00",
        b"F" * 17,
        b"0;\n",
        b"1\r\nxx",
    ):
        yield chunk + b"\r\n\r\n"
    yield b"0\n\n"
    yield b"0\r\r"
    yield b"1\r\nx0\r\n\r\n"
    yield b"1\nx\r\n0\r\n\r\n"


def test_a_malformed_framing_hides_no_request(address: Address) -> None:
    requests = [
        (LIVE.replace(b"GET", method) + framing + b"\r\n\r\n", SMUGGLED)
        for framing in framings()
        for method in (b"GET", b"POST")
    ]
    requests += [(LIVE + CHUNKED, chunk + SMUGGLED) for chunk in chunks()]
    connections = []
    # One packet, and two. The service waits for the rest of some, so that all are sent before one is read.
    for request in [*requests, *((head + rest, b"") for head, rest in requests)]:
        connection = connected(address)
        connection.sendall(request[0])
        connections.append((connection, request))
    for connection, (_, rest) in connections:
        # The rest may come too late where the head was refused.
        with suppress(ConnectionError):
            connection.sendall(rest)
    answers = [connection.recv(65536) for connection, _ in connections]
    # A second answer would come within a few turns of the event loop, and each of these is one at least.
    for _ in range(20):
        assert statuses(exchange(address, LAST)) == [200]
    for said, (connection, request) in zip(answers, connections, strict=True):
        assert len(statuses(said + received(connection))) == 1, request
        connection.close()


def received(connection: socket.socket) -> bytes:
    """What has come until now."""
    connection.setblocking(False)
    with suppress(BlockingIOError, ConnectionResetError):
        return read(connection)
    return b""


def test_the_service_stops_at_once_with_half_a_head_in_hand() -> None:
    with served(10) as (address, process):
        connections = [socket.create_connection(address) for _ in range(30)]
        for connection in connections[::2]:
            connection.sendall(LIVE)
        process.send_signal(signal.SIGTERM)
        # A process that does not end by itself is ended after STOP_SECONDS.
        assert process.wait(STOP_SECONDS - 2) in (0, -signal.SIGTERM)
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("options", [("--workers", "2"), ("--reload",)])
def test_every_way_of_serving_counts(options: tuple[str, ...]) -> None:
    with served(10, *options) as (where, _):
        for _ in range(4):
            assert statuses(exchange(where, LIVE + b"a: b\r\n" * 20_000)) == [431]


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def connected(address: Address) -> socket.socket:
    """Pieces arrive as they are sent."""
    connection = socket.create_connection(address, timeout=HANG_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def live_answer(client: socket.socket) -> bytes:
    """The whole answer, whose head and body may come in packets of their own."""
    said = b""
    while not said.endswith(b'{"status":"ok"}'):
        piece = client.recv(65536)
        assert piece, said
        said += piece
    return said


@contextmanager
def running(app: FastAPI, **options: Any) -> Iterator[tuple[Address, uvicorn.Server]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, http=HttpConnection, log_config=None, **options)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield listening.getsockname(), server
        finally:
            server.should_exit = True
            thread.join()


def test_who_takes_nothing_of_an_answer_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpConnection, "stall_seconds", 0.3)
    monkeypatch.setattr(HttpConnection, "max_stall_seconds", 0.3)
    with running(service()) as (address, server):
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow.connect(address)
        for _ in range(100):
            slow.sendall(b"GET /stream.csv HTTP/1.1\r\nHost: x\r\n\r\n")
        began = time.monotonic()
        while server.server_state.connections or time.monotonic() < began + 0.1:
            assert time.monotonic() < began + HANG_SECONDS
            assert statuses(exchange(address, LAST)) == [200]
        slow.close()


def test_who_took_much_at_once_may_be_silent_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system does so whose program reads at an even, low speed."""
    monkeypatch.setattr(HttpConnection, "stall_seconds", 0.1)
    requests = 100
    with running(service()) as (address, server), socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 200_000)
        client.connect(address)
        until(lambda: server.server_state.connections)
        [connection] = server.server_state.connections
        assert isinstance(connection, HttpConnection)
        # The answers would else fit into what the system holds for a client.
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100_000)
        client.sendall(b"GET /stream.csv HTTP/1.1\r\nHost: x\r\n\r\n" * (requests - 1) + STREAM_LAST)
        until(lambda: connection._stall_timer)
        time.sleep(0.5)
        assert statuses(read(client)) == [200] * requests


def test_where_there_are_too_many_those_idle_longest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    app = service()
    app.state.resources.connections._max_connections = 3
    with running(app) as (address, _):
        clients = []
        for _ in range(5):
            clients.append(connected(address))
            clients[-1].sendall(LIVE + b"\r\n")
            assert statuses(live_answer(clients[-1])) == [200]
        assert [read(client) for client in clients[:2]] == [b"", b""]
        assert not any(is_closed(client) for client in clients[2:])
        for client in clients:
            client.close()


def test_where_all_are_busy_a_newcomer_is_told_to_come_again() -> None:
    app = service()
    app.state.resources.connections._max_connections = 2
    slow = b"GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with running(app) as (address, server):
        with gate.closed():
            busy = [connected(address) for _ in range(2)]
            for client in busy:
                client.sendall(slow)
            until(lambda: len(server.server_state.tasks) == len(busy))
            with connected(address) as newcomer:
                refused = read(newcomer)
                assert statuses(refused) == [503]
                assert b"retry-after: " in refused.lower()
        for client in busy:
            assert statuses(read(client)) == [200]
            client.close()


def test_an_idle_connection_is_kept_for_longer_than_balancers_keep_theirs() -> None:
    assert Settings(database_url="sqlite:///x.db").keep_alive_seconds > 60
    with running(service(), timeout_keep_alive=0.5) as (address, _), connected(address) as client:
        asked = time.monotonic()
        client.sendall(LIVE + b"\r\n")
        assert statuses(read(client)) == [200]
        assert time.monotonic() - asked > 0.45  # the event loop's clock may be late by its turn


def test_who_drains_answers_asks_to_go_elsewhere_and_is_not_ready() -> None:
    app = service()
    with running(app) as (address, _):
        client = connected(address)
        client.sendall(LIVE + b"\r\n")
        live_answer(client)
        app.state.resources.connections.is_draining = True
        client.sendall(LIVE + b"\r\n")
        last = read(client)
        assert statuses(last) == [200]
        assert b"connection: close" in last.lower()
        client.close()
        assert statuses(exchange(address, LAST.replace(b"live", b"ready"))) == [503]


def test_who_has_just_connected_when_it_stops_is_still_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    # The clients here may need long on a busy machine for what they send at once.
    monkeypatch.setattr(HttpConnection, "linger_seconds", HANG_SECONDS)
    app = service()
    with running(app) as (address, server):
        fresh, half, idle = (connected(address) for _ in range(3))
        half.sendall(LIVE)
        idle.sendall(LIVE + b"\r\n")
        live_answer(idle)
        app.state.resources.connections.is_draining = True
        server.should_exit = True
        assert read(idle) == b""
        fresh.sendall(LIVE + b"\r\n")
        half.sendall(b"\r\n")
        assert [statuses(read(client)) for client in (fresh, half)] == [[200], [200]]
        for client in (fresh, half, idle):
            client.close()


def test_a_worker_ends_when_its_parent_was_killed() -> None:
    with served(10, "--workers", "2") as (address, process):

        def has_ended() -> bool:
            try:
                exchange(address, LAST)
            except OSError:
                return True
            return False

        process.kill()
        process.wait()
        until(has_ended)
