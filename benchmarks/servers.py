"""Programs that listen on a port of this machine while they are measured. Knows none of them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
CHECKOUT: Final = Path(__file__).parent.parent
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 20
# Whatever is measured takes less; what takes longer is stuck.
ANSWER_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    process_id: int

    def url(self, path: str) -> str:
        return f"http://{HOST}:{self.port}{path}"

    def get(self, path: str) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers with lower-case names, body."""
        connection = HTTPConnection(HOST, self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@contextmanager
def serving(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """`command` is a Python module and its options, "{port}" among them; it is up when it answers."""
    port = _free_port()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", *(part.format(port=port) for part in command)],
        cwd=CHECKOUT,
        env=environment_of(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Server(port, process.pid)
    try:
        _wait_for(server, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment_of(more: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the caller's own settings, and the app of this checkout."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CLIPPINGS_") and name != "DATABASE_URL"
    }
    return {**kept, "PYTHONPATH": str(CHECKOUT), **more}


def service(database_url: str, *options: str, remembers: bool = True) -> tuple[list[str], dict[str, str]]:
    """Ours, as `clippings serve` runs it."""
    environment = {"CLIPPINGS_DATABASE_URL": database_url}
    if not remembers:
        environment["CLIPPINGS_REMEMBERED_BYTES"] = "0"
    return ["app", "serve", "--host", HOST, "--port", "{port}", *options], environment


def _wait_for(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            server.get("/")
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args!r} did not start") from None
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])
