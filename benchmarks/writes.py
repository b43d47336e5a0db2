"""What an import writes into a catalogue of `benchmarks.generate`: bytes of the log, and seconds.

python -m benchmarks.writes sqlite:///copy.db postgresql://…/copy

It changes the catalogue, so it is given a copy. SQLite's bytes are those of its write-ahead log. PostgreSQL's
are what its log grew by: on a server that nobody else writes to, right after a checkpoint, when most pages
are written whole, and once more without one.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
from sqlalchemy import Engine, event, func, select, text

from app.catalog.tables import articles
from app.database.engines import writing_engine
from app.documents.article import ArticleDocument
from app.importer.read import Request
from app.importer.run import Options, import_trees
from app.settings import Settings
from benchmarks.articles import Archive
from benchmarks.generate import SEED, as_document, catalogue_article, source_of

# Articles of a news site; those of the catalogue have seven, so that a million fit on a disk.
_SENTENCES: Final = 30
_SOURCE: Final = "writes"
_ROUNDS: Final = 3
# Each 20th article has related links: single ones have none.
_EVERY: Final = 20


@dataclass(frozen=True, slots=True)
class Written:
    size: int
    seconds: float


@click.command()
@click.argument("urls", nargs=-1, required=True)
@click.option("--new", default="100,10000", show_default=True, help="Imports of so many articles, besides.")
@click.option(
    "--checkpoint/--no-checkpoint", default=True, show_default=True, help="Before each, PostgreSQL."
)
def writes(urls: tuple[str, ...], new: str, *, checkpoint: bool) -> None:
    """Measure imports into catalogues, which they change."""
    for url in urls:
        engine = writing_engine(Settings(database_url=url).database_url)
        with engine.connect() as connection:
            count = connection.scalar(select(func.count()).select_from(articles)) or 0
        click.echo(f"{engine.dialect.name}, {count:,} articles")
        for what, size, seconds in _measure(
            engine, count, list(map(int, new.split(","))) if new else [], checkpoint
        ):
            click.echo(f"  {what:28} {size / 1e6:9.2f} MB {seconds:8.2f} s")
        engine.dispose()


def _measure(
    engine: Engine, count: int, sizes: Iterable[int], checkpoint: bool
) -> Iterator[tuple[str, float, float]]:
    archive = Archive(SEED, count)
    numbers = iter(range(count - count % _EVERY + 1, 2**31))
    single = [next(numbers) for _ in range(2 * _ROUNDS)]
    # The first import makes the source, and what was never needed before.
    _import(engine, [_new(archive, next(numbers))], _SOURCE, checkpoint)

    def rounds(what: str, imports: list[tuple[list[ArticleDocument], str]]) -> tuple[str, float, float]:
        written = [_import(engine, documents, source, checkpoint) for documents, source in imports]
        return what, median(one.size for one in written), median(one.seconds for one in written)

    yield rounds("a new article", [([_new(archive, number)], _SOURCE) for number in single[:_ROUNDS]])
    edited = [count * part // 5 // _EVERY * _EVERY + 1 for part in (1, 2, 3)]
    yield rounds(
        "a title edited by a word", [([_edited(archive, number)], source_of(number)) for number in edited]
    )
    for size in sizes:
        documents = [_new(archive, next(numbers)) for _ in range(size)]
        yield rounds(f"{size:,} new articles", [(documents, _SOURCE)])


def _new(archive: Archive, number: int) -> ArticleDocument:
    return catalogue_article(archive, number, _SENTENCES)


def _edited(archive: Archive, number: int) -> ArticleDocument:
    article = catalogue_article(archive, number)
    others = article.title.split(" ")[1:]
    return replace(article, title=" ".join((archive.words.things[number % 100], *others)))


def _import(engine: Engine, documents: list[ArticleDocument], source: str, checkpoint: bool) -> Written:
    with TemporaryDirectory() as folder:
        for document in documents:
            file = Path(folder, document.path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(as_document(document), encoding="utf-8")
        ended: list[float] = []

        def note_end(*_: object) -> None:
            ended.append(time.perf_counter())

        with _log_growth(engine, checkpoint) as log:
            # The connection is handed back before SQLite copies its log into the file.
            event.listen(engine, "checkin", note_end)
            started = time.perf_counter()
            report = import_trees(engine, [Request(Path(folder), source, None)], Options())
            event.remove(engine, "checkin", note_end)
        if report.rejected or report.created + report.updated != len(documents):
            raise click.ClickException(f"{source}: not all is new; name a fresh copy")
    return Written(log[0], ended[0] - started)


@contextmanager
def _log_growth(engine: Engine, checkpoint: bool) -> Iterator[list[int]]:
    """The bytes, once the block is left."""
    grown: list[int] = []
    if engine.dialect.name == "sqlite":
        log = Path(f"{engine.url.database}-wal")
        reader: Any = engine.raw_connection()
        try:
            # Whoever reads keeps the log from being emptied.
            reader.driver_connection.execute("BEGIN")
            reader.driver_connection.execute("SELECT count(*) FROM sources").fetchall()
            before = log.stat().st_size if log.exists() else 0
            yield grown
            grown.append(log.stat().st_size - before)
        finally:
            reader.driver_connection.execute("ROLLBACK")
            reader.close()
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if checkpoint:
                connection.execute(text("CHECKPOINT"))
            place = text("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
            before = connection.scalars(place).one()
            yield grown
            grown.append(int(connection.scalars(place).one() - before))


if __name__ == "__main__":
    writes()
