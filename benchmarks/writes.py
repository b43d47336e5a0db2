"""What an import writes into a catalogue: bytes of the database's log, and seconds.

python -m benchmarks.writes sqlite:///copy.db postgresql:///copy

It changes the catalogues, so it is given fresh copies. SQLite's bytes are those of its write-ahead log.
PostgreSQL's are what its log grew by right after a checkpoint, when the first change of a page writes all of
it; nobody else may write to the server.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import click
from sqlalchemy import Engine, event, func, select, text

from app.catalog.originals import ALL_ARTICLES, all_documents
from app.catalog.tables import articles
from app.database.engines import writing_engine
from app.database.snapshots import Reader
from app.exports.documents import document_text
from app.importer.read import Request
from app.importer.run import Options, import_trees
from app.settings import Settings
from benchmarks.articles import Archive
from benchmarks.generate import SEED, as_document

# A usual article; those of generated catalogues have seven, so that a million fit on a disk.
_SENTENCES: Final = 30
# New articles are of a source of their own, whose other documents need not be read first.
_SOURCE: Final = "writes"
_ROUNDS: Final = 3
# The pages of a copy are full, so changes would move rows away from them, and index entries with the rows. So
# many imports of so many articles leave them as a catalogue of some weeks has them.
_IMPORTS_BEFORE, _ARTICLES_BEFORE = 20, 30


class Written(NamedTuple):
    size: int
    seconds: float


# The texts of documents by their paths.
_Tree = Mapping[str, str]


@click.command()
@click.argument("urls", nargs=-1, required=True)
@click.option("--new", multiple=True, default=[100, 10_000], show_default=True, help="Imports of so many.")
def writes(urls: tuple[str, ...], new: tuple[int, ...]) -> None:
    """Measure imports into catalogues, which they change."""
    for url in urls:
        engine = writing_engine(Settings(database_url=url).database_url)
        with engine.connect() as connection:
            count = connection.scalar(select(func.count()).select_from(articles)) or 0
        click.echo(f"{engine.dialect.name}, {count:,} articles")
        for what, size, seconds in _measure(engine, count, new):
            click.echo(f"  {what:26} {size / 1e6:9.2f} MB {seconds:8.2f} s")
        engine.dispose()


def _measure(engine: Engine, count: int, sizes: Sequence[int]) -> Iterator[tuple[str, float, float]]:
    documents = _new_documents(count)
    # The first of these also brings the schema up to date and makes the source.
    for _ in range(_IMPORTS_BEFORE):
        _import(engine, _SOURCE, dict(islice(documents, _ARTICLES_BEFORE)))
    new = [_import(engine, _SOURCE, dict(islice(documents, 1))) for _ in range(_ROUNDS)]
    yield "a new article", *_medians(new)
    yield "a title edited by a word", *_medians([_import(engine, *edited) for edited in _edited(engine)])
    for size in sizes:
        yield f"{size:,} new articles", *_import(engine, _SOURCE, dict(islice(documents, size)))


def _medians(imports: Sequence[Written]) -> tuple[float, float]:
    return median(one.size for one in imports), median(one.seconds for one in imports)


def _new_documents(count: int) -> Iterator[tuple[str, str]]:
    """Paths and texts of articles that are newer than all of the archive, and mention nobody."""
    archive = Archive(SEED, count)
    number = count
    while True:
        article = archive.article(number, 0, _SENTENCES)
        yield article.path, as_document(article)
        number += 1


def _edited(engine: Engine) -> list[tuple[str, _Tree]]:
    """The sources and the documents of stored articles, their titles begun with another word."""
    edited: list[tuple[str, _Tree]] = []
    url = engine.url.render_as_string(hide_password=False)
    with Reader(url) as reader, reader.snapshot() as connection:
        for document in all_documents(connection, ALL_ARTICLES):
            if document.article:
                item = document.article.item
                item["title"] = " ".join(["Corrected", *item["title"].split(" ")[1:]])
                edited.append((document.source, {document.path: document_text(document)}))
            if len(edited) == _ROUNDS:
                break
    return edited


def _import(engine: Engine, source: str, tree: _Tree) -> Written:
    ended: list[float] = []

    def note_end(*_: object) -> None:
        ended.append(time.perf_counter())

    with TemporaryDirectory() as folder:
        for path, document in tree.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(document, encoding="utf-8")
        with _log_growth(engine) as grown:
            # The connection is handed back before SQLite copies its log into the file.
            event.listen(engine, "checkin", note_end)
            started = time.perf_counter()
            report = import_trees(engine, [Request(Path(folder), source)], Options())
            event.remove(engine, "checkin", note_end)
    if report.created + report.updated != len(tree):
        raise click.ClickException(f"{source}: not all was new; name a fresh copy of a catalogue")
    return Written(grown[0], ended[0] - started)


@contextmanager
def _log_growth(engine: Engine) -> Iterator[list[int]]:
    """The list has the bytes once the block is left."""
    grown: list[int] = []
    if engine.dialect.name == "sqlite":
        log = Path(f"{engine.url.database}-wal")
        # SQLite does not empty its log while somebody reads from it.
        with engine.connect() as connection:
            connection.execute(text("SELECT name FROM sources")).all()
            before = log.stat().st_size
            yield grown
            grown.append(log.stat().st_size - before)
    else:
        place = text("SELECT pg_current_wal_insert_lsn() - '0/0'")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("CHECKPOINT"))
            before = connection.scalars(place).one()
            yield grown
            grown.append(int(connection.scalars(place).one() - before))


if __name__ == "__main__":
    writes()
