"""Where the time of a request goes, by station on its way and by function.

python -m benchmarks.profile sqlite:///large.db '/articles?topic=ai'
"""

import asyncio
import cProfile
import pstats
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any, Final

import click
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from benchmarks.in_process import ask, request_scope

# A file belongs to the first station whose word its path has; one of none to those who call it.
_STATIONS: Final = {
    "compression": ("/http/compression", "zstandard", "brotli"),
    "shell": ("/http/shell", "/http/cache", "/http/response", "/http/negotiation", "/http/audience"),
    "query reading": ("/query_string", "/catalog/query", "/catalog/clauses", "/catalog/cursors", "/pydantic"),
    "database": ("psycopg", "/app/database", "sqlalchemy/engine", "sqlalchemy/pool", "sqlalchemy/dialects"),
    "SQL building": ("/catalog/", "sqlalchemy"),
    "routing": ("/http/routes", "/http/resources", "starlette", "fastapi", "asyncio", "/benchmarks/"),
    "answer": ("/app/web/",),
}
# The driver's own functions have no file.
_DRIVER: Final = ("sqlite3", "psycopg_binary")
_ROWS: Final = 25

Function = tuple[str, int, str]


class _Here(Executor):
    """In place of threads, which a profile does not follow."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args, **named))
        except BaseException as error:  # handed on, as any executor does
            done.set_exception(error)
        return done


@click.command()
@click.argument("url")
@click.argument("path")
@click.option("--requests", default=300, show_default=True, help="At most 20 seconds of them.")
@click.option("--encoding", default="identity", show_default=True, help="What the client accepts.")
def profile(url: str, path: str, requests: int, encoding: str) -> None:
    """Ask for PATH again and again, without a network, and print where the time went."""
    # A remembered answer would say nothing of where its time went.
    app = create_app(Settings(database_url=url, remembered_bytes=0))
    scope = request_scope(path, encoding)
    threaded = _milliseconds(app, scope, requests)
    app.state.resources.reading_threads.shutdown()
    app.state.resources = replace(app.state.resources, reading_threads=_Here())
    here = _milliseconds(app, scope, requests)
    profiler = cProfile.Profile()
    profiler.enable()
    asked = asyncio.run(_ask(app, scope, requests))
    profiler.disable()
    stats = pstats.Stats(profiler)
    click.echo(f"{path}\n{here:.3f} ms a request; {threaded - here:.3f} ms more where a thread answers it\n")
    total = stats.total_tt  # type: ignore[attr-defined]
    for station, seconds in sorted(_by_station(stats).items(), key=lambda each: -each[1]):
        click.echo(f"{seconds / total:6.1%}  {station}")
    click.echo(f"\nBy function, {asked} requests, slower for being watched:")
    stats.strip_dirs().sort_stats("cumulative").print_stats(_ROWS)
    stats.sort_stats("tottime").print_stats(_ROWS)


def _milliseconds(app: FastAPI, scope: dict[str, Any], requests: int) -> float:
    asyncio.run(_ask(app, scope, 3))
    started = time.perf_counter()
    asked = asyncio.run(_ask(app, scope, requests))
    return (time.perf_counter() - started) * 1000 / asked


async def _ask(app: FastAPI, scope: dict[str, Any], requests: int) -> int:
    """As many as fit into a third of the 20 seconds. Fails where the answer is none."""
    until = time.monotonic() + 7
    asked = 0
    while asked < requests and time.monotonic() < until:
        await ask(app, scope)
        asked += 1
    return asked


def _by_station(stats: pstats.Stats) -> dict[str, float]:
    functions: dict[Function, Any] = stats.stats  # type: ignore[attr-defined]
    seconds: dict[str, float] = {}
    for function, (_, _, own, _, callers) in functions.items():
        for station, part in _shares(functions, function, callers, 8).items():
            seconds[station] = seconds.get(station, 0.0) + own * part
    return seconds


def _shares(functions: dict[Function, Any], function: Function, callers: Any, depth: int) -> dict[str, float]:
    """Of what is nobody's own (a built-in, the standard library), each caller's part by the time it took."""
    file, _, name = function
    for station, words in _STATIONS.items():
        if any(word in file for word in words):
            return {station: 1.0}
    if any(word in name for word in _DRIVER):
        return {"database": 1.0}
    whole = sum(timing[3] for timing in callers.values())
    if not depth or not whole:
        return {"the rest": 1.0}
    shares: dict[str, float] = {}
    for caller, timing in callers.items():
        for station, part in _shares(functions, caller, functions[caller][4], depth - 1).items():
            shares[station] = shares.get(station, 0.0) + part * timing[3] / whole
    return shares


if __name__ == "__main__":
    profile()
