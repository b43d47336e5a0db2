"""A route declared as FastAPI's and answered without its overhead. Knows no resource.

FastAPI's own way from the query string to the endpoint takes several times as long as a query by index. Here
the declaration stays, and with it the OpenAPI document; the raw query string is read into the declared model.

    router = APIRouter(route_class=QueryRoute, tags=["things"], responses=COMMON_PROBLEMS)

    @router.get("/things/{thing_id}", response_model=Thing, responses=problems(404))
    def get_thing(request: Request, thing_id: str, query: Annotated[ThingQuery, Query()]) -> Response: ...

A plain function runs on one of the app's few threads. An `async def` runs on the event loop, from where
`answered` takes the work to where it belongs.
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from fastapi import APIRouter, params
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.http.problems import not_found
from app.web.http.query_string import NO_PARAMETERS, QueryReader

# Where reads run, with a connection each. One slow query holds up a quarter of the others, not all.
READING_THREADS = 4

Result = TypeVar("Result")


def new_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READING_THREADS, thread_name_prefix="reading")


async def on_a_thread(request: Request, work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(request.app.state.threads, work)


async def answered(request: Request, work: Callable[[], Result], *, at_once: bool) -> Result:
    """On the event loop what takes less time there than the way to a thread: an index range of SQLite."""
    if at_once and request.app.state.is_local:
        return work()
    return await on_a_thread(request, work)


class QueryRoute(APIRoute):
    """Path parameters arrive as text. An address without a query model takes no parameters at all."""

    def directly(self) -> ASGIApp:
        """Without FastAPI's contexts for dependencies and its answers to errors: there are neither here."""
        handle = self.get_route_handler()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await handle(Request(scope, receive))
            await response(scope, receive, send)

        return app

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        if self.dependant.dependencies:
            raise TypeError(f"{self.name}: a QueryRoute would not run its dependencies")
        endpoint = self.endpoint
        is_async = inspect.iscoroutinefunction(endpoint)
        hints = get_type_hints(endpoint, include_extras=True)
        takes_request = hints.get("request") is Request
        query_name, reader = _query_of(hints)

        async def answer(request: Request) -> Response:
            arguments: dict[str, Any] = dict(request.scope["path_params"])
            if takes_request:
                arguments["request"] = request
            query = reader.read(request.scope["query_string"])
            if query_name:
                arguments[query_name] = query
                # The same question means another one tomorrow.
                if getattr(query, "depends_on_clock", False):
                    request.scope["state"]["depends_on_clock"] = True
            response: Response = (
                await endpoint(**arguments)
                if is_async
                else await on_a_thread(request, partial(endpoint, **arguments))
            )
            return response

        return answer


def _query_of(hints: dict[str, Any]) -> tuple[str | None, QueryReader]:
    for name, hint in hints.items():
        if get_origin(hint) is Annotated and any(isinstance(each, params.Query) for each in get_args(hint)):
            return name, QueryReader(get_args(hint)[0])
    return None, NO_PARAMETERS


class Paths:
    """Fixed paths go before patterns; path parameters are text.

    A proxy may strip the prefix of the public URL or leave it: both paths mean the same.
    """

    def __init__(self, router: APIRouter, prefix: str) -> None:
        routes = list(iter_route_contexts(router.routes))
        self._fixed = {route.path: _way(route) for route in routes if not route.param_convertors}
        self._patterns = [(route.path_regex, _way(route)) for route in routes if route.param_convertors]
        self._router = router
        self._prefix = prefix + "/" if prefix else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        route, path_params = self._find(scope["path"])
        scope["path_params"] = path_params
        await route(scope, receive, send)

    def _find(self, path: str) -> tuple[ASGIApp, dict[str, str]]:
        if self._prefix and path.startswith(self._prefix):
            path = path[len(self._prefix) - 1 :]
        if path in self._fixed:
            return self._fixed[path], {}
        for pattern, route in self._patterns:
            if match := pattern.match(path):
                return route, match.groupdict()
        raise not_found()


def _way(route: Any) -> ASGIApp:
    original = route.original_route
    way: ASGIApp = original.directly() if isinstance(original, QueryRoute) else route.app
    return way
