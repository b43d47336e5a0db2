"""Responses that may be given again while the catalogue is the same. Knows no request.

A response is cached under the state that its own transaction read, never under a state that was read before
or after it. All entries together are bounded in bytes.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from starlette.types import Message

from app.catalog.state import State
from app.database.engines import QUERY_SECONDS
from app.web.http.audience import Asker
from app.web.http.response import CompleteResponse

# The objects and tables of an entry take this much beside its text; measured.
_ENTRY_BYTES: Final = 600
# Browsers, feed readers and programs send different headers, so a response has several forms of messages.
_MAX_FORMS: Final = 4
# Few clients send more bytes of these headers, and messages for one client alone are never read again.
_MAX_KEY_HEADER_BYTES: Final = 500
# The two messages of a form take this much beside its key; measured.
_FORM_BYTES: Final = 2_300
# A large response may not push out all others.
_MAX_SHARE: Final = 1 / 16

# A remembered message holds the lines of its headers under this key.
HEAD_LINES: Final = "clippings.head_lines"

Messages = tuple[Message, Message]


class RequestKey(NamedTuple):
    """The parts of a request that its response depends on, unparsed. Equal keys get equal messages."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]


class CacheKey(NamedTuple):
    """Everything that a response depends on beside the catalogue."""

    path: str
    query: bytes
    asker: Asker
    encoding: str | None


class ResponseCache:
    """An LRU cache of responses, and of the messages that were made of them.

    RequestKey -> messages is the quick way: no header is parsed. CacheKey -> response serves requests whose
    headers differ, such as HEAD or one with another If-None-Match. Messages go when their response goes.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._state: State | None = None
        self._responses: OrderedDict[CacheKey, CompleteResponse] = OrderedDict()
        self._messages: dict[RequestKey, tuple[CacheKey, Messages]] = {}
        self._request_keys: dict[CacheKey, list[RequestKey]] = {}
        self._bytes = 0

    @property
    def size(self) -> int:
        """The bytes of all entries."""
        return self._bytes

    def get(self, state: State, key: CacheKey) -> CompleteResponse | None:
        response = self._responses.get(key) if state == self._state else None
        if response is not None:
            self._responses.move_to_end(key)
        return response

    def get_messages(self, state: State, request_key: RequestKey) -> Messages | None:
        entry = self._messages.get(request_key) if state == self._state else None
        if entry is None:
            return None
        key, messages = entry
        self._responses.move_to_end(key)
        return messages

    def put(self, state: State, key: CacheKey, response: CompleteResponse) -> None:
        """Drops everything of an earlier state, and the least recently used entries."""
        if not self._max_bytes:
            return
        if state != self._state:
            for entries in (self._responses, self._messages, self._request_keys):
                entries.clear()
            self._bytes, self._state = 0, state
        size = _size_of_response(key, response)
        if key in self._responses or size > self._max_bytes * _MAX_SHARE:
            return
        self._responses[key] = response
        self._bytes += size
        self._drop_oldest()

    def put_messages(self, key: CacheKey, request_key: RequestKey, messages: Messages) -> None:
        """Adds messages to a response that `get` has just returned."""
        header_bytes = sum(len(value) for _, value in request_key.headers)
        if request_key in self._messages or header_bytes > _MAX_KEY_HEADER_BYTES:
            return
        request_keys = self._request_keys.setdefault(key, [])
        if len(request_keys) >= _MAX_FORMS:
            self._drop_messages(key)
            request_keys = self._request_keys.setdefault(key, [])
        request_keys.append(request_key)
        start, body = messages
        # The header lines as they are sent: making them takes longer than all the rest of such an answer.
        head = b"".join([b"%s: %s\r\n" % header for header in start["headers"]])
        self._messages[request_key] = key, ({**start, HEAD_LINES: head}, body)
        self._bytes += _size_of_messages(request_key)
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        while self._bytes > self._max_bytes:
            key, response = self._responses.popitem(last=False)
            self._drop_messages(key)
            self._bytes -= _size_of_response(key, response)

    def _drop_messages(self, key: CacheKey) -> None:
        for request_key in self._request_keys.pop(key, ()):
            del self._messages[request_key]
            self._bytes -= _size_of_messages(request_key)


def _size_of_response(key: CacheKey, response: CompleteResponse) -> int:
    """A query may be longer than its response, and a `Link` header twice as long as the query."""
    headers = sum(len(name) + len(value) for name, value in response.headers)
    return len(key.path) + len(key.query) + headers + len(response.body) + _ENTRY_BYTES


def _size_of_messages(request_key: RequestKey) -> int:
    return len(request_key.path) + len(request_key.query) + _MAX_KEY_HEADER_BYTES + _FORM_BYTES


class RevisionClock:
    """The catalogue's state, read again at most every few milliseconds. Only the event loop uses it.

    A state that any response has told is never taken back, except by a restored backup.
    """

    def __init__(self, read: Callable[[], State | None], seconds: float, *, is_local: bool) -> None:
        """A state stays fresh for `seconds`. Reading it runs on a thread if the database is not local."""
        self._read = read
        self._seconds = seconds
        self._is_local = is_local
        self._state: State | None = None
        self._fresh_until = 0.0
        self._observed_at = 0.0
        self._reading: asyncio.Future[State | None] | None = None

    @property
    def latest(self) -> State | None:
        """The state that was read last, however long ago."""
        return self._state

    def fresh(self) -> State | None:
        """None if the state must be read again."""
        return self._state if time.monotonic() < self._fresh_until else None

    async def current(self) -> State | None:
        """None while the database is away or hangs: the request goes on to it and meets the failure there.

        Raises NoCatalogue each time while there is none, because an import may make one at any moment.
        """
        started_at = time.monotonic()
        if started_at >= self._fresh_until:
            if self._is_local:
                self._update(self._read(), started_at)
            elif not await self._read_on_thread(started_at):
                return None
        return self._state

    def observe(self, state: State) -> None:
        """Takes note of the state that a response has read."""
        latest = self._state
        if latest is None or state == latest:
            return
        self._observed_at = time.monotonic()
        if state.identity == latest.identity and state.revision > latest.revision:
            self._state = state
        else:
            # The response was slow and an import came meanwhile, or a backup was restored: read it again.
            self._state, self._fresh_until = None, 0.0

    async def _read_on_thread(self, started_at: float) -> bool:
        """Whether it has ended. Requests that arrive meanwhile wait for the same reading."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(asyncio.to_thread(self._read))
            self._reading.add_done_callback(partial(self._finish_reading, started_at))
        # A database that hangs keeps its reader for seconds, and nobody else waits as long.
        done, _ = await asyncio.wait([self._reading], timeout=QUERY_SECONDS)
        for reading in done:
            reading.result()
        return bool(done)

    def _finish_reading(self, started_at: float, reading: asyncio.Future[State | None]) -> None:
        self._reading = None
        # An error is raised in the requests that wait, so it is only retrieved here.
        if not reading.cancelled() and not reading.exception():
            self._update(reading.result(), started_at)

    def _update(self, state: State | None, started_at: float) -> None:
        if self._observed_at > started_at:
            # A response told another state meanwhile, and nobody knows which of the two is newer.
            return
        # Freshness counts from the start of the reading: it may miss what was committed after that.
        self._fresh_until = started_at + self._seconds
        self._state = state
