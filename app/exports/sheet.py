"""Articles as a file for spreadsheets (XLSX), in constant memory. Knows no database and no HTTP.

Rows go to a temporary file, and are packed when the last one is known. So nothing of the file is there until
all of it is, and it needs disk: the rows twice, and the packed file.
"""

import json
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import xlsxwriter

from app.errors import SheetTooLarge
from app.exports.rows import CSV_COLUMNS, Cell, cells_of
from app.printable import for_xml

# Excel has 1,048,576 rows, and the first one names the columns.
MAX_ROWS: Final = 1_048_575
# A million usual articles have half as much. LibreOffice takes ten times as much memory to open it.
MAX_CHARACTERS: Final = 2_000_000_000
# Excel counts UTF-16 code units, and repairs a file in which a cell has more by emptying the cell.
MAX_CELL_UNITS: Final = 32_767

_ADVICE: Final = "Narrow the query, for example by publishedFrom and publishedBefore, or take CSV or NDJSON."
# The tags, attributes and names of a cell beside its text.
_CHARACTERS_AROUND_A_CELL: Final = 50
# Excel counts the 29th of February 1900, which was none; programs differ on the days before it.
_FIRST_DATE: Final = datetime(1900, 3, 1)
# The same articles make the same bytes, so the clock must not be in them.
_CREATED: Final = datetime(2000, 1, 1)
_WIDTHS: Final = {"title": 50, "excerpt": 50, "path": 30, "webUrl": 40}
_USUAL_WIDTH: Final = 12
# "2020-06-11 00:07:00"; a date in a narrower column is shown as "#####".
_DATE_WIDTH: Final = 19


def check_rows(articles: int) -> None:
    """Raises SheetTooLarge before anything is written."""
    if articles > MAX_ROWS:
        raise SheetTooLarge(f"A sheet holds {MAX_ROWS:,} articles, and these are {articles:,}. {_ADVICE}")


def write_sheet(
    file: IO[bytes], items: Iterable[str], folder: Path, columns: tuple[str, ...] = CSV_COLUMNS
) -> None:
    """Dates are dates in UTC, numbers are numbers, and no text is a formula or a link.

    `folder` is for temporary files, which stay if `items` or `file` raises. A text that no cell can hold is
    cut, and ends in `…`. Raises SheetTooLarge.
    """
    options = {
        "constant_memory": True,
        "tmpdir": str(folder),
        "use_zip64": True,
        "strings_to_urls": False,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(file, options)
    book.set_properties({"title": "Articles", "created": _CREATED})
    sheet = book.add_worksheet("Articles")
    head, plain = book.add_format({"bold": True}), book.add_format({"text_wrap": False})
    date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for number, column in enumerate(columns):
        width = _DATE_WIDTH if _is_date(column) else _WIDTHS.get(column, _USUAL_WIDTH)
        sheet.set_column(number, number, width)
    sheet.freeze_panes(1, 0)
    # A caller that ends early leaves the rows' file open.
    with closing(sheet.row_data_fh):
        for number, column in enumerate(columns):
            sheet.write_string(0, number, column, head)
        characters = 0
        for row, item in enumerate(items, start=1):
            check_rows(row)
            for number, cell in enumerate(cells_of(json.loads(item), columns)):
                _write(sheet, row, number, cell, date if _is_date(columns[number]) else None, plain)
                characters += _CHARACTERS_AROUND_A_CELL + (len(cell) if isinstance(cell, str) else 0)
            if characters > MAX_CHARACTERS:
                raise SheetTooLarge(f"These articles have more text than a spreadsheet opens. {_ADVICE}")
        book.close()


def _is_date(column: str) -> bool:
    return column.endswith("DateTime")


def _write(sheet: Any, row: int, column: int, cell: Cell, date: Any | None, plain: Any) -> None:
    match cell:
        case None | "":
            return
        case bool():
            sheet.write_boolean(row, column, cell)
        case int():
            sheet.write_number(row, column, cell)
        case str() if date and (moment := _moment(cell)):
            sheet.write_datetime(row, column, moment, date)
        case str():
            _write_text(sheet, row, column, _fitting(for_xml(cell)), plain)


def _write_text(sheet: Any, row: int, column: int, text: str, plain: Any) -> None:
    # XlsxWriter takes such a text for markup of its own, and writes it as it stands: a broken file, or worse.
    if text.startswith("<r>") and text.endswith("</r>"):
        sheet.write_rich_string(row, column, "<r", plain, ">" + text[len("<r>") :])
    else:
        sheet.write_string(row, column, text)


def _moment(text: str) -> datetime | None:
    """None for what a sheet has no date for; it stays a text."""
    moment = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    return moment if moment >= _FIRST_DATE else None


def _fitting(text: str) -> str:
    # No text has more units than two for each letter.
    if len(text) <= MAX_CELL_UNITS // 2:
        return text
    units = text.encode("utf-16-le")
    if len(units) // 2 <= MAX_CELL_UNITS:
        return text
    # Half of a letter that takes two units is left out.
    return units[: (MAX_CELL_UNITS - 1) * 2].decode("utf-16-le", errors="ignore") + "…"
