"""The command: measures the parts asked for, on databases of its own, and prints their tables.

A large catalogue takes half an hour to fill, so it is kept: BENCH_ARTICLES=1000000 makes one where there is
none, in BENCH_FOLDER (build/benchmarks), and every later run measures it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from app.database.engines import writing_engine
from app.settings import Settings
from benchmarks import beside, counts, importing, scale, service, worst
from benchmarks.generate import DOCUMENTS, fill_catalogue
from benchmarks.report import Table, report
from tests.support.databases import drop_postgresql, new_postgresql_url, sqlite_url

PARTS = ("import", "counts", "service", "scale")
# An archive of some years holds so many; the goals are of this size unless they say of which.
ARTICLES = 13_000


@click.command()
@click.option("--only", default=",".join(PARTS), show_default=True, help="Parts, separated by commas.")
@click.option("--articles", "count", default=ARTICLES, show_default=True)
@click.option("--documents", default=DOCUMENTS, show_default=True)
@click.option("--rounds", default=3, show_default=True, help="Each is measured so often, in turns.")
@click.option("--seconds", default=1, show_default=True, help="So long is each put under load at a time.")
@click.option("--large", multiple=True, metavar="URL", help="Catalogues to measure at scale, besides.")
@click.option("--report", "to", type=click.Path(dir_okay=False, path_type=Path), help="Also write it here.")
def bench(
    only: str,
    count: int,
    documents: int,
    rounds: int,
    seconds: int,
    large: tuple[str, ...],
    to: Path | None,
) -> None:
    """Measure how fast all is, beside others."""
    parts = only.split(",")
    if unknown := set(parts) - set(PARTS):
        raise click.UsageError(f"--only knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    large = (*_kept(), *(Settings(database_url=url).database_url for url in large))
    tables: list[Table] = []
    if "import" in parts:
        tables.append(importing.measure(documents, rounds))
    if {"counts", "service"} & set(parts) or ("scale" in parts and large):
        with _catalogues(count) as urls:
            if "counts" in parts:
                tables.append(counts.measure(urls, count))
            if "service" in parts:
                tables += service.measure(urls, count, rounds, seconds)
            if "scale" in parts:
                for url in large:
                    tables += [scale.measure(_of_its_kind(urls, url), url), worst.measure(url)]
            if "service" in parts:
                tables.append(beside.measure(urls, rounds))
    text = report(tables)
    click.echo(text)
    if to:
        to.write_text(text, encoding="utf-8")


def _kept() -> list[str]:
    """The large catalogue, if there is one or one is asked for."""
    folder = Path(os.environ.get("BENCH_FOLDER", "build/benchmarks"))
    if wanted := os.environ.get("BENCH_ARTICLES"):
        file = folder / f"{int(wanted)}.db"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            # Under its own name only when it is whole.
            unfinished = file.with_suffix(".unfinished")
            unfinished.unlink(missing_ok=True)
            engine = writing_engine(f"sqlite:///{unfinished}")
            fill_catalogue(engine, int(wanted), progress=lambda done: click.echo(f"{done:,}", err=True))
            engine.dispose()
            unfinished.rename(file)
    return [f"sqlite:///{file}" for file in sorted(folder.glob("*.db"))]


@contextmanager
def _catalogues(count: int) -> Iterator[dict[str, str]]:
    """Equal ones in SQLite and in PostgreSQL, as long as they are needed."""
    with TemporaryDirectory() as folder:
        fresh = {"SQLite": sqlite_url(Path(folder)), "PostgreSQL": new_postgresql_url()}
        urls = {name: Settings(database_url=url).database_url for name, url in fresh.items()}
        try:
            for url in urls.values():
                fill_catalogue(writing_engine(url), count)
            yield urls
        finally:
            drop_postgresql(fresh["PostgreSQL"])


def _of_its_kind(urls: dict[str, str], url: str) -> str:
    return urls["SQLite" if url.startswith("sqlite") else "PostgreSQL"]


if __name__ == "__main__":
    bench()
