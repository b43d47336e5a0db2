"""A cluster under witnesses: nobody is answered with something older than it was told, whatever dies.

A primary and two standbys, PgBouncer, two services, a cache in front, imports by the command. Witnesses judge
every answer, also while a part is killed or stands still, and a table says what they saw.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.proofs.catalogues import REPOSITORY, SOURCE
from tests.proofs.expectations import Tree
from tests.proofs.machines import PREFIX, Nginx, PgBouncer, Service, Varnish, without_settings
from tests.proofs.outcome import Outcome, conclude
from tests.proofs.replication import Replication, Server, replicated
from tests.proofs.witnesses import Address, Sightings, witnesses

ARTICLES: Final = 160
# An import touches so many of them.
CHANGES: Final = 12
WITNESSES: Final = 8
# Clients work so long before something breaks, while it is broken, and after it is whole again.
BEFORE_SECONDS, BROKEN_SECONDS, AFTER_SECONDS = 2.0, 5.0, 5.0
MAX_AGE: Final = 30
PHASE_SECONDS: Final = 900


@dataclass(slots=True)
class Importer:
    """Imports again and again, as a timer does: one that could not be done is tried again."""

    tree: Tree
    url: str
    purge_url: str | None = None
    revision: int = 0
    pause: float = 0.2
    done: int = 0
    refused: int = 0
    lost: int = 0
    faults: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    # A failover may have undone the last import, so that the next one makes its number again.
    may_have_lost: bool = False

    def import_(self) -> None:
        """Raises TimeoutError where it cannot be done for a minute."""
        expected = [self.revision + 1, *([self.revision] if self.may_have_lost else [])]
        for revision in expected:
            self.tree.expect(revision)
        deadline = time.monotonic() + 60
        while (made := self._imported()) is None:
            self.refused += 1
            if time.monotonic() > deadline:
                raise TimeoutError("no import can be done for a minute")
            time.sleep(0.3)
        if made not in expected:
            self.faults.append(f"an import made {made}, and not {expected[0]}")
        if made == self.revision:
            self.lost += 1
        for other in expected:
            if other != made:
                self.tree.contents_of[other].pop()
        self.may_have_lost = False
        self.revision = made
        self.done += 1

    def _imported(self) -> int | None:
        environment = without_settings() | {"CLIPPINGS_DATABASE_URL": self.url}
        if self.purge_url:
            environment["CLIPPINGS_PURGE_URL"] = self.purge_url
        ended = subprocess.run(  # noqa: S603  our own command
            [
                *(sys.executable, "-m", "app", "import", str(self.tree.root)),
                *("--source", SOURCE, "--prune", "--json"),
            ],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode == 3:
            return None
        if ended.returncode or ended.stderr:
            self.faults.append(f"an import ended with {ended.returncode}: {ended.stderr[-500:]}")
        revision: int = json.loads(ended.stdout)["revision"]
        return revision

    def work(self) -> None:
        while not self.ended.wait(self.pause):
            self.tree.change(CHANGES)
            try:
                self.import_()
            except TimeoutError as error:
                self.faults.append(str(error))
                return


@dataclass(slots=True)
class Cluster:
    folder: Path
    replication: Replication
    pooler: PgBouncer
    services: list[Service]
    importer: Importer
    stack: ExitStack

    @property
    def standbys(self) -> list[Server]:
        return [server for server in self.replication.servers if server.is_standby()]

    def nginx(self) -> Nginx:
        front = Nginx(self.folder / "nginx", self.services)
        front.start()
        self.stack.callback(front.kill)
        return front

    def varnish(self) -> Varnish:
        front = Varnish(self.folder / "varnish", self.services)
        front.start()
        self.stack.callback(front.kill)
        return front


@contextmanager
def cluster_of(
    standbys: int, *, seed: int, workers: int = 1, options: tuple[str, ...] = (), **settings: str
) -> Iterator[Cluster]:
    """Everything started, and the tree imported once.

    The services read by standbys; they reach the primary by PgBouncer, and the importer by libpq, which looks
    for the server that can be written.
    """
    with (
        tempfile.TemporaryDirectory() as name,
        replicated(standbys, options) as replication,
        ExitStack() as stack,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        tree = Tree(folder / "news", random.Random(seed))  # noqa: S311  to be repeated
        tree.begin(ARTICLES)
        importer = Importer(tree, replication.url(target_session_attrs="read-write"))
        importer.import_()
        pooler = PgBouncer(folder / "pgbouncer", replication.servers[0])
        pooler.start()
        stack.callback(pooler.kill)
        read_url = (
            replication.url(target_session_attrs="prefer-standby", load_balance_hosts="random")
            if standbys
            else None
        )
        services = [
            Service(
                folder / f"service{number}",
                pooler.url,
                read_url,
                {"CLIPPINGS_PUBLIC_URL": f"http://127.0.0.1{PREFIX}"} | settings,
                ("--workers", str(workers)),
            )
            for number in (1, 2)
        ]
        for service in services:
            service.start()
            stack.callback(service.stop)
        yield Cluster(folder, replication, pooler, services, importer, stack)


@contextmanager
def witnessed(cluster: Cluster, addresses: Sequence[Address], number: int = WITNESSES) -> Iterator[Sightings]:
    """Witnesses and imports at work; afterwards the sightings have all their faults."""
    sightings, ended = Sightings(), threading.Event()
    importer = cluster.importer
    importer.ended.clear()
    clients = witnesses(number, addresses, PREFIX, importer.tree, sightings, ended, lambda: importer.revision)
    threads = [threading.Thread(target=witness.work) for witness in clients]
    importing = threading.Thread(target=importer.work)
    for thread in (*threads, importing):
        thread.start()
    try:
        yield sightings
    finally:
        importer.ended.set()
        importing.join()
        # Everybody meets the last revision too.
        time.sleep(1)
        ended.set()
        for thread in threads:
            thread.join()
        sightings.faults += importer.faults
        importer.faults.clear()


def concluded(name: str, cluster: Cluster, sightings: Sightings, imports: int) -> Outcome:
    outcome = Outcome(name)
    outcome.numbers.update(sightings.operations)
    outcome.numbers["imports"] = cluster.importer.done - imports
    outcome.numbers["requests"] = sightings.requests
    for status, number in sorted(sightings.statuses.items()):
        outcome.numbers[f"answered {status}"] = number
    outcome.numbers["ms, the longest time without a 200"] = round(1000 * sightings.longest)
    outcome.numbers["older answers"] = sightings.older
    outcome.numbers["mixtures"] = sightings.mixtures
    outcome.faults += sightings.faults
    return outcome


def work_on(
    name: str, cluster: Cluster, addresses: Sequence[Address], operations: int, more_imports: int
) -> Outcome:
    """So many walks, searches and syncs with imports in between, and nothing broken."""
    imports = cluster.importer.done
    with witnessed(cluster, addresses) as sightings:
        deadline = time.monotonic() + PHASE_SECONDS
        while (
            (
                sum(sightings.operations[kind] for kind in ("walks", "searches", "syncs")) < operations
                or cluster.importer.done < imports + more_imports
            )
            and not sightings.faults
            and time.monotonic() < deadline
        ):
            time.sleep(0.1)
    return concluded(name, cluster, sightings, imports)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=5_000, help="walks, searches and syncs")
    parser.add_argument("--imports", type=int, default=30, help="at least, in between")
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    outcomes = []
    with cluster_of(2, seed=given.seed) as cluster:
        addresses = [service.address for service in cluster.services]
        outcomes.append(
            work_on("two services by two standbys", cluster, addresses, given.operations, given.imports)
        )
    conclude(*outcomes)


if __name__ == "__main__":
    main()
