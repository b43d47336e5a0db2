"""The outermost layer, which every response goes through, errors included. Knows no resource.

It replaces FastAPI's middleware, whose outermost layer answers an escaped exception without the headers that
inner layers add.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.catalog.state import MAX_REVISION, State
from app.errors import (
    ClippingsError,
    DatabaseUnavailable,
    DatabaseUnusable,
    NoCatalogue,
    PrimaryNeeded,
    SchemaOutdated,
    StandbysBehind,
)
from app.printable import printable
from app.settings import Settings
from app.web.http.audience import asker_by_cookie, asker_by_header
from app.web.http.cache import HEAD_LINES, CacheKey, RequestKey, ResponseCache, RevisionClock
from app.web.http.connections import CUT_OFF, REFUSED, WRITE_WHOLE
from app.web.http.outage import Outage
from app.web.http.problems import (
    ALLOWED_METHODS,
    MAX_CHARACTERS_SHOWN,
    BehindMinimum,
    ParameterError,
    ProblemAnswer,
    method_not_allowed,
    not_found,
    problem_from,
    unprocessable,
)
from app.web.http.query_string import without_tracking
from app.web.http.request_log import (
    SLOW_SECONDS,
    Complaints,
    LoggedRequest,
    RequestLog,
    RequestNames,
    trace_id_of,
)
from app.web.http.request_metrics import BEHIND_MINIMUM, OTHER_METHOD, RequestMetrics
from app.web.http.response import (
    Caching,
    CompleteResponse,
    Preferences,
    RawHeaders,
    ResponseFinished,
    ResponseWriter,
)
from app.web.http.routes import MAX_PATH_CHARACTERS

# The key of a scope that has OpenTelemetry's `error.type`, where the status alone would mislead.
_ERROR_TYPE: Final = "clippings.error_type"

# These paths ask nothing of the catalogue, so they answer while there is none.
PATHS_WITHOUT_CATALOGUE = frozenset(
    (
        "/docs",
        "/openapi.json",
        "/health/live",
        "/metrics",
        "/robots.txt",
        "/opensearch.xml",
        "/favicon.ico",
    )
)
FOLDERS_WITHOUT_CATALOGUE = ("/docs/", "/view/static/", "/view/sign-")

# Pages for people are at "/" and in this folder. A cookie counts only there.
PAGES_FOLDER = "/view/"

# Load balancers and uptime checks send whatever their library sends, and a 406 would take the server out.
PATHS_FOR_ANY_ACCEPT = frozenset(("/health/live", "/health/ready"))

# These are all request headers that a response depends on.
_KEY_HEADERS = frozenset(
    (b"accept", b"accept-encoding", b"if-none-match", b"authorization", b"cookie", b"minimum-revision")
)

# Those say which request it is, and nothing of its answer.
_NAMING_HEADERS = frozenset((b"x-request-id", b"traceparent"))

# nginx's numbers, for the log and the metrics alone: nobody gets them. The client closed the connection too
# early, or the service did, because the client took next to nothing or a stop came.
CLIENT_CLOSED_REQUEST = 499
SERVICE_CLOSED_REQUEST = 444

# Every OPTIONS request gets these headers, a preflight or not. "*" does not cover Authorization (Fetch, 4.9).
_PREFLIGHT_HEADERS = [
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"Authorization, *"),
    (b"access-control-max-age", b"86400"),
]

# "/articles/1/related%0A" would match a route's pattern, because `$` also matches before a final "\n".
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


# No number of a revision has more digits.
_REVISION = re.compile("[0-9]{1,10}")

# Makes the page for a problem that a browser met at a path with a query and cookies.
ProblemPageOf = Callable[[str, bytes, bytes, ProblemAnswer], tuple[RawHeaders, bytes]]


class Shell:
    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        clock: RevisionClock,
        request_log: RequestLog,
        request_metrics: RequestMetrics,
        *,
        template_of: Callable[[str], str],
        problem_page: ProblemPageOf,
        form_paths: frozenset[str],
    ) -> None:
        """Only `form_paths` take POST requests; their routes see the method.

        `template_of` names the route of a path for the log: "/articles/{article_id}".
        """
        self.app = app
        self.problem_page = problem_page
        self.form_paths = form_paths
        self.settings = settings
        self.clock = clock
        self.template_of = template_of
        self.cache = ResponseCache(settings.remembered_bytes)
        self.outage = Outage(self._is_readable)
        self.names = RequestNames()
        self.request_log = request_log
        self.metrics = request_metrics
        self.complaints = Complaints(time.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = tuple([header for header in scope["headers"] if header[0] in _KEY_HEADERS])
        naming = dict([header for header in scope["headers"] if header[0] in _NAMING_HEADERS])
        request_id = self.names.id_of(naming.get(b"x-request-id"))
        request_key = RequestKey(scope["method"], scope["path"], scope["query_string"], headers)
        if (state := self.clock.fresh()) and (messages := self.cache.get_messages(state, request_key)):
            # This is the quick way, of some 45 µs with the server: what it does not need, it does not do.
            start, body = messages
            status, size = start["status"], len(body["body"])
            write_whole = scope.get(WRITE_WHOLE)
            id_line = b"x-request-id: %s\r\n" % request_id.encode()
            if not write_whole or not write_whole(status, start[HEAD_LINES], id_line, body["body"]):
                sent = _Sent(send, request_id)
                await sent.send(start)
                await sent.send(body)
            self._record(scope, status, size, began, request_id, naming)
            return
        sent = _Sent(send, request_id)
        try:
            with self.metrics.active():
                await self._answer_or_fail(scope, receive, sent, request_key)
        finally:
            if CUT_OFF in scope:
                status = SERVICE_CLOSED_REQUEST
            else:
                status = sent.status if sent.is_complete else CLIENT_CLOSED_REQUEST
            seconds = self._record(scope, status, sent.body_bytes, began, request_id, naming)
            # The client decides how long a stream takes, and the first /openapi.json is made for all.
            is_question = not sent.is_stream and not self._needs_no_catalogue(scope["path"])
            if seconds > SLOW_SECONDS and is_question:
                route = self.template_of(scope["path"])
                self.complaints.complain(
                    f"slow {route}",
                    f"{scope['method']} {route or '-'} took {seconds:.2f} s (request {request_id}).",
                )

    def _record(
        self,
        scope: Scope,
        status: int,
        size: int,
        began: float,
        request_id: str,
        naming: dict[bytes, bytes],
    ) -> float:
        """The request joins the log and the metrics. Returns the seconds that it took."""
        seconds = time.perf_counter() - began
        if REFUSED in scope:
            return seconds
        method, route = scope["method"], self.template_of(scope["path"])
        self.metrics.count(method, route, status, seconds, scope.get(_ERROR_TYPE, ""))
        if self.request_log.is_on:
            trace_id = trace_id_of(naming.get(b"traceparent"))
            logged = LoggedRequest(method, route, status, size, seconds, request_id, trace_id)
            self.request_log.add(time.time(), logged)
        return seconds

    async def _answer_or_fail(
        self, scope: Scope, receive: Receive, sent: "_Sent", request_key: RequestKey
    ) -> None:
        preferences = Preferences.from_scope(scope)
        if scope["path"].removeprefix(self.settings.public_path) in PATHS_FOR_ANY_ACCEPT:
            preferences = replace(preferences, accept="")
        problem_page = partial(self.problem_page, scope["path"], scope["query_string"], preferences.cookies)
        writer = ResponseWriter(preferences, sent.send, problem_page)
        try:
            await self._answer(scope, receive, writer, request_key)
        except (ResponseFinished, ClientDisconnect):
            pass
        except asyncio.CancelledError:
            # A server that stops cancels what still runs, and would log a traceback if we raised here.
            if not writer.has_started:
                raise
            scope[CUT_OFF] = True
        except Exception as error:
            problem = problem_from(error)
            if writer.has_started:
                scope[CUT_OFF] = True
            # The server logs what we raise. It cuts the connection if a response is unfinished.
            if writer.has_started and problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            is_ours = problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            if isinstance(problem, BehindMinimum):
                scope[_ERROR_TYPE] = BEHIND_MINIMUM
            elif is_ours:
                self._log(scope, error)
            if not writer.has_started:
                await writer.respond_with_problem(problem)

    def _log(self, scope: Scope, error: Exception) -> None:
        """A state of the world is one line, however many requests meet it; a fault of ours has a traceback.

        The query is never logged: it may hold what somebody searched for.
        """
        match error:
            case StandbysBehind():
                self.complaints.complain("standbys", str(error))
            case DatabaseUnavailable() | DatabaseUnusable() | NoCatalogue() | SchemaOutdated():
                self.outage.failed(str(error))
            case ClippingsError() | ProblemAnswer():
                route = self.template_of(scope["path"]) or "-"
                self.complaints.complain(f"{route} {error}", f"{scope['method']} {route}: {error}")
            case _:
                request = scope["method"], printable(scope["path"], MAX_CHARACTERS_SHOWN)
                self.complaints.fault(_place_of(error), "{} {} failed".format(*request), error)

    async def _is_readable(self) -> bool:
        try:
            return await self.clock.current() is not None
        except (NoCatalogue, SchemaOutdated):
            return False

    def refused(self, status: int, size: int, scope: Scope | None) -> str:
        """Records what a connection answered itself. Returns the request's id."""
        naming = dict(scope["headers"]) if scope else {}
        request_id = self.names.id_of(naming.get(b"x-request-id"))
        named = scope or {"method": OTHER_METHOD, "path": ""}
        refused = {"method": named["method"], "path": named["path"]}
        self._record(refused, status, size, time.perf_counter(), request_id, naming)
        return request_id

    async def _answer(
        self, scope: Scope, receive: Receive, writer: ResponseWriter, request_key: RequestKey
    ) -> None:
        method, path = scope["method"], scope["path"]
        asker = asker_by_header(writer.preferences.authorization, self.settings)
        if writer.preferences.cookies and self._is_page(path):
            asker = asker_by_cookie(writer.preferences.cookies, asker, self.settings)
        writer.is_private = asker.has_token
        takes_form = path.removeprefix(self.settings.public_path) in self.form_paths
        allowed = f"{ALLOWED_METHODS}, POST" if takes_form else ALLOWED_METHODS
        if method == "OPTIONS":
            headers = [(b"allow", allowed.encode()), *_PREFLIGHT_HEADERS]
            await writer.send({"type": "http.response.start", "status": 204, "headers": headers})
            await writer.send({"type": "http.response.body"})
            return
        is_form = method == "POST" and takes_form
        if method not in ("GET", "HEAD") and not is_form:
            raise method_not_allowed(allowed)
        if len(path) > MAX_PATH_CHARACTERS or _CONTROL_CHARACTERS.search(path):
            raise not_found()
        query_string = without_tracking(scope["query_string"])
        cache_key = CacheKey(path, query_string, asker, writer.preferences.encoding)
        # No database that hangs may keep /health/live waiting.
        state = self.clock.latest if self._needs_no_catalogue(path) else await self.clock.current()
        writer.caching = Caching(self.settings.max_age, state.cache_tag if state else None)
        if state and self.outage.is_known:
            self.outage.worked()
        minimum = self._minimum_revision(writer.preferences.minimum_revision, path)
        is_new_enough = state is not None and state.revision >= minimum
        if state and is_new_enough and not is_form and (response := self.cache.get(state, cache_key)):
            # A cookie ends by the clock, so it is looked at each time; its messages are not found again.
            if not asker.is_signed_in:
                self.cache.put_messages(cache_key, request_key, writer.messages(response))
            await writer.respond(response)
            return
        # Routes see GET, or the POST of a form; the writer drops the body of a response to HEAD.
        request_state = {**scope.get("state", {}), "asker": asker, "minimum_revision": minimum}
        method = "POST" if is_form else "GET"
        request_scope = {**scope, "method": method, "query_string": query_string, "state": request_state}
        # Whoever sees the beginning of this answer may ask again before its end, and gets nothing older.
        writer.before_start = partial(self._observe, request_state)
        await self._run(request_scope, receive, writer)
        state, response = request_state.get("catalogue"), writer.complete_response
        if state and response and not is_form and not request_state.get("depends_on_clock"):
            self._put(state, cache_key, response)

    async def _run(self, scope: Scope, receive: Receive, writer: ResponseWriter) -> None:
        """Asks again, on the primary alone, where a standby failed before the answer began."""
        try:
            await self.app(scope, receive, writer.send)
        except PrimaryNeeded:
            if writer.has_started or "only_primary" in scope["state"]:
                raise
            scope["state"]["only_primary"] = True
            await self.app(scope, receive, writer.send)

    def _observe(self, request_state: dict[str, Any]) -> None:
        if state := request_state.get("catalogue"):
            self.clock.observe(state)

    def _minimum_revision(self, header: bytes | None, path: str) -> int:
        """Raises a problem (422) for what is no number of a revision."""
        if header is None or self._needs_no_catalogue(path):
            return 0
        text = header.decode("latin-1").strip()
        if not _REVISION.fullmatch(text) or int(text) > MAX_REVISION:
            advice = f"must be one whole number from 0 to {MAX_REVISION}, as in Catalogue-Revision"
            raise unprocessable(ParameterError("Minimum-Revision", text, advice))
        return int(text)

    def _is_page(self, path: str) -> bool:
        path = path.removeprefix(self.settings.public_path)
        return path in ("", "/") or path.startswith(PAGES_FOLDER)

    def _needs_no_catalogue(self, path: str) -> bool:
        path = path.removeprefix(self.settings.public_path)
        return path in PATHS_WITHOUT_CATALOGUE or path.startswith(FOLDERS_WITHOUT_CATALOGUE)

    def _put(self, state: State, cache_key: CacheKey, response: CompleteResponse) -> None:
        """Caches a response if the state that its own transaction read is still the latest."""
        if response.status == HTTPStatus.OK and state == self.clock.latest:
            self.cache.put(state, cache_key, response)
            self.metrics.remember(self.cache.size)


class _Sent:
    """Sends, names the request in its answer, and knows what was sent."""

    __slots__ = ("_id_header", "_send", "body_bytes", "is_complete", "is_stream", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._id_header = (b"x-request-id", request_id.encode())
        self.status = 0
        self.body_bytes = 0
        self.is_complete = False
        self.is_stream = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            # Remembered messages are sent again and again, so they are not changed.
            message = {**message, "headers": [*message["headers"], self._id_header]}
        else:
            self.body_bytes += len(message.get("body", b""))
            self.is_complete = not message.get("more_body", False)
            self.is_stream = self.is_stream or not self.is_complete
        await self._send(message)


def _place_of(error: Exception) -> str:
    """Equal for what fails again: its kind, and the line that raised it."""
    traceback = error.__traceback__
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    place = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}" if traceback else ""
    return f"{type(error).__name__} {place}"
