"""Facets and timelines beside a list page and Datasette's facets: in process, nothing remembered."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from sqlalchemy import create_engine, text

from app.main import create_app
from app.settings import Settings
from benchmarks import usual
from benchmarks.in_process import Application, ask, request_scope
from benchmarks.questions import MIDDLE, PROVIDER, RARE, TOPIC, TOPIC_ID, WORD
from benchmarks.report import Goal, Row, Table, at_most, ratio

_LIST: Final = "list page"
# A round asks each question so often in a row. The first of them pays for what the processor has forgotten, a
# list page three times as much as a timeline, and does not count.
_IN_A_ROW: Final = 6
_ROUNDS: Final = 40
_DATASETTE_ROUNDS: Final = 10
# Those of our fields that the usual tables have as columns; topics and tags come through the table of terms.
_COLUMNS: Final = ("provider_domain", "type", "category", "locale", "source")


def measure(urls: Mapping[str, str], articles_: int) -> Table:
    """`urls` are of filled catalogues, by database."""
    took = asyncio.run(_ask_all(urls))
    columns = [name for database in urls for name in (database, f"{database}, p99")]
    rows = [
        Row(
            f"{what} / list page",
            tuple(
                ratio(of(took[database].get(what)), median(took[database][_LIST]))
                for database in urls
                for of in (_median, _p99)
            ),
            goal,
        )
        for what, (_, goal) in _questions().items()
        if what != _LIST
    ]
    datasette = took["SQLite"].get("datasette")
    facets = median(took["SQLite"]["facets of a topic"])
    no_others = (None,) * (len(columns) - 1)
    rows.append(
        Row(
            "the same facets by Datasette / list page",
            (ratio(_median(datasette), median(took["SQLite"][_LIST])), *no_others),
        )
    )
    rows.append(
        Row("facets of a topic / by Datasette", (ratio(facets, _median(datasette)), *no_others), at_most(1))
    )
    about = (
        f"{articles_:,} articles, eight fields with 20 values each, months with links. In process, nothing "
        f"remembered; a list page of 20 by topic took {median(took['SQLite'][_LIST]):.2f} ms on SQLite and "
        f"{median(took['PostgreSQL'][_LIST]):.2f} on PostgreSQL."
    )
    return Table("Facets and timelines", about, tuple(columns), rows)


def _questions() -> dict[str, tuple[str, Goal | None]]:
    """What is asked for, its path, and the goal of its ratio to a list page."""
    topic, middle, rare = map(quote_plus, (TOPIC, MIDDLE, RARE))
    by_month = "/timeline?interval=month"
    return {
        _LIST: (f"/articles?topic={topic}", None),
        "facets of a topic": (f"/facets?topic={topic}", at_most(10, 5)),
        "facets of a topic of every 25th article": (f"/facets?topic={middle}", None),
        "facets of a topic of every 100th article": (f"/facets?topic={rare}", None),
        "facets of a topic and a provider": (f"/facets?topic={topic}&provider={PROVIDER}", None),
        "facets of a topic and those below": (f"/facets?topic={topic}&descendants=true", None),
        "facets of a search": (f"/facets?q={WORD}", None),
        "facets of everything": ("/facets", None),
        "timeline of a topic by month": (f"{by_month}&topic={topic}", at_most(5, 2)),
        "timeline of a search by month": (f"{by_month}&q={WORD}", None),
        "timeline of everything by month": (by_month, None),
        "timeline of a topic by week": (f"/timeline?interval=week&topic={topic}", None),
    }


async def _ask_all(urls: Mapping[str, str]) -> dict[str, dict[str, list[float]]]:
    """Milliseconds by database and question. Each round asks everything: noise hits all alike."""
    scopes = {what: request_scope(path) for what, (path, _) in _questions().items()}
    took: dict[str, dict[str, list[float]]] = {database: {what: [] for what in scopes} for database in urls}
    async with AsyncExitStack() as stack:
        apps = {}
        for database, url in urls.items():
            apps[database] = create_app(Settings(database_url=url, remembered_bytes=0))
            await stack.enter_async_context(apps[database].router.lifespan_context(apps[database]))
        datasette = await _datasette(urls["SQLite"])
        for number in range(_ROUNDS):
            for database, app in apps.items():
                for what, scope in scopes.items():
                    took[database][what] += [await ask(app, scope) for _ in range(_IN_A_ROW)][1:]
            if datasette and number < _DATASETTE_ROUNDS:
                in_a_row = [await ask(*datasette) for _ in range(2)]
                took["SQLite"].setdefault("datasette", []).append(in_a_row[-1])
    return took


async def _datasette(sqlite_url: str) -> tuple[Application, dict[str, Any]] | None:
    """Datasette and the same facets of the same topic, of the usual tables; None if it is not installed."""
    if not find_spec("datasette"):
        return None
    from datasette.app import Datasette  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415

    usual.make_tables(sqlite_url)
    engine = create_engine(sqlite_url)
    with engine.connect() as connection:
        find_topic = text("SELECT id FROM terms WHERE field = 'topic' AND key = :key")
        term_id = connection.scalars(find_topic, {"key": TOPIC_ID}).one()
    engine.dispose()
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    settings = {"sql_time_limit_ms": 10_000, "facet_time_limit_ms": 10_000, "default_facet_size": 20}
    datasette = Datasette([str(file)], settings=settings)
    await datasette.invoke_startup()
    of_topic = json.dumps({"table": "usual_article_terms", "column": "term_id", "value": str(term_id)})
    query = [
        ("_through", of_topic),
        ("published", "1"),
        *(("_facet", column) for column in _COLUMNS),
        ("_facet_m2m", "terms"),
        ("_size", "0"),
    ]
    return datasette.app(), request_scope(f"/{file.stem}/usual_articles.json?{urlencode(query)}")


def _median(milliseconds: list[float] | None) -> float | None:
    return median(milliseconds) if milliseconds else None


def _p99(milliseconds: list[float] | None) -> float | None:
    return quantiles(milliseconds, n=100)[-1] if milliseconds else None
