"""Runs the service with uvicorn: readies the database, says where it listens, stops when told to."""

import gc
import os
import socket
import sys
from contextlib import suppress

import uvicorn
from fastapi import FastAPI
from sqlalchemy import func, make_url, select
from uvicorn.supervisors import ChangeReload

from app.catalog.state import read_state
from app.catalog.tables import articles
from app.database.engines import exclusive, writing_engine
from app.database.snapshots import Reader, restart_clock
from app.errors import DatabaseUnavailable, NoCatalogue, SchemaOutdated, ServingFailed
from app.interrupts import leave_signals
from app.main import create_app
from app.migrate import require_current, upgrade
from app.settings import PREFIX, Settings
from app.shutdown import Supervisor, with_draining
from app.web.http.connections import HttpConnection

# So long a thread that reads may keep the interpreter from the event loop, several times for an answer.
_SWITCH_SECONDS = 0.0005
# Whoever is being answered when the service is told to stop gets the rest of the answer.
STOP_SECONDS = 15
# So many clients may connect at one moment; the system's own limit (4,096 on Linux) cuts this.
BACKLOG = 2_048

# The sockets of a process that has no workers. A worker finds none here, and leaves its own to its parent.
_only_sockets: list[socket.socket] = []


def serve_until_stopped(host: str, port: int, workers: int, *, reload: bool, **options: object) -> None:
    """`options` are settings that win over those of the environment; None leaves them as they are."""
    # Supervisor are new processes: what the options say reaches them as settings do.
    for name, value in options.items():
        if value is not None:
            os.environ[f"{PREFIX}{name.upper()}"] = str(value)
    settings = Settings.read()
    _ready_database(settings)
    sockets = _listening_sockets(host, port)
    port = sockets[0].getsockname()[1]
    if settings.public_url is None:
        os.environ[f"{PREFIX}PUBLIC_URL"] = f"http://{_reachable(host)}:{port}"
    leave_signals()
    config = uvicorn.Config(
        "app.serving:app_from_environment",
        factory=True,
        workers=workers,
        reload=reload,
        http=HttpConnection,
        server_header=False,
        # A line a request takes a tenth of the time that a list does, and a proxy in front has one anyway.
        access_log=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=STOP_SECONDS,
        backlog=BACKLOG,
    )
    sys.stderr.write(f"clippings: running on http://{_bracketed(host) or '*'}:{port} (Ctrl-C ends it)\n")
    if reload:
        ChangeReload(config, target=uvicorn.Server(config).run, sockets=sockets).run()
    elif workers > 1:
        Supervisor(config, sockets, settings.drain_seconds).run()
    else:
        _only_sockets.extend(sockets)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=sockets)


def app_from_environment() -> FastAPI:
    sys.setswitchinterval(_SWITCH_SECONDS)
    settings = Settings.read()
    app = create_app(settings)
    connections = app.state.resources.connections
    app.router.lifespan_context = with_draining(
        app.router.lifespan_context, connections, settings.drain_seconds, _only_sockets
    )
    # What stands until the end is not looked through again: it takes 30 ms, in which nobody is answered.
    gc.collect()
    gc.freeze()
    return app


def _listening_sockets(host: str, port: int) -> list[socket.socket]:
    """One for each address of the host. All have one port, also for port 0."""
    sockets: list[socket.socket] = []
    try:
        addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(addresses):
            listening = socket.socket(family)
            sockets.append(listening)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind((address[0], port, *address[2:]))
            listening.set_inheritable(True)
            port = listening.getsockname()[1]
    except OSError as error:
        for each in sockets:
            each.close()
        reason = error.strerror or str(error)
        raise ServingFailed(f"cannot listen on {_bracketed(host) or '*'}:{port}: {reason}") from error
    return sockets


def _ready_database(settings: Settings) -> None:
    """Says what there is to serve. Raises what makes serving impossible."""
    url = settings.database_url
    with Reader(url, read_only=settings.read_only) as reader:
        try:
            contents = _contents_of(reader)
        except NoCatalogue as error:
            contents = f"no catalogue yet, so that all is answered 503. {error}"
        except SchemaOutdated:
            if settings.read_only or not url.startswith("sqlite"):
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


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  compared, not bound
        return "127.0.0.1"
    return _bracketed(host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
