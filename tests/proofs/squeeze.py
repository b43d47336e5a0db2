"""Takes memory, disk, open files and time away from imports: before or after, one line, and never a wait."""

import argparse
import contextlib
import random
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.proofs.catalogues import HANG_SECONDS, Catalogue, copy_of, new_catalogue
from tests.proofs.editions import write_edition
from tests.proofs.kill import NOT_DONE
from tests.proofs.outcome import Outcome, conclude

# Enough that an import takes more than a second of the processor's time, the least that can be taken away.
ARTICLES = 1_200
MEGABYTE = 1_000_000
# Python says in its own words, before any of ours, that there is not even enough for itself.
_PYTHON_COULD_NOT_START = (
    "Fatal Python error",
    "Could not find platform",
    "error while loading shared libraries",
)

Limit = tuple[str, int, int]


def limits(times: int, chance: random.Random) -> list[Limit]:
    """So many, of each kind in turn: its name, the resource, the most there is of it."""
    kinds: list[Callable[[], Limit]] = [
        lambda: ("memory", resource.RLIMIT_AS, round(MEGABYTE * 6 * 100 ** chance.random())),
        lambda: ("file size", resource.RLIMIT_FSIZE, round(4_096 * 2_000 ** chance.random())),
        lambda: ("open files", resource.RLIMIT_NOFILE, chance.randint(3, 40)),
        lambda: ("memory", resource.RLIMIT_AS, round(MEGABYTE * chance.uniform(40, 300))),
        lambda: ("processor", resource.RLIMIT_CPU, chance.randint(1, 2)),
    ]
    return [kinds[number % len(kinds)]() for number in range(times)]


def squeeze(times: int, articles: int = ARTICLES, seed: int = 1) -> Outcome:
    outcome = Outcome("squeezed imports")
    chance = random.Random(seed)  # noqa: S311  to be repeated
    with _two_editions(articles) as (original, tree, states):
        for name, of, most in limits(times, chance):

            def limit(of: int = of, most: int = most) -> None:
                resource.setrlimit(of, (most, most))

            with copy_of(original) as copy:
                # Within our own process nothing else runs between fork and exec.
                process = copy.command(tree, preexec_fn=limit)
                _judge(outcome, f"{name} {most:,}", process, copy, states)
    return outcome


def fill_disks(sizes: tuple[int, ...] = (2, 5, 10), articles: int = ARTICLES) -> Outcome:
    """Imports onto disks of so many MB, where this user may mount some."""
    outcome = Outcome("imports onto a small disk")
    with _two_editions(articles) as (original, tree, states), tempfile.TemporaryDirectory() as disk:
        for size in sizes:
            mounted = subprocess.run(  # noqa: S603
                ["mount", "-t", "tmpfs", "-o", f"size={size}m", "none", disk],  # noqa: S607
                check=False,
                capture_output=True,
                text=True,
            )
            if mounted.returncode != 0:
                outcome.numbers[f"skipped: {mounted.stderr.strip() or 'mount failed'}"] += 1
                continue
            try:
                copy = Catalogue(f"sqlite:///{disk}/clippings.db")
                held = (original.file or Path()).read_bytes()
                with contextlib.suppress(OSError):
                    Path(disk, "clippings.db").write_bytes(held)
                if Path(disk, "clippings.db").stat().st_size == len(held):
                    _judge(outcome, f"disk of {size} MB", copy.command(tree), copy, states)
                else:
                    Path(disk, "clippings.db").unlink()
                    empty = {"": "before", states_of_new(tree): "after"}
                    _judge(outcome, f"empty disk of {size} MB", copy.command(tree), copy, empty)
            finally:
                subprocess.run(["umount", disk], check=True)  # noqa: S603, S607
    return outcome


def states_of_new(tree: Path) -> str:
    with new_catalogue("sqlite") as new:
        new.import_(tree)
        return new.state()


@contextlib.contextmanager
def _two_editions(articles: int) -> Iterator[tuple[Catalogue, Path, dict[str, str]]]:
    with tempfile.TemporaryDirectory() as folder, new_catalogue("sqlite") as original:
        original.import_(write_edition(Path(folder, "A"), "A", articles))
        tree = write_edition(Path(folder, "B"), "B", articles)
        with copy_of(original) as copy:
            copy.import_(tree)
            yield original, tree, {original.state(): "before", copy.state(): "after"}


def _judge(
    outcome: Outcome, what: str, process: subprocess.Popen[str], copy: Catalogue, states: dict[str, str]
) -> None:
    try:
        _, said = process.communicate(timeout=HANG_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        outcome.faults.append(f"{what}: hangs")
        return
    status = process.returncode
    state = states.get(copy.state(), "neither")
    outcome.numbers[f"{state} with status {status}"] += 1
    outcome.faults += [f"{what}: {fault}" for fault in copy.faults()]
    if state == "neither":
        outcome.faults.append(f"{what}: a state that is neither before nor after")
    if status == 0 and state != "after":
        outcome.faults.append(f"{what}: exit status 0, and the state is {state}")
    if status > 0 and state == "after":
        outcome.faults.append(f"{what}: exit status {status}, and yet it is done")
    if status <= 0 or _is_pythons_own(said):
        # Done, ended by the system, or never begun.
        return
    if status != NOT_DONE or said.count("\n") != 1 or "Traceback" in said:
        outcome.faults.append(f"{what}: exit status {status}, {len(said)} characters: …{said[-300:]!r}")


def _is_pythons_own(said: str) -> bool:
    return any(words in said for words in _PYTHON_COULD_NOT_START) or not said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    conclude(squeeze(given.times, given.articles, given.seed), fill_disks(articles=given.articles))


if __name__ == "__main__":
    main()
