"""The service under load, beside the bytes alone, the usual service and Datasette."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from benchmarks import bare, usual
from benchmarks.load import Load, Target, in_turns
from benchmarks.questions import ARTICLE, LIST, TOPIC_ID, cases, same_sql, variants
from benchmarks.report import Row, Table, at_least, ratio
from benchmarks.servers import Server, service, serving

DATABASES: Final = ("SQLite", "PostgreSQL")


@dataclass(frozen=True, slots=True)
class Servers:
    """By database; `remembering` and `two_workers` are of SQLite."""

    bare: Server
    forgetful: Mapping[str, Server]
    remembering: Server
    two_workers: Server
    usual: Mapping[str, Server]
    datasette: Server | None


def measure(urls: Mapping[str, str], articles_: int, rounds: int, seconds: int) -> list[Table]:
    """`urls` are of filled catalogues, by database."""
    with TemporaryDirectory() as bodies, ExitStack() as started:
        forgetful = {
            name: started.enter_context(serving(*service(url, remembers=False))) for name, url in urls.items()
        }
        asked = cases(forgetful["SQLite"])
        for number, path in enumerate(asked.values()):
            (Path(bodies) / str(number)).write_bytes(forgetful["SQLite"].get(path)[2])
        servers = started.enter_context(_others(urls, bodies, forgetful))
        loads = {}
        for number, (what, path) in enumerate(asked.items()):
            click.echo(what, err=True)
            loads[what] = in_turns(_targets(servers, number, path), rounds, seconds)
        return [
            _goals(servers, asked[LIST], urls["SQLite"], rounds, seconds, loads),
            _all(articles_, loads),
        ]


@contextmanager
def _others(urls: Mapping[str, str], bodies: str, forgetful: Mapping[str, Server]) -> Iterator[Servers]:
    sqlite_url = urls["SQLite"]
    file = sqlite_url.removeprefix("sqlite:///")
    command = ["datasette", "serve", file, "--port", "{port}", "--setting", "sql_time_limit_ms", "10000"]
    for url in urls.values():
        usual.make_tables(url)
    with ExitStack() as started:
        yield Servers(
            bare=started.enter_context(serving(bare.COMMAND, {bare.BODIES: bodies})),
            forgetful=forgetful,
            remembering=started.enter_context(serving(*service(sqlite_url))),
            two_workers=started.enter_context(
                serving(*service(sqlite_url, "--workers", "2", remembers=False))
            ),
            usual={
                name: started.enter_context(serving(usual.COMMAND, {usual.URL: url}))
                for name, url in urls.items()
            },
            datasette=started.enter_context(serving(command, {})) if find_spec("datasette") else None,
        )


def _targets(servers: Servers, number: int, path: str) -> dict[str, Target]:
    ours = {name: Target(server, [path]) for name, server in servers.forgetful.items()}
    return {"bare": Target(servers.bare, [f"/{number}"]), **ours}


def _all(articles_: int, loads: Mapping[str, Mapping[str, Load]]) -> Table:
    about = (
        f"{articles_:,} articles. Requests per second / those of a bare ASGI application that answers "
        "the same bytes; 1 worker, 32 connections, nothing remembered."
    )
    rows = [
        Row(what, tuple(ratio(of[name].per_second, of["bare"].per_second) for name in DATABASES))
        for what, of in loads.items()
    ]
    return Table("Queries", about, DATABASES, rows)


def _goals(
    servers: Servers,
    path: str,
    sqlite_url: str,
    rounds: int,
    seconds: int,
    loads: Mapping[str, Mapping[str, Load]],
) -> Table:
    etag = servers.remembering.get(path)[1]["etag"]
    one = loads[ARTICLE]
    targets = {
        **_targets(servers, 0, path),
        "remembered": Target(servers.remembering, [path]),
        "304": Target(servers.remembering, [path], f"If-None-Match: {etag}"),
        "varied": Target(servers.remembering, variants()),
        "varied bare": Target(servers.bare, ["/0"] * len(variants())),
        "two workers": Target(servers.two_workers, [path]),
        **{
            f"usual {name}": Target(server, [f"/articles?topic={TOPIC_ID}"])
            for name, server in servers.usual.items()
        },
    }
    if servers.datasette:
        targets["datasette"] = Target(servers.datasette, [same_sql(sqlite_url)])
    found = {name: load.per_second for name, load in in_turns(targets, rounds, seconds).items()}
    ceiling, ours, postgresql = found["bare"], found["SQLite"], found["PostgreSQL"]
    rows = [
        Row("remembered list / bare ASGI", (ratio(found["remembered"], ceiling),), at_least(0.8, 0.95)),
        Row("304 / bare ASGI", (ratio(found["304"], ceiling),), at_least(0.9, 1.0)),
        Row("list not remembered / bare ASGI", (ratio(ours, ceiling),), at_least(0.20, 0.30)),
        Row(
            "every query another / bare ASGI",
            (ratio(found["varied"], found["varied bare"]),),
            at_least(0.20, 0.30),
        ),
        Row(
            "list not remembered / the usual ORM service",
            (ratio(ours, found["usual SQLite"]),),
            at_least(30, 50),
        ),
        Row(
            "list not remembered / Datasette with the same SQL",
            (ratio(ours, found.get("datasette")),),
            at_least(5, 8),
        ),
        Row(
            "one article with its related links / bare ASGI",
            (ratio(one["SQLite"].per_second, one["bare"].per_second),),
            at_least(0.20, 0.30),
        ),
        Row(
            "PostgreSQL list not remembered / bare ASGI", (ratio(postgresql, ceiling),), at_least(0.08, 0.12)
        ),
        Row("the same / the usual ORM service", (ratio(postgresql, found["usual PostgreSQL"]),)),
        Row("2 workers / 1, not remembered", (ratio(found["two workers"], ours),), at_least(1.5)),
    ]
    about = (
        f"A bare ASGI application answered {ceiling:,.0f} lists of "
        f"{len(servers.bare.get('/0')[2]) / 1000:.0f} kB a second. SQLite unless said otherwise."
    )
    return Table("Service", about, ("measured",), rows)
