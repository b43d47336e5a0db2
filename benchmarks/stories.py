"""Stories, folded lists and similar articles beside a list page: in this process, nothing remembered.

python -m benchmarks.stories sqlite:///large.db postgresql:///large

Through the whole application, and besides by the catalog alone, which answers from one snapshot without HTTP.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from statistics import quantiles
from typing import Any, Final
from urllib.parse import quote_plus

import click
from fastapi import FastAPI
from sqlalchemy import Connection, func, select

from app.catalog.facets import count_facets
from app.catalog.fields import FIELDS
from app.catalog.filters import matching
from app.catalog.paging import read_page
from app.catalog.query import ArticleQuery
from app.catalog.similar import similar_articles
from app.catalog.stories import find_story, story_items, whole_story
from app.catalog.story_lists import count_stories, every_story
from app.catalog.tables import articles, stories
from app.database.snapshots import Reader, restart_clock
from app.errors import QueryTimedOut
from app.main import create_app
from app.settings import Settings
from benchmarks.in_process import NotAnswered, read, request_scope
from benchmarks.questions import PER_PAGE, RARE, TOPIC, WORD
from benchmarks.report import Goal, Row, Table, at_most, ratio, report

_LIST, _FACETS = "list page", "facets of everything"
# A question is asked so often in a row. The first time pays for what the others forgot, and does not count.
_IN_A_ROW: Final = 4
# Where others use the machine, the clock tells of them: an answer of SQLite takes the processor time of this
# process and no other's. PostgreSQL works in processes of its own.
_CLOCKS: Final = {
    "sqlite": (time.process_time, "processor time"),
    "postgresql": (time.perf_counter, "a tenth of the answers are faster"),
}
# A figure is what a tenth of the answers take at most: where others use the machine, medians tell of them.
# Everything is asked in so many rounds, or in as many as fit into this time.
_ROUNDS, _FEWEST, _SECONDS = 25, 5, 180.0
# The article that is slowest to compare is the slowest of so many, all over the catalogue.
_TRIED: Final = 200
# Those with most links are looked for among so many of the latest.
_LATEST: Final = 2_000
_PAGES_DEEP, _LARGEST_PAGE = 25, 200
# Goals are in list pages up to this size, and in milliseconds beyond it.
_MAX_SMALL: Final = 50_000

Question = Callable[[Connection], object]
# Times by what was asked; None where an answer ran out of time.
_Milliseconds = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """`alone` asks the catalog. The goals are of list pages in a small catalogue, of ms in a large one."""

    path: str
    alone: Question | None = None
    small: Goal | None = None
    large: Goal | None = None


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
def compare(urls: tuple[str, ...]) -> None:
    """Measure filled catalogues."""
    click.echo(report([measure(Settings(database_url=url).database_url) for url in urls]))


def measure(url: str) -> Table:
    """The measures of one catalogue."""
    with Reader(url) as reader:
        return asyncio.run(_measure(url, reader))


async def _measure(url: str, reader: Reader) -> Table:
    app = create_app(Settings(database_url=url, remembered_bytes=0))
    async with app.router.lifespan_context(app):
        asked = await _questions(app, reader)
        whole, alone = await _ask_all(app, reader, asked)
    with reader.snapshot() as connection:
        count = connection.scalar(select(func.count()).select_from(articles)) or 0
    is_small = count <= _MAX_SMALL
    rows = []
    for what, one in asked.items():
        if what == _LIST:
            continue
        goal = one.small if is_small else one.large
        by_catalog = alone.get(what)
        if is_small:
            values = ratio(whole[what], whole[_LIST]), ratio(by_catalog, alone[_LIST])
            rows.append(Row(f"{what} / list page", values, goal))
        else:
            rows.append(Row(what, (whole[what], by_catalog), goal, "ms"))
    kind = url.partition(":")[0].partition("+")[0]
    about = (
        f"{count:,} articles. In process, nothing remembered; {_CLOCKS[kind][1]}. A list page of 20 by "
        f"topic took {whole[_LIST]:.2f} ms, by the catalog alone {alone[_LIST]:.2f}."
    )
    return Table(f"Stories, {kind}", about, ("whole answer", "catalog alone"), rows)


async def _questions(app: FastAPI, reader: Reader) -> dict[str, _Asked]:
    topic, rare = quote_plus(TOPIC), quote_plus(RARE)
    with reader.snapshot() as connection:
        story, ordinary, slowest, linking = _ids(connection)
    of_topic, folded = f"topic={topic}", "/articles?collapse=story"
    of_page = "/articles?collapse=url"
    three, page, similar = at_most(3), at_most(20), (at_most(10), at_most(50))
    total = _total
    return {
        _LIST: _Asked(f"/articles?{of_topic}", _page(topic=TOPIC)),
        _FACETS: _Asked("/facets", _facets()),
        "facets of a topic": _Asked(f"/facets?{of_topic}", _facets(topic=TOPIC)),
        # Years are counted by months, of which a large catalogue has too many to show.
        "timeline of a topic": _Asked(f"/timeline?interval=year&{of_topic}"),
        "one article": _Asked(f"/articles/{ordinary}"),
        "stories": _Asked("/stories", _stories, at_most(2)),
        "stories, deep": _Asked(await _deep(app, "/stories?limit=200")),
        "stories of a topic": _Asked(f"/stories?{of_topic}"),
        "stories of a search": _Asked(f"/stories?q={WORD}"),
        "one story": _Asked(f"/stories/{story}", _story(story), at_most(2)),
        "all folded": _Asked(folded, _page(collapse="story"), three, page),
        "all folded, deep": _Asked(await _deep(app, f"{folded}&limit=200")),
        "all folded, the best": _Asked(f"{folded}&sort=-quality", None, three, page),
        "all folded, by title": _Asked(f"{folded}&sort=title", None, three, page),
        "a topic, folded": _Asked(f"{folded}&{of_topic}", _page(topic=TOPIC, collapse="story"), three, page),
        "a topic, folded, deep": _Asked(await _deep(app, f"{folded}&{of_topic}&limit=200")),
        "a topic, folded, the best": _Asked(f"{folded}&{of_topic}&sort=-quality", None, three, page),
        "a rarer topic, folded": _Asked(
            f"{folded}&topic={rare}", _page(topic=RARE, collapse="story"), three, page
        ),
        "a search, folded": _Asked(f"{folded}&q={WORD}", _page(q=WORD, collapse="story"), three, page),
        "all, one of each page": _Asked(of_page, _page(collapse="url"), three, page),
        "all, one of each page, deep": _Asked(await _deep(app, f"{of_page}&limit=200")),
        "a topic, one of each page": _Asked(
            f"{of_page}&{of_topic}", _page(topic=TOPIC, collapse="url"), three, page
        ),
        "total of all folded": _Asked(folded, total(collapse="story")),
        "total of a topic folded": _Asked(f"{folded}&{of_topic}", total(topic=TOPIC, collapse="story")),
        "total of a topic, one of each page": _Asked(
            f"{of_page}&{of_topic}", total(topic=TOPIC, collapse="url")
        ),
        "a feed": _Asked("/feeds/articles.rss"),
        "a feed, folded": _Asked("/feeds/articles.rss?collapse=story"),
        "similar to an ordinary article": _Asked(
            f"/articles/{ordinary}/similar", _similar(ordinary), *similar
        ),
        f"similar to the slowest of {_TRIED}": _Asked(
            f"/articles/{slowest}/similar", _similar(slowest), *similar
        ),
        "similar to one that mentions most": _Asked(
            f"/articles/{linking}/similar", _similar(linking), *similar
        ),
    }


def _ids(connection: Connection) -> tuple[str, str, str, str]:
    """Public ids: of a story, of an ordinary article, of one that is slow to compare, of one with links."""
    is_public = stories.c.for_editors == 0
    newest = select(stories.c.public_id).where(is_public).order_by(stories.c.newest).limit(1)
    story = connection.scalars(newest).one()
    count = connection.scalar(select(func.max(articles.c.id))) or 0
    wanted = [1 + place * count // _TRIED for place in range(_TRIED)]
    # `+ 0` keeps the planner from an order of all that are published.
    is_seen = articles.c.published + 0 == 1
    restart_clock(connection)
    tried = connection.execute(
        select(articles.c.id, articles.c.public_id).where(is_seen, articles.c.id.in_(wanted))
    ).all()
    restart_clock(connection)
    linking = connection.execute(
        select(articles.c.public_id)
        .where(is_seen, articles.c.id > count - _LATEST)
        .order_by(articles.c.related_count.desc())
        .limit(1)
    ).scalar_one()
    took = {row.public_id: _once(_similar(row.public_id), connection) for row in tried}
    slowest_last = sorted(took, key=took.__getitem__)
    return story, slowest_last[len(slowest_last) // 2], slowest_last[-1], linking


async def _ask_all(
    app: FastAPI, reader: Reader, asked: dict[str, _Asked]
) -> tuple[_Milliseconds, _Milliseconds]:
    """Milliseconds of the whole answer, and of the catalog alone. Each round asks everything."""
    whole: dict[str, list[float | None]] = {what: [] for what in asked}
    alone: dict[str, list[float | None]] = {what: [] for what, one in asked.items() if one.alone}
    until = time.monotonic() + _SECONDS
    clock = _CLOCKS[reader.dialect][0]
    for number in range(_ROUNDS):
        if number >= _FEWEST and time.monotonic() > until:
            break
        click.echo(f"round {number + 1}", err=True)
        for what, one in asked.items():
            scope = request_scope(one.path)
            whole[what] += [await _answer(app, scope, clock) for _ in range(_IN_A_ROW)][1:]
            if one.alone:
                alone[what] += [_in_time(one.alone, reader, clock) for _ in range(_IN_A_ROW)][1:]
    return _fastest_tenths(whole), _fastest_tenths(alone)


def _fastest_tenths(took: dict[str, list[float | None]]) -> _Milliseconds:
    fastest: _Milliseconds = {}
    for what, milliseconds in took.items():
        in_time = [each for each in milliseconds if each is not None]
        fastest[what] = quantiles(in_time, n=10)[0] if len(in_time) == len(milliseconds) else None
    return fastest


async def _answer(app: FastAPI, scope: dict[str, Any], clock: Callable[[], float]) -> float | None:
    started = clock()
    try:
        await read(app, scope)
    except NotAnswered as error:
        if error.status != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return None
    return (clock() - started) * 1000


def _once(
    question: Question, connection: Connection, clock: Callable[[], float] = time.process_time
) -> float:
    restart_clock(connection)
    started = clock()
    question(connection)
    return (clock() - started) * 1000


def _in_time(question: Question, reader: Reader, clock: Callable[[], float]) -> float | None:
    try:
        with reader.snapshot() as connection:
            return _once(question, connection, clock)
    except QueryTimedOut:
        return None


async def _deep(app: FastAPI, path: str) -> str:
    """The list some thousands of articles on, by the cursor of as many pages; a page of 20 of it."""
    for _ in range(_PAGES_DEEP):
        following = json.loads(await read(app, request_scope(path)))["next"]
        if not following:
            break
        path = following
    return path.replace(f"limit={_LARGEST_PAGE}&", "").replace(f"&limit={_LARGEST_PAGE}", "")


def _query(**clauses: str) -> ArticleQuery:
    return ArticleQuery.from_parameters(clauses.items())


def _page(**clauses: str) -> Question:
    query = _query(**clauses)
    return lambda connection: read_page(connection, matching(connection, query).listing(), PER_PAGE)


def _total(**clauses: str) -> Question:
    query = _query(**clauses)
    return lambda connection: matching(connection, query).total()


def _facets(**clauses: str) -> Question:
    query = _query(**clauses)
    return lambda connection: count_facets(connection, query, matching(connection, query), FIELDS, PER_PAGE)


def _stories(connection: Connection) -> object:
    page = read_page(connection, every_story("true"), PER_PAGE)
    return story_items(connection, page.rows, "true"), count_stories(connection, "true")


def _story(public_id: str) -> Question:
    def tell(connection: Connection) -> object:
        row = find_story(connection, public_id, "true")
        return row and whole_story(connection, row, "true")

    return tell


def _similar(public_id: str) -> Question:
    def look(connection: Connection) -> object:
        find_id = select(articles.c.id).where(articles.c.public_id == public_id)
        return similar_articles(connection, connection.scalars(find_id).one(), "true", PER_PAGE)

    return look


if __name__ == "__main__":
    compare()
