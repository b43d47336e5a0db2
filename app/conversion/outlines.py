"""OPML, an outline of feeds and links -> entries. Knows its attributes, and not what becomes of them."""

from collections.abc import Iterator
from typing import IO, Any, Final
from xml.etree.ElementTree import Element

from app.conversion.entries import EntryPosition, ExportEntry, PlainText, Unusable
from app.conversion.xml_elements import read_xml

ROOT: Final = "opml"
# The page comes before the feed where an outline has both.
_URLS: Final = ("htmlUrl", "url", "xmlUrl")


def read_outline(file: IO[bytes]) -> Iterator[ExportEntry | Unusable]:
    """An outline with a URL is an entry; one without is a folder of those in it."""
    for xml in read_xml(file, lambda element: element.tag == "outline" and _url(element) is not None):
        folders = [_title(each) for each in xml.around if each.tag == "outline"]
        yield from _entries(xml.element, [name for name in folders if name], EntryPosition(line=xml.line))


def _entries(element: Element, folders: list[str], place: EntryPosition) -> Iterator[ExportEntry]:
    """Links below a link have it for a folder, and its line: expat tells no other."""
    if url := _url(element):
        yield ExportEntry(place, _fields(element, url, folders))
    for child in element.iterfind("outline"):
        yield from _entries(child, [*folders, _title(element)], place)


def _url(element: Element) -> str | None:
    return next((url for name in _URLS if (url := element.get(name, "").strip())), None)


def _title(element: Element) -> str:
    return (element.get("title") or element.get("text") or "").strip()


def _fields(element: Element, url: str, folders: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: PlainText(text) for name, text in element.attrib.items()}
    text, title = fields.pop("text", ""), _title(element)
    fields |= {"webUrl": url, "title": PlainText(title), "folders": folders}
    if text.strip() != title:
        fields["text"] = text
    # `category` has paths of folders:  "/Boston/Weather,/Tech".
    if category := fields.pop("category", None):
        fields["tags"] = [path.strip("/ ") for path in category.split(",")]
    return fields
