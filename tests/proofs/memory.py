"""Measures the memory of imports: the largest process, and all of them together.

Of large documents it is a first import that counts. Of very many small ones it is also one that finds them
unchanged: what it holds of each stored document must not add up.
"""

import argparse
import random
import tempfile
import threading
import time
from pathlib import Path

from tests.proofs.catalogues import Catalogue, articles_in, new_catalogue
from tests.proofs.outcome import Outcome, conclude
from tests.support.worlds import write_document

MAX_MEGABYTES = 400
# One real tree is so: 27 kB a document, of which 33 related links of 4,000 different ones are the most.
LINKS_OF_A_DOCUMENT = 33
DIFFERENT_LINKS = 4_000
_BODY_BYTES = 2_000


def measure(database: str, documents: int, workers: int) -> Outcome:
    outcome = Outcome(f"import of {documents:,} documents on {database} by {workers} processes")
    with tempfile.TemporaryDirectory() as folder, new_catalogue(database) as catalogue:
        outcome.numbers["MB of documents"] = _write_tree(Path(folder), documents) // 1_000_000
        _import(outcome, "", catalogue, Path(folder), workers, documents)
    return outcome


def measure_small(database: str, documents: int, workers: int) -> Outcome:
    outcome = Outcome(f"imports of {documents:,} documents of 1 kB on {database} by {workers} processes")
    with tempfile.TemporaryDirectory() as folder, new_catalogue(database) as catalogue:
        outcome.numbers["MB of documents"] = _write_small_tree(Path(folder), documents) // 1_000_000
        for which in ("first", "unchanged"):
            _import(outcome, f"{which}: ", catalogue, Path(folder), workers, documents)
    return outcome


def _import(
    outcome: Outcome, which: str, catalogue: Catalogue, tree: Path, workers: int, documents: int
) -> None:
    began = time.monotonic()
    process = catalogue.command(tree, "--workers", str(workers))
    watch = _Watch(process.pid)
    watch.start()
    _, said = process.communicate()
    watch.join()
    outcome.numbers[f"{which}s"] = round(time.monotonic() - began)
    outcome.numbers[f"{which}MB in the largest process"] = watch.largest // 1_000_000
    outcome.numbers[f"{which}MB in all processes"] = watch.together // 1_000_000
    if process.returncode != 0 or articles_in(catalogue.url) != documents:
        outcome.faults.append(f"exit status {process.returncode}: {said[:500]}")
    if watch.largest > MAX_MEGABYTES * 1_000_000:
        outcome.faults.append(f"{which}more than {MAX_MEGABYTES} MB")


def _write_tree(root: Path, documents: int) -> int:
    chance = random.Random(1)  # noqa: S311  the same at every measurement
    links = [_link(number, chance) for number in range(DIFFERENT_LINKS)]
    size = 0
    for number in range(documents):
        related = "".join(links[chance.randrange(DIFFERENT_LINKS)] for _ in range(LINKS_OF_A_DOCUMENT))
        front_matter = (
            f"title: Article {number}\nexcerpt: {_text(200, chance)}\nwebUrl: https://a.example/{number}\n"
            f"publishedDateTime: 2020-06-{number % 28 + 1:02}T00:07:00Z\nquality: {number % 90}\n"
            f"provider:\n  name: Provider {number % 300}\n  domain: p{number % 300}.example\n"
            f"topics: [Topic {number % 90}, Topic {number % 70}]\nrelated:\n{related}"
        )
        write_document(root, f"{number % 50}/{number}.md", front_matter, _text(_BODY_BYTES, chance))
        size += len(front_matter) + _BODY_BYTES
    return size


def _write_small_tree(root: Path, documents: int) -> int:
    chance = random.Random(1)  # noqa: S311  the same at every measurement
    size = 0
    for number in range(documents):
        front_matter = (
            f"title: Article {number}\nexcerpt: {_text(150, chance)}\nwebUrl: https://a.example/{number}\n"
            f"publishedDateTime: 2020-06-{number % 28 + 1:02}T00:07:00Z\nquality: {number % 90}\n"
            f"provider:\n  name: Provider {number % 300}\n  domain: p{number % 300}.example\n"
            f"topics: [Topic {number % 90}, Topic {number % 70}]\ntags: [Tag {number % 900}]"
        )
        body = _text(1_000 - len(front_matter), chance)
        write_document(root, f"{number % 500}/{number}.md", front_matter, body)
        size += len(front_matter) + len(body)
    return size


def _link(number: int, chance: random.Random) -> str:
    return (
        f"- title: Link {number} {_text(60, chance)}\n  excerpt: {_text(250, chance)}\n"
        f"  webUrl: https://l{number % 200}.example/news/{number}-{_text(40, chance).replace(' ', '-')}\n"
        f"  ampWebUrl: https://amp.example/{number}\n  type: article\n  quality: {number % 90}\n"
        f"  heat: {number % 90}\n  publishedDateTime: 2020-05-{number % 28 + 1:02}T08:00:00Z\n  provider:\n"
        f"    name: Site {number % 200}\n    domain: l{number % 200}.example\n    images:\n"
        f"    - url: https://l{number % 200}.example/logo.png\n      width: 100\n      height: 100\n"
    )


def _text(characters: int, chance: random.Random) -> str:
    words = " ".join(f"{chance.getrandbits(20):x}" for _ in range(characters // 6 + 1))
    return words[:characters].strip()


class _Watch(threading.Thread):
    """Looks at a process and those below it until it ends: bytes of the largest, and of all together."""

    def __init__(self, process: int) -> None:
        super().__init__()
        self._process = process
        self.largest = self.together = 0

    def run(self) -> None:
        while found := _resident_bytes(self._process):
            self.largest = max(self.largest, *found)
            self.together = max(self.together, sum(found))
            time.sleep(0.05)


def _resident_bytes(process: int) -> list[int]:
    """What each process holds; nothing once it has ended."""
    try:
        maps = Path(f"/proc/{process}/smaps_rollup").read_text()
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except (OSError, ProcessLookupError):
        return []
    here = next((int(line.split()[1]) for line in maps.splitlines() if line.startswith("Rss:")), 0)
    found = [1024 * here] if here else []
    return found + [size for child in children for size in _resident_bytes(int(child))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--documents", type=int, default=20_000, help="of 27 kB")
    parser.add_argument("--small", type=int, default=300_000, help="documents of 1 kB")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    outcomes = [measure(given.database, given.documents, given.workers)] if given.documents else []
    if given.small:
        outcomes.append(measure_small(given.database, given.small, given.workers))
    conclude(*outcomes)


if __name__ == "__main__":
    main()
