"""Logs once that the catalogue cannot be read, and once that it can be read again. Knows no request."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

# A database that is away again within a second counts as away all the time. Otherwise a database that comes
# and goes would fill the log with two lines for each request.
QUIET_SECONDS = 1.0
# Whoever is on call waits for the second line, and perhaps nobody asks meanwhile: at night, or behind a
# balancer that sends no request here. Looking takes 11 µs on SQLite, and a connection on PostgreSQL.
LOOK_SECONDS = 5.0


class Outage:
    """The state of one process: each worker logs its own outages. `is_known` until it is over for long."""

    def __init__(
        self, is_readable: Callable[[], Awaitable[bool]], quiet_seconds: float = QUIET_SECONDS
    ) -> None:
        self._is_readable = is_readable
        self._quiet_seconds = quiet_seconds
        self._failed_at: float | None = None
        self._looking: asyncio.Task[None] | None = None
        self.is_known = False

    def failed(self, reason: str) -> None:
        if self._failed_at is None:
            log.error("The catalogue cannot be read, and whoever asks is answered 503: %s", reason)
        self._failed_at = time.monotonic()
        self.is_known = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())

    def worked(self) -> None:
        if self._failed_at is not None and time.monotonic() - self._failed_at > self._quiet_seconds:
            self._failed_at = None
            self.is_known = False
            log.warning("The catalogue can be read again.")

    async def _look(self) -> None:
        while self.is_known:
            await asyncio.sleep(LOOK_SECONDS)
            if await self._is_readable():
                self.worked()
