"""Kills imports, and the server below them, at random moments: the catalogue is before or after.

A quarter of the kills fall anywhere in an import; the others are aimed at its commit, by where the last fell.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.catalogues import HANG_SECONDS, Catalogue, copy_of, new_catalogue
from tests.proofs.editions import write_edition
from tests.proofs.outcome import Outcome, conclude
from tests.support.databases import DURABLE, Server, start_server

ARTICLES = 80
KILLED = -9
NOT_DONE = 3
# An aim moves so much after each kill, against where it fell.
_STEP = 1.3


@dataclass(slots=True)
class Aim:
    """When to kill: anywhere in an import, or at its commit, as late as the last kills say."""

    random: random.Random
    import_seconds: float
    commit_seconds: float = 0.01

    def is_for_the_commit(self) -> bool:
        return self.random.random() < 0.75

    def anywhere(self) -> float:
        return self.random.uniform(0, self.import_seconds)

    def at_commit(self) -> float:
        return self.commit_seconds * self.random.uniform(0.5, 1.5)

    def fell(self, *, before: bool) -> None:
        self.commit_seconds *= _STEP if before else 1 / _STEP


@dataclass(frozen=True, slots=True)
class Scene:
    """A catalogue with edition A, about to get edition B; `after` is the state it then must have."""

    original: Catalogue
    tree: Path
    before: str
    after: str
    aim: Aim


@contextmanager
def scene_of(database: str, seed: int, articles: int, server: Server | None = None) -> Iterator[Scene]:
    with (
        tempfile.TemporaryDirectory() as folder,
        new_catalogue(database, server.url if server else None) as original,
    ):
        original.import_(write_edition(Path(folder, "A"), "A", articles))
        tree = write_edition(Path(folder, "B"), "B", articles)
        # The first process also waits until the program is loaded.
        took = [_seconds_of_an_import(original, tree) for _ in range(2)][-1]
        aim = Aim(random.Random(seed), took)  # noqa: S311  to be repeated
        with copy_of(original) as copy:
            copy.import_(tree)
            yield Scene(original, tree, original.state(), copy.state(), aim)


def _seconds_of_an_import(original: Catalogue, tree: Path) -> float:
    with copy_of(original) as copy:
        began = time.monotonic()
        copy.forked(tree)[0].join(HANG_SECONDS)
        return time.monotonic() - began


def kill_imports(scene: Scene, kills: int) -> Outcome:
    """Each on a copy of its own; the next import completes on what is left."""
    outcome = Outcome("kills of an import")
    while outcome.numbers["before"] + outcome.numbers["after"] < kills:
        with copy_of(scene.original) as copy:
            if _killed(scene, copy, outcome):
                _complete(scene, copy, outcome)
    return outcome


def crash_on_crash(scene: Scene, rounds: int, kills: int = 4) -> Outcome:
    """Killed again and again on what the last kill left, before the next import may complete."""
    outcome = Outcome(f"rounds of {kills} kills on top of each other")
    for _ in range(rounds):
        with copy_of(scene.original) as copy:
            for _ in range(kills):
                _killed(scene, copy, outcome)
            _complete(scene, copy, outcome)
    return outcome


def _killed(scene: Scene, copy: Catalogue, outcome: Outcome) -> bool:
    process, committing = copy.forked(scene.tree)
    if aimed := scene.aim.is_for_the_commit():
        committing.poll(HANG_SECONDS)
    process.join(scene.aim.at_commit() if aimed else scene.aim.anywhere())
    process.kill()
    process.join()
    was_killed = process.exitcode == KILLED
    process.close()
    copy.wait_until_alone()
    state = _judged(scene, copy, outcome)
    if aimed:
        scene.aim.fell(before=state == scene.before)
    if was_killed:
        outcome.numbers["before" if state == scene.before else "after"] += 1
    else:
        outcome.numbers["ended first"] += 1
    return was_killed


def _judged(scene: Scene, copy: Catalogue, outcome: Outcome) -> str:
    state = copy.state()
    if state not in (scene.before, scene.after):
        outcome.faults.append("a state that is neither before nor after")
    outcome.faults += copy.faults()
    return state


def _complete(scene: Scene, copy: Catalogue, outcome: Outcome) -> None:
    copy.import_(scene.tree)
    if _judged(scene, copy, outcome) == scene.after:
        outcome.numbers["completed by the next import"] += 1
    else:
        outcome.faults.append("the next import did not give the state after")


def kill_servers(scene: Scene, server: Server, kills: int) -> Outcome:
    """The server is stopped at once during an import, which says so in a line."""
    outcome = Outcome("kills of the server during an import")
    with copy_of(scene.original) as copy:
        began = time.monotonic()
        copy.command(scene.tree).communicate()
        took = time.monotonic() - began
    for _ in range(kills):
        with copy_of(scene.original) as copy:
            process = copy.command(scene.tree)
            # The first half is Python's start, in which nothing can be lost.
            time.sleep(scene.aim.random.uniform(0.5 * took, 1.05 * took))
            server.kill()
            _, said = process.communicate(timeout=HANG_SECONDS)
            server.start()
            state = _judged(scene, copy, outcome)
            outcome.numbers["before" if state == scene.before else "after"] += 1
            if process.returncode == 0 and state != scene.after:
                outcome.faults.append("an import that was reported as done is lost")
            if process.returncode != 0 and (process.returncode != NOT_DONE or said.count("\n") != 1):
                outcome.faults.append(f"exit status {process.returncode} and {said!r}")
            _complete(scene, copy, outcome)
    return outcome


def kill_servers_after(scene: Scene, server: Server, kills: int) -> Outcome:
    """The server is stopped within 10 ms after an import was reported as done."""
    outcome = Outcome("kills of the server after an import")
    while outcome.numbers["kept"] + len(outcome.faults) < kills:
        with copy_of(scene.original) as copy:
            process = copy.command(scene.tree)
            process.wait(timeout=HANG_SECONDS)
            ended = time.monotonic()
            took = 1000 * (server.kill() - ended)
            process.communicate()
            server.start()
            outcome.numbers["ms after it at most"] = max(outcome.numbers["ms after it at most"], round(took))
            if process.returncode == 0 and _judged(scene, copy, outcome) == scene.after:
                outcome.numbers["kept"] += 1
            else:
                outcome.faults.append(f"lost, after exit status {process.returncode}")
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=25, help="of 4 kills on top of each other")
    parser.add_argument("--server-kills", type=int, default=20, help="of PostgreSQL, during and after")
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    outcomes = []
    with scene_of(given.database, given.seed, given.articles) as scene:
        outcomes += [kill_imports(scene, given.kills), crash_on_crash(scene, given.rounds)]
    few = given.kills // 5
    if min(outcomes[0].numbers["before"], outcomes[0].numbers["after"]) < few:
        outcomes[0].faults.append(f"fewer than {few} kills on one side of the commit")
    if given.database == "postgresql" and given.server_kills:
        server = start_server(DURABLE)
        with scene_of(given.database, given.seed, given.articles, server) as scene:
            outcomes.append(kill_servers(scene, server, given.server_kills))
            outcomes.append(kill_servers_after(scene, server, given.server_kills))
        server.stop()
    conclude(*outcomes)


if __name__ == "__main__":
    main()
