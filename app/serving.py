"""Runs the service with uvicorn: readies the database, says where it listens, stops when told to."""

import gc
import os
import socket
import sys

import uvicorn
from fastapi import FastAPI
from sqlalchemy import func, make_url, select

from app.catalog.state import read_state
from app.catalog.tables import articles
from app.database.engines import exclusive, writing_engine
from app.database.snapshots import Reader, restart_clock
from app.errors import DatabaseUnavailable, NoCatalogue, SchemaOutdated
from app.interrupts import leave_signals
from app.main import create_app
from app.migrate import require_current, upgrade
from app.settings import PREFIX, Settings
from app.web.http.connections import HttpConnection

# So long a thread that reads may keep the interpreter from the event loop, several times for an answer.
_SWITCH_SECONDS = 0.0005
# Whoever is being answered when the service is told to stop gets the rest of the answer.
STOP_SECONDS = 15


def serve_until_stopped(host: str, port: int, workers: int, *, reload: bool, show_unpublished: bool) -> None:
    # Workers are new processes: what the options say reaches them as settings do.
    if show_unpublished:
        os.environ[f"{PREFIX}SHOW_UNPUBLISHED"] = "true"
    settings = Settings.read()
    port = port or _free_port(host)
    if settings.public_url is None:
        os.environ[f"{PREFIX}PUBLIC_URL"] = f"http://{_reachable(host)}:{port}"
    _ready_database(settings)
    leave_signals()
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
    app = create_app(Settings.read())
    # What stands until the end is not looked through again: it takes 30 ms, in which nobody is answered.
    gc.collect()
    gc.freeze()
    return app


def _ready_database(settings: Settings) -> None:
    """Says what there is to serve. Raises what makes serving impossible."""
    url = settings.database_url
    with Reader(url) as reader:
        try:
            contents = _contents_of(reader)
        except NoCatalogue as error:
            contents = f"no catalogue yet, so that all is answered 503. {error}"
        except SchemaOutdated:
            if not url.startswith("sqlite"):
                raise
            writing = writing_engine(url)
            with exclusive(writing) as connection:
                upgrade(connection)
            writing.dispose()
            contents = _contents_of(reader)
        except DatabaseUnavailable as error:
            if url.startswith("sqlite"):
                raise
            # It may come up after us.
            contents = f"nothing that can be read, so that all is answered 503 until it can. {error}"
    sys.stderr.write(f"clippings: {_without_secrets(url)} has {contents}\n")


def _contents_of(reader: Reader) -> str:
    with reader.snapshot() as connection:
        require_current(connection)
        revision = read_state(connection).revision
        restart_clock(connection)
        count = connection.scalars(select(func.count()).select_from(articles)).one()
    return f"{count:,} articles at revision {revision}"


def _without_secrets(url: str) -> str:
    """No password, and nothing behind the `?`, where there may be another."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return f"sqlite:///{parts.database}"
    shown = parts.set(drivername="postgresql", password=None, query={})
    return shown.render_as_string()


def _free_port(host: str) -> int:
    """For port 0. The workers and the links that they write must all have the same one."""
    addresses = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = addresses[0]
    with socket.socket(family) as probe:
        probe.bind(address)
        port: int = probe.getsockname()[1]
    return port


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
