"""The outermost layer, which every response goes through, errors included. Knows no resource.

It replaces FastAPI's middleware, whose outermost layer answers an escaped exception without the headers that
inner layers add.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from app.catalog.state import State
from app.errors import ClippingsError, DatabaseUnavailable, DatabaseUnusable, NoCatalogue, SchemaOutdated
from app.printable import printable
from app.settings import Settings
from app.web.http.audience import asker_by_cookie, asker_by_header
from app.web.http.cache import CacheKey, RequestKey, ResponseCache, RevisionClock
from app.web.http.outage import Outage
from app.web.http.problems import (
    MAX_CHARACTERS_SHOWN,
    ProblemAnswer,
    method_not_allowed,
    not_found,
    problem_from,
)
from app.web.http.query_string import without_tracking
from app.web.http.response import (
    CompleteResponse,
    Preferences,
    RawHeaders,
    ResponseFinished,
    ResponseWriter,
)

log = logging.getLogger(__name__)

ALLOWED_METHODS = "GET, HEAD, OPTIONS"

# These paths ask nothing of the catalogue, so they answer while there is none.
PATHS_WITHOUT_CATALOGUE = frozenset(
    ("/docs", "/openapi.json", "/health/live", "/robots.txt", "/opensearch.xml", "/favicon.ico")
)
FOLDERS_WITHOUT_CATALOGUE = ("/docs/", "/view/static/", "/view/sign-")

# Pages for people are at "/" and in this folder. A cookie counts only there.
PAGES_FOLDER = "/view/"

# Load balancers and uptime checks send whatever their library sends, and a 406 would take the server out.
PATHS_FOR_ANY_ACCEPT = frozenset(("/health/live", "/health/ready"))

# These are all request headers that a response depends on.
_KEY_HEADERS = frozenset((b"accept", b"accept-encoding", b"if-none-match", b"authorization", b"cookie"))

# No path of ours is longer; a longer one is refused before patterns are matched against it.
MAX_PATH_CHARACTERS = 2_000

# Every OPTIONS request gets these headers, a preflight or not. "*" does not cover Authorization (Fetch, 4.9).
_OPTIONS_HEADERS = [
    (b"allow", ALLOWED_METHODS.encode()),
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"Authorization, *"),
    (b"access-control-max-age", b"86400"),
]

# "/articles/1/related%0A" would match a route's pattern, because `$` also matches before a final "\n".
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


# Makes the page for a problem that a browser met at a path with a query and cookies.
ProblemPageOf = Callable[[str, bytes, bytes, ProblemAnswer], tuple[RawHeaders, bytes]]


class Shell:
    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        clock: RevisionClock,
        *,
        problem_page: ProblemPageOf,
        form_paths: frozenset[str],
    ) -> None:
        """Only `form_paths` take POST requests; their routes see the method."""
        self.app = app
        self.problem_page = problem_page
        self.form_paths = form_paths
        self.settings = settings
        self.clock = clock
        self.cache = ResponseCache(settings.remembered_bytes)
        self.outage = Outage()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = tuple([header for header in scope["headers"] if header[0] in _KEY_HEADERS])
        request_key = RequestKey(scope["method"], scope["path"], scope["query_string"], headers)
        if (state := self.clock.fresh()) and (messages := self.cache.get_messages(state, request_key)):
            for message in messages:
                await send(message)
            return
        preferences = Preferences.from_scope(scope)
        if scope["path"].removeprefix(self.settings.public_path) in PATHS_FOR_ANY_ACCEPT:
            preferences = replace(preferences, accept="")
        problem_page = partial(self.problem_page, scope["path"], scope["query_string"], preferences.cookies)
        writer = ResponseWriter(preferences, send, problem_page)
        try:
            await self._answer(scope, receive, writer, request_key)
        except (ResponseFinished, ClientDisconnect):
            pass
        except asyncio.CancelledError:
            # A server that stops cancels what still runs, and would log a traceback if we raised here.
            if not writer.has_started:
                raise
        except Exception as error:
            problem = problem_from(error)
            # The server logs what we raise. It cuts the connection if a response is unfinished.
            if writer.has_started and problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self._log(scope, error)
            if not writer.has_started:
                await writer.respond_with_problem(problem)

    def _log(self, scope: Scope, error: Exception) -> None:
        """A state of the world is one line; a fault of ours has a traceback.

        The query is never logged: it may hold what somebody searched for.
        """
        request = scope["method"], printable(scope["path"], MAX_CHARACTERS_SHOWN)
        match error:
            case DatabaseUnavailable() | DatabaseUnusable() | NoCatalogue() | SchemaOutdated():
                self.outage.failed(str(error))
            case ClippingsError() | ProblemAnswer():
                log.warning("%s %s: %s", *request, error)
            case _:
                log.error("%s %s failed", *request, exc_info=error)

    async def _answer(
        self, scope: Scope, receive: Receive, writer: ResponseWriter, request_key: RequestKey
    ) -> None:
        method, path = scope["method"], scope["path"]
        asker = asker_by_header(writer.preferences.authorization, self.settings)
        if writer.preferences.cookies and self._is_page(path):
            asker = asker_by_cookie(writer.preferences.cookies, asker, self.settings)
        writer.is_private = asker.has_token
        if method == "OPTIONS":
            await writer.send({"type": "http.response.start", "status": 204, "headers": _OPTIONS_HEADERS})
            await writer.send({"type": "http.response.body"})
            return
        is_form = method == "POST" and path.removeprefix(self.settings.public_path) in self.form_paths
        if method not in ("GET", "HEAD") and not is_form:
            takes_form = path.removeprefix(self.settings.public_path) in self.form_paths
            raise method_not_allowed(f"{ALLOWED_METHODS}, POST" if takes_form else ALLOWED_METHODS)
        if len(path) > MAX_PATH_CHARACTERS or _CONTROL_CHARACTERS.search(path):
            raise not_found()
        query_string = without_tracking(scope["query_string"])
        cache_key = CacheKey(path, query_string, asker, writer.preferences.encoding)
        try:
            state = await self.clock.current()
        except NoCatalogue:
            if not self._needs_no_catalogue(path):
                raise
            state = None
        if state and self.outage.is_known:
            self.outage.worked()
        if state and not is_form and (response := self.cache.get(state, cache_key)):
            # A cookie ends by the clock, so it is looked at each time; its messages are not found again.
            if not asker.is_signed_in:
                self.cache.put_messages(cache_key, request_key, writer.messages(response))
            await writer.respond(response)
            return
        # Routes see GET, or the POST of a form; the writer drops the body of a response to HEAD.
        request_state = {**scope.get("state", {}), "asker": asker}
        method = "POST" if is_form else "GET"
        request_scope = {**scope, "method": method, "query_string": query_string, "state": request_state}
        await self.app(request_scope, receive, writer.send)
        if not is_form and (state := request_state.get("catalogue")):
            self.clock.observe(state)
            if writer.complete_response and not request_state.get("depends_on_clock"):
                self._put(state, cache_key, writer.complete_response)

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
