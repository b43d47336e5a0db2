"""Runs the service with uvicorn: readies the database, says where it listens, stops when told to."""

import os
import sys

import uvicorn
from fastapi import FastAPI

from app.database import exclusive, reading_engine, snapshot, writing_engine
from app.errors import DatabaseUnavailable, SchemaOutdated
from app.main import create_app
from app.schema import is_current, upgrade
from app.settings import PREFIX, Settings
from app.web.connections import HttpConnection

# So long a thread that reads may keep the interpreter from the event loop, several times for an answer.
_SWITCH_SECONDS = 0.0005
# Whoever is being answered when the service is told to stop gets the rest of the answer.
STOP_SECONDS = 15


def serve_until_stopped(host: str, port: int, workers: int, *, reload: bool, show_unpublished: bool) -> None:
    # Workers are new processes: what the options say reaches them as settings do.
    if show_unpublished:
        os.environ[f"{PREFIX}SHOW_UNPUBLISHED"] = "true"
    settings = Settings.read()
    if settings.public_url is None:
        os.environ[f"{PREFIX}PUBLIC_URL"] = f"http://{_reachable(host)}:{port}"
    _ready_database(settings)
    uvicorn.run(
        "app.serving:app_from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        reload=reload,
        http=HttpConnection,
        server_header=False,
        # A line a request takes a tenth of the time that a list does, and a proxy in front has one anyway.
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def app_from_environment() -> FastAPI:
    sys.setswitchinterval(_SWITCH_SECONDS)
    return create_app(Settings.read())


def _ready_database(settings: Settings) -> None:
    if settings.database_url.startswith("sqlite"):
        with exclusive(writing_engine(settings.database_url)) as connection:
            upgrade(connection)
        return
    try:
        with snapshot(reading_engine(settings.database_url)) as connection:
            current = is_current(connection)
    except DatabaseUnavailable as error:
        # It may come up after us; until then every answer says 503.
        sys.stderr.write(f"clippings: {error}\n")
        return
    if not current:
        raise SchemaOutdated(
            "the database's schema is not this version's: run `clippings migrate`, then serve"
        )


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
