"""Articles as rows of text, one after the other. Pure: knows no database and no HTTP."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from app.catalog.fields import ITEM_KEYS

# A spreadsheet would run a text that begins so as a formula (OWASP); such a text gets a leading apostrophe.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")

# A key of an item that is not one cell, and the columns that stand for it.
_COLUMNS_OF_KEY: Final = {
    "provider": ("providerName", "providerDomain"),
    "images": ("imageUrl",),
    "story": ("storyId", "storySize"),
}
CSV_COLUMNS: Final = tuple(column for key in ITEM_KEYS for column in _COLUMNS_OF_KEY.get(key, (key,)))


def ndjson(items: Iterable[str]) -> Iterator[str]:
    """One item in a line, with the same bytes as in a list."""
    for item in items:
        yield item + "\n"


def csv_rows(items: Iterable[str]) -> Iterator[str]:
    """Rows as in RFC 4180. The first one names the columns; `; ` joins the values of a list."""
    yield _row(CSV_COLUMNS)
    for item in items:
        article = json.loads(item)
        provider, images, story = article["provider"], article["images"], article["story"] or {}
        flat = {
            **article,
            "providerName": provider["name"],
            "providerDomain": provider["domain"],
            "imageUrl": images[0]["url"] if images else None,
            "storyId": story.get("id"),
            "storySize": story.get("size"),
        }
        yield _row([_cell(flat[column]) for column in CSV_COLUMNS])


def _row(cells: Iterable[str]) -> str:
    row = io.StringIO()
    csv.writer(row).writerow(cells)
    return row.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case list():
            return _harmless("; ".join(value))
        case _:
            return _harmless(value)


def _harmless(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
