"""How often `didYouMean` is the word that was misspelt, and how long it and /suggest take.

python -m benchmarks.spelling slips TREE...   imports the trees, and misspells 500 of their words
python -m benchmarks.spelling times URL       asks the service of a catalogue that is there, in one process
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from statistics import median
from string import ascii_lowercase
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlencode

import click
from fastapi import FastAPI
from sqlalchemy import Connection, select

from app.catalog.filters import matching
from app.catalog.index.find import count_articles_with_words
from app.catalog.query import ArticleQuery
from app.catalog.spelling import propose
from app.catalog.tables import word_articles
from app.database.engines import writing_engine
from app.database.snapshots import Reader
from app.importer.read import Request
from app.importer.run import Options, import_trees
from app.main import create_app
from app.settings import Settings
from benchmarks.questions import TOPIC, WORD
from benchmarks.report import Row, Table, at_least, at_most, ratio, report
from tests.support.databases import sqlite_url

WORDS: Final = 500
# One slip in a shorter word nearly always makes another word.
MIN_CHARACTERS: Final = 4
_TIMES: Final = 50


@click.group()
def spelling() -> None:
    """Measure proposals and suggestions."""


@spelling.command("slips")
@click.argument("trees", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--seed", default=1, show_default=True)
def _slips(trees: tuple[Path, ...], seed: int) -> None:
    """How often the proposal is the word that was meant."""
    with TemporaryDirectory() as folder:
        url = sqlite_url(Path(folder))
        engine = writing_engine(url)
        import_trees(engine, [Request(tree, tree.name, None) for tree in trees], Options())
        engine.dispose()
        reader = Reader(url)
        with reader.snapshot() as connection:
            words = _words(connection)
        click.echo(report([measure(reader, Random(seed).sample(words, WORDS), Random(seed), len(words))]))
        reader.close()


def _words(connection: Connection) -> list[str]:
    """The words of published articles, of ASCII letters alone: the slips are made of these."""
    rows = connection.scalars(select(word_articles.c.word).order_by(word_articles.c.word)).all()
    words = [word for word in rows if len(word) >= MIN_CHARACTERS and word.isascii() and word.isalpha()]
    return sorted(count_articles_with_words(connection, words, "true"))


def measure(reader: Reader, words: Iterable[str], random: Random, known: int) -> Table:
    right: Counter[str] = Counter()
    proposed: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for word in words:
        for slip, misspell in SLIPS.items():
            misspelt = misspell(word, random)
            if misspelt == word:
                continue
            with reader.snapshot() as connection:
                proposal = propose(matching(connection, ArticleQuery(q=misspelt)))
            for name in (slip, "all"):
                asked[name] += 1
                proposed[name] += proposal is not None
                right[name] += proposal is not None and proposal.q == word
    rows = [
        Row(
            name,
            (right[name] / asked[name], right[name] / proposed[name], 1 - proposed[name] / asked[name]),
            at_least(0.8) if name == "all" else None,
        )
        for name in ("all", *SLIPS)
    ]
    about = (
        f"{WORDS} of {known:,} words of {MIN_CHARACTERS} letters or more, each with one slip of each kind. "
        "A slip that makes another word of the catalogue is no misspelling to it, and counts as missed."
    )
    return Table("Spelling", about, ("is the word", "of the unknown", "is another word"), rows)


def _changed(word: str, random: Random) -> str:
    place = random.randrange(len(word))
    return word[:place] + random.choice(ascii_lowercase) + word[place + 1 :]


def _dropped(word: str, random: Random) -> str:
    place = random.randrange(len(word))
    return word[:place] + word[place + 1 :]


def _doubled(word: str, random: Random) -> str:
    place = random.randrange(len(word))
    return word[: place + 1] + word[place:]


def _swapped(word: str, random: Random) -> str:
    place = random.randrange(len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


SLIPS: Final[dict[str, Callable[[str, Random], str]]] = {
    "a letter changed": _changed,
    "a letter dropped": _dropped,
    "a letter doubled": _doubled,
    "two letters swapped": _swapped,
}


@spelling.command("times")
@click.argument("url")
def _times(url: str) -> None:
    """How long a proposal and suggestions take beside a page of a list."""
    app = create_app(Settings(database_url=url, remembered_bytes=0))
    click.echo(report([asyncio.run(measure_times(app))]))


async def measure_times(app: FastAPI) -> Table:
    """Nothing is remembered."""
    page = await _milliseconds(app, "/articles", topic=TOPIC)
    search = await _milliseconds(app, "/articles", q=WORD)
    misspelt = await _milliseconds(app, "/articles", q=_swapped(WORD, Random(1)))
    letters = [await _milliseconds(app, "/suggest", q=letter) for letter in ascii_lowercase]
    pairs = [await _milliseconds(app, "/suggest", q=WORD[:length]) for length in range(2, len(WORD) + 1)]
    rows = [
        Row("a page of a topic", (page, 1)),
        Row("a page of a search", (search, ratio(search, page))),
        Row("a page that proposes a word", (misspelt, ratio(misspelt, page))),
        Row("/suggest of a letter, median of all", (median(letters), ratio(median(letters), page))),
        Row("/suggest of a letter, slowest", (max(letters), ratio(max(letters), page)), at_most(20)),
        Row("/suggest of more letters, slowest", (max(pairs), ratio(max(pairs), page)), at_most(20)),
    ]
    return Table("Suggestions", "In one process, nothing remembered.", ("ms", "pages"), rows)


async def _milliseconds(app: FastAPI, path: str, **query: str) -> float:
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        status = await _ask(app, path, urlencode(query))
        times.append(1000 * (time.perf_counter() - began))
        if status != 200:  # noqa: PLR2004
            raise click.ClickException(f"{path} answered {status}")
    return median(times)


async def _ask(app: FastAPI, path: str, query: str) -> int:
    statuses = []
    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET"},
        **{"scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode()},
        **{"root_path": "", "headers": [], "client": None, "server": ("localhost", 80), "state": {}},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return int(statuses[0])


if __name__ == "__main__":
    spelling()
