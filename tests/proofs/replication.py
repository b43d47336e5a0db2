"""A primary and standbys of PostgreSQL, configured as deploy/ configures them. Knows no catalogue.

Each server may be killed, come back, stop to replay what the primary has written, and become the primary.
"""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg import sql

from tests.proofs.catalogues import REPOSITORY
from tests.support.databases import LOCALE, folder_and_owner, installation_for, start_process

DEPLOY: Final = REPOSITORY / "deploy"
HOST: Final = "127.0.0.1"
DATABASE: Final = "clippings"
# What server.sh adds to CLUSTER for a standby that follows it.
FOLLOWING: Final = " dbname=postgres target_session_attrs=read-write connect_timeout=3"
# A server is there after 1 s, and a copy of a small catalogue after 2 s.
START_SECONDS: Final = 60
# The server hangs on a pipe of ours, so that it ends with this process however that ends.
_KEEPER: Final = '"$@" & server=$!; cat; kill -QUIT "$server"; wait "$server"'
# Files of this many servers need not reach the disk: a server is killed here, and the machine is not.
_OPTIONS: Final = ("-c", "fsync=off", "-c", "max_connections=200", "-c", f"listen_addresses={HOST}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Installation:
    """What all servers of a cluster share: programs, configuration, the password, who runs them."""

    folder: Path
    owner: tuple[int | None, int | None]
    programs: Path
    options: tuple[str, ...]
    password: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def new(cls, options: tuple[str, ...] = ()) -> Self:
        folder, owner = folder_and_owner()
        for name in ("postgresql.conf", "pg_hba.conf", "server.sh"):
            text = (DEPLOY / "postgresql" / name).read_text()
            text = text.replace("/etc/postgresql/pg_hba.conf", str(folder / "pg_hba.conf"))
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        return cls(folder, owner, installation_for(folder, owner[0]) / "bin", options)

    def run(self, *command: str, **environment: str) -> None:
        with (self.folder / "log").open("ab") as log:
            process = start_process(list(command), self.folder, self.owner, log)
            process.communicate()
        if process.returncode:
            raise RuntimeError(f"{command}:\n{(self.folder / 'log').read_text()[-2_000:]}")


@dataclass(slots=True)
class Server:
    """`data` is there after the first start of a primary or standby."""

    installation: Installation
    name: str
    port: int
    cluster: str = ""
    _keeper: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.installation.folder / self.name

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def make_primary(self) -> None:
        installation = self.installation
        secret = installation.folder / "password"
        secret.write_text(installation.password)
        secret.chmod(0o644)
        initdb = [str(installation.programs / "initdb"), "-D", str(self.data), "-U", "postgres", *LOCALE]
        installation.run(*initdb, "--no-sync", "--auth=scram-sha-256", f"--pwfile={secret}")

    def start(self, *, is_ready: bool = True) -> None:
        """The server starts as what it was when it ended, primary or standby; a new one is made a standby."""
        folder = self.installation.folder
        postgres = str(self.installation.programs / "postgres")
        options = ["-k", str(folder), "-p", str(self.port), *_OPTIONS, *self.installation.options]
        environment = [
            f"PGDATA={self.data}",
            f"CLUSTER={self.cluster}",
            f"CONFIG={folder}/postgresql.conf",
            f"PATH={self.installation.programs}:/usr/bin:/bin",
        ]
        command = ["env", *environment, "sh", str(folder / "server.sh"), postgres, *options]
        with (folder / f"{self.name}.log").open("ab") as log:
            self._keeper = start_process(
                ["sh", "-c", _KEEPER, "sh", *command], folder, self.installation.owner, log
            )
        if is_ready:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    log = (self.installation.folder / f"{self.name}.log").read_text()
                    raise RuntimeError(f"{self.name} did not start:\n{log[-2_000:]}") from None
                time.sleep(0.05)
            else:
                return

    @property
    def process(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    def processor_seconds(self) -> float:
        """The seconds of all its processes, also of those that have ended."""
        ticks = 0
        for process in (self.process, *_descendants(self.process)):
            with suppress(OSError):
                numbers = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                # Those of its own, and of children that it has waited for.
                ticks += sum(int(number) for number in numbers[11:15])
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """All its processes at once, as when its machine loses power."""
        process = self.process
        for child in [process, *_descendants(process)]:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.stop()
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        if self._keeper:
            self._keeper.communicate()
            self._keeper = None

    def execute(self, statement: LiteralString, **values: Any) -> list[tuple[Any, ...]]:
        """A superuser's statement, by a connection of its own."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def dsn(self, database: str = DATABASE) -> str:
        return f"postgresql://postgres:{self.installation.password}@{self.address}/{database}"

    def promote(self) -> None:
        self.execute("SELECT pg_promote()")

    def is_standby(self) -> bool:
        return bool(self.execute("SELECT pg_is_in_recovery()")[0][0])

    def delay_replay(self, milliseconds: int) -> None:
        """This standby has each import so much later, as one in another place has."""
        self._set("recovery_min_apply_delay", str(milliseconds))

    def await_everything(self, names: str) -> None:
        """An import is done when so many standbys answer from it."""
        self._set("synchronous_commit", "remote_apply")
        self._set("synchronous_standby_names", names)

    def follow(self, primary: str) -> None:
        """Whom a standby follows, and nobody if it is empty."""
        self._set("primary_conninfo", primary)

    def _set(self, name: str, value: str) -> None:
        statement = sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
        with psycopg.connect(self.dsn("postgres"), autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement)
            connection.execute("SELECT pg_reload_conf()")

    def pause_replay(self) -> None:
        self.execute("SELECT pg_wal_replay_pause()")

    def resume_replay(self) -> None:
        self.execute("SELECT pg_wal_replay_resume()")


@dataclass(slots=True)
class Replication:
    servers: list[Server]

    @property
    def primary(self) -> Server:
        """The one that can be written, of those that answer."""
        for server in self.servers:
            with suppress(psycopg.OperationalError):
                if not server.is_standby():
                    return server
        raise RuntimeError("no server can be written")

    @property
    def password(self) -> str:
        return self.servers[0].installation.password

    def url(self, *servers: Server, **options: str) -> str:
        """libpq's form with several hosts; all of them where none is named."""
        addresses = ",".join(server.address for server in servers or self.servers)
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://postgres:{self.password}@{addresses}/{DATABASE}" + (
            f"?{query}" if query else ""
        )

    def wait_until_equal(self, servers: list[Server] | None = None) -> None:
        """Every standby has replayed what the primary has written by now."""
        [[written]] = self.primary.execute("SELECT pg_current_wal_insert_lsn()::text")
        deadline = time.monotonic() + START_SECONDS
        for server in servers or self.servers:
            while server.is_standby():
                [[is_there]] = server.execute(
                    "SELECT pg_last_wal_replay_lsn() >= %(lsn)s::pg_lsn", lsn=written
                )
                if is_there:
                    break
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{server.name} does not follow the primary")
                time.sleep(0.02)


@contextmanager
def replicated(standbys: int, options: tuple[str, ...] = ()) -> Iterator[Replication]:
    """A primary with an empty database, and standbys of it."""
    installation = Installation.new(options)
    names = ["primary", *(f"standby{number}" for number in range(1, standbys + 1))]
    servers = [Server(installation, name, free_port()) for name in names]
    hosts, ports = HOST, str(servers[0].port)
    if standbys:
        hosts = ",".join([HOST] * len(servers))
        ports = ",".join(str(server.port) for server in servers)
    for server in servers:
        server.cluster = f"host={hosts} port={ports} user=postgres password={installation.password}"
    try:
        primary, *others = servers
        primary.make_primary()
        primary.start()
        primary.execute("CREATE DATABASE clippings ENCODING 'UTF8' TEMPLATE template0")
        for server in others:
            server.start(is_ready=False)
        for server in others:
            server.wait_until_ready()
        yield Replication(servers)
    finally:
        for server in servers:
            server.stop()
        subprocess.run(["rm", "-rf", str(installation.folder)], check=True)  # noqa: S603, S607


def _descendants(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            with suppress(OSError):
                yield from _descendants(int(child))
