"""Requests per second and the 99th percentile of one address under load, by wrk or, without it, by Python."""

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.servers import HOST, Server

CONNECTIONS: Final = 32
# The fallback's: a loop that never ends for want of a clock would not end at all.
_MOST_REQUESTS: Final = 1_000_000
_PATHS: Final = Path(__file__).with_name("paths.lua")
_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Target:
    """Where the load goes: one path after the other, over again."""

    server: Server
    paths: Sequence[str]
    header: str | None = None


@dataclass(frozen=True, slots=True)
class Load:
    per_second: float
    p99_ms: float


def in_turns(targets: Mapping[str, Target], rounds: int, seconds: int) -> dict[str, Load]:
    """Each for so many seconds, round by round: what disturbs the machine disturbs them all. Medians."""
    found: dict[str, list[Load]] = {name: [] for name in targets}
    for _ in range(rounds):
        for name, target in targets.items():
            found[name].append(load(target, seconds))
    return {
        name: Load(median(each.per_second for each in loads), median(each.p99_ms for each in loads))
        for name, loads in found.items()
    }


def load(target: Target, seconds: int) -> Load:
    """By so many connections as can be answered in the time, which are enough for one worker to be busy."""
    started = time.perf_counter()
    target.server.get(target.paths[0])
    took = time.perf_counter() - started
    connections = max(2, min(CONNECTIONS, int(seconds / took)))
    by = _by_wrk if shutil.which("wrk") else _by_python
    found = by(target, seconds, connections)
    # The server still works on what nobody waits for any more; the next one's turn is after that.
    target.server.get(target.paths[0])
    return found


def _by_wrk(target: Target, seconds: int, connections: int) -> Load:
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        "--timeout",
        "30s",
    ]
    if target.header:
        command += ["-H", target.header]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        if len(target.paths) > 1:
            file.write("\n".join(target.paths))
            file.flush()
            command += ["-s", str(_PATHS)]
        command.append(target.server.url(target.paths[0]))
        ended = subprocess.run(  # noqa: S603
            [*command, "--", file.name], check=True, capture_output=True, text=True
        )
    if "Non-2xx" in ended.stdout or "Socket errors" in ended.stdout:
        raise RuntimeError(f"{target.paths[0]} was not answered:\n{ended.stdout}")
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", ended.stdout)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", ended.stdout)
    if not per_second or not p99:
        raise RuntimeError(f"wrk said something else:\n{ended.stdout}")
    return Load(float(per_second[1]), float(p99[1]) * _UNITS[p99[2]])


def _by_python(target: Target, seconds: int, connections: int) -> Load:
    return asyncio.run(_ask(target, seconds, connections))


async def _ask(target: Target, seconds: int, connections: int) -> Load:
    """Slower than wrk by far, but equally slow for all: ratios of fast targets come out nearer to 1."""
    paths = cycle(target.paths)
    took: list[float] = []
    end = time.monotonic() + seconds

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(HOST, target.server.port)
        while time.monotonic() < end and len(took) < _MOST_REQUESTS:
            started = time.perf_counter()
            lines = [f"GET {next(paths)} HTTP/1.1", f"Host: {HOST}", *filter(None, [target.header]), "", ""]
            writer.write("\r\n".join(lines).encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith((b"http/1.1 200", b"http/1.1 304")):
                raise RuntimeError(f"{target.paths[0]} was not answered: {head!r}")
            size = re.search(rb"content-length: (\d+)", head)
            if size:
                await reader.readexactly(int(size[1]))
            took.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(ask() for _ in range(connections)))
    took.sort()
    return Load(len(took) / seconds, took[int(len(took) * 0.99)] * 1000)
