"""The command: measures the parts asked for on databases of its own, and prints their tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from app.database import writing_engine
from app.settings import Settings
from benchmarks import beside, importing, service
from benchmarks.generate import DOCUMENTS, fill_catalogue
from benchmarks.report import Table, report
from tests.databases import drop_postgresql, new_postgresql_url, sqlite_url

PARTS = ("import", "service", "scale")
# What an archive of some years holds; the goals are of this size unless they say of which.
ARTICLES = 13_000


@click.command()
@click.option("--only", default=",".join(PARTS), show_default=True, help="Parts, separated by commas.")
@click.option("--articles", "count", default=ARTICLES, show_default=True)
@click.option("--documents", default=DOCUMENTS, show_default=True)
@click.option("--rounds", default=3, show_default=True, help="Each is measured so often, in turns.")
@click.option("--seconds", default=1.0, show_default=True, help="So long is each put under load.")
@click.option("--report", "to", type=click.Path(dir_okay=False, path_type=Path), help="Also write it here.")
def bench(only: str, count: int, documents: int, rounds: int, seconds: float, to: Path | None) -> None:
    """Measure how fast all is, beside others."""
    parts = only.split(",")
    tables: list[Table] = []
    if "import" in parts:
        tables += importing.measure(documents, rounds)
    if "service" in parts:
        with catalogues(count) as urls:
            tables += service.measure(urls, count, rounds, seconds)
            tables.append(beside.measure(urls, rounds))
    text = report(tables)
    click.echo(text)
    if to:
        to.write_text(text, encoding="utf-8")


@contextmanager
def catalogues(count: int) -> Iterator[dict[str, str]]:
    """Equal ones in SQLite and in PostgreSQL, as long as they are needed."""
    with TemporaryDirectory() as folder:
        urls = {"SQLite": sqlite_url(Path(folder)), "PostgreSQL": new_postgresql_url()}
        try:
            urls = {name: Settings(database_url=url).database_url for name, url in urls.items()}
            for url in urls.values():
                fill_catalogue(writing_engine(url), count)
            yield urls
        finally:
            drop_postgresql(urls["PostgreSQL"])


if __name__ == "__main__":
    bench()
