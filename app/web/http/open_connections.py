"""The connections of one process that wait for a request, and whether the process is about to stop.

Knows no protocol: a connection is something that can be dropped.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

# An idle connection takes some 12 kB, so these take 50 MB at most.
MAX_CONNECTIONS: Final = 4_000
# Files, the database, the log and what libraries open beside connections.
_OTHER_FILES: Final = 200


class Droppable(Protocol):
    def drop(self) -> None: ...


class OpenConnections:
    """`is_draining` means that the process was told to stop: it answers, and asks clients to go elsewhere."""

    def __init__(self, max_connections: int) -> None:
        self.is_draining = False
        # It is told of an answer that no request's route gives: its status, the bytes of its body, and the
        # request's scope as far as its head came, if its address did. It returns the id of the request.
        self.on_refusal: Callable[[int, int, dict[str, Any] | None], str] = lambda *_: "-"
        self._max_connections = max_connections
        # A dictionary keeps the order, so the connection that waits longest is the first.
        self._waiting: dict[Droppable, None] = {}

    def waits(self, connection: Droppable) -> None:
        self._waiting[connection] = None

    def works(self, connection: Droppable) -> None:
        self._waiting.pop(connection, None)

    def has_room_for(self, newcomer: Droppable, open_now: int) -> bool:
        """Makes room by dropping whoever waits longest. False if everybody is being answered."""
        if open_now <= self._max_connections:
            return True
        longest_idle = next((waiting for waiting in self._waiting if waiting is not newcomer), None)
        if longest_idle is None:
            return False
        self.works(longest_idle)
        longest_idle.drop()
        return True


def most_connections() -> int:
    """This process may have files for so many; the system's limit is raised as far as it allows.

    A server that has no file left to accept with would stop accepting for a second at a time.
    """
    if sys.platform == "win32":
        return MAX_CONNECTIONS
    import resource  # noqa: PLC0415  Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    files = wanted if soft == resource.RLIM_INFINITY else min(wanted, soft)
    return max(files - _OTHER_FILES, files // 2)
