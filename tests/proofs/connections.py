"""Clients that send slowly, or without end, and what that costs the service and everybody else.

The service is the command in a process of its own; the clients are sockets.
"""

import argparse
import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.web.http.connections import HEAD_SECONDS
from tests.proofs.catalogues import HANG_SECONDS, REPOSITORY
from tests.proofs.outcome import Outcome, conclude
from tests.support.processor import seconds_of
from tests.support.serving import Address, serving
from tests.support.templates import new_sqlite_catalogue

TOKEN = "a-token"
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
LAST = LIVE + b"Connection: close\r\n\r\n"
SLOW_CONNECTIONS = 30
MOST_MEGABYTES_MORE = 10
# The others' answers take the service some ms.
MOST_MILLISECONDS = 1_000

# The system holds so many for a client that does not read yet.
REQUESTS = 5_000
# Timers of the event loop count whole milliseconds.
CLOCK_TOLERANCE = 0.02
# Each answer is at least a turn of the event loop.
MOST_ANSWERS_WHEN_DUE = 20

# The command itself, but for how long it waits.
_SERVE = """
from app.web.http.connections import HttpConnection
HttpConnection.head_seconds, HttpConnection.linger_seconds = {head_seconds}, {linger_seconds}
from app.cli import main
main()
"""
_SLOW = {
    "nothing": (b"", b""),
    "empty lines": (b"", b"\r\n"),
    "half a head": (LIVE, b""),
    "headers": (LIVE, b"a: b\r\n"),
    "a header": (LIVE + b"a: ", b"b"),
    "an address": (b"GET /", b"a"),
    "a second head": (LIVE + b"\r\n" + LIVE, b"a: b\r\n"),
    "what would upgrade": (LIVE + b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"a: b\r\n"),
}
_CHUNKED = LIVE + b"Transfer-Encoding: chunked\r\n\r\n"
_FLOODS = {
    "headers": (LIVE, b"a: " + b"b" * 95 + b"\r\n"),
    "headers of a letter": (LIVE, b"a:\r\n"),
    "a header": (LIVE + b"a: ", b"b"),
    "an address": (b"GET /", b"a"),
    "trailers": (_CHUNKED + b"0\r\n", b"a: " + b"b" * 95 + b"\r\n"),
    "a trailer": (_CHUNKED + b"0\r\na: ", b"b"),
    "a chunk's extension": (_CHUNKED + b"1;", b"a"),
    "chunks of a letter": (_CHUNKED, b"1\r\nx\r\n"),
    "a body": (LIVE + b"Content-Length: 999999999999\r\n\r\n", b"a"),
    "empty lines": (b"", b"\r\n"),
}


def wait_for_slow_clients(head_seconds: float = HEAD_SECONDS) -> Outcome:
    """Each kind of them is closed when it is time, whatever drips, and others are served meanwhile."""
    outcome = Outcome(f"clients without a whole head for {head_seconds:g} s")
    with served(head_seconds) as (address, _):
        # The event loop reads its clock once in each turn, and takes all of them in one turn at worst: none
        # has to be older than from here on when it is closed.
        began = time.monotonic()
        waiting = [
            (name, drip, _connection(address, sent))
            for name, (sent, drip) in _SLOW.items()
            for _ in range(SLOW_CONNECTIONS)
        ]
        # All of them are with the service when it has answered somebody who came later.
        exchange(address, LAST)
        due = time.monotonic() + head_seconds
        # Who is answered after that shows that the event loop has had its turns to close the others.
        answers_when_due = 0
        while waiting and answers_when_due < MOST_ANSWERS_WHEN_DUE:
            is_due = time.monotonic() > due
            if statuses(exchange(address, LAST)) != [200]:
                outcome.faults.append(f"others are not served after {time.monotonic() - began:.1f} s")
            answers_when_due += is_due
            outcome.numbers["answers to others"] += 1
            for _, drip, connection in waiting:
                with contextlib.suppress(OSError):
                    connection.sendall(drip)
            time.sleep(head_seconds / 50)
            still_waiting = []
            for name, drip, connection in waiting:
                if not is_closed(connection):
                    still_waiting.append((name, drip, connection))
                    continue
                age = time.monotonic() - began
                if age < head_seconds * (1 - CLOCK_TOLERANCE):
                    outcome.faults.append(f"{name}: closed after {age:.1f} s")
                connection.close()
                outcome.numbers["closed"] += 1
            waiting = still_waiting
        outcome.numbers["ms, the last of them"] = round(1000 * (time.monotonic() - began))
        outcome.faults += [f"{name}: still open" for name in {name for name, *_ in waiting}]
        for *_, connection in waiting:
            connection.close()
    return outcome


def flood(megabytes: int) -> list[Outcome]:
    """One client sends so much of each kind: the service stays as large as it was, and answers the others."""
    with served(HEAD_SECONDS) as (address, process):
        # Memory of the first answers and refusals stays.
        for begin, more in _FLOODS.values():
            _flood(address, begin + more * (200_000 // len(more)))
        outcomes = []
        for name, (begin, more) in _FLOODS.items():
            outcome = Outcome(f"{name} without end")
            with _judged(outcome, address, process.pid):
                piece = more * (1_000_000 // len(more))
                outcome.numbers["kB sent"] = _flood(address, begin, *[piece] * megabytes) // 1000
            outcomes.append(outcome)
        outcome = Outcome("requests at once")
        with _judged(outcome, address, process.pid):
            found = statuses(exchange(address, (LIVE + b"\r\n") * REQUESTS + LAST))
            outcome.numbers["answers"] = len(found)
        if found != [200] * (REQUESTS + 1):
            outcome.faults.append("not all were answered")
    return [*outcomes, outcome]


@contextmanager
def _judged(outcome: Outcome, address: Address, process: int) -> Iterator[None]:
    before = _resident_megabytes(process)
    Path(f"/proc/{process}/clear_refs").write_text("5")
    with _others(address, process) as took:
        yield
    outcome.numbers["MB more"] = more = _resident_megabytes(process, "VmHWM") - before
    outcome.numbers["ms, the slowest answer to another"] = slowest = round(1000 * max(took))
    if more > MOST_MEGABYTES_MORE:
        outcome.faults.append(f"the service has grown by {more} MB")
    if slowest > MOST_MILLISECONDS:
        outcome.faults.append(f"another waited for {slowest} ms")


@contextmanager
def served(head_seconds: float, *options: str) -> Iterator[tuple[Address, subprocess.Popen[str]]]:
    """An empty catalogue, by the command."""
    command = _SERVE.format(head_seconds=head_seconds, linger_seconds=head_seconds / 5)
    with tempfile.TemporaryDirectory() as folder:
        url = new_sqlite_catalogue(Path(folder))
        settings = {"CLIPPINGS_DATABASE_URL": url, "CLIPPINGS_EDITOR_TOKEN": TOKEN}
        arguments = [sys.executable, "-c", command, "serve", "--port", "0", *options]
        environment = os.environ | settings | {"PYTHONPATH": str(REPOSITORY)}
        with serving(arguments, environment) as (address, process):
            yield address, process


def exchange(address: Address, *pieces: bytes) -> bytes:
    """All that is answered until the service closes."""
    with _connection(address) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return read(connection)


def read(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


def is_closed(connection: socket.socket) -> bool:
    """The rest of an answer is read first: a head and its body may come one after the other."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def _connection(address: Address, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(address, timeout=HANG_SECONDS)
    # Pieces arrive as they are sent.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(sent)
    return connection


def _flood(address: Address, *pieces: bytes) -> int:
    """So many bytes were sent before the service would have no more."""
    sent = 0
    with contextlib.suppress(OSError), _connection(address) as connection:
        reading = threading.Thread(target=_read_all, args=(connection,))
        reading.start()
        try:
            for piece in pieces:
                connection.sendall(piece)
                sent += len(piece)
        finally:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            reading.join()
    return sent


def _read_all(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(1_000_000):
            pass


@contextmanager
def _others(address: Address, process: int) -> Iterator[list[float]]:
    """The seconds of the service's work in each answer which somebody else asks for, one after the other."""
    took: list[float] = []
    has_ended = threading.Event()

    def ask() -> None:
        connection = http.client.HTTPConnection(*address, timeout=HANG_SECONDS)
        while not has_ended.is_set() or not took:
            had = seconds_of(process)
            connection.request("GET", "/health/live")
            connection.getresponse().read()
            took.append(seconds_of(process) - had)
            time.sleep(0.002)
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield took
    finally:
        has_ended.set()
        asking.join()


def _resident_megabytes(process: int, which: str = "VmRSS") -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(rf"{which}:\s+(\d+) kB", status)[1]) // 1000  # type: ignore[index]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    given = parser.parse_args()
    conclude(wait_for_slow_clients(), *flood(given.megabytes))


if __name__ == "__main__":
    main()
