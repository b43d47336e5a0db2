"""/health: whether the process lives, and whether it can answer. Operators and load balancers ask it."""

import asyncio
from contextlib import suppress

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.databases import UNREADABLE, Databases
from app.catalog.state import read_state
from app.database.snapshots import Reader
from app.errors import SchemaOutdated
from app.migrate import is_head
from app.web.http.problems import COMMON_PROBLEMS, unavailable
from app.web.http.routes import QueryRoute, resources_of

router = APIRouter(route_class=QueryRoute, tags=["service"], responses=COMMON_PROBLEMS)


class Health(BaseModel):
    status: str = Field(description="Always `ok`: else the answer is a problem", examples=["ok"])


@router.get("/health/live", response_model=Health)
async def get_liveness() -> Response:
    """200 as long as the process answers at all; it asks nothing of the database."""
    return _ok()


@router.get("/health/ready", response_model=Health)
async def get_readiness(request: Request) -> Response:
    """200 when the catalogue can be read, else 503; also 503 once the service was told to stop."""
    if resources_of(request).connections.is_draining:
        raise unavailable("The service is stopping: ask another one.")
    # The reading threads may be busy with four slow queries, behind which a healthy service would look dead.
    await asyncio.to_thread(check_catalogue, resources_of(request).databases)
    return _ok()


def check_catalogue(databases: Databases) -> None:
    """Passes if any database can be read. Raises what is wrong with the last that was asked."""
    standbys, primary = databases.standbys, databases.primary
    if standbys is None:
        readers = [primary]
    else:
        # Those that were away a moment ago may take seconds to say so again.
        readers = [primary, standbys] if standbys.is_away() else [standbys, primary]
    for reader in readers[:-1]:
        with suppress(*UNREADABLE):
            _check(reader)
            return
    _check(readers[-1])


def _check(reader: Reader) -> None:
    with reader.snapshot() as connection:
        if not is_head(connection):
            raise SchemaOutdated("The schema of the database is another version's.")
        read_state(connection)


def _ok() -> Response:
    body = Health(status="ok").model_dump_json()
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
