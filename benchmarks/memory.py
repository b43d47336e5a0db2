"""Peak memory of commands, and of a server that streams all there is.

python -m benchmarks.memory sqlite:///large.db
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import click

from app.settings import Settings
from benchmarks.servers import ANSWER_SECONDS, CHECKOUT, HOST, Server, environment_of, service, serving

_CHUNK_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Ended:
    """`peak_mb` is the command's own or that of one process of its own, whichever is more."""

    seconds: float
    peak_mb: float
    status: int


def run(command: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """A Python module with its options."""
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", *command],
        cwd=CHECKOUT,
        env=environment_of(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(time.perf_counter() - started, used.ru_maxrss / 1024, process.returncode)


def peak_mb(server: Server) -> float:
    """Of a process that is still running."""
    status = Path(f"/proc/{server.process_id}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def stream(server: Server, path: str) -> tuple[int, int]:
    """Its lines and bytes, none of them kept."""
    connection = HTTPConnection(HOST, server.port, timeout=ANSWER_SECONDS)
    connection.request("GET", path)
    answer = connection.getresponse()
    lines = size = 0
    while chunk := answer.read(_CHUNK_BYTES):
        lines += chunk.count(b"\n")
        size += len(chunk)
    connection.close()
    return lines, size


@click.command()
@click.argument("url")
def memory(url: str) -> None:
    """Of an export of the whole catalogue: by the command, and by a server."""
    database_url = Settings(database_url=url).database_url
    for format_ in ("ndjson", "csv"):
        ended = run(["app", "export", "--format", format_], {"CLIPPINGS_DATABASE_URL": database_url})
        if ended.status:
            raise click.ClickException(f"the export ended with {ended.status}")
        click.echo(f"export --format {format_}: {ended.seconds:.0f} s, at most {ended.peak_mb:.0f} MB")
    command, environment = service(database_url)
    with serving(command, environment) as server:
        click.echo(f"a server, at rest: {peak_mb(server):.0f} MB")
        for path in ("/exports/articles.ndjson", "/exports/articles.csv"):
            started = time.perf_counter()
            lines, size = stream(server, path)
            click.echo(
                f"{path}: {lines:,} lines, {size / 1e6:,.0f} MB in {time.perf_counter() - started:.0f} s, "
                f"the server at most {peak_mb(server):.0f} MB"
            )


if __name__ == "__main__":
    memory()
