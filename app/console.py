"""How a report reads on a terminal: one line a finding, safe to print, results on standard output alone."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from app.documents.problems import Problem
from app.importer.read import Progress
from app.importer.report import Report
from app.printable import escaped

# A line of progress so often is seen to move and costs nothing.
_FILES_BETWEEN_LINES = 100


# ECMA-48: to the beginning of the line, and erase to its end, since what stood there may have been longer.
_ERASED_LINE = "\r\x1b[K"


@contextmanager
def progress_line() -> Iterator[Progress | None]:
    """What to call as files are read: a terminal's last line, gone again before anything else is printed."""
    if not sys.stderr.isatty():
        yield None
        return
    shown = 0

    def show(done: int, files: int) -> None:
        nonlocal shown
        # Processes read files by the hundred and more.
        if done == 0 or done - shown >= _FILES_BETWEEN_LINES:
            shown = done
            click.echo(f"{_ERASED_LINE}{done} of {files} files", nl=False, err=True)

    try:
        yield show
    finally:
        click.echo(_ERASED_LINE, nl=False, err=True)


def print_import(report: Report, *, dry_run: bool, nothing_written: bool) -> None:
    print_findings(report)
    if dry_run:
        click.echo("Nothing was written. This is what would be done:")
    elif nothing_written:
        click.echo("Nothing was written, because of the problems above. Without --strict it would be:")
    click.echo(
        f"created {report.created}  updated {report.updated}  unchanged {report.unchanged}  "
        f"rejected {report.rejected}  skipped {report.skipped}  topics {report.topics}  "
        f"providers {report.providers}  missing {report.missing}  removed {report.removed}"
    )
    if report.missing:
        click.echo(f"{report.missing} articles have no document any more; --prune removes them.")
    if report.unpublished:
        click.echo(
            f"{report.unpublished} articles are not published: "
            "see them with `clippings serve --show-unpublished` or the editor's token."
        )
    click.echo(f"The catalogue is at revision {report.revision}.")


def print_check(report: Report) -> None:
    print_findings(report)
    click.echo(
        f"{report.created} articles, {report.topics} topics, {report.providers} providers, "
        f"{report.skipped} skipped, {report.rejected} rejected"
    )


def print_findings(report: Report) -> None:
    for level, findings in (("error", report.problems), ("warning", report.warnings)):
        for finding in findings:
            click.echo(_line(finding, level), err=True)
    for skipped in report.skipped_files:
        click.echo(f"{escaped(skipped.path)}: skipped: {skipped.reason}", err=True)


def _line(finding: Problem, level: str) -> str:
    """`file:line:column: level: key: reason`, which editors and CI services know to read."""
    place = ":".join([escaped(finding.path), *(str(at) for at in (finding.line, finding.column) if at)])
    key = f"{finding.key}: " if finding.key else ""
    return f"{place}: {level}: {key}{finding.reason}. {finding.advice}"
