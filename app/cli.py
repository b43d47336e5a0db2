"""The commands: each reads its options, calls one function, prints, and exits with how it went."""

import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from sqlalchemy import Engine

from app.console import (
    print_check,
    print_findings,
    print_import,
    print_removal,
    print_sources,
    progress_line,
)
from app.database.copying import copy_database
from app.database.engines import IMPORT_WAIT_SECONDS, exclusive, writing_engine
from app.database.snapshots import Reader
from app.database_urls import without_secrets
from app.documents.editor_schema import KINDS, Kind, front_matter_schema
from app.documents.files import Skipped
from app.documents.problems import Problem
from app.errors import (
    ClippingsError,
    DatabaseUnavailable,
    DatabaseUnusable,
    ImportRefused,
    NoCatalogue,
    SchemaOutdated,
)
from app.importer.check import as_json as check_as_json
from app.importer.check import check_trees, names_as_given
from app.importer.named_paths import existing, is_known_to_git
from app.importer.read import Request
from app.importer.report import Report
from app.importer.run import Options, import_trees
from app.importer.sources import NoSuchSource, list_sources, remove_source
from app.importer.trees import UnclearTree, absolute, named, trees_of
from app.importer.watch import watch
from app.interrupts import end_interrupted, hold_interrupts, release_interrupts
from app.migrate import require_current, upgrade
from app.printable import counted
from app.purge import purge_after
from app.settings import MAX_DRAIN_SECONDS, MAX_KEEP_ALIVE_SECONDS, Settings, unknown_names

# Nobody waits for longer than a week, and PostgreSQL takes no more than 24 days.
MAX_LOCK_WAIT_SECONDS = 604_800

# Exit statuses beside 0, done, 2, wrong usage, and that of an interrupt.
SOME_REJECTED, NOT_DONE = 1, 3

F = TypeVar("F", bound=Callable[..., Any])


class _Commands(click.Group):
    """Loads what a query needs when one is asked for: an import that finds nothing changed is done before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "export", "stats"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "export":
            from app.exporting import export  # noqa: PLC0415  as said above

            return export
        if cmd_name == "stats":
            from app.statistics import stats  # noqa: PLC0415  as said above

            return stats
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
        click.echo(f"clippings: {_in_words(error)}", err=True)
        sys.exit(NOT_DONE)
    sys.exit(0)


def _in_words(error: Exception) -> str:
    """An error of the database names it: in the wrong folder somebody would else make a second catalogue."""
    match error:
        case DatabaseUnavailable() | DatabaseUnusable() | NoCatalogue() | SchemaOutdated():
            return f"{error} (CLIPPINGS_DATABASE_URL: {without_secrets(Settings.read().database_url)})"
        case _:
            return str(error)


def _reading_options(command: F) -> F:
    for option in (
        click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path)),
        click.option(
            "--root",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="From where paths are counted and the source is named, each PATH being a part of it."
            "  [default: PATH itself, for a file its folder]",
        ),
        click.option(
            "--source",
            metavar="NAME",
            help="Name of the source.  [default: as clippings.yaml says, else the root folder's name]",
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


class _Seconds(click.ParamType[float]):
    """Click's own range lets nan through, and calls what is no number "not a valid float range"."""

    name = "seconds"

    def __init__(self, most: float) -> None:
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds <= self._most:
            self.fail(f"{value!r} is not a number of seconds from 0 to {self._most:g}.", param, ctx)
        return seconds


_lock_wait_option = click.option(
    "--lock-wait",
    metavar="SECONDS",
    type=_Seconds(MAX_LOCK_WAIT_SECONDS),
    default=IMPORT_WAIT_SECONDS,
    show_default=True,
    help="Wait so long for another import to end.",
)


@clippings.command("import")
@_reading_options
@_lock_wait_option
@click.option("--prune", is_flag=True, help="Also remove what no document describes any more.")
@click.option("--force", is_flag=True, help="Let --prune remove more than half, and import a source twice.")
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
    lock_wait: float,
) -> None:
    """Bring the catalogue in line with the documents below each PATH.

    Exit status: 0 done; 1 done, but some documents were rejected; 2 wrong usage; 3 could not be done,
    nothing written.
    """
    if not paths:
        raise click.UsageError("Missing argument 'PATH...'.")
    found = [_existing(path) for path in paths]
    engine = _engine(lock_wait)
    options = Options(prune, force, dry_run, strict, base_url, workers)
    totals = _Totals()
    settings_problems: list[Problem] = []

    def import_once() -> Report:
        requests, problems = _trees_now(found, root)
        settings_problems[:] = problems
        if problems:
            report = Report(problems=problems)
        else:
            named_requests = _named(requests, source)
            with purge_after(Settings.read()), progress_line() as progress:
                report = import_trees(engine, named_requests, options, progress)
        if report.time_ahead:
            sys.stderr.write(
                f"clippings: warning: an earlier import was made at {report.time_ahead}, ahead of this "
                "machine's clock: what is added now sorts as older. Set the clock right.\n"
            )
        if as_json:
            click.echo(json.dumps(report.as_json(), indent=2))
        elif problems:
            print_findings(report)
            click.echo("Nothing was written, because of the problems above.")
        else:
            print_import(report, dry_run=dry_run, nothing_written=strict and bool(report.problems))
        totals.add(report)
        return report

    if watch_:
        # Wrong names are wrong usage, now and not at each look.
        _named(_trees_now(found, root)[0], source)
        try:
            watch(lambda: _trees_now(found, root)[0], partial(_whatever_happens, import_once))
        except KeyboardInterrupt:
            raise click.Abort(str(totals)) from None
    if import_once().problems:
        # A tree whose own settings are wrong is not imported at all.
        sys.exit(NOT_DONE if settings_problems else SOME_REJECTED)


@dataclass(slots=True)
class _Totals:
    """What a watching import did until it ended."""

    imports: int = 0
    created: int = 0
    updated: int = 0
    removed: int = 0
    revision: int = 0

    def add(self, report: Report) -> None:
        self.imports += 1
        self.created += report.created
        self.updated += report.updated
        self.removed += report.removed
        self.revision = report.revision or self.revision

    def __str__(self) -> str:
        """Nothing where nothing was done."""
        if not self.imports:
            return ""
        return (
            f"stopped watching after {self.imports} import{'' if self.imports == 1 else 's'}: created "
            f"{self.created}, updated {self.updated}, removed {self.removed}; the catalogue is at "
            f"revision {self.revision}"
        )


def _whatever_happens(import_once: Callable[[], Report]) -> bool:
    """A tree or a database in a bad state today may be in a good one tomorrow. Says whether this one is."""
    is_done = True
    try:
        import_once()
    except (ClippingsError, click.UsageError) as error:
        click.echo(f"clippings: {_in_words(error)}", err=True)
        is_done = False
    release_interrupts()
    return is_done


@clippings.command()
@_reading_options
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings too.")
def check(
    *,
    paths: tuple[Path, ...],
    root: Path | None,
    source: str | None,
    base_url: str | None,
    workers: int,
    as_json: bool,
    strict: bool,
) -> None:
    """Read documents as import does, without a database, and print what is wrong with them.

    Any number of files and folders, as in `git diff -z --name-only | xargs -0 clippings check`. One line a
    finding, as editors read it: file:line:column: level: key: reason. Exit status: 0 no problem, 1 some,
    2 wrong usage.
    """
    report = Report()
    found: dict[Path, Path] = {}
    for path in paths:
        if (file := existing(path)) is not None:
            found[absolute(file)] = file
        elif is_known_to_git(path):
            report.skip(Skipped(str(path), "is deleted"))
        else:
            _existing(path)
    requests, problems = _trees(tuple(found.values()), root)
    shown = names_as_given(found)
    for problem in problems:
        report.problems.append(replace(problem, path=shown(Path(problem.path))))
    with progress_line() as progress:
        report.add(check_trees(requests, base_url, workers, shown, progress))
    if as_json:
        click.echo(json.dumps(check_as_json(report), indent=2))
    else:
        print_check(report)
    if report.problems or (strict and report.warnings):
        sys.exit(SOME_REJECTED)


@clippings.group("sources", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def sources_(context: click.Context, *, as_json: bool) -> None:
    """Say which sources there are, with their articles, base URL and last import."""
    if context.invoked_subcommand:
        return
    with Reader(Settings.read().database_url) as reader, reader.snapshot() as connection:
        require_current(connection)
        summaries = list_sources(connection)
    if as_json:
        click.echo(json.dumps([summary.as_json() for summary in summaries], indent=2))
    else:
        print_sources(summaries)


@sources_.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_lock_wait_option
def remove(name: str, *, yes: bool, lock_wait: float) -> None:
    """Take a source out, with all of its articles, topics and providers.

    Services know of it at once, and /changes tells of each article as a delete. The documents stay.
    """
    with Reader(Settings.read().database_url) as reader, reader.snapshot() as connection:
        require_current(connection)
        summary = next((summary for summary in list_sources(connection) if summary.name == name), None)
    question = f"Remove the source {name} with {counted(summary.articles, 'article')}?" if summary else ""
    if question and not yes and not _is_confirmed(question):
        raise ImportRefused("Nothing was removed.")
    try:
        with purge_after(Settings.read()), progress_line() as progress:
            report = remove_source(_engine(lock_wait), name, progress)
    except NoSuchSource as error:
        raise click.UsageError(f"There is no source {name!r}; there are: {error}") from None
    print_removal(name, report)


def _is_confirmed(question: str) -> bool:
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        raise click.UsageError("Nobody is there to answer: add --yes.") from None


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
@_lock_wait_option
def migrate(*, lock_wait: float) -> None:
    """Bring the database's schema up to date."""
    with exclusive(_engine(lock_wait)) as connection:
        upgrade(connection)
        hold_interrupts()


@clippings.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write a consistent copy of an SQLite catalogue to FILE, also while it is served and imported into."""
    with Reader(Settings.read().database_url) as reader:
        with reader.snapshot() as connection:
            require_current(connection)
        copy_database(reader, file)
    click.echo(f"wrote {file}, {file.stat().st_size / 1_000_000:.1f} MB")


@clippings.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256))
@click.option("--reload", is_flag=True, help="Start again when the code changes.")
@click.option("--show-unpublished", is_flag=True, help="Let everybody see what is not published.")
@click.option("--read-only", is_flag=True, help="Write nothing, not even a newer schema.")
@click.option(
    "--drain-seconds",
    metavar="SECONDS",
    type=_Seconds(MAX_DRAIN_SECONDS),
    help="Say 503 at /health/ready so long after SIGTERM before stopping.  [default: 0]",
)
@click.option(
    "--keep-alive-seconds",
    type=click.IntRange(1, MAX_KEEP_ALIVE_SECONDS),
    help="Keep idle connections so long.  [default: 75]",
)
def serve(
    *,
    host: str,
    port: int,
    workers: int,
    reload: bool,
    show_unpublished: bool,
    read_only: bool,
    drain_seconds: float | None,
    keep_alive_seconds: int | None,
) -> None:
    """Run the HTTP service.

    SIGTERM ends it once what runs is answered; a second one does so without waiting for --drain-seconds.
    """
    from app.serving import serve_until_stopped  # noqa: PLC0415  a check is done before the web framework is loaded

    serve_until_stopped(
        host,
        port,
        workers,
        reload=reload,
        show_unpublished=show_unpublished or None,
        read_only=read_only or None,
        drain_seconds=drain_seconds,
        keep_alive_seconds=keep_alive_seconds,
    )


@clippings.command()
@click.argument("kind", type=click.Choice(KINDS), default="article")
def schema(kind: Kind) -> None:
    """Print the JSON Schema of front matter, for editors: of an article, a topic or an organization."""
    click.echo(json.dumps(front_matter_schema(kind), indent=2, ensure_ascii=False))


@clippings.command()
def openapi() -> None:
    """Print the OpenAPI document of the service."""
    from app.main import create_app  # noqa: PLC0415  as above
    from app.web.openapi import openapi_document  # noqa: PLC0415

    click.echo(json.dumps(openapi_document(create_app(Settings.read())), indent=2, ensure_ascii=False))


def _engine(lock_wait: float) -> Engine:
    """The engine is disposed of when the command ends."""
    engine = writing_engine(Settings.read().database_url, lock_wait, _say)
    click.get_current_context().call_on_close(engine.dispose)
    return engine


def _say(line: str) -> None:
    click.echo(f"clippings: {line}", err=True)


def _trees_now(paths: Sequence[Path], root: Path | None) -> tuple[list[Request], list[Problem]]:
    """A PATH that went while it is watched would be taken for a file, and its tree for another one."""
    advice = "Put it back; until then nothing is imported."
    gone = [
        Problem(os.fspath(path), None, None, None, "is not there any more", advice)
        for path in paths
        if not path.exists()
    ]
    if gone:
        return [], gone
    requests, problems = _trees(paths, root)
    return requests, [replace(problem, path=os.path.relpath(problem.path)) for problem in problems]


def _existing(path: Path) -> Path:
    if not path.exists():
        raise click.BadParameter(f"Path '{path}' does not exist.", param_hint="'PATH...'")
    return path


def _trees(paths: Sequence[Path], root: Path | None) -> tuple[list[Request], list[Problem]]:
    try:
        return trees_of(paths, root)
    except UnclearTree as error:
        raise click.UsageError(str(error)) from None


def _named(requests: Sequence[Request], source: str | None) -> list[Request]:
    try:
        return named(requests, source)
    except UnclearTree as error:
        raise click.UsageError(str(error)) from None
