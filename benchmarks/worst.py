"""The worst that a large catalogue can be asked: one by one, and eight at once while its health is asked."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from itertools import pairwise
from multiprocessing import get_context
from operator import itemgetter
from typing import Final
from urllib.parse import urlencode

import click

from benchmarks.memory import peak_mb
from benchmarks.questions import OTHER, RARE, WORD, WORDS
from benchmarks.report import Row, Table, at_most
from benchmarks.servers import Server, service, serving

_MOST_SEARCH_CHARACTERS: Final = 480
_PHRASES: Final = [f'"{one} {other}"' for one, other in pairwise(WORDS)]
# The slowest of some forty kinds of questions.
QUESTIONS: Final = {
    "a phrase of two common words": ("/articles", {"q": f'"{WORD} {OTHER}"'}),
    "many phrases of common words": ("/articles", {"q": " ".join(_PHRASES)[:_MOST_SEARCH_CHARACTERS]}),
    "none of many phrases": (
        "/articles",
        {"q": " -".join(["", *_PHRASES]).strip()[:_MOST_SEARCH_CHARACTERS]},
    ),
    "all words that begin with a vowel, marked": (
        "/articles",
        {"q": " OR ".join(f"{letter}*" for letter in "aeiou"), "limit": "200", "highlight": "true"},
    ),
    "a common word, marked": ("/articles", {"q": WORD, "limit": "200", "highlight": "true"}),
    "all facets of a quality": ("/facets", {"minQuality": "1", "size": "1000"}),
    "all facets, topics with those below": ("/facets", {"descendants": "true", "size": "1000"}),
    "the deepest page by title": (
        "/articles",
        {"topic": RARE, "sort": "title", "limit": "200", "page": "50"},
    ),
}
# The first is until all have started, the second how long their server is asked for its health.
_START_SECONDS, _SECONDS = 3.0, 10.0
_TIMES: Final = 3
_BETWEEN_SECONDS: Final = 0.05
# A second, what is under way then, and the answer that says so.
_STOPPED_MS: Final = 1_100
_ENDS: Final = (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)


def measure(url: str) -> Table:
    """Nothing is remembered."""
    command, environment = service(url, remembers=False)
    with serving(command, environment) as server:
        rows = []
        for what, (path, query) in QUESTIONS.items():
            click.echo(what, err=True)
            answers = [_ask(server, f"{path}?{urlencode(query)}") for _ in range(_TIMES)]
            status, took = sorted(answers, key=itemgetter(1))[_TIMES // 2]
            stopped = ", stopped" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
            rows.append(Row(f"{what}{stopped}", (took,), at_most(_STOPPED_MS), "ms"))
        with ExitStack() as asking:
            for path, query in QUESTIONS.values():
                asking.enter_context(_asking(server, f"{path}?{urlencode(query)}"))
            waits = _waits(server)
        rows += [
            Row(f"{path} while these run, at most", (max(took),), at_most(100), "ms")
            for path, took in waits.items()
        ]
        rows.append(Row("server memory after all of these", (peak_mb(server),), None, "MB"))
    kind = url.partition(":")[0].partition("+")[0]
    about = "A server of its own, nothing remembered; each alone, then all eight at once, over and over."
    return Table(f"The worst questions, {kind}", about, ("measured",), rows)


def _ask(server: Server, path: str) -> tuple[int, float]:
    """The status, and milliseconds."""
    started = time.perf_counter()
    status = server.get(path)[0]
    if status not in _ENDS:
        raise RuntimeError(f"{path} was answered with {status}")
    return status, (time.perf_counter() - started) * 1000


@contextmanager
def _asking(server: Server, path: str) -> Iterator[None]:
    """Over and over, by a process of its own."""
    process = get_context("spawn").Process(target=_go_on, args=(server, path), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _go_on(server: Server, path: str) -> None:
    while True:
        server.get(path)


def _waits(server: Server) -> dict[str, list[float]]:
    waits: dict[str, list[float]] = {"/health/live": [], "/health/ready": []}
    time.sleep(_START_SECONDS)
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        for path, took in waits.items():
            took.append(_ask(server, path)[1])
            time.sleep(_BETWEEN_SECONDS)
    return waits
