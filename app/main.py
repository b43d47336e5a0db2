"""The service put together. Nothing is built when this module is imported."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.catalog.state import KNOWN_SECONDS, StateReader, read_state
from app.database.snapshots import Reader
from app.errors import SchemaOutdated
from app.migrate import is_head
from app.settings import Settings
from app.web import articles, changes, counts, docs, exports, feeds, health, links, taxonomy
from app.web.http.cache import RevisionClock
from app.web.http.routes import Paths, QueryRoute, new_threads
from app.web.http.shell import Shell

DESCRIPTION = """\
Curated article metadata, read-only. Lists come in pages with `total`, `next` and `prev`, and one set of
parameters selects articles everywhere. Every answer names the catalogue's revision, has a strong `ETag` and
comes compressed as `Accept-Encoding` says. Errors are problem details (RFC 9457)."""

TAGS = [
    {"name": "articles", "description": "Lists of articles, single ones, and what they link to."},
    {"name": "counts", "description": "How many articles there are of each kind and time."},
    {"name": "links", "description": "Where a URL occurs."},
    {"name": "feeds", "description": "The newest of a query, for feed readers."},
    {"name": "exports", "description": "The whole result of a query as a file."},
    {"name": "changes", "description": "For those who keep a copy."},
    {"name": "topics", "description": "What articles are filed under."},
    {"name": "providers", "description": "Who published them."},
    {"name": "service", "description": "For those who run the service."},
]

ROUTERS: tuple[APIRouter, ...] = (
    articles.router,
    counts.router,
    links.router,
    feeds.router,
    exports.router,
    changes.router,
    taxonomy.router,
    health.router,
    docs.router,
)


def create_app(settings: Settings) -> FastAPI:
    app = Service(
        settings,
        title="Clippings",
        version=version("clippings"),
        description=DESCRIPTION,
        servers=[{"url": settings.public_path or "/"}],
        openapi_tags=TAGS,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        generate_unique_id_function=_name_of,
        lifespan=_lifespan,
    )
    app.state.threads = new_threads()
    app.state.reader = Reader(settings.database_url)
    app.state.is_local = app.state.reader.dialect == "sqlite"
    app.state.state_reader = StateReader(app.state.reader.engine)
    app.state.exports = exports.Places()
    app.state.ready = partial(_answer_a_question, app.state.reader)
    for router in ROUTERS:
        app.include_router(router)
    return app


class Service(FastAPI):
    """FastAPI's declarations and OpenAPI document; our shell and our way to a route instead of its own.

    Its middleware answers errors without our headers, and its router redirects to what the Host header says.
    """

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self.state.settings = settings
        # Its own kind of route would need the middleware, and answer errors in another form.
        self.router.route_class = QueryRoute

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # As the framework does, less what it looks up for each request to find that it has nothing to do.
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        scope["app"] = self
        await self.middleware_stack(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        settings: Settings = self.state.settings
        freshness = RevisionClock(
            self.state.state_reader.read,
            KNOWN_SECONDS[self.state.reader.dialect],
            is_local=self.state.is_local,
        )
        return Shell(Paths(self.router, settings.public_path), settings, freshness)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.threads.shutdown()
    app.state.exports.shutdown()
    app.state.state_reader.close()
    app.state.reader.close()


def _name_of(route: APIRoute) -> str:
    """Programs made from the OpenAPI document call it `get_article`, not `get_article_articles__id__get`."""
    return route.name


def _answer_a_question(reader: Reader) -> None:
    with reader.snapshot() as connection:
        if not is_head(connection):
            raise SchemaOutdated("The schema of the database is another version's.")
        read_state(connection)
