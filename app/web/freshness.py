"""Which state the catalogue has by now, asked often enough that nobody sees an older one for long."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from app.catalog.state import State

# So long an answer may be of the revision before, once an import is done. SQLite says the revision in 5 µs;
# PostgreSQL takes 100 and another thread, since it may be away.
SQLITE_SECONDS: Final = 0.001
POSTGRESQL_SECONDS: Final = 0.02


class Freshness:
    """For the event loop alone. What any answer said already is never taken back: revisions go on."""

    def __init__(self, read: Callable[[], State | None], *, is_local: bool) -> None:
        self._read = read
        self._is_local = is_local
        self._seconds = SQLITE_SECONDS if is_local else POSTGRESQL_SECONDS
        self._state: State | None = None
        self._until = 0.0
        self._asking: asyncio.Future[State | None] | None = None

    async def state(self) -> State | None:
        """None while nobody knows, so that the question goes to the database and its failure is seen."""
        if time.monotonic() >= self._until:
            if self._is_local:
                self._learn(self._read())
            else:
                await self._ask()
        return self._state

    def seen(self, revision: int) -> None:
        """An answer is of this revision."""
        if self._state and revision > self._state.revision:
            self._state = self._state._replace(revision=revision)

    async def _ask(self) -> None:
        """Once for all who wait."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(asyncio.to_thread(self._read))
            self._asking.add_done_callback(self._answered)
        await asyncio.shield(self._asking)

    def _answered(self, asked: asyncio.Future[State | None]) -> None:
        self._asking = None
        if not asked.cancelled():
            self._learn(asked.result())

    def _learn(self, state: State | None) -> None:
        self._until = time.monotonic() + self._seconds
        if state and self._state and state.identity == self._state.identity:
            state = max(state, self._state)
        self._state = state
