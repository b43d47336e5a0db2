"""The processes of a cluster beside PostgreSQL: PgBouncer, services, nginx and Varnish, as deploy/ has them.

Each may be killed and started again, and listens where it did.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import httpx2
import psycopg

from tests.proofs.catalogues import REPOSITORY
from tests.proofs.proxies import configured
from tests.proofs.replication import DATABASE, HOST, Server, free_port
from tests.proofs.witnesses import TOKEN, Address

START_SECONDS: Final = 60
SYSTEM: Final = "/usr/sbin:/usr/bin:/usr/local/sbin"

OPERATORS_ROUTES: Final = ("/health/live", "/health/ready", "/metrics")


class Machine(Protocol):
    def start(self) -> None: ...
    def kill(self) -> None: ...


@dataclass(slots=True)
class Process:
    """A program in the foreground. It is there when `is_ready` says so."""

    command: list[str]
    log: Path
    is_ready: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        user = self.user if os.geteuid() == 0 else None
        with self.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                self.command,
                cwd=REPOSITORY,
                env=self.environment or None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=user,
                extra_groups=None if user is None else [],
                # A kill is for all of its processes.
                start_new_session=True,
            )
        self._process = process
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.command[0]} did not start:\n{self.log.read_text()[-2_000:]}")
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)

    def kill(self) -> None:
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None


@dataclass(slots=True)
class Listener:
    """A process that listens, on one port for as long as it is started again."""

    folder: Path
    port: int = field(default_factory=free_port, kw_only=True)
    _process: Process | None = field(default=None, init=False)

    @property
    def address(self) -> Address:
        return HOST, self.port

    def kill(self) -> None:
        if self._process:
            self._process.kill()


@dataclass(slots=True)
class PgBouncer(Listener):
    """The pooler stands in front of one server at a time."""

    server: Server

    def start(self) -> None:
        self.folder.mkdir(mode=0o755, exist_ok=True)
        users = self.folder / "userlist.txt"
        users.write_text(f'"postgres" "{self.server.installation.password}"\n')
        users.chmod(0o644)
        self._configure()
        program = shutil.which("pgbouncer", path=SYSTEM) or "pgbouncer"
        log = self.folder / "log"
        self._process = Process(
            [program, str(self.folder / "pgbouncer.ini")], log, self._is_ready, user="nobody"
        )
        self._process.start()

    def _configure(self) -> None:
        configured(
            self.folder,
            "pgbouncer/pgbouncer.ini",
            ("host=database port=5432", f"host={HOST} port={self.server.port}"),
            ("listen_addr = *", f"listen_addr = {HOST}"),
            ("listen_port = 6432", f"listen_port = {self.port}"),
            ("auth_file = /tmp/userlist.txt", f"auth_file = {self.folder}/userlist.txt"),
        )

    def turn_to(self, server: Server) -> None:
        """Operators do the same: another host in the file, and SIGHUP."""
        self.server = server
        self._configure()
        if self._process:
            self._process.signal(signal.SIGHUP)

    @property
    def url(self) -> str:
        return f"postgresql://postgres:{self.server.installation.password}@{HOST}:{self.port}/{DATABASE}"

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2, prepare_threshold=None).close()
        except psycopg.OperationalError:
            return False
        return True


@dataclass(slots=True)
class Service(Listener):
    """The command `serve`."""

    database_url: str
    read_url: str | None
    settings: dict[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()

    def requests(self) -> int:
        """How many it has answered, but for those of its operators."""
        text = httpx2.get(f"http://{HOST}:{self.port}/metrics", timeout=10).text
        lines = re.findall(r'_duration_seconds_count\{.*http_route="([^"]+)".*\} ([0-9.e+]+)', text)
        return sum(
            round(float(count)) for route, count in lines if not route.startswith(("/health", "/metrics"))
        )

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        environment = without_settings() | {"CLIPPINGS_EDITOR_TOKEN": TOKEN, "CLIPPINGS_LOG": "off"}
        environment["CLIPPINGS_DATABASE_URL"] = self.database_url
        if self.read_url:
            environment["CLIPPINGS_READ_DATABASE_URL"] = self.read_url
        self._process = Process(
            [sys.executable, "-m", "app", "serve", "--port", str(self.port), *self.options],
            self.folder / "log",
            lambda: is_answered(self.address, "/health/ready"),
            environment | self.settings,
        )
        self._process.start()

    def stop(self) -> None:
        if self._process:
            self._process.stop()


@dataclass(slots=True)
class Nginx(Listener):
    """nginx in front of services, which it asks one after the other, and a cache where they allow it."""

    services: Sequence[Service]

    def start(self) -> None:
        self.folder.mkdir(mode=0o755, exist_ok=True)
        backends = " ".join(f"server {HOST}:{service.port};" for service in self.services)
        file = configured(
            self.folder,
            "nginx.conf",
            ("server 127.0.0.1:8000;", backends),
            ("listen 8080", f"listen {self.port}"),
            ("/var/cache/nginx-clippings", f"{self.folder}/cache"),
        )
        program = shutil.which("nginx", path=SYSTEM) or "nginx"
        options = f"daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log;"
        command = [program, "-c", str(file), "-p", str(self.folder), "-g", options]
        self._process = Process(
            command, self.folder / "log", lambda: is_answered(self.address, f"{PREFIX}/health/ready")
        )
        self._process.start()


@dataclass(slots=True)
class Varnish(Listener):
    """Varnish in front of services, which an import may purge."""

    services: Sequence[Service]

    def start(self) -> None:
        self.folder.mkdir(mode=0o755, exist_ok=True)
        one, other = self.services
        file = configured(
            self.folder,
            "varnish-compose.vcl",
            ('.host = "service-1";\n    .port = "8000"', f'.host = "{HOST}";\n    .port = "{one.port}"'),
            ('.host = "service-2";\n    .port = "8000"', f'.host = "{HOST}";\n    .port = "{other.port}"'),
        )
        program = shutil.which("varnishd", path=SYSTEM) or "varnishd"
        command = [program, "-F", "-a", f"{HOST}:{self.port}", "-f", str(file), "-s", "malloc,64m"]
        command += ["-n", str(self.folder / "varnish"), "-j", "none"]
        self._process = Process(
            command, self.folder / "log", lambda: is_answered(self.address, f"{PREFIX}/health/ready")
        )
        self._process.start()


# Below it clients reach the services through a proxy.
PREFIX: Final = "/news"


def without_settings() -> dict[str, str]:
    """The environment of this process, less what somebody has set for a service of their own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLIPPINGS_")}
    environment.pop("DATABASE_URL", None)
    return environment


def is_answered(address: Address, path: str) -> bool:
    try:
        return httpx2.get(f"http://{address[0]}:{address[1]}{path}", timeout=5).status_code == 200
    except httpx2.TransportError:
        return False
