"""A line for each request, and what names it. Knows routes by their templates, and never a query or a token.

Python's logging takes 15 µs for a line and a remembered list takes 60, so lines are made here and written
together, a fifth of a second later at most.
"""

import asyncio
import logging
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Final, NamedTuple

from app.logs import LogStyle, timestamp

log = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 0.2
# A burst is written when it is worth a write: the kernel takes 64 kB into a pipe at once.
MAX_WAITING_LINES: Final = 300
# A person who waits for longer should be told which question it was.
SLOW_SECONDS: Final = 0.5
# The same complaint is not made again for so long, however many requests meet it.
QUIET_SECONDS: Final = 10.0
# Complaints name a route at most, so there are few; this bounds them all the same.
_MAX_COMPLAINTS: Final = 500

# An id of somebody else ends in our log, so it may be nothing but a word.
_SANE_ID: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:+/=@-]{0,127}")
_TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_NO_TRACE: Final = "0" * 32

STDERR: Final = 2


class RequestNames:
    """Makes an id for a request that brings none, and reads those that it brings."""

    def __init__(self) -> None:
        # Random once, and counted then: 0.2 µs each.
        self._prefix = secrets.token_hex(6)
        self._numbers = count(1)

    def id_of(self, sent: bytes | None) -> str:
        if sent and _SANE_ID.fullmatch(sent):
            return sent.decode()
        return f"{self._prefix}-{next(self._numbers):x}"


def trace_id_of(traceparent: bytes | None) -> str | None:
    """The trace that the request is part of, by W3C Trace Context."""
    if not traceparent:
        return None
    match = _TRACEPARENT.fullmatch(traceparent)
    trace_id = match[1].decode() if match else _NO_TRACE
    return None if trace_id == _NO_TRACE else trace_id


class LoggedRequest(NamedTuple):
    """`route` is a template, empty where none was found; `size` counts the bytes of the body."""

    method: str
    route: str
    status: int
    size: int
    seconds: float
    request_id: str
    trace_id: str | None


class RequestLog:
    """Only the event loop uses it."""

    def __init__(self, style: LogStyle, file: int = STDERR) -> None:
        self._line = {"text": _text_line, "json": _json_line, "off": None}[style]
        self.is_on = self._line is not None
        self._file = file
        self._waiting: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._second, self._time = -1, ""

    def add(self, now: float, request: LoggedRequest) -> None:
        if self._line is None:
            return
        second = int(now)
        if second != self._second:
            self._second, self._time = second, timestamp(second)[: len("2026-11-27T10:49:21")]
        time = f"{self._time}.{int((now - second) * 1000):03}Z"
        self._waiting.append(self._line(time, request))
        if len(self._waiting) >= MAX_WAITING_LINES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        lines, self._waiting = "".join(self._waiting).encode(), []
        # A log that nobody reads any more is no reason to stop answering.
        with suppress(OSError):
            while lines:
                lines = lines[os.write(self._file, lines) :]


def _text_line(time: str, request: LoggedRequest) -> str:
    method, route, status, size, seconds, request_id, trace_id = request
    # A line of level ERROR is an incident's own: a client that asks for `Minimum-Revision: 99` makes none.
    level = "WARNING" if status >= 500 else "INFO"  # noqa: PLR2004  HTTP's own number
    trace = f" trace {trace_id}" if trace_id else ""
    return (
        f"{time} {level} {method} {route or '-'} {status} {size} bytes {seconds * 1000:.1f} ms "
        f"request {request_id}{trace}\n"
    )


def _json_line(time: str, request: LoggedRequest) -> str:
    """No value needs escaping: a method is a token, a template our own, an id was checked."""
    method, route, status, size, seconds, request_id, trace_id = request
    level = "warning" if status >= 500 else "info"  # noqa: PLR2004  as above
    shown_route = f'"{route}"' if route else "null"
    trace = f'"{trace_id}"' if trace_id else "null"
    return (
        f'{{"time":"{time}","level":"{level}","message":"request","method":"{method}","route":{shown_route},'
        f'"status":{status},"bytes":{size},"milliseconds":{seconds * 1000:.3f},'
        f'"requestId":"{request_id}","traceId":{trace}}}\n'
    )


class Complaints:
    """Says a thing once, and how often it happened when it says it again."""

    def __init__(self, clock: Callable[[], float], quiet_seconds: float = QUIET_SECONDS) -> None:
        self._clock = clock
        self._quiet_seconds = quiet_seconds
        # The values say when a complaint was made, and how often it happened since.
        self._said: dict[str, tuple[float, int]] = {}

    def complain(self, about: str, message: str) -> None:
        if self._is_due(about):
            times = self._said[about][1]
            more = (
                f" It happened {times:,} more time{'s'[: times != 1]} since the last line." if times else ""
            )
            log.warning("%s%s", message, more)
            self._said[about] = self._clock(), 0

    def fault(self, about: str, message: str, error: Exception) -> None:
        """A fault of ours: with its traceback, once."""
        if self._is_due(about):
            log.error("%s", message, exc_info=error)
            self._said[about] = self._clock(), 0

    def _is_due(self, about: str) -> bool:
        if len(self._said) > _MAX_COMPLAINTS:
            self._said.clear()
        said_at, times = self._said.get(about, (None, 0))
        if said_at is not None and self._clock() - said_at < self._quiet_seconds:
            self._said[about] = said_at, times + 1
            return False
        self._said[about] = self._clock(), times
        return True
