"""PgBouncer in transaction mode in front of the service and all commands: restarted, full, refusing.

And machines that vanish: an importer that holds the lock, a server that is read from. These need root.
"""

import argparse
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url, text

from app.database.engines import exclusive, import_under_way, writing_engine
from app.database.snapshots import Reader
from app.errors import QueryTimedOut
from tests.proofs.catalogues import REPOSITORY, Catalogue, new_catalogue
from tests.proofs.editions import write_edition
from tests.proofs.kill import NOT_DONE
from tests.proofs.outcome import Outcome, conclude
from tests.proofs.readers import PATHS, Answers, read_during_imports, served
from tests.proofs.run import service
from tests.support.databases import IN_A_HURRY, start_server
from tests.support.patience import usual_patience
from tests.support.poolers import Pooler, pooled

__all__ = ["Pooler", "pooled"]

READERS: Final = 3
# Imports of this size take about half a second in the database.
MOST_SECONDS_OF_AN_IMPORT: Final = 0.8
# A service that says 503 for longer than this after a restart has not come back.
BACK_SECONDS: Final = 3
# The server's end is told 30 s, and three times 10 s; the machine may be busy.
MOST_SECONDS_OF_A_LOCK: Final = 90
MOST_SECONDS_OF_A_QUESTION: Final = 20
# The network of a machine that vanishes. Nobody else has these addresses.
HERE, THERE = "10.231.7.1", "10.231.7.2"


def restart_pooler(restarts: int, articles: int = 150) -> Outcome:
    """A pooler that is restarted beside readers and imports: 503 for who is in it, and nothing half."""
    outcome = Outcome("restarts of the pooler")
    with (
        tempfile.TemporaryDirectory() as folder,
        new_catalogue("postgresql") as behind,
        pooled(behind.url) as pooler,
    ):
        trees = [write_edition(Path(folder, edition), edition, articles) for edition in "AB"]
        catalogue = Catalogue(pooler.url)
        catalogue.import_(trees[0])
        ended = threading.Event()
        with served(catalogue, CLIPPINGS_REMEMBERED_BYTES="0") as (port, _):
            threads = [threading.Thread(target=_ask, args=(outcome, port, ended)) for _ in range(READERS)]
            for thread in threads:
                thread.start()
            try:
                for number in range(restarts):
                    process = catalogue.command(trees[(number + 1) % 2])
                    _wait_for_writer(behind, process)
                    # The moments go from the first in the database to beyond the last.
                    time.sleep(MOST_SECONDS_OF_AN_IMPORT * (number % 10) / 10)
                    pooler.stop()
                    time.sleep(0.05)
                    pooler.start()
                    outcome.numbers["restarts"] += 1
                    _judge_import(outcome, process)
                    _wait_until_all_is_answered(outcome, port)
            finally:
                ended.set()
                for thread in threads:
                    thread.join()
        outcome.faults += behind.faults()
    return outcome


def _ask(outcome: Outcome, port: int, ended: threading.Event) -> None:
    with closing(Answers(port)) as answers:
        last = 0
        while not ended.is_set():
            for path in PATHS:
                try:
                    status, revision, _ = answers.get(path)
                except (OSError, http.client.HTTPException) as error:
                    # A download that had begun is cut off.
                    outcome.numbers["downloads cut off"] += 1
                    if "exports" not in path:
                        outcome.faults.append(f"{path}: {error!r}")
                    answers.close()
                    continue
                outcome.numbers[f"answers {status}"] += 1
                if status not in (200, 503):
                    outcome.faults.append(f"{path}: status {status}")
                elif status == 200:
                    if revision < last:
                        outcome.faults.append(f"{path}: revision {revision} after {last}")
                    last = revision


def _wait_for_writer(behind: Catalogue, process: subprocess.Popen[str]) -> None:
    engine = writing_engine(behind.url)
    # Within a transaction PostgreSQL would always show the sessions of its beginning.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not import_under_way(connection) and process.poll() is None:
            time.sleep(0.005)
    engine.dispose()


def _judge_import(outcome: Outcome, process: subprocess.Popen[str]) -> None:
    _, said = process.communicate(timeout=120)
    outcome.numbers[f"imports with status {process.returncode}"] += 1
    is_a_line = len(said.splitlines()) == 1 and "The database cannot be written: " in said
    if process.returncode != 0 and not (process.returncode == NOT_DONE and is_a_line):
        outcome.faults.append(f"an import ended with {process.returncode}: {said[-300:]!r}")


def _wait_until_all_is_answered(outcome: Outcome, port: int) -> None:
    deadline = time.monotonic() + BACK_SECONDS
    with closing(Answers(port)) as answers:
        while [path for path in PATHS if answers.get(path)[0] != 200]:
            if time.monotonic() > deadline:
                outcome.faults.append(f"not all is answered {BACK_SECONDS} s after a restart")
                return


# The settings of the pooler, those of the URL, and what each command has to say in its one line.
REFUSALS: Final[tuple[tuple[dict[str, int], dict[str, str], str], ...]] = (
    ({}, {"options": "-c search_path=clip"}, "unsupported startup parameter: options"),
    ({"max_client_conn": 1}, {}, "no more connections allowed (max_client_conn)"),
    ({"default_pool_size": 1, "query_wait_timeout": 1}, {}, "query_wait_timeout"),
)


def be_refused() -> Outcome:
    """What a pooler refuses is one line of each command, and 503 of the service."""
    outcome = Outcome("refusals of the pooler")
    with tempfile.TemporaryDirectory() as folder, new_catalogue("postgresql") as behind:
        tree = write_edition(Path(folder, "A"), "A", 20)
        behind.import_(tree)
        for settings, query, words in REFUSALS:
            with pooled(behind.url, **settings) as pooler, _taken(pooler, taken=bool(settings)):
                url = make_url(pooler.url).update_query_dict(query).render_as_string(hide_password=False)
                for arguments in (["import", str(tree)], ["export"], ["stats"], ["sources"], ["migrate"]):
                    done = _command(url, *arguments)
                    outcome.numbers["commands"] += 1
                    is_a_line = len(done.stderr.splitlines()) == 1 and words in done.stderr
                    if done.returncode != NOT_DONE or not is_a_line:
                        outcome.faults.append(f"{arguments[0]}: {done.returncode}, {done.stderr[-300:]!r}")
                with service(url) as ((_, port), _, lines_of_log), closing(Answers(port)) as answers:
                    status, _, _ = answers.get("/articles")
                    said = lines_of_log()
                outcome.numbers["answers"] += 1
                lines = [line for line in said if words in line]
                if status != 503 or not lines or "Traceback" in "".join(said):
                    outcome.faults.append(f"{words}: the service answers {status}, and logs {said}")
    return outcome


@contextmanager
def _taken(pooler: Pooler, *, taken: bool) -> Iterator[None]:
    """Somebody else has the only connection."""
    engine = writing_engine(pooler.url)
    if taken:
        with engine.begin() as connection:
            connection.execute(text("SELECT 1"))
            yield
    else:
        yield
    engine.dispose()


def _command(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "app", *arguments],
        cwd=REPOSITORY,
        env=os.environ | {"CLIPPINGS_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_out_of_time() -> Outcome:
    """A question that takes too long is ended behind a pooler too, and the connection goes on."""
    outcome = Outcome("questions that take too long")
    with usual_patience(), new_catalogue("pgbouncer") as catalogue, Reader(catalogue.url) as reader:
        for _ in range(2):
            began = time.monotonic()
            try:
                with reader.snapshot() as connection:
                    connection.execute(text("SELECT pg_sleep(30)"))
                outcome.faults.append("nothing ended it")
            except QueryTimedOut:
                outcome.numbers["ended"] += 1
            outcome.numbers["ms at most"] = max(
                outcome.numbers["ms at most"], round(1000 * (time.monotonic() - began))
            )
            with reader.snapshot() as connection:
                connection.execute(text("SELECT 1"))
    return outcome


def vanish() -> Outcome:
    """A machine vanishes that holds the import's lock; a service's server vanishes while it is asked."""
    outcome = Outcome("machines that vanish")
    if os.geteuid() != 0 or not shutil.which("ip"):
        outcome.name += ", for which root and iproute2 are needed, so that nothing was tried"
        return outcome
    with _other_machine() as on_it:
        server = start_server((*IN_A_HURRY, "-c", f"listen_addresses={HERE}"))
        with (server.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {THERE}/32 trust\n")
        beside = server.url.render_as_string()
        with writing_engine(beside).connect() as connection:
            connection.execute(text("SELECT pg_reload_conf()"))
        url = URL.create("postgresql", "postgres", host=HERE, database="postgres").render_as_string()
        outcome.numbers["s until the lock is free"] = _seconds_of_a_lock(on_it, url, beside)
        outcome.numbers["s until a reader notices"] = _seconds_of_a_question(on_it, url)
        server.stop()
    if outcome.numbers["s until the lock is free"] > MOST_SECONDS_OF_A_LOCK:
        outcome.faults.append("a vanished importer holds the lock")
    if outcome.numbers["s until a reader notices"] == 0:
        outcome.faults.append("a reader was told that its server vanished, so that nothing was tried")
    if outcome.numbers["s until a reader notices"] > MOST_SECONDS_OF_A_QUESTION:
        outcome.faults.append("a reader waits for a server that vanished")
    return outcome


# Both programs run on the other machine, and say when they are at their work.
_IMPORTER: Final = """
import sys, time
from app.database.engines import exclusive, writing_engine
with exclusive(writing_engine(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(3600)
"""
_READER: Final = """
import sys, time
from app.database.snapshots import Reader
from app.errors import DatabaseUnavailable
reader = Reader(sys.argv[1])
with reader.snapshot(), reader.snapshot(), reader.snapshot():
    print("ready", flush=True)
sys.stdin.readline()
began = time.monotonic()
try:
    with reader.snapshot() as connection:
        connection.exec_driver_sql("SELECT 1")
except DatabaseUnavailable:
    print(time.monotonic() - began)
"""


def _seconds_of_a_lock(on_it: list[str], url: str, beside: str) -> int:
    with _running(on_it, _IMPORTER, url):
        began = time.monotonic()
        _cut(on_it)
        with exclusive(writing_engine(beside, wait_seconds=2 * MOST_SECONDS_OF_A_LOCK)):
            seconds = time.monotonic() - began
        _ip(*_link(on_it), "up")
    return round(seconds)


def _seconds_of_a_question(on_it: list[str], url: str) -> int:
    """Nobody answers to the server's address. A reader whose own cable was pulled would know it at once."""
    with _running(on_it, _READER, url) as reader:
        _ip("addr", "flush", "dev", "clippings0")
        said, _ = reader.communicate("go\n", timeout=4 * MOST_SECONDS_OF_A_QUESTION)
    return round(float(said or 999))


@contextmanager
def _running(on_it: list[str], program: str, url: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603
        [*on_it, sys.executable, "-c", program, url],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _other_machine() -> Iterator[list[str]]:
    """A network of its own with a cable to this one. Yields what runs a command there."""
    name = f"clippings-{os.getpid()}"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", "clippings0", "type", "veth", "peer", "name", "clippings1", "netns", name)
        _ip("addr", "add", f"{HERE}/30", "dev", "clippings0")
        _ip("link", "set", "clippings0", "up")
        _ip("-n", name, "addr", "add", f"{THERE}/30", "dev", "clippings1")
        _ip("-n", name, "link", "set", "clippings1", "up")
        yield ["ip", "netns", "exec", name]
    finally:
        # The cable goes with it.
        _ip("netns", "delete", name)


def _cut(on_it: list[str]) -> None:
    """Neither end is told: packets are lost, as with a machine that lost its power."""
    _ip(*_link(on_it), "down")


def _link(on_it: list[str]) -> tuple[str, ...]:
    return "-n", on_it[-1], "link", "set", "clippings1"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)  # noqa: S603, S607


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--imports", type=int, default=10)
    parser.add_argument("--responses", type=int, default=1_000)
    parser.add_argument("--restarts", type=int, default=20)
    given = parser.parse_args()
    conclude(
        read_during_imports("pgbouncer", given.imports, given.responses),
        restart_pooler(given.restarts),
        be_refused(),
        run_out_of_time(),
        vanish(),
    )


if __name__ == "__main__":
    main()
