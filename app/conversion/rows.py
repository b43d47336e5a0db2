"""CSV with a row a link, JSON with an object a link -> entries. Knows where links are, and no key."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

from app.conversion.entries import (
    MAX_ENTRY_CHARACTERS,
    ConversionFailed,
    EntryPosition,
    ExportEntry,
    Unusable,
    at_line,
)
from app.conversion.keys import is_known, names_a_link

# JSON is read as a whole, and takes some four times its size in memory.
MAX_JSON_BYTES: Final = 100_000_000
_DELIMITERS: Final = (",", ";", "\t", "|")
# Members of an export that hold its links, as Karakeep, Readwise, linkding, Pocket and others name them.
_LISTS: Final = "bookmarks links items results articles entries documents list data".split()
_MAX_COLUMNS_SHOWN: Final = 10


def read_csv(lines: Iterable[str]) -> Iterator[ExportEntry | Unusable]:
    """The first row names the columns; its delimiter is the one that makes the most known names."""
    lines = iter(lines)
    header_line = next(lines, "")
    delimiter, header = _header(header_line)
    columns = _unique(header)
    csv.field_size_limit(MAX_ENTRY_CHARACTERS)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 2
    while True:
        place = EntryPosition(line=line)
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Unusable(place, f"is no row of CSV: {error}", "Double the quotes inside a cell in quotes.")
            row = []
        line = rows.line_num + 2
        if row is None:
            return
        if len(row) > len(columns) and any(cell.strip() for cell in row[len(columns) :]):
            reason = f"has {len(row)} cells where the first row has {len(columns)}"
            yield Unusable(place, reason, "Put cells that have the delimiter or quotes in them in quotes.")
        elif any(cell.strip() for cell in row):
            yield ExportEntry(place, dict(zip(columns, row, strict=False)))


def _header(line: str) -> tuple[str, list[str]]:
    candidates = [(delimiter, next(csv.reader([line], delimiter=delimiter), [])) for delimiter in _DELIMITERS]
    delimiter, header = max(candidates, key=lambda candidate: sum(map(is_known, candidate[1])))
    if not names_a_link(header):
        shown = ", ".join(name.strip() for name in header[:_MAX_COLUMNS_SHOWN]) or "none"
        raise ConversionFailed(
            "the file is neither HTML, XML nor JSON, and as CSV its first row names no column for URLs or "
            f"titles (columns: {shown}); name them url and title"
        )
    return delimiter, header


def _unique(header: list[str]) -> list[str]:
    columns: list[str] = []
    for number, cell in enumerate(header, 1):
        name = cell.strip() or f"column {number}"
        columns.append(f"{name} {number}" if name in columns else name)
    return columns


def load_json(file: IO[bytes], encoding: str) -> Any:
    """The whole value, or the list of values where each line has one."""
    content = file.read(MAX_JSON_BYTES + 1)
    if len(content) > MAX_JSON_BYTES:
        raise ConversionFailed(f"JSON of more than {MAX_JSON_BYTES // 1_000_000} MB; split it")
    text = content.decode(encoding)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise at_line(error.lineno, f"is no JSON: {error.msg}") from None
    except (ValueError, RecursionError):
        raise ConversionFailed("JSON that is nested too deeply, or has a number of too many digits") from None
    return [_line_of_json(line, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _line_of_json(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise at_line(number, "is no JSON") from None


def read_json(tree: Any) -> Iterator[ExportEntry | Unusable]:
    for number, (element, around) in enumerate(_links(tree), 1):
        place = EntryPosition(number=number)
        match element:
            case dict():
                yield ExportEntry(place, {**_flat(element), **around})
            case str():
                yield ExportEntry(place, {"url": element, **around})
            case _:
                yield Unusable(place, "is no object", "Write an object with a url and a title.")


def _links(tree: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each link, and what is said of it by what it stands in: the name and the privacy of a collection."""
    if isinstance(tree, list):
        for element in tree:
            yield from _links_of_collection(element) if _is_collection(element) else [(element, {})]
        return
    if isinstance(tree, dict):
        if isinstance(tree.get("collections"), list) and any(map(_is_collection, tree["collections"])):
            for collection in tree["collections"]:
                yield from _links_of_collection(collection)
            return
        for name in _LISTS:
            match tree.get(name):
                case list(elements):
                    yield from _links(elements)
                    return
                # Pocket's API answers with a mapping of ids.
                case dict(elements) if elements and all(isinstance(each, dict) for each in elements.values()):
                    yield from ((element, {}) for element in elements.values())
                    return
        if names_a_link(tree):
            yield tree, {}
            return
    names = ", ".join(tree) if isinstance(tree, dict) else type(tree).__name__
    raise ConversionFailed(
        f"JSON without a list of links (it has: {names[:200]}); {', '.join(_LISTS)} are read"
    )


def _is_collection(element: Any) -> bool:
    """A collection of Linkwarden: `{"name": "Cooking", "isPublic": false, "links": [{"url": …}]}`."""
    return isinstance(element, dict) and isinstance(element.get("links"), list) and "url" not in element


def _links_of_collection(collection: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    if not _is_collection(collection):
        return
    around: dict[str, Any] = {"collection": collection.get("name") or ""}
    if collection.get("isPublic") is False:
        around["isPublic"] = False
    for link in collection["links"]:
        yield link, around


def _flat(element: dict[str, Any]) -> dict[str, Any]:
    """Karakeep has the link, or the text of a note, in `content`."""
    content = element.get("content")
    if not isinstance(content, dict):
        return element
    flat = {key: value for key, value in element.items() if key != "content"}
    content = {"content" if key == "text" else key: value for key, value in content.items()}
    # The bookmark's own title is what its owner called it.
    return {**flat, **{key: value for key, value in content.items() if flat.get(key) in (None, "", [])}}
