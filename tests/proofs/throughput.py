"""Reads per second with standbys and a cache, and what imports pay for standbys. Ratios, no promise.

All run at the same time and are asked in turns, so that what disturbs the machine disturbs them all.
"""

import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import urlencode

from tests.proofs.catalogues import SOURCE, Catalogue
from tests.proofs.expectations import TOPICS, TYPES, WORDS, Tree
from tests.proofs.machines import PREFIX, Nginx, Service, is_answered
from tests.proofs.outcome import Outcome
from tests.proofs.replication import HOST, Server, replicated

ARTICLES: Final = 2_000
CONNECTIONS: Final = 16
_PATHS_SCRIPT: Final = """
local paths, at = {}, 0
function init(arguments) for path in io.lines(arguments[1]) do paths[#paths + 1] = path end end
function request() at = at % #paths + 1 return wrk.format("GET", paths[at]) end
"""


def measure_reads(seconds: int, rounds: int, articles: int = ARTICLES) -> Outcome:
    """Hundredths of what the services answer that read by the primary alone."""
    outcome = Outcome("reads per second, in hundredths of those without a standby")
    if not shutil.which("wrk"):
        outcome.name += ", which wrk would measure, and it is not installed"
        return outcome
    with tempfile.TemporaryDirectory() as name, replicated(2) as replication, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        tree = Tree(folder / SOURCE, random.Random(1))  # noqa: S311  to be repeated
        tree.begin(articles)
        primary, *standbys = replication.servers
        Catalogue(primary.dsn()).import_(tree.root)
        replication.wait_until_equal()
        fronts: dict[str, Nginx] = {}
        for number, (case, readers, age) in enumerate(
            (
                ("without a standby", [], 0),
                ("with 1 standby", standbys[:1], 0),
                ("with 2 standbys", standbys, 0),
                ("with 2 standbys and a cache", standbys, 300),
            )
        ):
            services = []
            for place in (1, 2):
                read_url = replication.url(*readers) if readers else None
                settings = {
                    "CLIPPINGS_MAX_AGE": str(age),
                    "CLIPPINGS_PUBLIC_URL": f"http://{HOST}{PREFIX}",
                    # Each answer is read from PostgreSQL, so that PostgreSQL is measured.
                    "CLIPPINGS_REMEMBERED_BYTES": "0",
                }
                service = Service(folder / f"service{number}{place}", primary.dsn(), read_url, settings)
                service.start()
                stack.callback(service.stop)
                services.append(service)
            front = Nginx(folder / f"nginx{number}", services)
            front.start()
            stack.callback(front.kill)
            fronts[case] = front
        paths = folder / "paths.txt"
        paths.write_text("\n".join(_paths()) + "\n")
        script = folder / "paths.lua"
        script.write_text(_PATHS_SCRIPT)
        measured: dict[str, list[float]] = {case: [] for case in fronts}
        # Processor seconds of the primary, and of standbys, for a read.
        costs: dict[str, list[tuple[float, float]]] = {case: [] for case in fronts}
        for _ in range(rounds):
            for case, front in fronts.items():
                before = _processor_seconds(replication.servers)
                measured[case].append(_per_second(front, script, paths, seconds))
                after = _processor_seconds(replication.servers)
                reads = measured[case][-1] * seconds
                spent = [(end - start) / reads for start, end in zip(before, after, strict=True)]
                costs[case].append((spent[0], sum(spent[1:])))
                if not is_answered(front.address, f"{PREFIX}/health/ready"):
                    outcome.faults.append(f"{case}: the services are gone")
        alone = median(measured["without a standby"])
        outcome.numbers["per second without a standby"] = round(alone)
        for case, numbers in measured.items():
            outcome.numbers[case] = round(100 * median(numbers) / alone)
        for case, spent_by in costs.items():
            for who, place in (("the primary", 0), ("standbys", 1)):
                microseconds = round(1e6 * median(spent[place] for spent in spent_by))
                outcome.numbers[f"µs of {who} for a read {case}"] = microseconds
    return outcome


def measure_imports(rounds: int) -> Outcome:
    """How long an import of twelve changed articles takes that waits for no standby, for one, for both."""
    outcome = Outcome("ms of an import")
    with tempfile.TemporaryDirectory() as name, replicated(2) as replication:
        tree = Tree(Path(name) / SOURCE, random.Random(1))  # noqa: S311  to be repeated
        tree.begin(ARTICLES)
        primary = replication.servers[0]
        catalogue = Catalogue(primary.dsn())
        catalogue.import_(tree.root)
        waits = {"that waits for none": "", "for any one": "ANY 1 (*)", "for both": "FIRST 2 (*)"}
        measured: dict[str, list[float]] = {case: [] for case in waits}
        for _ in range(rounds):
            for case, names in waits.items():
                primary.await_everything(names)
                tree.change(12)
                began = time.monotonic()
                catalogue.import_(tree.root)
                measured[case].append(time.monotonic() - began)
        for case, seconds in measured.items():
            outcome.numbers[case] = round(1000 * median(seconds))
    return outcome


def _processor_seconds(servers: Sequence[Server]) -> list[float]:
    """The seconds of all processes of each server, also of those that have ended."""
    return [server.processor_seconds() for server in servers]


def _paths() -> Sequence[str]:
    """Searches, which take PostgreSQL longer than lists, and no two alike."""
    return [
        f"{PREFIX}/articles?{urlencode({'q': word, 'topic': topic, 'type': kind, 'limit': 20})}"
        for word in WORDS
        for topic in TOPICS
        for kind in TYPES
    ]


def _per_second(front: Nginx, script: Path, paths: Path, seconds: int) -> float:
    url = f"http://{HOST}:{front.port}{PREFIX}/articles"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "-s", str(script), url]
    ended = subprocess.run([*command, "--", str(paths)], check=True, capture_output=True, text=True)  # noqa: S603
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", ended.stdout)
    if not per_second or "Non-2xx" in ended.stdout:
        raise RuntimeError(f"wrk said:\n{ended.stdout}")
    return float(per_second[1])
