"""`clippings convert`: opens the export, and tells on a terminal what became of its entries."""

import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from app.conversion.entries import ConversionFailed
from app.conversion.run import ConversionReport, convert_export
from app.documents.problems import Problem
from app.printable import escaped


def convert_and_tell(file: Path, folder: Path) -> ConversionReport:
    name = str(file)
    try:
        with _opened(file) as export:
            report = convert_export(export, name, folder, _tell)
    except KeyboardInterrupt:
        raise click.Abort("interrupted, the documents written before stand") from None
    except ConversionFailed as error:
        raise ConversionFailed(f"{escaped(name)}: {error}") from error
    except OSError as error:
        # An error of writing has no file name.
        place = escaped(str(error.filename or folder))
        raise ConversionFailed(f"cannot read or write {place}: {error.strerror}") from error
    click.echo(
        f"written {report.written}  unchanged {report.unchanged}  repeated {report.repeated}  "
        f"left alone {report.left_alone}  rejected {report.rejected}  skipped {report.skipped}"
    )
    if report.private:
        click.echo(f"{report.private} were private: their documents say published: false.")
    return report


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    """A file that can be read twice: what comes by a pipe is copied first."""
    is_standard_input = str(file) == "-"
    if not is_standard_input and stat.S_ISREG(file.stat().st_mode):
        with file.open("rb") as opened:
            yield opened
        return
    with tempfile.TemporaryFile() as copy:
        if is_standard_input:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        else:
            with file.open("rb") as pipe:
                shutil.copyfileobj(pipe, copy)
        copy.seek(0)
        yield copy


def _tell(level: str, finding: Problem) -> None:
    place = escaped(finding.path) + (f":{finding.line}" if finding.line else "")
    key = f"{escaped(finding.key)}: " if finding.key else ""
    advice = f". {finding.advice}" if finding.advice else ""
    click.echo(f"{place}: {level}: {key}{finding.reason}{advice}", err=True)
