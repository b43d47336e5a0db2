"""The service as the command in processes of its own, on a port that nobody else has. Knows no pytest."""

import http.client
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import IO, Final

Address = tuple[str, int]

# A start takes a second; a machine that needs this long is stuck.
START_SECONDS: Final = 120
_LISTENING: Final = re.compile(rb"running on http://127\.0\.0\.1:(\d+)")


@contextmanager
def serving(
    command: Sequence[str], environment: Mapping[str, str], said: IO[str] | None = None
) -> Iterator[tuple[Address, subprocess.Popen[str]]]:
    """Runs a `serve --port 0` until the end of the block, from when it answers; it writes to `said`."""
    with tempfile.TemporaryFile("w+") as nobodys:
        log = said or nobodys
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, text=True)  # noqa: S603
        try:
            yield _address_of(process, log), process
        finally:
            process.terminate()
            process.wait()


def _address_of(process: subprocess.Popen[str], log: IO[str]) -> Address:
    deadline = time.monotonic() + START_SECONDS
    while True:
        said = os.pread(log.fileno(), 1_000_000, 0)
        if found := _LISTENING.search(said):
            address = ("127.0.0.1", int(found[1]))
            if _answers(address):
                return address
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the service did not start:\n{said.decode(errors='replace')}")
        time.sleep(0.02)


def _answers(address: Address) -> bool:
    """A parent that has workers says where it listens before they do."""
    with closing(http.client.HTTPConnection(*address, timeout=START_SECONDS)) as connection:
        try:
            connection.request("GET", "/health/live", headers={"Connection": "close"})
            return bool(connection.getresponse().read())
        except OSError:
            return False
