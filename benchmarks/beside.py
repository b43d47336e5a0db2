"""How long requests wait while an import writes, beside the same import writing elsewhere: an equal load."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from urllib.parse import quote_plus

from benchmarks.generate import write_tree
from benchmarks.load import Target, load
from benchmarks.memory import run
from benchmarks.questions import TOPIC
from benchmarks.report import Row, Table, at_most, ratio
from benchmarks.servers import service, serving
from tests.support.databases import drop_postgresql, new_postgresql_url, sqlite_url

# An import of so many takes some seconds; under one more name they are as many new articles.
_DOCUMENTS, _SECONDS = 600, 4


def measure(urls: Mapping[str, str], rounds: int) -> Table:
    """The catalogues grow by what is imported meanwhile, so this comes last."""
    path = f"/articles?topic={quote_plus(TOPIC)}"
    names = (f"round-{number}" for number in count())
    rows = []
    with TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        write_tree(tree, _DOCUMENTS)
        for name, url in urls.items():
            elsewhere = new_postgresql_url() if name == "PostgreSQL" else sqlite_url(Path(folder))
            waits: dict[str, list[float]] = {url: [], elsewhere: []}
            with serving(*service(url, remembers=False)) as server:
                for _ in range(rounds):
                    for into, found in waits.items():
                        with _importing(into, tree, names):
                            found.append(load(Target(server, [path]), _SECONDS).p99_ms)
            if name == "PostgreSQL":
                drop_postgresql(elsewhere)
            beside, equal = (median(found) for found in waits.values())
            goal = at_most(1.3, 1.1)
            rows.append(
                Row(
                    f"p99 while an import writes / beside an equal load, {name}",
                    (ratio(beside, equal),),
                    goal,
                )
            )
    about = "A list by topic, not remembered; the equal load is the same import into another database."
    return Table("During an import", about, ("measured",), rows)


@contextmanager
def _importing(url: str, tree: Path, names: Iterator[str]) -> Iterator[None]:
    """One after the other; the last is let finish, and nobody measures beside it."""
    enough = Event()

    def go_on() -> None:
        while not enough.is_set():
            command = ["app", "import", str(tree), "--source", next(names), "--workers", "1"]
            run(command, {"CLIPPINGS_DATABASE_URL": url})

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
