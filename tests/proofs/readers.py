"""Reads the service over HTTP while imports go back and forth: every answer is wholly of one edition.

An import that brings edition A back gives the answers that A gave before, to the byte. So an answer is right
if, of all that its path may answer, it is what the edition of its revision says.
"""

import argparse
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.proofs.catalogues import REPOSITORY, Catalogue, new_catalogue
from tests.proofs.editions import write_edition
from tests.proofs.outcome import Outcome, conclude
from tests.support.serving import START_SECONDS, serving

ARTICLES = 150
READERS = 4
PATHS = (
    "/articles?limit=50",
    "/articles?topic=topic-a",
    "/articles?type=video&sort=title",
    "/articles?q=article&limit=200",
    "/articles?sort=-quality",
    "/topics?limit=50",
    "/providers",
    "/facets?field=topic&field=tag&field=type",
    "/timeline?interval=day",
    "/links?url=https://a.example/5",
    "/feeds/articles.rss",
    "/feeds/articles.atom?topic=topic-1",
    "/feeds/articles.json",
    "/exports/articles.csv",
    "/exports/articles.ndjson?type=article",
)
# A walk in pages of so many meets an import on the way.
_ON_A_PAGE = 10
_WALKS = ("/articles", "/articles?sort=quality")


class Answers:
    """One connection to the service, as a client has it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> tuple[int, int, bytes]:
        """The status, the revision and the body."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        return answer.status, int(answer.getheader("Catalogue-Revision") or -1), answer.read()


def read_during_imports(database: str, imports: int, responses: int, articles: int = ARTICLES) -> Outcome:
    """Goes on until there were as many imports, and responses, as are asked for."""
    outcome = Outcome(f"readers on {database}")
    with tempfile.TemporaryDirectory() as folder, new_catalogue(database) as catalogue:
        trees = [write_edition(Path(folder, edition), edition, articles) for edition in "BA"]
        for tree in (*trees, *trees):
            catalogue.import_(tree)
        with served(catalogue) as (port, _):
            bodies = [_bodies(port, catalogue, tree) for tree in trees]
            reading = _Reading(outcome, port, bodies, revision=catalogue.import_(trees[1]).revision)
            threads = [threading.Thread(target=reading.read) for _ in range(READERS)]
            threads.append(threading.Thread(target=reading.walk, args=(_in_both(bodies),)))
            for thread in threads:
                thread.start()
            try:
                while outcome.numbers["imports"] < imports and not reading.is_over():
                    reading.committed = catalogue.import_(trees[outcome.numbers["imports"] % 2]).revision
                    outcome.numbers["imports"] += 1
                    # The responses that are asked for are spread over the imports.
                    share = responses * outcome.numbers["imports"] / imports
                    while outcome.numbers["responses"] < share and not reading.is_over():
                        time.sleep(0.01)
            finally:
                reading.ended.set()
                for thread in threads:
                    thread.join()
    return outcome


class _Reading:
    """`bodies` are those of even and of odd revisions."""

    def __init__(self, outcome: Outcome, port: int, bodies: list[dict[str, bytes]], revision: int) -> None:
        self.outcome = outcome
        self.port = port
        self.bodies = bodies if revision % 2 else bodies[::-1]
        self.committed = revision
        self.ended = threading.Event()

    def is_over(self) -> bool:
        """Nobody needs a thousand faults of one kind."""
        return len(self.outcome.faults) > 20

    def read(self) -> None:
        with closing(Answers(self.port)) as answers:
            last = 0
            while not self.ended.is_set():
                last = self._read_each_path(answers, last)

    def _read_each_path(self, answers: Answers, last: int) -> int:
        """`last` is the newest revision that was seen."""
        for path in PATHS:
            committed = max(last, self.committed)
            try:
                status, revision, body = answers.get(path)
            except (OSError, http.client.HTTPException) as error:
                self.outcome.faults.append(f"{path}: {error!r}")
                answers.close()
                continue
            self.outcome.numbers["responses"] += 1
            if status != 200:
                self.outcome.faults.append(f"{path}: status {status}")
            elif revision < committed:
                self.outcome.faults.append(f"{path}: revision {revision} after {committed}")
            elif body != self.bodies[revision % 2][path]:
                self.outcome.faults.append(f"{path}: is not what the edition of {revision} says")
            last = max(last, revision)
        return last

    def walk(self, expected: set[str]) -> None:
        """From the first page to the last: an article of both editions is met once, and no other twice."""
        with closing(Answers(self.port)) as answers:
            while not self.ended.is_set():
                for start in _WALKS:
                    self._walk_from(start, answers, expected)

    def _walk_from(self, start: str, answers: Answers, expected: set[str]) -> None:
        met: list[str] = []
        revisions = set()
        path: str | None = f"{start}{'&' if '?' in start else '?'}limit={_ON_A_PAGE}"
        while path:
            if self.ended.is_set():
                return
            _, revision, body = answers.get(path)
            page = json.loads(body)
            met += [item["path"] for item in page["items"]]
            path = page["next"]
            revisions.add(revision)
        self.outcome.numbers["walks"] += 1
        self.outcome.numbers["walks over an import"] += len(revisions) > 1
        if len(set(met)) < len(met):
            self.outcome.faults.append(f"{start}: an article was met twice")
        if lost := expected - set(met):
            self.outcome.faults.append(f"{start}: {len(lost)} articles were not met")


def _bodies(port: int, catalogue: Catalogue, tree: Path) -> dict[str, bytes]:
    catalogue.import_(tree)
    with closing(Answers(port)) as answers:
        return {path: answers.get(path)[2] for path in PATHS}


def _in_both(bodies: list[dict[str, bytes]]) -> set[str]:
    """The paths of articles that no import takes away, as an export of either edition has them."""
    exports = [body["/exports/articles.ndjson?type=article"].splitlines() for body in bodies]
    first, second = ({json.loads(line)["path"] for line in lines} for lines in exports)
    return first & second


@contextmanager
def served(catalogue: Catalogue, **settings: str) -> Iterator[tuple[int, int]]:
    """The port and the process of a service."""
    environment = os.environ | {"CLIPPINGS_DATABASE_URL": catalogue.url, "PYTHONPATH": str(REPOSITORY)}
    # Nothing here tries how long a query may take on a machine that is busy.
    program = "import tests.support.patience; from app.__main__ import main; main()"
    command = [sys.executable, "-c", program, "serve", "--port", "0"]
    with serving(command, environment | settings) as (address, process):
        yield address[1], process.pid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "pgbouncer"], default="sqlite")
    parser.add_argument("--imports", type=int, default=40)
    parser.add_argument("--responses", type=int, default=5_000)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    given = parser.parse_args()
    conclude(read_during_imports(given.database, given.imports, given.responses, given.articles))


if __name__ == "__main__":
    main()
