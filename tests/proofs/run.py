"""The service as an operator runs it: stopped under load, with slow and idle clients, and its workers killed.

The service is the command in processes of its own; the clients are sockets.
"""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.proofs.catalogues import REPOSITORY
from tests.proofs.connections import LAST, Address, exchange
from tests.proofs.outcome import Outcome, conclude
from tests.support.databases import sqlite_url
from tests.support.worlds import new_world

START_SECONDS = 60
STOP_SECONDS = 30
CLIENTS = 16
ARTICLES = 200
# One is remembered, one is read each time, one is checked by a balancer.
PATHS = (b"/articles?limit=50", b"/articles?publishedFrom=P30D&limit=5", b"/health/live")


@contextmanager
def service(
    url: str, *options: str, **settings: str
) -> Iterator[tuple[Address, subprocess.Popen[str], list[str]]]:
    """The command, where it listens, and what it says, which is complete when it has ended."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address: Address = probe.getsockname()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLIPPINGS_")}
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "app", "serve", "--port", str(address[1]), *options],
            cwd=REPOSITORY,
            env=environment | {"CLIPPINGS_DATABASE_URL": url} | settings,
            stdout=said,
            stderr=said,
            text=True,
        )
        lines: list[str] = []
        try:
            wait_until_it_answers(address, process)
            yield address, process, lines
        finally:
            process.terminate()
            process.wait()
            said.seek(0)
            lines += said.read().splitlines()


def wait_until_it_answers(address: Address, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            exchange(address, LAST)
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@contextmanager
def catalogue(articles: int = ARTICLES) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        world = new_world(Path(folder), sqlite_url(Path(folder)))
        for number in range(articles):
            world.write(f"{number}.md", f"title: Number {number}\nexcerpt: {'words ' * 40}\ntopics: [AI]")
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=20)
    given = parser.parse_args()
    outcomes = [
        stop_under_load(given.stops, workers=workers, keep_alive=keep_alive)
        for workers in (1, 2)
        for keep_alive in (True, False)
    ]
    # These start the service as this module does.
    from tests.proofs.proxies import PROXIES, behind  # noqa: PLC0415

    conclude(*outcomes, *(behind(name) for name in PROXIES))


if __name__ == "__main__":
    main()
