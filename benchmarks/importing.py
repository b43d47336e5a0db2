"""Imports of a generated tree, beside PyYAML's CSafeLoader alone reading and parsing the same documents.

python -m benchmarks.importing FOLDER     parses them, and writes nothing
"""

import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import click
import yaml

from benchmarks.generate import write_tree
from benchmarks.memory import Ended, run
from benchmarks.report import Row, Table, at_most
from tests.support.databases import drop_postgresql, new_postgresql_url, sqlite_url

DATABASES: Final = ("SQLite", "PostgreSQL")


def parse_tree(folder: Path) -> int:
    """Returns how many keys it saw."""
    keys = 0
    for path in sorted(folder.rglob("*.md")):
        _, front_matter, _ = path.read_text(encoding="utf-8").split("---\n", 2)
        keys += len(yaml.load(front_matter, yaml.CSafeLoader))
    return keys


def measure(documents: int, rounds: int) -> Table:
    parses: list[Ended] = []
    found: dict[str, list[list[Ended]]] = {name: [] for name in DATABASES}
    with TemporaryDirectory() as temporary:
        tree = Path(temporary) / "tree"
        write_tree(tree, documents)
        for turn in range(rounds):
            click.echo(f"import, round {turn + 1}", err=True)
            parses.append(run(["benchmarks.importing", str(tree)], {}))
            with TemporaryDirectory() as folder:
                found["SQLite"].append(_imports(sqlite_url(Path(folder)), tree, turn))
            url = new_postgresql_url()
            found["PostgreSQL"].append(_imports(url, tree, turn))
            drop_postgresql(url)
    seconds = {
        name: [median(each.seconds for each in step) for step in zip(*turns, strict=True)]
        for name, turns in found.items()
    }
    parse = median(each.seconds for each in parses)
    return _table(documents, parse, seconds, found["SQLite"][0][0].peak_mb)


def _imports(url: str, tree: Path, turn: int) -> list[Ended]:
    """In full, unchanged, one document changed."""

    def import_() -> Ended:
        ended = run(["app", "import", str(tree)], {"CLIPPINGS_DATABASE_URL": url})
        if ended.status:
            raise RuntimeError(f"the import ended with {ended.status}")
        return ended

    full, unchanged = import_(), import_()
    changed = next(tree.rglob("*.md"))
    changed.write_text(changed.read_text(encoding="utf-8") + f"Once more, {turn}.\n", encoding="utf-8")
    return [full, unchanged, import_()]


def _table(documents: int, parse: float, seconds: dict[str, list[float]], peak: float) -> Table:
    rows = []
    for name, to_reach, stretch in (("SQLite", 0.20, 0.10), ("PostgreSQL", 0.30, 0.14)):
        full, unchanged, changed = seconds[name]
        rows += [
            Row(f"full import into {name} / CSafeLoader alone", (full / parse,), at_most(to_reach, stretch)),
            Row(f"nothing changed / full import, {name}", (unchanged / full,), at_most(0.10, 0.03)),
            Row(f"one document changed / full import, {name}", (changed / full,), at_most(0.10, 0.03)),
        ]
    rows.append(Row("peak memory of a full import", (peak,), at_most(400, 200), "MB"))
    about = (
        f"{documents:,} documents that mention some 33 others each. Commands as they are run, their start "
        f"included; CSafeLoader alone reads and parses the same files in one process, in {parse:.1f} s."
    )
    return Table("Import", about, ("measured",), rows)


if __name__ == "__main__":
    parse_tree(Path(sys.argv[1]))
