"""Bookmarks as browsers write them (the Netscape format) -> entries. Knows how HTML is read, and no key.

    <DL><p>
      <DT><H3>Cooking</H3>
      <DL><p>
        <DT><A HREF="https://example.org/" ADD_DATE="1591834020" TAGS="soup,bread" PRIVATE="1">Soup</A>
        <DD>What was noted of it
      </DL><p>
    </DL><p>

Pocket's list has the same links with `time_added` and no folders.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from app.conversion.entries import (
    MAX_DEPTH,
    MAX_ENTRY_CHARACTERS,
    EntryPosition,
    ExportEntry,
    PlainText,
    Unusable,
    at_line,
)
from app.conversion.markup import LenientParser

# The pictures of pages in a browser's bar: some kilobytes of base64 each, and no part of a link.
_NOT_KEPT: Final = frozenset({"icon"})
# Browsers name their own folders in the user's language, but mark them with these attributes.
_ROOT_FOLDERS: Final = frozenset("personal_toolbar_folder unfiled_bookmarks_folder".split())
_ROOT_NAMES: Final = frozenset(
    """
    bookmarks|bookmarks bar|bookmarks menu|bookmarks toolbar|favorites|favorites bar|favourites bar
    |imported|mobile bookmarks|other bookmarks|other favorites|unsorted|unsorted bookmarks|reading list
    """.replace("\n", "").replace("    ", "").split("|")
)  # fmt: skip
# Firefox keeps its searches among the bookmarks.
_NO_LINKS: Final = ("place:", "about:")
_NOTES: Final = ("[linkding-notes]", "[/linkding-notes]")
# The parser looks at what has not ended again with each chunk; the largest icons have some 100 kB.
_MAX_UNENDED_CHARACTERS: Final = 400_000
# Elements that end what was said of the link before.
_BOUNDARIES: Final = frozenset("dt dl li h3 a".split())


def read_bookmarks(chunks: Iterable[str]) -> Iterator[ExportEntry | Unusable]:
    reader = _BookmarkReader()
    for chunk in chunks:
        reader.feed(chunk)
        if len(reader.rawdata) > _MAX_UNENDED_CHARACTERS:
            raise at_line(reader.getpos()[0], "a tag or a text that does not end; the file is damaged")
        yield from reader.take()
    reader.close()
    reader.end_of_entry()
    yield from reader.take()


class _BookmarkReader(LenientParser):
    """`folders` has the name of each list around, None where it has none."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read: list[ExportEntry | Unusable] = []
        self.folders: list[tuple[str, bool] | None] = []
        self.next_folder: tuple[str, bool] | None = None
        self.entry: dict[str, Any] | None = None
        self.line = 0
        self.is_root = False
        self.text: list[str] | None = None
        self.length = 0

    def take(self) -> list[ExportEntry | Unusable]:
        read, self.read = self.read, []
        return read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BOUNDARIES:
            self.end_of_entry()
        match tag:
            case "a":
                self.line = self.getpos()[0]
                values = {name: PlainText(value) for name, value in attrs if value and name not in _NOT_KEPT}
                if "href" in values:
                    self.entry = values
                    self._begin_text()
            case "h3" | "h2" | "h1":
                # Pocket's `Unread` is no subject.
                self.is_root = tag == "h1" or bool(_ROOT_FOLDERS.intersection(name for name, _ in attrs))
                self._begin_text()
            case "dl" | "ul":
                # The heading of all bookmarks is no folder.
                self.folders.append(self.next_folder if self.folders or tag == "ul" else None)
                self.next_folder = None
                if len(self.folders) > MAX_DEPTH:
                    raise at_line(self.getpos()[0], f"folders are more than {MAX_DEPTH} deep")
            case "dd" if self.entry is not None:
                self._begin_text()
            case "br":
                self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "a" if self.entry is not None and "title" not in self.entry:
                self.entry["title"] = PlainText(self._end_text())
            case "h3" | "h2" | "h1":
                name = " ".join(self._end_text().split())
                self.next_folder = (name, self.is_root or name.lower() in _ROOT_NAMES) if name else None
            case "dl" | "ul":
                self.end_of_entry()
                if self.folders:
                    self.folders.pop()

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.length += len(data)
            if self.length > MAX_ENTRY_CHARACTERS:
                raise at_line(self.line, f"an entry has more than {MAX_ENTRY_CHARACTERS:,} characters")
            self.text.append(data)

    def end_of_entry(self) -> None:
        if self.entry is None:
            return
        entry, self.entry = self.entry, None
        text = self._end_text()
        description, begins, rest = text.partition(_NOTES[0])
        notes, ends, after = rest.partition(_NOTES[1])
        if begins and ends:
            text, entry["notes"] = description + after, PlainText(notes)
        entry["description" if "title" in entry else "title"] = PlainText(text)
        folders = [folder for folder in self.folders if folder]
        if folders:
            entry["folders"] = [PlainText(name) for name, is_root in folders if not is_root]
            # The path says how the folders stood in each other, which their names alone do not.
            entry["folder"] = PlainText("/".join(name for name, _ in folders))
        place = EntryPosition(line=self.line)
        if entry["href"].startswith(_NO_LINKS):
            self.read.append(Unusable(place, "is a search of the browser and no link", "", is_skipped=True))
        else:
            self.read.append(ExportEntry(place, entry))

    def _begin_text(self) -> None:
        self.text, self.length = [], 0

    def _end_text(self) -> str:
        text, self.text = "".join(self.text or ()).strip(), None
        return text
