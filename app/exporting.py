"""`clippings export`: articles as /exports answers them, or whole documents to import again."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any, Final, TypeVar

import click
from pydantic import ValidationError
from sqlalchemy import Connection

from app.catalog.filters import Selection, matching
from app.catalog.item_keys import check_keys
from app.catalog.originals import all_documents
from app.catalog.query import CLAUSES, ArticleQuery
from app.database.snapshots import Reader
from app.documents.files import EXTENSIONS
from app.errors import ExportFailed
from app.exports.documents import document_text
from app.exports.rows import columns_of_fields, csv_rows, ndjson
from app.exports.sheet import check_rows, write_sheet
from app.migrate import require_current
from app.settings import Settings
from app.whole_files import written_whole

F = TypeVar("F", bound=Callable[..., Any])

_INTERRUPTED: Final = "interrupted, what was written before stands"


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
    "--format",
    "format_",
    type=click.Choice(["ndjson", "csv", "xlsx", "documents"]),
    default="ndjson",
    show_default=True,
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where to write; a name such as all.csv means a file.  [default: standard output]",
)
@click.option(
    "--fields", metavar="KEYS", help="Only these keys of each article, parted by commas. Not with documents."
)
@click.option("--bom", is_flag=True, help="Begin CSV with a byte order mark, by which Excel knows UTF-8.")
@_filters
def export(*, format_: str, to: Path | None, fields: str | None, bom: bool, **filters: Any) -> None:
    """Write all articles that match, as /exports answers them.

    `--format documents` writes FOLDER/SOURCE/PATH: every article, published or not, with all that its
    document said, and what describes topics and providers. Imported, each FOLDER/SOURCE is the same again.
    """
    if format_ == "documents" and filters["published"] is None:
        filters["published"] = "any"
    query = _query(filters)
    if format_ == "documents" and query.collapse:
        raise click.UsageError("--collapse folds lists of articles; --format documents writes all that match")
    if format_ == "documents" and to is None:
        raise click.UsageError("--format documents needs --to FOLDER")
    if bom and format_ != "csv":
        raise click.UsageError("--bom is for --format csv")
    if fields and format_ == "documents":
        raise click.UsageError("--fields is not for --format documents, which writes all of them")
    if format_ == "xlsx" and to is None and sys.stdout.isatty():
        raise click.UsageError(
            "--format xlsx is no text for a terminal: give --to FILE, or send it to a file"
        )
    try:
        with Reader(Settings.read().database_url) as reader, reader.snapshot() as connection:
            require_current(connection)
            if format_ == "documents" and to:
                _write_documents(connection, query, to)
            else:
                _write_file(matching(connection, query), format_, to, _checked(fields), has_mark=bom)
    except KeyboardInterrupt:
        # Nothing is written only where a file stands when it is whole.
        raise click.Abort(_INTERRUPTED if to is None or format_ == "documents" else "") from None
    except OSError as error:
        raise ExportFailed(f"cannot write {error.filename or to or ''}: {error.strerror}") from error


def _query(filters: dict[str, Any]) -> ArticleQuery:
    pairs = [
        (ArticleQuery.model_fields[name].alias or name, text)
        for name, given in filters.items()
        if given is not None
        for text in (given if isinstance(given, tuple) else (given,))
    ]
    try:
        return ArticleQuery.from_parameters(pairs)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")
        raise click.UsageError(f"--{first['loc'][0] if first['loc'] else 'sort'} {reason}") from None


def _checked(fields: str | None) -> str | None:
    try:
        return check_keys(fields) if fields else None
    except ValueError as error:
        raise click.UsageError(f"--fields {error}") from None


def _write_file(
    selection: Selection, format_: str, to: Path | None, fields: str | None, *, has_mark: bool
) -> None:
    items = selection.every_item(fields, sees_all=selection.query.published != "true")
    if to is None:
        with click.open_file("-", "wb") as stdout:
            _write(stdout, selection, items, format_, fields, has_mark=has_mark)
        return
    if to.is_dir() or not to.suffix:
        to.mkdir(parents=True, exist_ok=True)
        to = to / f"articles.{format_}"
    try:
        with written_whole(to) as part, part.open("wb") as file:
            _write(file, selection, items, format_, fields, has_mark=has_mark)
    except OSError as error:
        error.filename = str(to)
        raise


def _write(
    file: IO[bytes],
    selection: Selection,
    items: Iterator[str],
    format_: str,
    fields: str | None,
    *,
    has_mark: bool,
) -> None:
    columns = columns_of_fields(fields)
    match format_:
        case "xlsx":
            check_rows(selection.total())
            with TemporaryDirectory(prefix="clippings-") as folder, TemporaryFile() as whole:
                write_sheet(whole, items, Path(folder), columns)
                whole.seek(0)
                copyfileobj(whole, file)
        case "csv":
            file.writelines(row.encode() for row in csv_rows(items, columns, has_mark=has_mark))
        case _:
            file.writelines(row.encode() for row in ndjson(items))


def _write_documents(connection: Connection, query: ArticleQuery, folder: Path) -> None:
    """Into new folders only: an import of one must find what was exported and nothing else."""
    written = 0
    begun: set[str] = set()
    passed_over: list[str] = []
    for document in all_documents(connection, query):
        root = folder / document.source
        if document.source not in begun:
            _begin(root)
            begun.add(document.source)
        place, file = f"{document.source}/{document.path}", root / document.path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8", newline="\n") as opened:
                opened.write(document_text(document))
        except (FileExistsError, NotADirectoryError):
            # The catalogue also keeps articles whose file is gone, and has something else in its place.
            click.echo(f"{place}: not written: something else has its place", err=True)
            continue
        written += 1
        hidden = any(part.startswith(".") for part in document.path.split("/"))
        if hidden or not document.path.lower().endswith(EXTENSIONS):
            passed_over.append(place)
    click.echo(f"{written} documents written")
    for path in passed_over:
        click.echo(f"{path}: an import reads it only where it is named", err=True)


def _begin(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    if any(not entry.name.startswith(".") for entry in root.iterdir()):
        raise click.UsageError(f"{root} is not empty; documents are exported to a new folder")
