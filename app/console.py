"""How a report reads on a terminal: one line a finding, safe to print, results on standard output alone."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

import click

from app.documents.problems import Problem, printable_value
from app.importer.read import Progress
from app.importer.report import GoneArticle, Report
from app.importer.sources import SourceSummary
from app.printable import counted, escaped

# A reader looks through twenty names; --json has all.
MAX_NAMES = 20
MAX_KEYS = 8

# ECMA-48: to the beginning of the line, and erase to its end, since what stood there may have been longer.
_ERASED_LINE = "\r\x1b[K"


@contextmanager
def progress_line() -> Iterator[Progress]:
    """What to call as work is done: a terminal's last line, gone again before anything else is printed."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return

    def show(done: str) -> None:
        click.echo(f"{_ERASED_LINE}{done}", nl=False, err=True)

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
        them = "it" if report.missing == 1 else "them"
        click.echo(
            f"{_articles(report.missing, 'has', 'have')} no document any more; --prune removes {them}:"
        )
        _print_names(report.missing_articles)
    if report.removed:
        kept = dry_run or nothing_written
        was, were = ("would be", "would be") if kept else ("was", "were")
        click.echo(f"{_articles(report.removed, was, were)} removed:")
        _print_names(report.removed_articles)
    if report.unread_keys:
        click.echo(f"Keys that nobody reads, and how many documents have them: {_keys(report)}")
    if report.unpublished:
        them = "it" if report.unpublished == 1 else "them"
        click.echo(
            f"{_articles(report.unpublished, 'is', 'are')} not published: "
            f"see {them} with `clippings serve --show-unpublished` or the editor's token."
        )
    click.echo(f"The catalogue is at revision {report.revision}.")


def print_check(report: Report) -> None:
    """Findings on standard output, each with a place that an editor can jump to, and nothing else there."""
    for level, findings in (("error", report.problems), ("warning", report.warnings)):
        for finding in findings:
            click.echo(_line(replace(finding, line=finding.line or 1, column=finding.column or 1), level))
    for skipped in report.skipped_files:
        click.echo(f"{escaped(skipped.path)}:1:1: skipped: {skipped.reason}")
    counts = (
        (report.created, "article"),
        (report.topics, "topic"),
        (report.providers, "provider"),
    )
    click.echo(
        f"{', '.join(counted(number, noun) for number, noun in counts)}, "
        f"{report.skipped} skipped, {report.rejected} rejected",
        err=True,
    )
    if report.unread_keys:
        click.echo(f"Keys that nobody reads, and how many documents have them: {_keys(report)}", err=True)


def print_removal(name: str, report: Report) -> None:
    click.echo(f"{_articles(report.removed, 'was', 'were')} removed with the source {name}.")
    click.echo(f"The catalogue is at revision {report.revision}.")


def print_sources(summaries: Sequence[SourceSummary]) -> None:
    rows = [("source", "articles", "last import", "base URL")]
    rows += [
        (each.name, f"{each.articles:,}", each.last_import or "-", each.base_url or "-") for each in summaries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, articles, last_import, base_url in rows:
        columns = (name.ljust(widths[0]), articles.rjust(widths[1]), last_import.ljust(widths[2]), base_url)
        click.echo("  ".join(columns).rstrip())


def _print_names(gone: Sequence[GoneArticle]) -> None:
    are_of_one_source = len({article.source for article in gone}) == 1
    for article in gone[:MAX_NAMES]:
        source = "" if are_of_one_source else f"{article.source}: "
        click.echo(f"  {source}{escaped(article.path)}")
    if len(gone) > MAX_NAMES:
        click.echo(f"  … and {len(gone) - MAX_NAMES:,} more, which --json names.")


def _keys(report: Report) -> str:
    shown = ", ".join(
        f"{printable_value(key)} {count:,}" for key, count in islice(report.unread_keys.items(), MAX_KEYS)
    )
    others = len(report.unread_keys) - MAX_KEYS
    return shown if others <= 0 else f"{shown} and {counted(others, 'more key')}"


def _articles(number: int, one: str, many: str) -> str:
    return f"{counted(number, 'article')} {one if number == 1 else many}"


def print_findings(report: Report) -> None:
    for level, findings in (("error", report.problems), ("warning", report.warnings)):
        for finding in sorted(findings, key=lambda finding: (finding.path, finding.line or 0)):
            click.echo(_line(finding, level), err=True)
    for skipped in report.skipped_files:
        click.echo(f"{escaped(skipped.path)}: skipped: {skipped.reason}", err=True)


def _line(finding: Problem, level: str) -> str:
    """`file:line:column: level: key: reason`, which editors and CI services know to read."""
    place = ":".join([escaped(finding.path), *(str(at) for at in (finding.line, finding.column) if at)])
    key = f"{finding.key}: " if finding.key else ""
    return f"{place}: {level}: {key}{finding.reason}. {finding.advice}"
