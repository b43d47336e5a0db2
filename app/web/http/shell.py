"""What every answer shares, errors included, whatever the path. Knows no resource.

It stands in place of the framework's own layers, of which the outermost answers an escaped exception without
any of the headers that inner ones add.
"""

import asyncio
import logging
import re
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from app.catalog.state import State
from app.errors import ClippingsError, DatabaseUnavailable, DatabaseUnusable, NoCatalogue, SchemaOutdated
from app.settings import Settings
from app.web.http.audience import asker_by_header
from app.web.http.cache import AnswerCache, CacheKey, RevisionClock, Sent
from app.web.http.outage import Outage
from app.web.http.problems import ProblemAnswer, method_not_allowed, not_found, problem_of, shown
from app.web.http.response import CompleteResponse, Enough, Preferences, ResponseWriter

log = logging.getLogger(__name__)

ALLOWED_METHODS = "GET, HEAD, OPTIONS"

# What says how to use the service, and that it lives.
WITHOUT_CATALOGUE = frozenset(("/docs", "/openapi.json", "/health/live"))

# All of a request's that an answer depends on.
_HEADERS = frozenset((b"accept", b"accept-encoding", b"if-none-match", b"authorization"))

# Nothing of ours has a longer name; what is longer is refused before any pattern is matched against it.
MOST_CHARACTERS_OF_A_PATH = 2_000

# To every OPTIONS, a browser's preflight or not. "*" does not cover Authorization (Fetch, 4.9).
_ON_OPTIONS = [
    (b"allow", ALLOWED_METHODS.encode()),
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"Authorization, *"),
    (b"access-control-max-age", b"86400"),
]

# No route has them, but "/articles%0A" would match the pattern of /articles: `$` also means before "\n".
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


class Shell:
    def __init__(self, app: ASGIApp, settings: Settings, freshness: RevisionClock) -> None:
        self.app = app
        self.settings = settings
        self.freshness = freshness
        self.memory = AnswerCache(settings.remembered_bytes)
        self.outage = Outage()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = tuple([each for each in scope["headers"] if each[0] in _HEADERS])
        sent = Sent(scope["method"], scope["path"], scope["query_string"], headers)
        if (believed := self.freshness.believed()) and (ready := self.memory.recall_ready(believed, sent)):
            for message in ready:
                await send(message)
            return
        answering = ResponseWriter(Preferences.by(scope), send)
        try:
            await self._answer(scope, receive, answering, sent)
        except (Enough, ClientDisconnect):
            pass
        except asyncio.CancelledError:
            # The server does so to what still runs when its time to stop is over, and would log a traceback.
            if not answering.has_begun:
                raise
        except Exception as error:
            problem = problem_of(error)
            if answering.has_begun and problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                raise  # The server logs it, and cuts the connection under half an answer.
            if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self._log(scope, error)
            # Under half an answer the server cuts the connection when we just return.
            if not answering.has_begun:
                await answering.deliver_problem(problem)

    def _log(self, scope: Scope, error: Exception) -> None:
        """A line for a state of the world, a traceback for a fault of ours, without the query in either.

        The query may hold what somebody searched for.
        """
        request = scope["method"], shown(scope["path"])
        match error:
            case DatabaseUnavailable() | DatabaseUnusable() | NoCatalogue() | SchemaOutdated():
                self.outage.failed(str(error))
            case ClippingsError() | ProblemAnswer():
                log.warning("%s %s: %s", *request, error)
            case _:
                log.error("%s %s failed", *request, exc_info=error)

    async def _answer(self, scope: Scope, receive: Receive, answering: ResponseWriter, sent: Sent) -> None:
        asker = asker_by_header(answering.asked.authorization, self.settings)
        answering.is_private = asker.has_token
        method, path = scope["method"], scope["path"]
        if method == "OPTIONS":
            await answering.send({"type": "http.response.start", "status": 204, "headers": _ON_OPTIONS})
            await answering.send({"type": "http.response.body"})
            return
        if method not in ("GET", "HEAD"):
            raise method_not_allowed(ALLOWED_METHODS)
        if len(path) > MOST_CHARACTERS_OF_A_PATH or _CONTROL_CHARACTERS.search(path):
            raise not_found()
        asked = CacheKey(path, scope["query_string"], asker, answering.asked.encoding)
        try:
            state = await self.freshness.state()
        except NoCatalogue:
            if not self._needs_no_catalogue(path):
                raise
            state = None
        if state:
            self.outage.worked()
        if state and (remembered := self.memory.recall(state, asked)):
            self.memory.keep_ready(asked, sent, answering.messages(remembered))
            await answering.deliver(remembered)
            return
        # The routes know GET alone; on the way out a HEAD's body is dropped.
        request_state = {**scope.get("state", {}), "asker": asker}
        await self.app({**scope, "method": "GET", "state": request_state}, receive, answering.send)
        if read := request_state.get("catalogue"):
            self.freshness.seen(read)
            if answering.whole and not request_state.get("depends_on_clock"):
                self._remember(read, asked, answering.whole)

    def _needs_no_catalogue(self, path: str) -> bool:
        path = path.removeprefix(self.settings.public_path)
        return path in WITHOUT_CATALOGUE or path.startswith("/docs/")

    def _remember(self, read: State, asked: CacheKey, answer: CompleteResponse) -> None:
        """Under the state that the answer's own transaction read, if that is the catalogue's still."""
        if answer.status == HTTPStatus.OK and read == self.freshness.known:
            self.memory.keep(read, asked, answer)
