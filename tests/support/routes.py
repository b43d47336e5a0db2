"""Throw-away routes in the real service: a list, single things with every fate, and streams."""

import atexit
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.errors import DatabaseUnavailable, QueryTimedOut
from app.main import create_app
from app.settings import Settings
from app.web.http.audience import asker_of, require_editor
from app.web.http.problems import COMMON_PROBLEMS, gone, problems
from app.web.http.routes import QueryRoute, resources_of
from tests.support.templates import new_sqlite_catalogue

TOKEN = "a-token"
LONG = json.dumps({"text": "wonderful " * 200}).encode()


class ThingQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: tuple[str, ...] = Field((), description="Again and again")
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    min_quality: Annotated[int, Field(ge=0)] | None = Field(None, alias="minQuality")
    sort: Literal["title", "-title"] = "title"
    has_image: bool | None = Field(None, alias="hasImage")


class Thing(BaseModel):
    topics: list[str]
    limit: int


router = APIRouter(route_class=QueryRoute, tags=["things"], responses=COMMON_PROBLEMS)


@router.get("/things", response_model=Thing, responses=problems(410))
def list_things(query: Annotated[ThingQuery, Query()]) -> Response:
    thing = Thing(topics=list(query.topic), limit=query.limit)
    return Response(thing.model_dump_json(), media_type="application/json")


@router.get("/things/{thing_id}", response_model=Thing, responses=problems(404))
async def get_thing(request: Request, thing_id: str) -> Response:
    """It answers on the event loop."""
    errors: dict[str, Exception] = {
        "broken": RuntimeError("SELECT secret FROM /etc/passwd"),
        "away": DatabaseUnavailable("postgresql://u:password@host"),
        "slow": QueryTimedOut("SELECT"),
        "gone": gone("The cursor is of an older revision.", "/things?limit=2"),
    }
    if thing_id in errors:
        raise errors[thing_id]
    if thing_id == "hidden":
        require_editor(asker_of(request), resources_of(request).settings)
    headers = {"ETag": '"mine"', "Catalogue-Revision": "7"} if thing_id == "tagged" else {}
    return Response(LONG, media_type="application/json", headers=headers)


@router.get("/stream.csv", response_model=None)
def stream_things() -> Response:
    return StreamingResponse((b"a;b;c\r\n" * 100 for _ in range(50)), media_type="text/csv")


@router.get("/stream-that-breaks.csv", response_model=None)
def stream_and_break() -> Response:
    def rows() -> Iterator[bytes]:
        yield b"a;b;c\r\n"
        raise RuntimeError("in the middle")

    return StreamingResponse(rows(), media_type="text/csv")


class Gate:
    """A closed gate lets /wait answer as often as it is released."""

    def __init__(self) -> None:
        self._changes = threading.Condition()
        self._is_closed = False
        self._releases = self._waiting = 0

    def wait(self) -> None:
        with self._changes:
            self._waiting += 1
            self._changes.wait_for(lambda: self._releases or not self._is_closed)
            if self._is_closed:
                self._releases -= 1
            self._waiting -= 1
            self._changes.notify_all()

    def release(self) -> None:
        with self._changes:
            self._releases += 1
            self._changes.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Nobody waits after it: a request that was given up would else take the next release."""
        with self._changes:
            self._is_closed, self._releases = True, 0
        try:
            yield
        finally:
            with self._changes:
                self._is_closed = False
                self._changes.notify_all()
                self._changes.wait_for(lambda: not self._waiting)


gate = Gate()


@router.get("/wait", response_model=None)
def wait_for_the_gate() -> Response:
    gate.wait()
    return Response(b"{}", media_type="application/json")


@router.get("/sleep", response_model=None)
def sleep() -> Response:
    time.sleep(0.5)
    return Response(b"{}", media_type="application/json")


def service(**settings: Any) -> FastAPI:
    app = create_app(Settings(database_url=_empty_catalogue(), **settings))
    app.include_router(router)
    return app


@cache
def _empty_catalogue() -> str:
    """For all tests of this process: without one nothing but documentation is answered."""
    folder = tempfile.mkdtemp(prefix="clippings-things-")
    atexit.register(shutil.rmtree, folder)
    return new_sqlite_catalogue(Path(folder))
