"""Puts the service together. Importing this module builds nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from app.catalog.state import KNOWN_SECONDS
from app.settings import Settings
from app.web import (
    articles,
    changes,
    counts,
    docs,
    exports,
    feeds,
    health,
    links,
    metrics,
    stories,
    suggest,
    taxonomy,
)
from app.web.http.cache import RevisionClock
from app.web.http.resources import Resources
from app.web.http.routes import PathRouter, QueryRoute
from app.web.http.shell import Shell
from app.web.people import article_list, article_page, discovery, signing, story_pages, term_pages
from app.web.people.problem_page import problem_page

DESCRIPTION = """\
Curated article metadata, read-only. Lists come in pages with `total`, `next` and `prev`, and one set of
parameters selects articles everywhere. Every answer names the catalogue's revision, has a strong `ETag` and
comes compressed as `Accept-Encoding` says. Errors are problem details (RFC 9457)."""

TAGS = [
    {"name": "articles", "description": "Lists of articles, single ones, and what they link to."},
    {"name": "counts", "description": "How many articles there are of each kind and time."},
    {"name": "stories", "description": "What several articles and links tell of one event."},
    {"name": "links", "description": "Where a URL occurs."},
    {"name": "feeds", "description": "The first of a query, for feed readers."},
    {"name": "exports", "description": "The whole result of a query as a file."},
    {"name": "changes", "description": "For those who keep a copy."},
    {"name": "topics", "description": "What articles are filed under."},
    {"name": "providers", "description": "Who published them."},
    {"name": "service", "description": "For those who run the service."},
]

ROUTERS: tuple[APIRouter, ...] = (
    articles.router,
    counts.router,
    suggest.router,
    links.router,
    stories.router,
    feeds.router,
    exports.router,
    changes.router,
    taxonomy.router,
    health.router,
    metrics.router,
    docs.router,
    article_list.router,
    article_page.router,
    term_pages.router,
    story_pages.router,
    signing.router,
    discovery.router,
)


def create_app(settings: Settings) -> FastAPI:
    app = Service(
        Resources.open(settings),
        title="Clippings",
        version=version("clippings"),
        description=DESCRIPTION,
        servers=[{"url": settings.public_path or "/"}],
        openapi_tags=TAGS,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        generate_unique_id_function=_operation_id,
        lifespan=_lifespan,
    )
    for router in ROUTERS:
        app.include_router(router)
    return app


class Service(FastAPI):
    """FastAPI declares the routes and makes the OpenAPI document; our Shell and PathRouter answer requests.

    FastAPI's middleware would answer errors without our headers, and its router would redirect to the host
    that the Host header names.
    """

    def __init__(self, resources: Resources, **options: Any) -> None:
        super().__init__(**options)
        self.state.resources = resources
        # FastAPI's own routes would need its middleware, and would answer errors in another form.
        self.router.route_class = QueryRoute

    def build_middleware_stack(self) -> ASGIApp:
        resources: Resources = self.state.resources
        settings = resources.settings
        clock = RevisionClock(
            resources.databases.state_reading(),
            KNOWN_SECONDS[resources.databases.dialect],
            is_local=resources.is_local,
        )
        router = PathRouter(self.router, settings.public_path)
        shell = Shell(
            router,
            settings,
            clock,
            resources.request_log,
            resources.request_metrics,
            template_of=router.template_of,
            problem_page=partial(problem_page, settings),
            form_paths=signing.FORM_PATHS,
        )
        resources.connections.on_refusal = shell.refused
        return shell


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    resources: Resources = app.state.resources
    # The server gives this state to connections too, which come before any request.
    yield {"connections": resources.connections}
    resources.close()
    resources.request_log.flush()
    resources.request_metrics.write()


def _operation_id(route: APIRoute) -> str:
    """Generated clients name their functions by it: `get_article`, not `get_article_articles__id__get`."""
    return route.name
