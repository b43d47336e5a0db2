"""Runs the service with uvicorn: readies the database, says where it listens, stops when told to."""

import gc
import ipaddress
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.config import dictConfig
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import ChangeReload

from app.catalog.databases import UNREADABLE
from app.catalog.state import State, read_state
from app.catalog.terms import count_of_all
from app.database.engines import exclusive, import_under_way, writing_engine
from app.database.snapshots import Reader
from app.database_urls import without_secrets
from app.errors import DatabaseUnavailable, NoCatalogue, QueryTimedOut, SchemaOutdated, ServingFailed
from app.interrupts import leave_signals
from app.logs import logging_configuration
from app.main import create_app
from app.migrate import require_current, upgrade
from app.printable import counted
from app.settings import PREFIX, Settings
from app.shutdown import Supervisor, with_draining
from app.web.http.connections import HttpConnection
from app.web.http.request_metrics import FOLDER_VARIABLE

log = logging.getLogger(__name__)

# A thread that reads may keep the interpreter so long from the event loop, several times for an answer.
_SWITCH_SECONDS = 0.0005
# A client that is being answered when the service is told to stop gets the rest of the answer.
STOP_SECONDS = 15
# 16 characters of a generator take longer to guess than anybody has.
MIN_TOKEN_CHARACTERS = 16
# The queue holds clients that connect at one moment; the system's own limit (4,096 on Linux) cuts it.
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
    contents = ready_database(settings)
    standbys = check_standbys(settings.read_database_url, contents) if settings.read_database_url else None
    sockets = _listening_sockets(host, port)
    port = sockets[0].getsockname()[1]
    if settings.public_url is None:
        os.environ[f"{PREFIX}PUBLIC_URL"] = f"http://{_reachable(host)}:{port}"
    leave_signals()
    configuration = logging_configuration(settings.log)
    dictConfig(configuration)
    log.log(contents.level, "%s has %s", without_secrets(settings.database_url), contents.in_words)
    if standbys and settings.read_database_url:
        level, text = standbys
        log.log(level, "%s %s", without_secrets(settings.read_database_url), text)
    config = uvicorn.Config(
        "app.serving:app_from_environment",
        factory=True,
        workers=workers,
        reload=reload,
        http=HttpConnection,
        server_header=False,
        # We write that line ourselves, several times as quickly.
        access_log=False,
        log_config=configuration,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=STOP_SECONDS,
        backlog=BACKLOG,
    )
    log.info("running on http://%s:%s", _bracketed(host) or "*", port)
    log.info("look at %s/", Settings.read().public_url)
    for warning in warnings_of(settings, host, contents.hidden):
        log.warning("%s", warning)
    if reload:
        ChangeReload(config, target=uvicorn.Server(config).run, sockets=sockets).run()
    elif workers > 1:
        with _metrics_folder():
            Supervisor(config, sockets, settings.drain_seconds).run()
    else:
        _only_sockets.extend(sockets)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=sockets)


@contextmanager
def _metrics_folder() -> Iterator[None]:
    """Where workers count together. Shared memory is there even in a container that can write nothing."""
    os.environ.pop(FOLDER_VARIABLE, None)
    folder: TemporaryDirectory[str] | None = None
    for parent in (None, "/dev/shm"):  # noqa: S108  a folder of our own is made in it
        with suppress(OSError):
            folder = TemporaryDirectory(prefix="clippings-metrics-", dir=parent)
            break
    if folder is None:
        log.warning("No folder can be made in which workers count: /metrics tells of one of them alone.")
        yield
        return
    with folder as path:
        os.environ[FOLDER_VARIABLE] = path
        yield


def app_from_environment() -> FastAPI:
    sys.setswitchinterval(_SWITCH_SECONDS)
    settings = Settings.read()
    app = create_app(settings)
    connections = app.state.resources.connections
    app.router.lifespan_context = with_draining(
        app.router.lifespan_context, connections, settings.drain_seconds, _only_sockets
    )
    # The collector does not look again through what stands until the end: it takes 30 ms for nobody's answer.
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
            # Two that begin at one moment may both bind, but only one can listen. Clients wait for its start.
            listening.listen(BACKLOG)
            listening.set_inheritable(True)
            port = listening.getsockname()[1]
    except OSError as error:
        for each in sockets:
            each.close()
        reason = error.strerror or str(error)
        raise ServingFailed(f"cannot listen on {_bracketed(host) or '*'}:{port}: {reason}") from error
    return sockets


def warnings_of(settings: Settings, host: str, hidden: int) -> Iterator[str]:
    """Settings that are allowed, and seldom meant. `hidden` articles are not published."""
    if not _is_loopback(host):
        if settings.public_url is None:
            yield (
                f"CLIPPINGS_PUBLIC_URL is not set, so feeds name {_reachable(host)}, which nobody else may "
                "reach: set it to the URL by which clients reach the service, as https://example.org/news."
            )
        elif _is_loopback(urlsplit(settings.public_url).hostname or ""):
            yield (
                f"CLIPPINGS_PUBLIC_URL is {settings.public_url}, which is this machine for everybody who "
                "asks: set it to the URL by which clients reach the service, as https://example.org/news."
            )
        if settings.show_unpublished:
            yield "Everybody who reaches this service may see what is not published."
    if hidden and settings.editor_token is None and not settings.show_unpublished:
        yield (
            f"{counted(hidden, 'article')} {'is' if hidden == 1 else 'are'} not published, and nobody can "
            f"see {'it' if hidden == 1 else 'them'} here: set CLIPPINGS_EDITOR_TOKEN for editors."
        )
    token = settings.editor_token.get_secret_value() if settings.editor_token else None
    if token and len(token) < MIN_TOKEN_CHARACTERS:
        yield (
            f"CLIPPINGS_EDITOR_TOKEN has fewer than {MIN_TOKEN_CHARACTERS} characters, and can be guessed: "
            "`openssl rand -hex 32` makes one that cannot."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class Contents(NamedTuple):
    """`hidden` of the articles are not published; without a state there is nothing to read yet."""

    in_words: str
    hidden: int = 0
    state: State | None = None
    level: int = logging.INFO


def ready_database(settings: Settings) -> Contents:
    """What there is to serve. Raises what makes serving impossible."""
    url = settings.database_url
    with Reader(url, read_only=settings.read_only) as reader:
        try:
            return _contents_of(reader)
        except NoCatalogue as error:
            in_words = f"no catalogue yet, so that all is answered 503. {error}"
            return Contents(in_words, level=logging.WARNING)
        except SchemaOutdated:
            return _contents_of_older_schema(settings, reader)
        except (DatabaseUnavailable, QueryTimedOut) as error:
            if url.startswith("sqlite"):
                raise
            # It may come up after us.
            if settings.read_database_url:
                in_words = f"nothing that can be read at the moment. {error}"
            else:
                in_words = f"nothing that can be read, so that all is answered 503 until it can. {error}"
            return Contents(in_words, level=logging.ERROR)


def _contents_of_older_schema(settings: Settings, reader: Reader) -> Contents:
    """SQLite is brought up to date here; a server is by whoever imports into it."""
    url = settings.database_url
    if url.startswith("sqlite"):
        if settings.read_only:
            # The reader's own words say what to do.
            return _contents_of(reader)
        writing = writing_engine(url)
        with exclusive(writing) as connection:
            upgrade(connection)
        writing.dispose()
    elif who := _import_under_way(reader):
        in_words = f"an older version's schema, so that all is answered 503. It is written by {who}"
        return Contents(in_words, level=logging.WARNING)
    # A migration of a server may have ended just now.
    return _contents_of(reader)


def _import_under_way(reader: Reader) -> str | None:
    with reader.snapshot() as connection:
        return import_under_way(connection)


def _contents_of(reader: Reader) -> Contents:
    with reader.snapshot() as connection:
        require_current(connection)
        state = read_state(connection)
        count = count_of_all(connection, "any")
        hidden = count_of_all(connection, "false")
    of_them = f" ({hidden:,} of them not published)" if hidden else ""
    return Contents(f"{counted(count, 'article')}{of_them} at revision {state.revision}", hidden, state)


def check_standbys(url: str, of_primary: Contents) -> tuple[int, str]:
    """A level of the log and what to say of them. Raises ServingFailed where they have another catalogue."""
    with Reader(url, spreads=True) as reader:
        try:
            with reader.snapshot() as connection:
                require_current(connection)
                state = read_state(connection)
        except UNREADABLE as error:
            return logging.WARNING, f"cannot be read, so the primary answers until it can. {error}"
    if of_primary.state and state.identity != of_primary.state.identity:
        raise ServingFailed(
            f"{without_secrets(url)} has another catalogue than CLIPPINGS_DATABASE_URL: "
            "CLIPPINGS_READ_DATABASE_URL must name standbys of that database."
        )
    return logging.INFO, f"answers questions, at revision {state.revision}"


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  compared, not bound
        return "127.0.0.1"
    return _bracketed(host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
