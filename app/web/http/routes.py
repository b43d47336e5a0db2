"""A route declared like FastAPI's and answered without its overhead. Knows no resource.

FastAPI's own way from the query string to the endpoint takes several times as long as a query by index. Here
the declaration stays, and with it the OpenAPI document; the raw query string is read into the declared model.

    router = APIRouter(route_class=QueryRoute, tags=["things"], responses=COMMON_PROBLEMS)

    @router.get("/things/{thing_id}", response_model=Thing, responses=problems(404))
    def get_thing(request: Request, thing_id: str, query: Annotated[ThingQuery, Query()]) -> Response: ...

A plain function runs on one of the reading threads. An `async def` runs on the event loop, and calls
`run_on_thread` or `run_on_loop_if_local` for what it asks of the database.
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from fastapi import APIRouter, params
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.http.problems import not_found
from app.web.http.query_string import NO_PARAMETERS, QueryReader
from app.web.http.resources import Resources

Result = TypeVar("Result")

# No path of ours is longer; a longer one is refused before patterns are matched against it.
MAX_PATH_CHARACTERS = 2_000


def resources_of(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


async def run_on_thread(request: Request, work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(resources_of(request).reading_threads, work)


async def run_on_loop_if_local(request: Request, work: Callable[[], Result]) -> Result:
    """Runs quick work on the event loop if the database is local: an index range takes less than a switch."""
    if resources_of(request).is_local:
        return work()
    return await run_on_thread(request, work)


class QueryRoute(APIRoute):
    """Path parameters arrive as text. An address without a query model takes no parameters at all."""

    def as_asgi_app(self) -> ASGIApp:
        """The route without FastAPI's contexts for dependencies and error handlers, which we do not use."""
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
        query_name, reader = _query_parameter(hints)

        async def answer(request: Request) -> Response:
            arguments: dict[str, Any] = dict(request.scope["path_params"])
            if takes_request:
                arguments["request"] = request
            query = reader.read(request.scope["query_string"])
            if query_name:
                arguments[query_name] = query
                # `P7D` means other dates tomorrow, so the response must not be cached.
                if getattr(query, "depends_on_clock", False):
                    request.scope["state"]["depends_on_clock"] = True
            response: Response = (
                await endpoint(**arguments)
                if is_async
                else await run_on_thread(request, partial(endpoint, **arguments))
            )
            return response

        return answer


def _query_parameter(hints: dict[str, Any]) -> tuple[str | None, QueryReader]:
    for name, hint in hints.items():
        if get_origin(hint) is Annotated:
            model, *metadata = get_args(hint)
            if any(isinstance(value, params.Query) for value in metadata):
                return name, QueryReader(model)
    return None, NO_PARAMETERS


class PathRouter:
    """Looks up fixed paths before it tries patterns. Path parameters are text.

    A proxy may strip the prefix of the public URL or leave it: both paths lead to the same route.
    """

    def __init__(self, router: APIRouter, prefix: str) -> None:
        routes = list(iter_route_contexts(router.routes))
        self._fixed = {route.path: _asgi_app_of(route) for route in routes if not route.param_convertors}
        self._patterns = [
            (route.path_regex, _asgi_app_of(route), str(route.path_format))
            for route in routes
            if route.param_convertors
        ]
        self._router = router
        self._prefix = prefix + "/" if prefix else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        app, path_params = self._find(scope["path"])
        scope["path_params"] = path_params
        await app(scope, receive, send)

    def template_of(self, path: str) -> str:
        """The route's own path, "/articles/{article_id}"; empty where no route is."""
        path = self._without_prefix(path)
        if path in self._fixed:
            return path
        if len(path) > MAX_PATH_CHARACTERS:
            return ""
        for pattern, _, template in self._patterns:
            if pattern.match(path):
                return template
        return ""

    def _without_prefix(self, path: str) -> str:
        # The public URL is home with and without its final slash.
        if self._prefix and f"{path}/".startswith(self._prefix):
            return path[len(self._prefix) - 1 :] or "/"
        return path

    def _find(self, path: str) -> tuple[ASGIApp, dict[str, str]]:
        path = self._without_prefix(path)
        if path in self._fixed:
            return self._fixed[path], {}
        for pattern, app, _ in self._patterns:
            if match := pattern.match(path):
                return app, match.groupdict()
        raise not_found()


def _asgi_app_of(route: Any) -> ASGIApp:
    original = route.original_route
    app: ASGIApp = original.as_asgi_app() if isinstance(original, QueryRoute) else route.app
    return app
