"""The service as an operator runs it: stopped under load, with slow and idle clients, and its workers killed.

The service is the command in processes of its own; the clients are sockets.
"""

import argparse
import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from app.web.http.outage import LOOK_SECONDS as OUTAGE_LOOK_SECONDS
from app.web.http.resources import MAX_DOWNLOADS
from tests.proofs.catalogues import REPOSITORY
from tests.proofs.connections import LAST, LIVE, exchange, is_closed, statuses
from tests.proofs.outcome import Outcome, conclude
from tests.support.accidents import LOSSES, REPLACEMENTS, catalogue_of, file_of
from tests.support.databases import sqlite_url
from tests.support.serving import Address, serving
from tests.support.worlds import new_world

# Nothing here takes so long unless it hangs.
STOP_SECONDS = 60
CLIENTS = 16
ARTICLES = 200
# One is remembered, one is read each time, one is checked by a balancer.
PATHS = (b"/articles?limit=50", b"/articles?publishedFrom=P30D&limit=5", b"/health/live")


@contextmanager
def service(
    url: str, *options: str, **settings: str
) -> Iterator[tuple[Address, subprocess.Popen[str], Callable[[], list[str]]]]:
    """The command, where it listens, and what asks for the lines that it has said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLIPPINGS_")}
    environment |= {"CLIPPINGS_DATABASE_URL": url, "PYTHONPATH": str(REPOSITORY)} | settings
    command = [sys.executable, "-m", "app", "serve", "--port", "0", *options]
    with tempfile.TemporaryFile("w+") as said:

        def lines() -> list[str]:
            return os.pread(said.fileno(), 100_000_000, 0).decode().splitlines()

        with serving(command, environment, said) as (address, process):
            yield address, process, lines


@contextmanager
def catalogue(articles: int = ARTICLES, words: int = 40) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        world = new_world(Path(folder), sqlite_url(Path(folder)))
        for number in range(articles):
            world.write(f"{number}.md", f"title: Number {number}\nexcerpt: {'words ' * words}\ntopics: [AI]")
        world.import_()
        world.engine.dispose()
        yield sqlite_url(Path(folder))


def stop_under_load(times: int, *, workers: int, keep_alive: bool, drain_seconds: float = 0) -> Outcome:
    """Clients ask without a pause while SIGTERM comes. All that they ask is answered, or refused at once."""
    name = f"{times} stops of {workers} workers, connections {'kept' if keep_alive else 'closed'}"
    outcome = Outcome(name)
    with catalogue() as url:
        for turn in range(times):
            options = ("--workers", str(workers), "--drain-seconds", str(drain_seconds))
            with service(url, *options) as (address, process, _):
                began, counts = asyncio.run(_load(address, process, keep_alive=keep_alive, turn=turn))
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    outcome.faults.append(f"stop {turn} takes over {STOP_SECONDS} s")
                    continue
                took = round(1000 * (time.monotonic() - began))
            outcome.numbers["ms, the slowest stop"] = max(took, outcome.numbers["ms, the slowest stop"])
            outcome.numbers.update(counts)
            outcome.faults += [
                f"stop {turn}: {number} {kind}" for kind, number in counts.items() if kind in _BAD and number
            ]
    return outcome


SLOW, IDLE = 30, 200
MAX_SLOW_SECONDS = 15
MAX_OTHERS_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 75
# A single import of them writes some 6 MB.
MAX_LOG_KILOBYTES = 1_000

KEPT = LIVE + b"\r\n"
_WORKERS = 2
_ESTABLISHED = 1
_DOWNLOAD = 5
# A slow client begins with the first and sends the second on and on; None is one that reads nothing.
_SLOW_KINDS: list[tuple[bytes, bytes | None]] = [
    (b"", b"\r\n"),
    (LIVE, b"a: b\r\n"),
    (LIVE + b"a: ", b"b"),
    (b"GET /", b"a"),
    (b"GET /articles?limit=200 HTTP/1.1\r\nHost: x\r\n\r\n" * 40, None),
    (b"GET /exports/articles.ndjson HTTP/1.1\r\nHost: x\r\n\r\n", None),
]

_BAD = frozenset(("reset", "closed without an answer", "cut", "not 200"))


async def _load(
    address: Address, process: subprocess.Popen[str], *, keep_alive: bool, turn: int
) -> tuple[float, Counter[str]]:
    counts: Counter[str] = Counter()
    clients = [
        asyncio.ensure_future(_ask_until_refused(address, keep_alive, counts, number))
        for number in range(CLIENTS)
    ]
    # Each stop comes at another moment of what goes on.
    await asyncio.sleep(0.5 + 0.037 * turn % 0.4)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.gather(*clients)
    return began, counts


async def _ask_until_refused(address: Address, keep_alive: bool, counts: Counter[str], number: int) -> None:
    is_answered = True
    while True:
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(*address), STOP_SECONDS)
        except (ConnectionRefusedError, TimeoutError):
            counts["refused"] += 1
            return
        except ConnectionError:
            counts["reset"] += 1
            continue
        is_kept = True
        while is_kept:
            head = b"GET %s HTTP/1.1\r\nHost: x\r\n" % PATHS[number % len(PATHS)]
            number += 1
            try:
                writer.write(head + (b"\r\n" if keep_alive else b"Connection: close\r\n\r\n"))
                is_answered, is_kept = await _read_answer(reader)
            except asyncio.IncompleteReadError as error:
                counts["cut" if error.partial else "closed without an answer"] += 1
                break
            except ConnectionError:
                counts["reset"] += 1
                break
            counts["answered" if is_answered else "not 200"] += 1
        writer.close()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[bool, bool]:
    """Whether it is a 200, and whether the connection may be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return head.startswith(b"http/1.1 200"), b"\r\nconnection: close" not in head


def serve_beside_slow_clients(seconds: float, *, workers: int = 2) -> Outcome:
    """Others are served while 30 send or read next to nothing and 200 are idle; the slow ones are closed."""
    outcome = Outcome(f"{SLOW} slow and {IDLE} idle clients of {workers} workers")
    # A download of 10 MB, which is more than the system takes for a client that does not read.
    with catalogue(3_000, 500) as url, service(url, "--workers", str(workers)) as (address, _, _):
        slow = [_slow_client(address, number) for number in range(SLOW)]
        idle = [socket.create_connection(address) for _ in range(IDLE)]
        for connection in idle:
            connection.sendall(KEPT)
            connection.recv(65536)
        began, waiting, took = time.monotonic(), dict(slow), [0.0]
        while waiting or time.monotonic() < began + seconds:
            asked = time.monotonic()
            if statuses(exchange(address, LAST.replace(b"/health/live", b"/articles?limit=20"))) != [200]:
                outcome.faults.append("another client was not answered")
            took.append(time.monotonic() - asked)
            for connection, drip in list(waiting.items()):
                if _is_gone(connection, drip):
                    del waiting[connection]
                    outcome.numbers["s, the last slow one"] = round(time.monotonic() - began)
            if time.monotonic() > began + max(seconds, MAX_SLOW_SECONDS):
                outcome.faults += [f"a slow client is still there: {drip!r}" for drip in waiting.values()]
                break
            time.sleep(0.05)
        closed = sum(is_closed(connection) for connection in idle)
        if closed and time.monotonic() < began + KEEP_ALIVE_SECONDS:
            outcome.faults.append(f"{closed} idle clients were closed")
        for connection in (*idle, *dict(slow)):
            connection.close()
        outcome.numbers["answers to others"] = len(took)
        outcome.numbers["ms, the slowest of them"] = slowest = round(1000 * max(took))
        if slowest > 1000 * MAX_OTHERS_SECONDS:
            outcome.faults.append(f"another client waited for {slowest} ms")
    return outcome


def _slow_client(address: Address, number: int) -> tuple[socket.socket, bytes | None]:
    """A connection, and what is sent on it now and then; None if it is one that does not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.connect(address)
    # No more than four downloads: a worker refuses the fifth at once, whose client is an idle one then.
    kinds = len(_SLOW_KINDS) - (number >= MAX_DOWNLOADS * len(_SLOW_KINDS))
    begin, drip = _SLOW_KINDS[number % kinds]
    connection.sendall(begin)
    return connection, drip


def _is_gone(connection: socket.socket, drip: bytes | None) -> bool:
    if drip is None:
        # Reading would make it a fast one, so the system is asked whether the connection was reset.
        state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return state != _ESTABLISHED
    with suppress(BlockingIOError):
        try:
            connection.send(drip)
        except OSError:
            return True
    return is_closed(connection)


def replace_killed_workers(times: int) -> Outcome:
    """A worker is killed while clients ask: the other one answers, and a new one takes its place."""
    outcome = Outcome(f"{times} killed workers")
    with catalogue() as url, service(url, f"--workers={_WORKERS}") as (address, process, _):
        for turn in range(times):
            # One worker answers before the other one has started.
            while len(before := workers_of(process.pid)) < _WORKERS:
                time.sleep(0.05)
            killed = before[turn % _WORKERS]
            os.kill(killed, signal.SIGKILL)
            began = time.monotonic()
            while len(workers_of(process.pid)) < len(before) or killed in workers_of(process.pid):
                if time.monotonic() > began + STOP_SECONDS:
                    outcome.faults.append("nobody took its place")
                    return outcome
                # Clients of the killed one are cut off, and ask again.
                with suppress(OSError):
                    if statuses(exchange(address, LAST)) not in ([200], []):
                        outcome.faults.append("another client was answered wrongly")
                time.sleep(0.05)
            took = round(1000 * (time.monotonic() - began))
            outcome.numbers["ms, the slowest return"] = max(took, outcome.numbers["ms, the slowest return"])
    return outcome


def workers_of(process: int) -> list[int]:
    """The workers alone: multiprocessing has a process of its own beside them."""
    children = [
        int(child)
        for task in Path(f"/proc/{process}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def import_beside_slow_downloads(imports: int) -> Outcome:
    """Clients read a file slowly while imports change the catalogue: SQLite's log stays small."""
    outcome = Outcome(f"{imports} imports beside slow downloads")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = new_world(folder, sqlite_url(folder))
        for number in range(3_000):
            world.write(f"{number}.md", f"title: Number {number}\nexcerpt: {'words ' * 400}")
        world.import_()
        log = folder / "clippings.db-wal"
        with service(sqlite_url(folder)) as (address, _, _):
            clients = [_slow_client(address, _DOWNLOAD)[0] for _ in range(4)]
            time.sleep(3)
            for turn in range(imports):
                for number in range(300):
                    world.write(f"{number}.md", f"title: Number {turn} {number}\nexcerpt: {'words ' * 400}")
                world.import_()
                outcome.numbers["kB of log, at most"] = max(
                    outcome.numbers["kB of log, at most"], log.stat().st_size // 1000
                )
            for client in clients:
                client.close()
        world.engine.dispose()
    if outcome.numbers["kB of log, at most"] > MAX_LOG_KILOBYTES:
        outcome.faults.append("the log has grown")
    return outcome


ACCIDENT_CLIENTS = 6
# An answer that began before the accident may still come for so long.
SETTLE_SECONDS = 1.0
LOOK_SECONDS = 1.0
_ACCIDENT_PATHS = (
    "/articles?limit=200&fields=title,topics",
    "/topics",
    "/exports/articles.csv",
    "/view/topics",
)


def meet_accidents(times: int, *, workers: int = 2) -> Outcome:
    """Things happen to the file while clients ask several workers: 503 or right answers, and never both."""
    outcome = Outcome(f"{times} times each accident over {workers} workers")
    with tempfile.TemporaryDirectory() as folder:
        old, new = catalogue_of(Path(folder), "Eagle"), catalogue_of(Path(folder), "Raven", 2 * ARTICLES)
        file, other = file_of(old), file_of(new)
        kept = Path(shutil.copy(file, file.with_suffix(".kept")))
        begin = "--workers", str(workers)
        with service(sqlite_url(file.parent), *begin, CLIPPINGS_LOG="off") as (address, _, lines):
            for _ in range(times):
                for accident, expected in (
                    *((each, "503") for each in LOSSES),
                    *((each, "Raven") for each in REPLACEMENTS),
                ):
                    name = accident.__name__
                    _see_it(outcome, address, name, expected, partial(accident, file, other))
                    _see_it(outcome, address, f"after {name}", "Eagle", partial(_put_back, file, kept))
                    outcome.numbers["accidents"] += 1
            # The worker that nobody asks says by itself that it is over.
            time.sleep(OUTAGE_LOOK_SECONDS + 1)
            said = lines()
    outages = [line for line in said if "cannot be read" in line]
    outcome.numbers["lines of outages"] = len(outages)
    outcome.faults += [f"more than a line: {line}" for line in said if "Traceback" in line]
    # A file that is copied over is seen half written, so replacements may be incidents as well.
    if len(outages) > workers * outcome.numbers["accidents"]:
        outcome.faults.append("an incident is more than a line of each worker")
    if sum("can be read again" in line for line in said) != len(outages):
        outcome.faults.append("some outages have no end in the log")
    return outcome


def _see_it(
    outcome: Outcome, address: Address, name: str, expected: str, happen: Callable[[], object]
) -> None:
    """Clients ask on and on while it happens; after a moment all must be as it is expected."""
    happened_at = float("inf")
    ends_at = time.monotonic() + 60

    def ask(number: int) -> Counter[str]:
        kinds: Counter[str] = Counter()
        while (now := time.monotonic()) < min(ends_at, happened_at + SETTLE_SECONDS + LOOK_SECONDS):
            number += 1
            kind = _kind_of(address, _ACCIDENT_PATHS[number % len(_ACCIDENT_PATHS)])
            is_settled = now > happened_at + SETTLE_SECONDS
            if kind not in ("503", "Eagle", "Raven") or (is_settled and kind != expected):
                kinds[f"{name}: {kind} {'instead of ' + expected if is_settled else 'meanwhile'}"] += 1
            kinds[""] += 1
        return kinds

    with ThreadPoolExecutor(ACCIDENT_CLIENTS) as clients:
        asking = [clients.submit(ask, number) for number in range(ACCIDENT_CLIENTS)]
        time.sleep(0.2)
        happen()
        happened_at = time.monotonic()
        found = sum((each.result() for each in asking), Counter())
    outcome.numbers["answers"] += found.pop("")
    outcome.faults += [f"{times} times {fault}" for fault, times in found.items()]


def _kind_of(address: Address, path: str) -> str:
    said = exchange(address, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head, _, body = said.partition(b"\r\n\r\n")
    status = head[9:12].decode()
    if status != "200":
        return status if b"\r\nretry-after:" in head else f"{status} without Retry-After"
    names = [name for name in ("Eagle", "Raven") if name.encode() in body]
    return names[0] if len(names) == 1 else f"a mixture of {names}"


def _put_back(file: Path, kept: Path) -> None:
    if file.is_dir():
        file.rmdir()
    for end in ("-wal", "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)
    shutil.copy(kept, file.with_suffix(".part"))
    file.with_suffix(".part").replace(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30, help="beside slow clients")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--imports", type=int, default=6)
    parser.add_argument("--accidents", type=int, default=3, help="times each")
    given = parser.parse_args()
    outcomes = [
        stop_under_load(given.stops, workers=workers, keep_alive=keep_alive)
        for workers in (1, 2)
        for keep_alive in (True, False)
    ]
    outcomes += [
        serve_beside_slow_clients(given.seconds),
        replace_killed_workers(given.kills),
        import_beside_slow_downloads(given.imports),
        meet_accidents(given.accidents),
    ]
    # These start the service as this module does.
    from tests.proofs.proxies import PROXIES, ask_nginx_at_once, behind  # noqa: PLC0415

    conclude(*outcomes, *(behind(name) for name in PROXIES), ask_nginx_at_once())


if __name__ == "__main__":
    main()
