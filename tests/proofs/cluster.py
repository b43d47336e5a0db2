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
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.proofs.catalogues import REPOSITORY, SOURCE
from tests.proofs.expectations import Tree
from tests.proofs.machines import PREFIX, Machine, Nginx, PgBouncer, Service, Varnish, without_settings
from tests.proofs.outcome import Outcome, conclude
from tests.proofs.replication import FOLLOWING, HOST, Replication, Server, replicated
from tests.proofs.throughput import measure_imports, measure_reads
from tests.proofs.witnesses import Address, Sightings, witnesses

ARTICLES: Final = 160
# An import touches so many of them.
CHANGES: Final = 12
WITNESSES: Final = 8
# Clients work so long before something breaks, while it is broken, and after it is whole again.
BEFORE_SECONDS, BROKEN_SECONDS, AFTER_SECONDS = 3.0, 8.0, 8.0
# Nobody waits longer while something that answers is left. A busy machine takes a tenth of it.
MAX_GAP_SECONDS: Final = 20
MAX_AGE: Final = 30
PHASE_SECONDS: Final = 900
# One of the standbys is as far behind as one at the other end of a busy line.
DELAY_MILLISECONDS: Final = 500
NOTICE_SECONDS: Final = 2.0
# No more imports than these are done by a primary that nobody follows.
MAX_LOST: Final = 4

# These happen to a cluster.
KILLED_STANDBY: Final = "a standby killed, and back"
PAUSED_STANDBY: Final = "a standby stops replaying"
PAUSED_STANDBYS: Final = "both standbys stop replaying"
KILLED_POOLER: Final = "PgBouncer killed, and back"
KILLED_SERVICE: Final = "a service killed, and back"
KILLED_CACHE: Final = "nginx killed, and back after 1 s"
FAILOVER: Final = "the primary killed, a standby promoted"
LOST_IMPORTS: Final = "imports that only the killed primary had"
LOSSLESS_FAILOVER: Final = "a failover with `remote_apply`"


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
    # A failover may have undone the last imports, so that the next ones make their numbers again.
    may_have_lost: bool = False

    def import_(self) -> None:
        """Raises TimeoutError where it cannot be done for a minute."""
        lost = MAX_LOST if self.may_have_lost else 0
        expected = list(range(self.revision + 1, self.revision - lost, -1))
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
        self.lost += self.revision + 1 - made
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

    The services read by standbys. One of them reaches the primary by PgBouncer; the other one and the
    importer by libpq, which looks for the server that can be written.
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
        # One reaches the primary by the pooler, the other by libpq, as the importer does.
        services = [
            Service(
                folder / f"service{number}",
                url,
                read_url,
                {"CLIPPINGS_PUBLIC_URL": f"http://127.0.0.1{PREFIX}"} | settings,
                ("--workers", str(workers)),
            )
            for number, url in enumerate((pooler.url, importer.url), start=1)
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


def concluded(
    name: str, cluster: Cluster, sightings: Sightings, imports: int, *, may_lose: bool = False
) -> Outcome:
    """`imports` had been done before."""
    outcome = Outcome(name)
    outcome.numbers.update(sightings.operations)
    outcome.numbers["imports"] = cluster.importer.done - imports
    outcome.numbers["imports refused"] = cluster.importer.refused
    outcome.numbers["imports lost"] = cluster.importer.lost
    cluster.importer.refused = cluster.importer.lost = 0
    outcome.numbers["requests"] = sightings.requests
    for status, number in sorted(sightings.statuses.items()):
        outcome.numbers[f"answered {status}"] = number
    outcome.numbers["ms, the longest time without a 200"] = round(1000 * sightings.longest)
    outcome.numbers["older answers"] = sightings.older
    outcome.numbers["mixtures"] = sightings.mixtures
    outcome.faults += sightings.faults
    for reason, number in sightings.reasons.most_common():
        sys.stderr.write(f"{name}: {number:,} times {reason}\n")
    if sightings.statuses["410"] and not may_lose:
        outcome.faults.append("copies had to begin again, and nothing was lost")
    if sightings.longest > MAX_GAP_SECONDS and not outcome.numbers["imports lost"]:
        outcome.faults.append(f"a client waited for {sightings.longest:.0f} s")
    return outcome


def work_on(
    name: str, cluster: Cluster, addresses: Sequence[Address], operations: int, more_imports: int
) -> Outcome:
    """Walks, searches and syncs with imports in between, and nothing broken."""
    imports = cluster.importer.done
    with witnessed(cluster, addresses) as sightings:
        deadline = time.monotonic() + PHASE_SECONDS
        while sightings.work_done < operations or cluster.importer.done < imports + more_imports:
            if sightings.faults:
                break
            if time.monotonic() > deadline:
                sightings.fault(f"not so much is done in {PHASE_SECONDS} s")
            time.sleep(0.1)
    return concluded(name, cluster, sightings, imports)


def print_table(outcomes: Sequence[Outcome]) -> None:
    """The commands are those of docs/running.md."""
    columns = {
        "requests": ("requests",),
        "200": ("answered 200",),
        "503": ("answered 503",),
        "410": ("answered 410",),
        "others": ("answered 502", "answered 504", "answered none"),
        "longest without a 200": ("ms, the longest time without a 200",),
        "imports": ("imports",),
        "refused": ("imports refused",),
        "lost": ("imports lost",),
        "older": ("older answers",),
        "mixtures": ("mixtures",),
    }
    rows = [["what happens", *columns], ["---"] * (len(columns) + 1)]
    for outcome in outcomes:
        numbers = [f"{sum(outcome.numbers[name] for name in names):,}" for names in columns.values()]
        rows.append([outcome.name, *numbers])
    sys.stdout.write("".join(f"| {' | '.join(row)} |\n" for row in rows))


def work_behind_caches(cluster: Cluster, operations: int) -> Iterator[Outcome]:
    """Answers may be given again: by nginx, which nobody purges, and by Varnish, which imports do."""
    for service in cluster.services:
        service.stop()
        service.settings["CLIPPINGS_MAX_AGE"] = str(MAX_AGE)
        service.start()
    for front in (cluster.nginx(), cluster.varnish()):
        name = f"behind {front.folder.name}, CLIPPINGS_MAX_AGE={MAX_AGE}"
        is_purged = isinstance(front, Varnish)
        cluster.importer.purge_url = f"http://{HOST}:{front.port}/" if is_purged else None
        asked = sum(service.requests() for service in cluster.services)
        outcome = work_on(name, cluster, [front.address], operations, more_imports=5)
        asked = sum(service.requests() for service in cluster.services) - asked
        outcome.numbers["answered by the cache"] = outcome.numbers["requests"] - asked
        if outcome.numbers["answered by the cache"] <= 0:
            outcome.faults.append("nothing came from the cache")
        yield outcome
        front.kill()
    cluster.importer.purge_url = None
    for service in cluster.services:
        service.stop()
        del service.settings["CLIPPINGS_MAX_AGE"]
        service.start()


def break_each(cluster: Cluster, front: Nginx, only: str = "") -> Iterator[Outcome]:
    """Each part once, in an order in which what is whole stays whole: the primary last."""
    first, one, other = cluster.replication.servers
    pooler, services = cluster.pooler, cluster.services
    broken = partial(_broken, cluster, front)

    def pause_both() -> None:
        one.pause_replay()
        other.pause_replay()

    def resume_both() -> None:
        one.resume_replay()
        other.resume_replay()

    def roles() -> tuple[Server, Server]:
        """The primary, and the standby that is not behind: the third server is never promoted."""
        return (one, first) if first.is_standby() else (first, one)

    def fail_over_without_loss() -> Outcome:
        for server in cluster.replication.servers:
            server.await_everything("ANY 1 (*)")
        return _fail_over(cluster, front, *roles(), is_lossless=True)

    accidents: dict[str, Callable[[], Outcome]] = {
        KILLED_STANDBY: partial(broken, KILLED_STANDBY, one.kill, one.start),
        PAUSED_STANDBY: partial(broken, PAUSED_STANDBY, one.pause_replay, one.resume_replay),
        PAUSED_STANDBYS: partial(broken, PAUSED_STANDBYS, pause_both, resume_both),
        KILLED_POOLER: partial(broken, KILLED_POOLER, pooler.kill, pooler.start),
        KILLED_SERVICE: partial(broken, KILLED_SERVICE, services[0].kill, services[0].start),
        KILLED_CACHE: partial(broken, KILLED_CACHE, lambda: _restart(front, 1.0), lambda: None),
        FAILOVER: lambda: _fail_over(cluster, front, *roles()),
        LOST_IMPORTS: lambda: _lose_imports(cluster, front, *roles(), other),
        LOSSLESS_FAILOVER: fail_over_without_loss,
    }
    for name, break_ in accidents.items():
        if only in name:
            yield break_()


def _broken(
    cluster: Cluster,
    front: Nginx,
    name: str,
    break_: Callable[[], None],
    mend: Callable[[], None],
    *,
    may_lose: bool = False,
) -> Outcome:
    imports = cluster.importer.done
    with witnessed(cluster, [front.address]) as sightings:
        time.sleep(BEFORE_SECONDS)
        break_()
        time.sleep(BROKEN_SECONDS)
        mend()
        time.sleep(AFTER_SECONDS)
    return concluded(name, cluster, sightings, imports, may_lose=may_lose)


def _restart(machine: Machine, seconds: float) -> None:
    machine.kill()
    time.sleep(seconds)
    machine.start()


def _fail_over(
    cluster: Cluster, front: Nginx, primary: Server, standby: Server, *, is_lossless: bool = False
) -> Outcome:
    """Somebody notices after 2 s, promotes, and turns PgBouncer; the old primary comes back as a standby."""

    def break_() -> None:
        cluster.importer.may_have_lost = not is_lossless
        primary.kill()
        time.sleep(NOTICE_SECONDS)
        standby.promote()
        cluster.pooler.turn_to(standby)

    name = LOSSLESS_FAILOVER if is_lossless else FAILOVER
    return _broken(cluster, front, name, break_, primary.start, may_lose=not is_lossless)


def _lose_imports(cluster: Cluster, front: Nginx, primary: Server, standby: Server, other: Server) -> Outcome:
    """Both standbys are cut off, imports are done, and the primary dies with them."""
    told: list[int] = []

    def break_() -> None:
        importer = cluster.importer
        for server in (standby, other):
            server.follow("")
        done = importer.done
        while importer.done < done + 2:
            time.sleep(0.05)
        importer.may_have_lost = True
        primary.kill()
        told.append(importer.revision)
        time.sleep(NOTICE_SECONDS)
        standby.promote()
        cluster.pooler.turn_to(standby)
        other.follow(other.cluster + FOLLOWING)

    def mend() -> None:
        primary.start()
        # Clients that say `Minimum-Revision` wait until imports have made as many revisions again.
        while cluster.importer.revision <= told[0] and not cluster.importer.faults:
            time.sleep(0.05)

    return _broken(cluster, front, LOST_IMPORTS, break_, mend, may_lose=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=5_000, help="walks, searches and syncs")
    parser.add_argument("--imports", type=int, default=30, help="at least, in between")
    parser.add_argument("--cached", type=int, default=1_000, help="of them behind each cache")
    parser.add_argument("--seconds", type=int, default=5, help="of load for each number of standbys")
    parser.add_argument("--rounds", type=int, default=5, help="of load")
    parser.add_argument("--faults", default="", help="only those whose name has this; - for none")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    outcomes = []
    for outcome in _outcomes(given):
        # The whole takes half an hour.
        sys.stderr.write(f"{outcome.name}: {len(outcome.faults)} faults\n")
        outcomes.append(outcome)
    print_table([outcome for outcome in outcomes if outcome.numbers["requests"]])
    conclude(*outcomes)


def _outcomes(given: argparse.Namespace) -> Iterator[Outcome]:
    with cluster_of(2, seed=given.seed) as cluster:
        cluster.replication.servers[2].delay_replay(DELAY_MILLISECONDS)
        addresses = [service.address for service in cluster.services]
        name = "two services, two standbys"
        yield work_on(name, cluster, addresses, given.operations, given.imports)
        if given.cached:
            yield from work_behind_caches(cluster, given.cached)
        yield from break_each(cluster, cluster.nginx(), given.faults)
    if given.rounds:
        yield measure_reads(given.seconds, given.rounds)
        yield measure_imports(given.rounds)


if __name__ == "__main__":
    main()
