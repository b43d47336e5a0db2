"""How much time and memory one connection may take, and how it ends. Knows no request's content.

uvicorn's own class buffers whatever a client sends, and waits for more as long as a byte comes now and then.
This one counts bytes before the parser gets them, and parses one piece in each turn of the event loop. It
reads nothing more while pieces or requests wait, so a connection holds no more than one read and the requests
of one piece.
"""

import asyncio
import re
import socket
import struct
import sys
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.web.http.open_connections import OpenConnections, most_connections
from app.web.http.problems import (
    ALLOWED_METHODS,
    ProblemAnswer,
    content_too_large,
    headers_too_large,
    malformed,
    method_not_allowed,
    unavailable,
    uri_too_long,
)
from app.web.http.response import problem_response

# A browser's head has about 2 kB, and proxies in front pass on 8 to 32 kB.
MAX_PART_BYTES = 64 * 1024

# The service reads no bodies. It skips a small one, so that the client gets a proper response.
MAX_BODY_BYTES = 1_000_000

# A usual head is one piece. The worst piece holds 450 requests of 18 bytes, which take a few ms to parse.
PIECE_BYTES = 8 * 1024

# A request's head fits into one packet, and phones that lose the network are back within ten seconds.
HEAD_SECONDS = 10.0

# Closing while the client still sends would reset the connection, and the client might lose our response.
LINGER_SECONDS = 2.0

# A phone on the edge of its network takes 2 kB in a second; whoever takes less for ten seconds is gone, or
# holds memory and a download's place on purpose.
STALL_SECONDS = 10.0
MIN_BYTES_PER_SECOND = 2_000
# A system takes megabytes at once and then nothing until its program has read a part of them: that of
# `curl --limit-rate 200k` is silent for 20 s. A client may live on what it took, but for no longer than this.
MAX_STALL_SECONDS = 60.0

# A request's scope holds its connection's `write_whole` under this key; other servers' scopes have none.
WRITE_WHOLE = "clippings.write_whole"
# A scope has this key if its connection answered in the app's place: the app's answer reaches nobody then.
REFUSED = "clippings.refused"
# A scope has this key if the service closed the connection before the answer's end.
CUT_OFF = "clippings.cut_off"

# SO_LINGER: on, for no time at all.
_NO_LINGER = struct.pack("ii", 1, 0)

# The place of tcpi_bytes_acked in Linux's tcp_info (linux/tcp.h); an older kernel's ends before it.
_ACKNOWLEDGED = slice(120, 128)

# The parser calls a method that it does not know an error. An invented one (`curl -X BREW`) may stand
# in a request that is right.
_REQUEST_LINE = re.compile(rb"(?!GET |HEAD |OPTIONS )[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40} \S+ HTTP/1\.1\r?\n")

_BODY_HEADERS = frozenset((b"content-length", b"transfer-encoding"))


class HttpConnection(HttpToolsProtocol):
    """uvicorn's connection with limits.

    A part is a request's head, or other bytes that are not its body: a chunk's head, the trailers.
    """

    head_seconds = HEAD_SECONDS
    linger_seconds = LINGER_SECONDS
    stall_seconds = STALL_SECONDS
    max_stall_seconds = MAX_STALL_SECONDS
    flow: "_PausableFlow"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # We never upgrade to WebSocket, whatever libraries are installed.
        self.ws_protocol_class = None
        # A server without our lifespan, as in some tests, counts each connection for itself.
        self._open: OpenConnections = self.app_state.get("connections") or OpenConnections(most_connections())
        self._timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        # The time at which a client that takes nothing more is cut off, and what it had taken and left then.
        self._cut_off_at = 0.0
        self._acknowledged_bytes = self._unsent_bytes = 0
        # This is the request that the app answers now; uvicorn's `cycle` is the one that arrived last.
        self._running_cycle: RequestResponseCycle | None = None
        self._is_in_head = False
        self._is_in_body = False
        self._part_bytes = 0
        self._body_bytes = 0
        self._pending = memoryview(b"")
        # Nothing more is parsed once this is set. It is sent after the responses to earlier requests.
        self._final_response: bytes | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _PausableFlow(transport)
        self._open.waits(self)
        if self._open.has_room_for(self, len(self.connections)):
            self._start_head_timer()
        else:
            self._refuse(unavailable("Too many clients are connected. Try again later."))

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.works(self)
        self._stop_timer()
        self._stop_stall_timer()
        self._pending = memoryview(b"")
        # uvicorn tells only the last request of the disconnect, though the app may still answer another one.
        self.pipeline.clear()
        if self._running_cycle and not self._running_cycle.response_complete:
            self._running_cycle.disconnected = True
            self._running_cycle.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running_cycle = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        if self._final_response is not None:
            return
        size = len(data)
        is_large = size > PIECE_BYTES or self._part_bytes + size > MAX_PART_BYTES
        if is_large or self._pending or self.pipeline:
            self._pending = memoryview(bytes(self._pending) + data if self._pending else data)
            self.flow.pause()
            self._feed_next_piece()
        else:
            self._feed(data)

    def _feed_next_piece(self) -> None:
        if not self._pending or self.pipeline or self.transport.is_closing():
            return
        size = min(PIECE_BYTES, MAX_PART_BYTES - self._part_bytes)
        piece, self._pending = self._pending[:size], self._pending[size:]
        self._feed(piece)
        if self._final_response is not None:
            return
        if self._pending:
            self.loop.call_soon(self._feed_next_piece)
        else:
            self.flow.release()

    def _feed(self, piece: bytes | memoryview) -> None:
        while piece:
            try:
                self.parser.feed_data(piece)
                break
            except httptools.HttpParserUpgrade as upgrade:
                if self._has_body():
                    self._close_after_answer()
                    return
                # We upgrade to no other protocol, so the next request follows.
                piece = piece[upgrade.args[0] :]
            except httptools.HttpParserError:
                # uvicorn would write a warning too; the log and the metrics have a line for this answer.
                is_method = not self.url and _REQUEST_LINE.match(piece)
                self._refuse(method_not_allowed(ALLOWED_METHODS) if is_method else malformed())
                return
        if self._is_in_head or self._is_in_body:
            # A part may begin within the piece, so this may count too many bytes, but never too few.
            self._part_bytes += len(piece)
            if self._part_bytes >= MAX_PART_BYTES:
                is_uri = self._is_in_head and len(self.url) > MAX_PART_BYTES // 2
                self._refuse(uri_too_long() if is_uri else headers_too_large())
            elif self._body_bytes > MAX_BODY_BYTES:
                self._refuse(content_too_large())
            elif self._is_in_head and self._is_idle():
                self._start_head_timer()

    def on_message_begin(self) -> None:
        # uvicorn does this for any byte, so an empty line would keep a connection open; we do it here alone.
        self._unset_keepalive_if_required()
        self._is_in_head = True
        self._part_bytes = self._body_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        # The base may refuse the head by an exception, so our state changes only after it.
        super().on_headers_complete()
        self._open.works(self)
        self.scope[WRITE_WHOLE] = self.write_whole  # type: ignore[literal-required]
        if self._open.is_draining:
            self.cycle.keep_alive = False
        if self._timer:
            self._stop_timer()
        self._is_in_head = False
        self._is_in_body = True
        self._part_bytes = 0
        # The parser reports trailers as headers: they must not join the headers of a request in progress.
        self.headers = []

    def write_whole(self, status: int, head: bytes, id_header: bytes, body: bytes) -> bool:
        """Writes a remembered answer, whose header lines are made already. False if it must be sent instead.

        uvicorn looks through every header of every answer, which takes a third of the time of such an answer.
        They were looked through when the answer was given for the first time.
        """
        cycle = self._running_cycle
        if cycle is None or cycle.disconnected or cycle.response_started or self.flow.write_paused:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        dates = b"".join([b"%s: %s\r\n" % header for header in cycle.default_headers])
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], dates, head, id_header, end, body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        return True

    def on_body(self, body: bytes) -> None:
        self._part_bytes = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        is_idle = not self.pipeline
        super().on_response_complete()
        if self._pending:
            self.loop.call_soon(self._feed_next_piece)
        elif not is_idle:
            return
        elif self.transport.is_closing():
            if self.transport.get_write_buffer_size():
                self._watch_writing()
        elif self._final_response is not None:
            self._send_final_response()
        else:
            self._open.waits(self)
            if self._is_in_head:
                self._unset_keepalive_if_required()
                self._start_head_timer()

    def timeout_keep_alive_handler(self) -> None:
        """A client that does not even take its last answer would keep a connection that is only closed."""
        if self.transport.get_write_buffer_size():
            self._cut_off()
        else:
            super().timeout_keep_alive_handler()

    def drop(self) -> None:
        self.timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """Ends the connection after what runs. uvicorn's own would reset who has just asked or is asking."""
        if self._final_response is not None or self.transport.is_closing():
            return
        if not self._is_idle():
            self.cycle.keep_alive = False
        elif self.cycle is None or self._is_in_head:
            # A client that has just connected sends a request at once, or never.
            self._stop_timer()
            self._timer = self.loop.call_later(self.linger_seconds, self.timeout_keep_alive_handler)
        else:
            # We end our half alone: a request that is under way would meet a reset, and so it meets an end.
            self._final_response = b""
            self._send_final_response()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall_timer is None:
            self._watch_writing()

    def resume_writing(self) -> None:
        self._stop_stall_timer()
        super().resume_writing()

    def _watch_writing(self) -> None:
        """Cuts off a client that takes next to nothing of what waits for it."""
        self._stop_stall_timer()
        self._allow_time()
        self._cut_off_at = max(self._cut_off_at, self.loop.time() + self.stall_seconds)
        self._stall_timer = self.loop.call_at(self._cut_off_at, self._check_writing)

    def _check_writing(self) -> None:
        self._allow_time()
        if self._cut_off_at <= self.loop.time():
            self._cut_off()
        else:
            self._stall_timer = self.loop.call_at(self._cut_off_at, self._check_writing)

    def _allow_time(self) -> None:
        """Bytes that a client took since the last call are time to take none, at the least speed."""
        acknowledged, unsent = self._bytes_acknowledged(), self.transport.get_write_buffer_size()
        # A system that counts no acknowledgements knows at least what it took over from us.
        taken = max(acknowledged - self._acknowledged_bytes, self._unsent_bytes - unsent, 0)
        self._acknowledged_bytes, self._unsent_bytes = acknowledged, unsent
        now = self.loop.time()
        latest = now + max(self.max_stall_seconds, self.stall_seconds)
        self._cut_off_at = min(max(self._cut_off_at, now) + taken / MIN_BYTES_PER_SECOND, latest)

    def _bytes_acknowledged(self) -> int:
        """The bytes of all answers here. Our own buffer says too little: most bytes wait in the system's."""
        if sys.platform != "linux":
            return 0
        with suppress(OSError):
            client = self.transport.get_extra_info("socket")
            info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.stop)
            return int.from_bytes(info[_ACKNOWLEDGED], sys.byteorder)
        return 0

    def _cut_off(self) -> None:
        """Resets the connection: the system would keep what the client does not take for many minutes."""
        if self._running_cycle and not self._running_cycle.response_complete:
            self._running_cycle.scope[CUT_OFF] = True  # type: ignore[literal-required]
        with suppress(OSError):
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER
            )
        self.transport.abort()

    def _stop_stall_timer(self) -> None:
        if self._stall_timer:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _has_body(self) -> bool:
        """The parser skips the body of an upgrade request: we would parse that body as the next request."""
        is_tunnel = self.scope["method"] == "CONNECT"
        return is_tunnel or any(name in _BODY_HEADERS for name, _ in self.scope["headers"])

    def _close_after_answer(self) -> None:
        self.cycle.keep_alive = False
        self._final_response = b""
        self._pending = memoryview(b"")
        self.flow.release()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start_head_timer(self) -> None:
        """Gives a head its time once: a client that sends it byte by byte gets no more."""
        if not self._timer:
            self._timer = self.loop.call_later(self.head_seconds, self.timeout_keep_alive_handler)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, problem: ProblemAnswer) -> None:
        """Answers the unfinished request after all earlier ones, unless its response has started; closes."""
        self._stop_timer()
        self._pending = memoryview(b"")
        self.flow.pause()
        is_next = self._is_idle()
        if self._is_in_body and self.cycle.response_started:
            # It has its answer, and is a line of the log already.
            self._final_response = b""
        else:
            self._final_response = self._problem_bytes(problem)
        if self._is_in_body and self._final_response:
            self.scope[REFUSED] = True  # type: ignore[literal-required]
            if self.pipeline:
                self.pipeline.popleft()
            else:
                # The app is answering it, and uvicorn drops what the app sends after a disconnect.
                self.cycle.disconnected = is_next = True
                self.cycle.message_event.set()
        if is_next:
            self._send_final_response()

    def _problem_bytes(self, problem: ProblemAnswer) -> bytes:
        response = problem_response(problem, encoding=None, is_private=False)
        request_id = self._open.on_refusal(problem.status, len(response.body), self._request_so_far())
        headers = [
            *self.server_state.default_headers,
            *response.headers,
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        status_line = f"HTTP/1.1 {problem.status} {problem.title}\r\n".encode()
        return b"".join(
            (status_line, *(b"%s: %s\r\n" % header for header in headers), b"\r\n", response.body)
        )

    def _request_so_far(self) -> dict[str, Any] | None:
        """None where not even the address came."""
        if self._is_in_body:
            return dict(self.scope)
        if not self._is_in_head or not self.url:
            return None
        method, path = self.parser.get_method().decode("ascii"), self.url.partition(b"?")[0].decode("latin-1")
        return {**self.scope, "method": method, "path": unquote(path)}

    def _send_final_response(self) -> None:
        self._unset_keepalive_if_required()
        self.transport.write(self._final_response or b"")
        self.transport.write_eof()
        self.flow.release()
        self._timer = self.loop.call_later(self.linger_seconds, self.transport.abort)


class _PausableFlow(FlowControl):
    """Stays paused until `release`: uvicorn's own calls of `resume_reading` have no effect meanwhile."""

    _is_paused = False

    def pause(self) -> None:
        self._is_paused = True
        self.pause_reading()

    def release(self) -> None:
        self._is_paused = False
        self.resume_reading()

    def resume_reading(self) -> None:
        if not self._is_paused:
            super().resume_reading()
