"""Answers given before, to be given again while the catalogue is the same. Knows no request.

An answer is kept under the state that its own transaction read: never under one that was read before or
after it. All together are bounded in bytes.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from starlette.types import Message

from app.catalog.state import State
from app.web.http.audience import Asker
from app.web.http.response import CompleteResponse

# Of the objects and tables that an answer stands in; measured.
_BYTES_BESIDE_TEXT: Final = 600

# The forms of an answer that are kept ready, for browsers, readers and programs; those that send so much in
# headers are no one's. Each form is two messages beside what was sent; measured.
_MOST_READY: Final = 4

_MOST_BYTES_SENT: Final = 500

_BYTES_OF_READY: Final = 1_500

# One answer may not push out all the others.
_LARGEST_PART: Final = 1 / 16

Messages = tuple[Message, ...]


class Sent(NamedTuple):
    """What a request sent of what an answer depends on, unread: who sends the same gets the same."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]


class CacheKey(NamedTuple):
    """All that an answer depends on beside the catalogue."""

    path: str
    query: bytes
    asker: Asker
    encoding: str | None


class AnswerCache:
    """Beside each answer stand the messages that were made of it for requests, by what those had sent."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._state: State | None = None
        self._answers: OrderedDict[CacheKey, CompleteResponse] = OrderedDict()
        self._ready: dict[Sent, tuple[CacheKey, Messages]] = {}
        self._sent: dict[CacheKey, list[Sent]] = {}
        self._bytes = 0

    def recall(self, state: State, asked: CacheKey) -> CompleteResponse | None:
        answer = self._answers.get(asked) if state == self._state else None
        if answer is not None:
            self._answers.move_to_end(asked)
        return answer

    def recall_ready(self, state: State, sent: Sent) -> Messages | None:
        found = self._ready.get(sent) if state == self._state else None
        if found is None:
            return None
        asked, messages = found
        self._answers.move_to_end(asked)
        return messages

    def keep(self, state: State, asked: CacheKey, answer: CompleteResponse) -> None:
        """Forgets all of an earlier state, and what was not asked for the longest."""
        if not self._most_bytes:
            return
        if state != self._state:
            for kept in (self._answers, self._ready, self._sent):
                kept.clear()
            self._bytes, self._state = 0, state
        size = _size(asked, answer)
        if asked in self._answers or size > self._most_bytes * _LARGEST_PART:
            return
        self._answers[asked] = answer
        self._bytes += size
        self._forget_oldest()

    def keep_ready(self, asked: CacheKey, sent: Sent, messages: Messages) -> None:
        """Of an answer that was recalled."""
        if sent in self._ready or sum(len(value) for _, value in sent.headers) > _MOST_BYTES_SENT:
            return
        of_answer = self._sent.setdefault(asked, [])
        if len(of_answer) >= _MOST_READY:
            self._forget_ready(asked)
            of_answer = self._sent.setdefault(asked, [])
        of_answer.append(sent)
        self._ready[sent] = asked, messages
        self._bytes += _size_of_ready(sent)
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        while self._bytes > self._most_bytes:
            asked, answer = self._answers.popitem(last=False)
            self._forget_ready(asked)
            self._bytes -= _size(asked, answer)

    def _forget_ready(self, asked: CacheKey) -> None:
        for sent in self._sent.pop(asked, ()):
            del self._ready[sent]
            self._bytes -= _size_of_ready(sent)


def _size(asked: CacheKey, answer: CompleteResponse) -> int:
    """A query may be longer than its answer, and a link to the next page twice as long as the query."""
    headers = sum(len(name) + len(value) for name, value in answer.headers)
    return len(asked.path) + len(asked.query) + headers + len(answer.body) + _BYTES_BESIDE_TEXT


def _size_of_ready(sent: Sent) -> int:
    return len(sent.path) + len(sent.query) + _MOST_BYTES_SENT + _BYTES_OF_READY


class RevisionClock:
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
