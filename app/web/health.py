"""Whether the service lives, and whether it can answer: for those who run it."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.web.http.problems import COMMON_PROBLEMS
from app.web.http.routes import QueryRoute

router = APIRouter(route_class=QueryRoute, tags=["service"], responses=COMMON_PROBLEMS)


class Health(BaseModel):
    status: str


@router.get("/health/live", response_model=Health)
async def get_liveness() -> Response:
    """200 as long as the process answers at all; it asks nothing of the database."""
    return _healthy()


@router.get("/health/ready", response_model=Health)
async def get_readiness(request: Request) -> Response:
    """200 when the catalogue can be read, else 503."""
    # Not on the reading threads: behind four slow queries a healthy service would look dead.
    await asyncio.to_thread(request.app.state.ready)
    return _healthy()


def _healthy() -> Response:
    body = Health(status="ok").model_dump_json()
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
