"""Which route a path means, found at once. Knows no resource.

FastAPI asks every route of every router in turn, which with two dozen takes longer than a query by index.
"""

from typing import Any

from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.problems import not_found
from app.web.routing import QueryRoute


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
