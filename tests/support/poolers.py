"""A real PgBouncer in front of a database, in transaction mode: no session is kept. Knows no pytest."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

# Debian puts it where only root looks.
PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
# It is there in 20 ms; a machine that needs this long is stuck.
START_SECONDS = 20


@dataclass(slots=True)
class Pooler:
    """`url` stays the same over restarts. `settings` are lines of pgbouncer.ini, read at each start."""

    url: str
    folder: Path
    port: int
    database: str
    settings: dict[str, object] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        lines = ["[databases]", self.database, "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in self.settings.items()]
        (self.folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        assert PROGRAM is not None
        # It refuses to be root.
        user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                [PROGRAM, "pgbouncer.ini"],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                user=user,
                extra_groups=None if user is None else [],
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"PgBouncer did not start:\n{self.log}") from None
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        """PgBouncer ends at once: it drops all clients, and what they had begun is rolled back."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
            self.process = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@contextmanager
def pooled(url: str, **settings: object) -> Iterator[Pooler]:
    """A pooler in front of the database of `url`, with its own `url` for clients."""
    server = make_url(url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    host = server.query.get("host", server.host or "127.0.0.1")
    parts = {"host": host, "port": server.port or 5432, "dbname": server.database, "user": server.username}
    if server.password:
        parts["password"] = server.password
    database = " ".join(f"{name}={value}" for name, value in parts.items())
    own = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": "transaction",
        "max_client_conn": 500,
        "default_pool_size": 20,
    }
    with tempfile.TemporaryDirectory(prefix="clippings-pgbouncer-") as folder:
        Path(folder).chmod(0o755)
        client_url = f"postgresql://{server.username}@127.0.0.1:{port}/{server.database}"
        pooler = Pooler(client_url, Path(folder), port, f"{server.database} = {database}", own | settings)
        pooler.start()
        try:
            yield pooler
        finally:
            pooler.stop()
