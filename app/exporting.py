"""`clippings export`: what /exports answers, written to a file or to standard output."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from app.catalog.everything import all_items
from app.catalog.query import CLAUSES, ArticleQuery
from app.database import reading_engine, snapshot
from app.exports.rows import csv_rows, ndjson
from app.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


def _filters(command: F) -> F:
    """The parameters of /articles as options: the same names with dashes, the same values."""
    for name, field in ArticleQuery.model_fields.items():
        option = "--" + name.replace("_", "-")
        multiple = name in CLAUSES
        command = click.option(option, name, multiple=multiple, metavar="VALUE", help=field.description)(
            command
        )
    return command


@click.command()
@click.option(
    "--format", "format_", type=click.Choice(["ndjson", "csv"]), default="ndjson", show_default=True
)
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), help="A file.  [default: standard output]"
)
@_filters
def export(*, format_: str, to: Path | None, **filters: Any) -> None:
    """Write all articles that match, as /exports answers them."""
    pairs = [
        (ArticleQuery.model_fields[name].alias or name, text)
        for name, given in filters.items()
        if given is not None
        for text in (given if isinstance(given, tuple) else (given,))
    ]
    try:
        query = ArticleQuery.of(pairs)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")
        raise click.UsageError(f"--{first['loc'][0] if first['loc'] else 'sort'} {reason}") from None
    rows = {"ndjson": ndjson, "csv": csv_rows}[format_]
    with (
        snapshot(reading_engine(Settings.read().database_url)) as connection,
        click.open_file(str(to or "-"), "w", encoding="utf-8", atomic=to is not None) as file,
    ):
        for row in rows(all_items(connection, query)):
            file.write(row)
