"""Which state the catalogue has by now, asked often enough that nobody sees an older one for long."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from app.catalog.state import State


class Freshness:
    """For the event loop alone. What any answer said already is not taken back, but by a restored backup."""

    def __init__(self, read: Callable[[], State | None], seconds: float, *, is_local: bool) -> None:
        """What was read is believed for `seconds`; a database that is not local is asked on a thread."""
        self._read = read
        self._seconds = seconds
        self._is_local = is_local
        self._state: State | None = None
        self._until = 0.0
        self._seen_at = 0.0
        self._asking: asyncio.Future[State | None] | None = None

    @property
    def known(self) -> State | None:
        """However long ago."""
        return self._state

    def believed(self) -> State | None:
        """None where it must be asked for."""
        return self._state if time.monotonic() < self._until else None

    async def state(self) -> State | None:
        """None while nobody knows, so that the question goes to the database and its failure is seen.

        Raises NoCatalogue where there is none, as often as it is asked: an import may make one any time.
        """
        now = time.monotonic()
        if now >= self._until:
            if self._is_local:
                self._learn(self._read(), now)
            else:
                await self._ask(now)
        return self._state

    def seen(self, state: State) -> None:
        """An answer is of this state."""
        known = self._state
        if known is None or state == known:
            return
        self._seen_at = time.monotonic()
        if state.identity == known.identity and state.revision > known.revision:
            self._state = state
        else:
            # It took long, and an import came by; or a backup was restored. Whoever asks next looks again.
            self._state, self._until = None, 0.0

    async def _ask(self, now: float) -> None:
        """Once for all who wait."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(asyncio.to_thread(self._read))
            self._asking.add_done_callback(partial(self._answered, now))
        await asyncio.shield(self._asking)

    def _answered(self, since: float, asked: asyncio.Future[State | None]) -> None:
        self._asking = None
        # Who waits is told of an error.
        if not asked.cancelled() and not asked.exception():
            self._learn(asked.result(), since)

    def _learn(self, state: State | None, since: float) -> None:
        if self._seen_at > since:
            # An answer was of another state meanwhile; which of the two is newer is not known.
            return
        # From when the question began: what was committed meanwhile may not be in the answer.
        self._until = since + self._seconds
        self._state = state
