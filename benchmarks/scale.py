"""Questions to a large catalogue beside the same questions to one of usual size, without HTTP and warm."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Final
from urllib.parse import quote_plus

import click
from sqlalchemy import Connection, func, select

from app.catalog.facets import count_facets
from app.catalog.fields import FIELDS
from app.catalog.filters import matching
from app.catalog.paging import BEGINNING, Place, read_page
from app.catalog.query import ArticleQuery
from app.catalog.tables import articles
from app.catalog.timeline import count_timeline
from app.database.snapshots import Reader, restart_clock
from app.errors import QueryTimedOut
from benchmarks.memory import peak_mb
from benchmarks.questions import DEEP, OTHER, PER_PAGE, PROVIDER, RARE, SECOND, TOPIC, WORD
from benchmarks.report import Goal, Row, Table, at_most, ratio
from benchmarks.servers import service, serving

Question = Callable[[Connection], object]

# A question is asked so often, or as often as fits into this time.
_ANSWERS, _FEWEST, _SECONDS = 40, 3, 3.0
# Others may use the machine. SQLite works in this process, which knows its processor time.
_CLOCKS: Final = {"sqlite": time.process_time, "postgresql": time.perf_counter}
# There are as many as threads, with a connection and its memory each.
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """The goal is of the large catalogue's milliseconds, or of its ratio to what stands in `beside`."""

    ask: Question
    goal: Goal | None = None


def measure(small_url: str, large_url: str) -> Table:
    """Of one kind of database."""
    small, large = Reader(small_url), Reader(large_url)
    pages = {what: _in_turns(ask, small, ask, large) for what, ask in _pages().items()}
    first, turned = _turning(large)
    page_1, deep = _in_turns(first, large, turned, large)
    counts = {}
    for what, asked in _counts().items():
        click.echo(what, err=True)
        counts[what] = _milliseconds(asked.ask, large)
    with large.snapshot() as connection:
        count = connection.scalar(select(func.count()).select_from(articles)) or 0
    small.close()
    large.close()
    a_page = pages["newest of a topic"][1]
    rows = [
        Row(f"{what}: large / small", (ratio(of_large, of_small),), at_most(1.5, 1.2))
        for what, (of_small, of_large) in pages.items()
    ]
    rows.append(Row("page 500 by cursor / page 1", (ratio(deep, page_1),), at_most(1.3, 1.1)))
    word = counts.pop("newest first, common word")
    rows.append(Row("newest first, common word / list page", (ratio(word, a_page),), at_most(50, 10)))
    rows += [Row(what, (took,), _counts()[what].goal, "ms") for what, took in counts.items()]
    rows.append(Row("server memory after all of these", (_memory(large_url),), at_most(150, 80), "MB"))
    kind = large_url.partition(":")[0].partition("+")[0]
    clock = "processor time" if kind == "sqlite" else "by the clock"
    about = f"{count:,} articles; warm, nothing remembered, {clock}. What ran out of time was not measured."
    return Table(f"Scale, {kind}", about, ("measured",), rows)


def _query(**clauses: str) -> ArticleQuery:
    return ArticleQuery.from_parameters(clauses.items())


def _page(query: ArticleQuery, place: Place = BEGINNING) -> Question:
    def ask(connection: Connection) -> object:
        listing = matching(connection, query).listing()
        return read_page(connection, listing, PER_PAGE, place)

    return ask


def _pages() -> dict[str, Question]:
    return {
        "newest of a topic": _page(_query(topic=TOPIC)),
        "newest of a rarer topic": _page(_query(topic=RARE)),
        "newest of everything": _page(_query()),
        "newest of a provider": _page(_query(provider=PROVIDER)),
        "newest of a topic and a provider": _page(_query(topic=TOPIC, provider=PROVIDER)),
        "newest of any of two topics": _page(_query(topic=f"{TOPIC},{SECOND}")),
        "newest of one topic and not another": _page(_query(topic=TOPIC, tag="-*")),
        "best of everything": _page(_query(sort="-quality")),
        "best of a topic": _page(_query(topic=TOPIC, sort="-quality")),
        "by title, of a rarer topic": _page(_query(topic=RARE, sort="title")),
    }


def _turning(reader: Reader) -> tuple[Question, Question]:
    """Page 1 and page 500."""
    query = _query(topic=TOPIC)
    place = BEGINNING
    with reader.snapshot() as connection:
        for _ in range(DEEP):
            restart_clock(connection)
            page = read_page(connection, matching(connection, query).listing(), PER_PAGE, place)
            place = page.next or place
    return _page(query), _page(query, place)


def _counts() -> dict[str, Asked]:
    both = {"topic": TOPIC, "provider": PROVIDER}
    return {
        "newest first, common word": Asked(_page(_query(q=WORD, sort="-publishedDateTime"))),
        "by relevance, common word": Asked(_page(_query(q=WORD)), at_most(100, 10)),
        "by relevance, two words": Asked(_page(_query(q=f"{WORD} {OTHER}")), at_most(100, 10)),
        "total of a search": Asked(_total(_query(q=WORD)), at_most(100, 25)),
        "total of a topic": Asked(_total(_query(topic=TOPIC)), at_most(100, 25)),
        "total of a topic and a provider": Asked(_total(_query(**both)), at_most(100, 25)),
        "total of a topic and a type": Asked(_total(_query(topic=TOPIC, type="article")), at_most(100, 25)),
        "total of any of two topics": Asked(_total(_query(topic=f"{TOPIC},{RARE}")), at_most(100, 25)),
        "total of a quality": Asked(_total(_query(minQuality="50")), at_most(100, 25)),
        "total of a topic of a quality": Asked(
            _total(_query(topic=TOPIC, minQuality="50")), at_most(100, 25)
        ),
        "facets of a topic": Asked(_facets(_query(topic=TOPIC)), at_most(200, 20)),
        "facets of a rarer topic": Asked(_facets(_query(topic=RARE)), at_most(200, 20)),
        "facets of a topic and a provider": Asked(_facets(_query(**both)), at_most(200, 20)),
        "facets of everything": Asked(_facets(_query()), at_most(2)),
        "total of everything": Asked(_total(_query()), at_most(2)),
        "timeline of a topic": Asked(_timeline(_query(topic=TOPIC))),
        "timeline of everything": Asked(_timeline(_query())),
    }


def _total(query: ArticleQuery) -> Question:
    return lambda connection: matching(connection, query).total()


def _facets(query: ArticleQuery) -> Question:
    return lambda connection: count_facets(connection, query, matching(connection, query), FIELDS, 20)


def _timeline(query: ArticleQuery) -> Question:
    # Years are counted by months. Each copy in a large catalogue is later, so it has too many months to show.
    return lambda connection: count_timeline(connection, matching(connection, query), "year")


def _in_turns(
    one: Question, reader: Reader, other: Question, other_engine: Reader
) -> tuple[float | None, float | None]:
    took = [(_once(one, reader), _once(other, other_engine))]
    until = time.monotonic() + _SECONDS
    while len(took) <= _ANSWERS and (len(took) < _FEWEST or time.monotonic() < until):
        took.append((_once(one, reader), _once(other, other_engine)))
    of_one, of_other = zip(*took[1:], strict=True)
    return _median(of_one), _median(of_other)


def _milliseconds(ask: Question, reader: Reader) -> float | None:
    """Warm: the first answer does not count, unless there is none in time, and then nothing else is asked."""
    if _once(ask, reader) is None:
        return None
    took: list[float | None] = []
    until = time.monotonic() + _SECONDS
    while len(took) < _ANSWERS and (len(took) < _FEWEST or time.monotonic() < until):
        took.append(_once(ask, reader))
    return _median(took)


def _once(ask: Question, reader: Reader) -> float | None:
    """None where there was no answer in time."""
    clock = _CLOCKS[reader.dialect]
    try:
        with reader.snapshot() as connection:
            started = clock()
            ask(connection)
            return (clock() - started) * 1000
    except QueryTimedOut:
        return None


def _median(took: Sequence[float | None]) -> float | None:
    in_time = [each for each in took if each is not None]
    return median(in_time) if len(in_time) == len(took) else None


def _memory(url: str) -> float:
    """Of a server that has answered some of each kind, by all of its threads and connections."""
    topic, rare = quote_plus(TOPIC), quote_plus(RARE)
    command, environment = service(url)
    paths = (
        *(f"{path}topic={rare}" for path in ("/articles?", "/facets?", "/timeline?interval=year&")),
        f"/articles?q={WORD}&sort=-publishedDateTime",
        f"/articles?topic={topic}&limit=200",
    )
    with serving(command, environment) as server, ThreadPoolExecutor(_AT_ONCE) as clients:
        # All ask at once: one after the other would be answered by one thread.
        list(clients.map(server.get, paths * _AT_ONCE))
        return peak_mb(server)
