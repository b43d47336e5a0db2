"""What one connection may take of us, in time and memory. Counts bytes; knows nothing of what they ask for.

uvicorn's own class gathers whatever is sent, and waits for the rest as long as a byte comes now and then.
Here bytes are counted before the parser gets them, in pieces, one a turn of the event loop. While pieces or
requests wait for their turn nothing more is read: a connection holds what one read brought and what one
piece asks for.
"""

import asyncio
from typing import Any

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.web.http import response as answers
from app.web.http.problems import ProblemAnswer, content_too_large, headers_too_large, malformed, uri_too_long

# A browser's head has some 2 kB; proxies in front let through 8 to 32 kB.
MAX_PART_BYTES = 64 * 1024

# Nothing reads bodies, but who sends one is to learn it by the answer, and may go on.
MAX_BODY_BYTES = 1_000_000

# A usual head is one piece. The worst that fits in are 450 requests of 18 bytes: they take some ms.
PIECE_BYTES = 8 * 1024

# The head of a request fits into one packet; telephones that lose the network for a while come back in less.
HEAD_SECONDS = 10.0

# A connection that is closed while the client still sends is reset, and the client may lose what it was told.
LINGER_SECONDS = 2.0

_FRAMING = frozenset((b"content-length", b"transfer-encoding"))


class HttpConnection(HttpToolsProtocol):
    """A part is a request's head, or what follows without being its body: chunks' heads, trailers."""

    head_seconds = HEAD_SECONDS
    linger_seconds = LINGER_SECONDS
    flow: "_Flow"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # There is nothing to upgrade to, whatever libraries are installed.
        self.ws_protocol_class = None
        self._deadline: asyncio.TimerHandle | None = None
        # The one that the app answers; uvicorn's `cycle` is the one that was sent last.
        self._running: RequestResponseCycle | None = None
        self._is_in_head = False
        self._is_in_body = False
        self._part_bytes = 0
        self._body_bytes = 0
        self._unfed = memoryview(b"")
        # What is said once all that was asked before has its answer; nothing more is parsed.
        self._last_words: bytes | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        self._unfed = memoryview(b"")
        # uvicorn tells the last request alone that the client has gone, though others may be before it.
        self.pipeline.clear()
        if self._running and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        if self._last_words is not None:
            return
        size = len(data)
        is_large = size > PIECE_BYTES or self._part_bytes + size > MAX_PART_BYTES
        if is_large or self._unfed or self.pipeline:
            self._unfed = memoryview(bytes(self._unfed) + data if self._unfed else data)
            self.flow.hold()
            self._feed_next()
        else:
            self._feed(data)

    def _feed_next(self) -> None:
        if not self._unfed or self.pipeline or self.transport.is_closing():
            return
        size = min(PIECE_BYTES, MAX_PART_BYTES - self._part_bytes)
        piece, self._unfed = self._unfed[:size], self._unfed[size:]
        self._feed(piece)
        if self._last_words is not None:
            return
        if self._unfed:
            self.loop.call_soon(self._feed_next)
        else:
            self.flow.let_go()

    def _feed(self, piece: bytes | memoryview) -> None:
        while piece:
            try:
                self.parser.feed_data(piece)
                break
            except httptools.HttpParserUpgrade as upgrade:
                if self._has_body():
                    self._close_after_answer()
                    return
                # We change to no other protocol, so what follows is the next request.
                piece = piece[upgrade.args[0] :]
            except httptools.HttpParserError:
                self.logger.warning("Invalid HTTP request received.")
                self._refuse(malformed())
                return
        if self._is_in_head or self._is_in_body:
            # All of the piece, though the part may begin within it: never too few.
            self._part_bytes += len(piece)
            if self._part_bytes >= MAX_PART_BYTES:
                is_uri = self._is_in_head and len(self.url) > MAX_PART_BYTES // 2
                self._refuse(uri_too_long() if is_uri else headers_too_large())
            elif self._body_bytes > MAX_BODY_BYTES:
                self._refuse(content_too_large())
            elif self._is_in_head and self._is_idle():
                self._expect_head()

    def on_message_begin(self) -> None:
        # Not by any byte, as uvicorn does: an empty line or a body's end keeps no connection.
        self._unset_keepalive_if_required()
        self._is_in_head = True
        self._part_bytes = self._body_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        # Where this fails the head is refused, so it is not over before.
        super().on_headers_complete()
        if self._deadline:
            self._forget_deadline()
        self._is_in_head = False
        self._is_in_body = True
        self._part_bytes = 0
        # The parser gives trailers as headers; they must not become some while the request is answered.
        self.headers = []

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
        if self._unfed:
            self.loop.call_soon(self._feed_next)
        elif not is_idle or self.transport.is_closing():
            return
        elif self._last_words is not None:
            self._say_last_words()
        elif self._is_in_head:
            self._unset_keepalive_if_required()
            self._expect_head()

    def _has_body(self) -> bool:
        """The parser skips the body of what would upgrade: read on, and the body is the next request."""
        is_tunnel = self.scope["method"] == "CONNECT"
        return is_tunnel or any(name in _FRAMING for name, _ in self.scope["headers"])

    def _close_after_answer(self) -> None:
        self.cycle.keep_alive = False
        self._last_words = b""
        self._unfed = memoryview(b"")
        self.flow.let_go()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect_head(self) -> None:
        """From when it began, or we have time for it: what comes byte by byte gets no more."""
        if not self._deadline:
            self._deadline = self.loop.call_later(self.head_seconds, self.timeout_keep_alive_handler)

    def _forget_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, problem: ProblemAnswer) -> None:
        """Answers the request that is being sent, after those before it, unless it is answered; closes."""
        self._forget_deadline()
        self._unfed = memoryview(b"")
        self.flow.hold()
        self._last_words = self._answer(problem)
        is_next = self._is_idle()
        if self._is_in_body:
            if self.cycle.response_started:
                self._last_words = b""
            elif self.pipeline:
                self.pipeline.popleft()
            else:
                # It is being answered; what the app says from now on is dropped.
                self.cycle.disconnected = is_next = True
                self.cycle.message_event.set()
        if is_next:
            self._say_last_words()

    def _answer(self, problem: ProblemAnswer) -> bytes:
        answer = answers.problem_response(problem, encoding=None, is_private=False)
        headers = [*self.server_state.default_headers, *answer.headers, (b"connection", b"close")]
        status_line = f"HTTP/1.1 {problem.status} {problem.title}\r\n".encode()
        return b"".join((status_line, *(b"%s: %s\r\n" % each for each in headers), b"\r\n", answer.body))

    def _say_last_words(self) -> None:
        self._unset_keepalive_if_required()
        self.transport.write(self._last_words or b"")
        self.transport.write_eof()
        self.flow.let_go()
        self._deadline = self.loop.call_later(self.linger_seconds, self.transport.abort)


class _Flow(FlowControl):
    """Reads nothing while it is held, whoever wants more."""

    _is_held = False

    def hold(self) -> None:
        self._is_held = True
        self.pause_reading()

    def let_go(self) -> None:
        self._is_held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        if not self._is_held:
            super().resume_reading()
