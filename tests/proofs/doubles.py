"""Starts two imports at once, and may kill one: the other waits, and the state is what one order gives."""

import argparse
import random
import subprocess
import tempfile
import time
from itertools import permutations
from pathlib import Path

from tests.proofs.catalogues import HANG_SECONDS, Catalogue, copy_of, new_catalogue
from tests.proofs.editions import write_edition
from tests.proofs.kill import KILLED, NOT_DONE
from tests.proofs.outcome import Outcome, conclude

ARTICLES = 150


def double(database: str, times: int, articles: int = ARTICLES, seed: int = 1) -> Outcome:
    outcome = Outcome(f"double imports on {database}")
    chance = random.Random(seed)  # noqa: S311  to be repeated
    with tempfile.TemporaryDirectory() as folder, new_catalogue(database) as original:
        trees = {edition: write_edition(Path(folder, edition), edition, articles) for edition in "AB"}
        states = _states(original, trees)
        for number in range(times):
            with copy_of(original) as copy:
                began = time.monotonic()
                processes = {edition: copy.command(tree) for edition, tree in trees.items()}
                victim = chance.choice("AB") if number % 3 == 0 else None
                if victim:
                    time.sleep(chance.uniform(0.3, 2))
                    processes[victim].kill()
                said = {edition: _said(outcome, process) for edition, process in processes.items()}
                outcome.numbers["s at most"] = max(
                    outcome.numbers["s at most"], round(time.monotonic() - began)
                )
                _judge(outcome, copy, states, {e: p.returncode for e, p in processes.items()}, said)
    return outcome


def _states(original: Catalogue, trees: dict[str, Path]) -> dict[tuple[str, ...], str]:
    """What each order of imports gives, one alone and none among them."""
    states = {}
    for order in [order for most in range(3) for order in permutations("AB", most)]:
        with copy_of(original) as copy:
            for edition in order:
                copy.import_(trees[edition])
            states[order] = copy.state()
    return states


def _said(outcome: Outcome, process: subprocess.Popen[str]) -> str:
    try:
        return process.communicate(timeout=HANG_SECONDS)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        outcome.faults.append("an import hangs")
        return process.communicate()[1]


def _judge(
    outcome: Outcome,
    copy: Catalogue,
    states: dict[tuple[str, ...], str],
    statuses: dict[str, int],
    said: dict[str, str],
) -> None:
    copy.wait_until_alone()
    done = {edition for edition, status in statuses.items() if status == 0}
    may_be_done = {edition for edition, status in statuses.items() if status in (0, KILLED)}
    possible = [state for order, state in states.items() if done <= set(order) <= may_be_done]
    if copy.state() not in possible:
        outcome.faults.append(f"no order of the imports gives this, after the exit statuses {statuses}")
    outcome.faults += copy.faults()
    for edition, status in statuses.items():
        names = {0: "done", KILLED: "killed", NOT_DONE: "told to try again"}
        outcome.numbers[names.get(status, f"with status {status}")] += 1
        if status not in names or (status == NOT_DONE and "import is under way" not in said[edition]):
            outcome.faults.append(f"exit status {status}: {said[edition][-300:]!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    conclude(double(given.database, given.times, given.articles, given.seed))


if __name__ == "__main__":
    main()
