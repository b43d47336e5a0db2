"""Writes generated articles: as a tree of documents, or into a catalogue as so many imports.

python -m benchmarks.generate tree FOLDER --documents 4958
python -m benchmarks.generate catalogue sqlite:///large.db --articles 1000000
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final

import click
from sqlalchemy import Engine, func, select

from app.catalog.index.keep import WordLimits
from app.catalog.tables import articles
from app.database.engines import exclusive, writing_engine
from app.documents.article import ArticleDocument, Image, RelatedLink
from app.documents.reading import Reading
from app.importer.apply import apply_plans
from app.importer.plan import Planner, ReadFile, StoredDocuments
from app.importer.report import Report
from app.importer.serialise import Serialised, serialise
from app.importer.spool import Spool
from app.importer.stored import next_document_id, source_named
from app.importer.tables.article_terms import MAX_WAITING_ROWS
from app.migrate import upgrade
from app.settings import Settings
from benchmarks.articles import Archive

SEED: Final = 1
# One real tree is so: 4,958 documents of 27 kB, most of it the 33 others that each mentions.
DOCUMENTS, _MENTIONED, _SENTENCES = 4_958, 33, 30
# Most articles mention nobody, and a few mention many; a list shows nothing of either.
_EVERY, _MENTIONED_BY_FEW, _SENTENCES_IN_A_CATALOGUE = 20, 24, 7
# An import rewrites the sets of all of its words, so few large imports fill a large catalogue sooner.
_ARTICLES_AT_ONCE: Final = 100_000
_SOURCES: Final = 3


@click.group()
def generate() -> None:
    """Generate articles, the same for the same seed."""


@generate.command("tree")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--documents", default=DOCUMENTS, show_default=True)
@click.option("--seed", default=SEED, show_default=True)
def _tree(folder: Path, documents: int, seed: int) -> None:
    """A tree of documents."""
    click.echo(f"{write_tree(folder, documents, seed) / 1e6:.0f} MB")


@generate.command("catalogue")
@click.argument("url")
@click.option("--articles", "count", default=1_000_000, show_default=True)
@click.option("--seed", default=SEED, show_default=True)
def _catalogue(url: str, count: int, seed: int) -> None:
    """An empty catalogue, filled."""
    started = time.monotonic()

    def progress(done: int) -> None:
        click.echo(f"{done:>9,} articles, {time.monotonic() - started:6.0f} s")

    fill_catalogue(writing_engine(Settings(database_url=url).database_url), count, seed, progress)


def write_tree(folder: Path, documents: int, seed: int = SEED) -> int:
    """Returns its bytes."""
    archive = Archive(seed, documents)
    size = 0
    for number in range(documents):
        article = archive.article(number, _MENTIONED, _SENTENCES)
        file = folder / article.path
        file.parent.mkdir(parents=True, exist_ok=True)
        size += file.write_bytes(as_document(article).encode())
    return size


def fill_catalogue(
    engine: Engine, count: int, seed: int = SEED, progress: Callable[[int], None] = lambda done: None
) -> None:
    """In parts, each in memory while it is written; the newest come last, as they do in life."""
    archive = Archive(seed, count)
    for start in range(0, count, _ARTICLES_AT_ONCE):
        part = range(start, min(count, start + _ARTICLES_AT_ONCE))
        with exclusive(engine) as connection, Spool() as spool:
            upgrade(connection)
            if not start and connection.scalar(select(func.count()).select_from(articles)):
                raise click.UsageError("the catalogue has articles already; name a new one")
            name = f"tree-{start // _ARTICLES_AT_ONCE % _SOURCES}"
            source = source_named(connection, name, None)
            planner = Planner(source, StoredDocuments(), itertools.count(next_document_id(connection)))
            for file in _files(archive, part, name):
                if document := planner.saw(file):
                    spool.add(document)
            plan = planner.conclude(Report(), incomplete=False, prune=False, force=False)
            apply_plans(connection, [plan], spool, "2025-01-01T00:00:00Z", WordLimits(), MAX_WAITING_ROWS)
        progress(part.stop)


def _files(archive: Archive, numbers: range, source: str) -> Iterator[ReadFile[Serialised]]:
    for number in numbers:
        related = 0 if number % _EVERY else _MENTIONED_BY_FEW
        article = archive.article(number, related, _SENTENCES_IN_A_CATALOGUE)
        reading = Reading(None, None, None, (), ())
        yield ReadFile(article.path, b"generated", reading, serialise(source, None, article))


def as_document(article: ArticleDocument) -> str:
    """The front matter that reads back as this article, and its body."""
    lines = ["---", *_values(article, ""), f"published: {str(article.published).lower()}", "topics:"]
    lines += [f"  - {name}" for name in article.topics]
    lines += ["tags:", *(f"  - {tag}" for tag in article.tags)] if article.tags else []
    lines += ["related:"] if article.related else []
    for link in article.related:
        first, *others = _values(link, "    ")
        lines += [f"  - {first.strip()}", *others]
    return "\n".join([*lines, "---", article.content])


_WRITTEN: Final = {
    **{"title": "title", "excerpt": "excerpt", "type": "type", "category": "category", "locale": "locale"},
    **{"published_date_time": "publishedDateTime", "updated_date_time": "updatedDateTime"},
    **{"quality": "quality", "heat": "heat", "web_url": "webUrl", "original_url": "originalUrl"},
    "amp_web_url": "ampWebUrl",
}


def _values(page: ArticleDocument | RelatedLink, indent: str) -> Iterator[str]:
    for name in (field.name for field in fields(page) if field.name in _WRITTEN):
        value = getattr(page, name)
        if value is not None:
            text = json.dumps(value) if name in ("title", "excerpt") else value
            yield f"{indent}{_WRITTEN[name]}: {text}"
    yield f"{indent}provider:"
    yield f"{indent}  name: {page.provider.name}"
    yield f"{indent}  domain: {page.provider.domain}"
    yield from _images(page.provider.images, indent + "  ")
    yield from _images(page.images, indent)


def _images(images: tuple[Image, ...], indent: str) -> Iterator[str]:
    if images:
        yield f"{indent}images:"
    for image in images:
        yield f"{indent}  - url: {image.url}"
        yield f"{indent}    width: {image.width}"
        yield f"{indent}    height: {image.height}"
        if image.title:
            yield f"{indent}    title: {image.title}"
            yield f"{indent}    isCached: true"


if __name__ == "__main__":
    generate()
