"""How the service stops so that no request is reset: it says so, lets clients go, then ends what runs.

uvicorn closes its sockets as soon as it is told to stop, and with them whoever has just connected. Here
SIGTERM first makes the service ask clients to go elsewhere, as long as a balancer may take to notice. Then
the kernel is told to take no new connection, those that are there already are accepted, and uvicorn may stop.
"""

import asyncio
import ctypes
import logging
import multiprocessing
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from types import FrameType
from typing import Any, Final

from fastapi import FastAPI
from prometheus_client.multiprocess import mark_process_dead
from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from app.web.http.open_connections import OpenConnections
from app.web.http.request_metrics import FOLDER_VARIABLE

# Handshakes that have begun are done in a few milliseconds, and accepting who is there takes a few more.
LAST_SECONDS: Final = 0.3
# The parent begins its own wait when it has told its workers, so they wait a little longer than it does.
PARENT_SECONDS: Final = 0.2

_LOOK_SECONDS: Final = 0.05

_SO_ATTACH_FILTER: Final = 26
# A program of the kernel's packet filter (linux/filter.h): code, jump if true, jump if false, operand.
_DROP_SYN: Final = (
    (0x30, 0, 0, 13),  # load the byte with TCP's flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # is it SYN alone, which begins a connection?
    (0x06, 0, 0, 0),  # then drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # else let it in
)

log = logging.getLogger(__name__)

Lifespan = Callable[[Any], Any]


def refuse_new_connections(sockets: Sequence[socket.socket]) -> None:
    """Nothing joins the sockets' queues any more, so they can be emptied before they are closed.

    Whoever is in the queue when a socket closes is reset. Clients whose packet is dropped send it again after
    a second, and are refused then. Other systems than Linux have no such filter, and go without.
    """
    if sys.platform != "linux":
        return
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in _DROP_SYN))
    program = struct.pack("HL", len(_DROP_SYN), ctypes.addressof(code))
    for listening in sockets:
        # A sandbox may have no such filter either.
        with suppress(OSError):
            listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


class Supervisor(Multiprocess):
    """uvicorn's parent of the workers, who refuses new connections for all of them.

    A single worker must not: it may be one that is only replaced.
    """

    def __init__(self, config: Config, sockets: list[socket.socket], drain_seconds: float) -> None:
        super().__init__(config, sockets)
        self._drain_seconds = drain_seconds

    def keep_subprocess_alive(self) -> None:
        before = list(self.processes)
        super().keep_subprocess_alive()
        for dead, alive in zip(before, self.processes, strict=True):
            if dead is alive:
                continue
            log.warning("Worker %s %s; worker %s replaces it.", dead.pid, _end_of(dead.exitcode), alive.pid)
            if FOLDER_VARIABLE in os.environ:
                # Its counts stay, but it answers nothing any more.
                mark_process_dead(dead.pid)  # type: ignore[no-untyped-call]

    def terminate_all(self) -> None:
        super().terminate_all()
        self.signal_queue.clear()
        ends_at = time.monotonic() + self._drain_seconds
        while time.monotonic() < ends_at and not self.signal_queue:
            time.sleep(_LOOK_SECONDS)
        refuse_new_connections(self.sockets)
        if self.signal_queue:
            # A second signal ends the wait of the workers too.
            super().terminate_all()


def _end_of(exit_code: int | None) -> str:
    """A kernel that has no memory left kills by SIGKILL, and so do we where a worker hangs."""
    if exit_code is None or exit_code >= 0:
        return f"ended with status {exit_code}"
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        # The real-time signals between the first and the last have no names.
        return f"was ended by signal {-exit_code}"


def with_draining(
    lifespan: Lifespan, connections: OpenConnections, drain_seconds: float, sockets: Sequence[socket.socket]
) -> Lifespan:
    """The lifespan with our SIGTERM around uvicorn's, which is set when the lifespan begins.

    `sockets` are those that this process alone listens to; none in a worker.
    """

    @asynccontextmanager
    async def draining(app: FastAPI) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            loop = asyncio.get_running_loop()
            stop = signal.getsignal(signal.SIGTERM)
            if callable(stop):
                signal.signal(signal.SIGTERM, _Stop(loop, stop, connections, drain_seconds, sockets))
            if parent := multiprocessing.parent_process():
                # A worker whose parent was killed would hold the port for ever.
                loop.add_reader(parent.sentinel, _follow_parent, loop, parent.sentinel)
            yield state

    return draining


class _Stop:
    """The handler of SIGTERM. A second signal ends the wait."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        stop: Callable[[int, FrameType | None], Any],
        connections: OpenConnections,
        drain_seconds: float,
        sockets: Sequence[socket.socket],
    ) -> None:
        self._loop = loop
        self._stop = stop
        self._connections = connections
        self._drain_seconds = drain_seconds
        self._sockets = sockets

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._connections.is_draining:
            self._stop(number, frame)
            return
        self._connections.is_draining = True
        self._loop.call_soon_threadsafe(self._begin, number)

    def _begin(self, number: int) -> None:
        self._loop.call_later(self._drain_seconds, self._refuse, number)

    def _refuse(self, number: int) -> None:
        refuse_new_connections(self._sockets)
        wait = LAST_SECONDS if self._sockets else LAST_SECONDS + PARENT_SECONDS
        self._loop.call_later(wait, self._stop, number, None)


def _follow_parent(loop: asyncio.AbstractEventLoop, sentinel: int) -> None:
    loop.remove_reader(sentinel)
    os.kill(os.getpid(), signal.SIGTERM)
