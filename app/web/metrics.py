"""/metrics: what Prometheus collects, of all workers and of what the public may see of the catalogue."""

import asyncio
import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version

from fastapi import APIRouter
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.databases import Databases
from app.catalog.figures import read_figures
from app.errors import ClippingsError
from app.web.http.problems import COMMON_PROBLEMS
from app.web.http.request_metrics import FOLDER_VARIABLE
from app.web.http.routes import QueryRoute, resources_of

router = APIRouter(route_class=QueryRoute, tags=["service"], responses=COMMON_PROBLEMS)

# The text format, which every collector reads.
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Metrics in Prometheus' text format", "content": {"text/plain": {}}}},
)
async def get_metrics(request: Request) -> Response:
    """Requests by route, status and duration, and what the catalogue holds, for Prometheus."""
    resources = resources_of(request)
    resources.request_metrics.write()
    # The reading threads may be busy, and that is what an operator wants to see.
    body = await asyncio.to_thread(_exposition, resources.databases)
    return Response(body, headers={"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"})


def _exposition(databases: Databases) -> bytes:
    registry = CollectorRegistry()
    if os.environ.get(FOLDER_VARIABLE):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    registry.register(_CatalogueCollector(databases))
    return generate_latest(registry)


class _CatalogueCollector(Collector):
    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def collect(self) -> Iterator[Metric]:
        build = {
            "version": version("clippings"),
            "python": platform.python_version(),
            "database": self._databases.dialect,
        }
        yield InfoMetricFamily("clippings_build", "What is running.", value=build)
        gauges: list[Metric] = []
        with suppress(ClippingsError):
            gauges = list(self._catalogue())
        yield GaugeMetricFamily(
            "clippings_catalogue_readable", "1 if the catalogue can be read, else 0.", value=bool(gauges)
        )
        yield from gauges

    def _catalogue(self) -> Iterator[Metric]:
        with self._databases.snapshot() as snapshot:
            figures = read_figures(snapshot.connection)
        yield GaugeMetricFamily("clippings_revision", "The catalogue's revision.", value=figures.revision)
        yield GaugeMetricFamily(
            "clippings_articles", "Articles that the public may see.", value=figures.articles
        )
        if figures.imported_at:
            yield GaugeMetricFamily(
                "clippings_last_import_timestamp_seconds",
                "When an import was last done, whether it changed anything or not.",
                value=datetime.fromisoformat(figures.imported_at).timestamp(),
            )
