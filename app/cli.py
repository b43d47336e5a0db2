"""The commands: each reads its options, calls one function, prints, and exits with how it went."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from sqlalchemy import Engine

from app.console import print_check, print_import, progress_line
from app.database.engines import exclusive, writing_engine
from app.documents.editor_schema import front_matter_schema
from app.errors import ClippingsError
from app.importer.check import check_trees
from app.importer.read import Request
from app.importer.report import Report
from app.importer.run import SOURCE_NAME, Options, import_trees
from app.importer.watch import watch
from app.interrupts import end_interrupted, hold_interrupts, release_interrupts
from app.migrate import upgrade
from app.settings import Settings, unknown_names

# Exit statuses beside 0, done, 2, wrong usage, and that of an interrupt.
SOME_REJECTED, NOT_DONE = 1, 3

F = TypeVar("F", bound=Callable[..., Any])


class _Commands(click.Group):
    """Loads what `export` needs when it is asked for: an import that finds nothing changed is done before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "export"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "export":
            from app.exporting import export  # noqa: PLC0415  as said above

            return export
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # Click would write a blank line first, which is no use in a container's log.
            raise click.Abort from None


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="clippings")
def clippings() -> None:
    """Curated article metadata: documents in, a REST service out.

    Settings come from the environment: CLIPPINGS_DATABASE_URL (default sqlite:///clippings.db),
    CLIPPINGS_EDITOR_TOKEN, CLIPPINGS_SHOW_UNPUBLISHED, CLIPPINGS_PUBLIC_URL,
    CLIPPINGS_REMEMBERED_BYTES.
    """
    for name in unknown_names(os.environ):
        click.echo(
            f"clippings: {name} is no setting and is not read; see the README for those that are", err=True
        )


def main() -> NoReturn:
    try:
        clippings.main(standalone_mode=False)
    except click.Abort as abort:
        end_interrupted(str(abort))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ClippingsError as error:
        click.echo(f"clippings: {error}", err=True)
        sys.exit(NOT_DONE)
    sys.exit(0)


def _reading_options(command: F) -> F:
    for option in (
        click.argument(
            "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
        ),
        click.option(
            "--root",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="From where paths are counted and the source is named, each PATH being a part of it."
            "  [default: PATH itself, for a file its folder]",
        ),
        click.option(
            "--source", metavar="NAME", help="Name of the source.  [default: the root folder's name]"
        ),
        click.option(
            "--base-url", metavar="URL", help="What relative URLs are relative to; kept with the source."
        ),
        click.option(
            "--workers",
            type=click.IntRange(1, 256),
            default=os.cpu_count() or 1,
            show_default="the processors there are",
            help="So many processes read large trees.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the report as JSON."),
    ):
        command = option(command)
    return command


@clippings.command("import")
@_reading_options
@click.option("--prune", is_flag=True, help="Also remove what no document describes any more.")
@click.option("--force", is_flag=True, help="Let --prune remove more than half of the articles.")
@click.option("--dry-run", is_flag=True, help="Report what would be done, and do nothing.")
@click.option("--strict", is_flag=True, help="Write nothing if any document has a problem.")
@click.option("--watch", "watch_", is_flag=True, help="Import again whenever the documents change.")
def import_(
    *,
    paths: tuple[Path, ...],
    root: Path | None,
    source: str | None,
    base_url: str | None,
    workers: int,
    as_json: bool,
    prune: bool,
    force: bool,
    dry_run: bool,
    strict: bool,
    watch_: bool,
) -> None:
    """Bring the catalogue in line with the documents below each PATH.

    Exit status: 0 done; 1 done, but some documents were rejected; 2 wrong usage; 3 could not be done,
    nothing written.
    """
    requests = _requests(paths, root, source)
    engine = _engine()
    options = Options(prune, force, dry_run, strict, base_url, workers)

    def import_once() -> Report:
        with progress_line() as progress:
            report = import_trees(engine, requests, options, progress)
        if as_json:
            click.echo(json.dumps(report.as_json(), indent=2))
        else:
            print_import(report, dry_run=dry_run, nothing_written=strict and bool(report.problems))
        return report

    if watch_:
        watch(requests, partial(_whatever_happens, import_once))
    if import_once().problems:
        sys.exit(SOME_REJECTED)


def _whatever_happens(import_once: Callable[[], Report]) -> bool:
    """A tree or a database in a bad state today may be in a good one tomorrow. Says whether this one is."""
    is_done = True
    try:
        import_once()
    except ClippingsError as error:
        click.echo(f"clippings: {error}", err=True)
        is_done = False
    release_interrupts()
    return is_done


@clippings.command()
@_reading_options
def check(
    *,
    paths: tuple[Path, ...],
    root: Path | None,
    source: str | None,
    base_url: str | None,
    workers: int,
    as_json: bool,
) -> None:
    """Read documents as import does, without a database, and print what is wrong with them.

    One line a finding, as editors read it: file:line:column: level: key: reason. Exit status: 0 no problem,
    1 some, 2 wrong usage.
    """
    report = check_trees(_requests(paths, root, source), base_url, workers)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        print_check(report)
    if report.problems:
        sys.exit(SOME_REJECTED)


@clippings.command()
@click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@click.option(
    "--to",
    "folder",
    metavar="FOLDER",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write the documents.",
)
def convert(file: Path, folder: Path) -> None:
    """Make documents of what other tools export, one for each link.

    FILE may be bookmarks (HTML), CSV or JSON with a row or an object for each link, RSS, Atom, JSON Feed or
    OPML; - means standard input. No file is written over. Exit status: 0 done; 1 done, but some entries were
    rejected; 2 wrong usage; 3 could not be done.
    """
    from app.converting import convert_and_tell  # noqa: PLC0415  an import is done before it is loaded

    if convert_and_tell(file, folder).rejected:
        sys.exit(SOME_REJECTED)


@clippings.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    with exclusive(_engine()) as connection:
        upgrade(connection)
        hold_interrupts()


@clippings.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256))
@click.option("--reload", is_flag=True, help="Start again when the code changes.")
@click.option("--show-unpublished", is_flag=True, help="Let everybody see what is not published.")
def serve(host: str, port: int, workers: int, reload: bool, show_unpublished: bool) -> None:
    """Run the HTTP service."""
    from app.serving import serve_until_stopped  # noqa: PLC0415  a check is done before the web framework is loaded

    serve_until_stopped(host, port, workers, reload=reload, show_unpublished=show_unpublished)


@clippings.command()
def schema() -> None:
    """Print the JSON Schema of an article's front matter, for editors."""
    click.echo(json.dumps(front_matter_schema(), indent=2, ensure_ascii=False))


@clippings.command()
def openapi() -> None:
    """Print the OpenAPI document of the service."""
    from app.main import create_app  # noqa: PLC0415  as above
    from app.web.openapi import openapi_document  # noqa: PLC0415

    click.echo(json.dumps(openapi_document(create_app(Settings.read())), indent=2, ensure_ascii=False))


def _engine() -> Engine:
    """Until the command ends."""
    engine = writing_engine(Settings.read().database_url)
    click.get_current_context().call_on_close(engine.dispose)
    return engine


def _requests(paths: Sequence[Path], root: Path | None, source: str | None) -> list[Request]:
    if root is not None:
        for path in paths:
            if not path.resolve().is_relative_to(root.resolve()):
                raise click.UsageError(f"{path} is not below --root {root}")
        return [Request(root, _source(root, source), tuple(paths))]
    if source and len(paths) > 1:
        raise click.UsageError(
            "--source names one source; with several PATHs give their common folder as --root"
        )
    requests = [
        Request(path, _source(path, source))
        if path.is_dir()
        else Request(path.parent, _source(path.parent, source), (path,))
        for path in paths
    ]
    names = [request.source for request in requests]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise click.UsageError(
            f"two PATHs would be the source {twice!r}; import them one by one with --source"
        )
    return requests


def _source(root: Path, given: str | None) -> str:
    name = root.resolve().name if given is None else given
    if not SOURCE_NAME.fullmatch(name):
        raise click.UsageError(
            f"{name!r} cannot name a source: use --source with 1 to 100 letters, digits, '.', '_' or '-'"
        )
    return name
