"""Articles as rows of text, one after the other. Pure: knows no database and no HTTP."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from app.catalog.fields import ITEM_KEYS
from app.printable import compact_json

# A spreadsheet would run a text that begins so as a formula (OWASP); such a text gets a leading apostrophe.
# Japanese spreadsheets take full-width signs for plain ones.
_FORMULA_STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")
# Excel on Windows takes a file without this mark for Windows-1252, and shows `NASAâ€™s`.
_BYTE_ORDER_MARK: Final = "\ufeff"

# A key of an item that is not one cell, and the columns that stand for it.
_COLUMNS_OF_KEY: Final = {
    "provider": ("providerName", "providerDomain"),
    "images": ("imageUrl",),
    "story": ("storyId", "storySize"),
}


def columns_of(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(column for key in keys for column in _COLUMNS_OF_KEY.get(key, (key,)))


CSV_COLUMNS: Final = columns_of(ITEM_KEYS)


def columns_of_fields(fields: str | None) -> tuple[str, ...]:
    """The columns of the keys that a request names, each once; all where it names none."""
    return columns_of(dict.fromkeys(fields.split(","))) if fields else CSV_COLUMNS


# A cell holds one of these; None is an empty one.
Cell = str | int | bool | None


def cells_of(article: dict[str, Any], columns: Iterable[str]) -> list[Cell]:
    """`; ` joins the values of a list; what is neither text nor number is JSON."""
    return [_cell(article, column) for column in columns]


def ndjson(items: Iterable[str]) -> Iterator[str]:
    """One item in a line, with the same bytes as in a list."""
    for item in items:
        yield item + "\n"


def csv_rows(
    items: Iterable[str], columns: tuple[str, ...] = CSV_COLUMNS, *, has_mark: bool = False
) -> Iterator[str]:
    """Rows as in RFC 4180. The first one names the columns. `has_mark` puts a byte order mark before it."""
    yield (_BYTE_ORDER_MARK if has_mark else "") + _row(columns)
    for item in items:
        yield _row([_text(cell) for cell in cells_of(json.loads(item), columns)])


def _cell(article: dict[str, Any], column: str) -> Cell:
    match column:
        case "providerName":
            value = article["provider"]["name"]
        case "providerDomain":
            value = article["provider"]["domain"]
        case "imageUrl":
            value = article["images"][0]["url"] if article["images"] else None
        case "storyId":
            value = article["story"] and article["story"]["id"]
        case "storySize":
            value = article["story"] and article["story"]["size"]
        case _:
            value = article[column]
    match value:
        case None | bool() | int() | str():
            return value
        case list() if all(isinstance(element, str) for element in value):
            return "; ".join(value)
        case _:
            return compact_json(value)


def _row(cells: Iterable[str]) -> str:
    row = io.StringIO()
    csv.writer(row).writerow(cells)
    return row.getvalue()


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case int():
            return str(cell)
        case str():
            return "'" + cell if cell.startswith(_FORMULA_STARTS) else cell
