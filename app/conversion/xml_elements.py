"""XML -> the elements of its entries, one after the other, in bounded memory. Knows no format.

No document type is read, so there are no entities to expand and nothing outside the file to fetch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from app.conversion.entries import CHUNK, MAX_DEPTH, MAX_ENTRY_CHARACTERS, ConversionFailed, at_line

# An element takes some 100 bytes.
_MAX_ELEMENTS_OF_AN_ENTRY: Final = 100_000
# Namespaces get one prefix, whichever the file has for them; that of a format itself has none.
_PREFIXES: Final = {
    "http://www.w3.org/2005/Atom": "",
    "http://purl.org/atom/ns#": "",
    "http://purl.org/rss/1.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://channel.netscape.com/rdf/simple/0.9/": "",
    "http://www.w3.org/1999/xhtml": "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://search.yahoo.com/mrss/": "media",
    "http://search.yahoo.com/mrss": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://www.w3.org/XML/1998/namespace": "xml",
}


@dataclass(frozen=True, slots=True)
class XmlEntry:
    """`around` has the elements that it stands in, the root first, with what they hold before it."""

    line: int
    element: Element
    around: tuple[Element, ...]


def read_xml(file: IO[bytes], is_entry: Callable[[Element], bool]) -> Iterator[XmlEntry]:
    reader = _XmlReader(is_entry)
    while chunk := file.read(CHUNK):
        reader.parse(chunk)
        read, reader.read = reader.read, []
        yield from read
    reader.parse(b"", is_last=True)
    yield from reader.read


def root_of(file: IO[bytes]) -> str:
    """The root's name. Reads the whole file: one that is not well-formed is refused before it is used."""
    names: list[str] = []

    def begins(element: Element) -> bool:
        names.append(str(element.tag))
        return True

    # The first element is an entry itself, and all that is in it is passed over.
    reader = _XmlReader(begins, keeps=False)
    while chunk := file.read(CHUNK):
        reader.parse(chunk)
    reader.parse(b"", is_last=True)
    file.seek(0)
    return names[0] if names else ""


@dataclass(slots=True)
class _XmlReader:
    is_entry: Callable[[Element], bool]
    keeps: bool = True
    read: list[XmlEntry] = field(default_factory=list)
    builder: TreeBuilder = field(default_factory=TreeBuilder)
    open: list[Element] = field(default_factory=list)
    # The place of the entry that is open, in `open`, and its line.
    entry: int | None = None
    line: int = 0
    depth: int = 0
    characters: int = 0
    elements: int = 0
    bytes_fed: int = 0
    parser: expat.XMLParserType = field(init=False)

    def __post_init__(self) -> None:
        parser = self.parser = expat.ParserCreate(namespace_separator=" ")
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data

    def parse(self, chunk: bytes, *, is_last: bool = False) -> None:
        try:
            self.parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            raise at_line(error.lineno, f"is no XML: {expat.ErrorString(error.code)}") from None
        except (LookupError, ValueError) as error:
            raise ConversionFailed(f"the XML is in an encoding that is not read: {error}") from None
        self.bytes_fed += len(chunk)
        if self.bytes_fed - max(self.parser.CurrentByteIndex, 0) > 2 * MAX_ENTRY_CHARACTERS:
            raise self._refused("a tag that does not end; the file is damaged")

    def _doctype(self, *names: object) -> None:
        raise self._refused("has a DOCTYPE, which could make the file any length; remove it")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._refused(f"elements are more than {MAX_DEPTH} deep")
        if not self.keeps and self.depth > 1:
            return
        self._count(len(name), 1)
        element = self.builder.start(_short(name), {_short(key): text for key, text in attributes.items()})
        self._count(sum(map(len, attributes.values())), 0)
        self.open.append(element)
        if self.entry is None and self.is_entry(element):
            self.entry, self.line = len(self.open) - 1, self.parser.CurrentLineNumber

    def _end(self, name: str) -> None:
        self.depth -= 1
        if not self.keeps:
            return
        self.builder.end(_short(name))
        element = self.open.pop()
        if self.entry != len(self.open):
            return
        self.read.append(XmlEntry(self.line, element, tuple(self.open)))
        self.entry, self.characters, self.elements = None, 0, 0
        if self.open:
            # The rest around the entries is small: the next entry begins with as much memory.
            self.open[-1].remove(element)

    def _data(self, text: str) -> None:
        if self.keeps:
            self._count(len(text), 0)
            # Line ends stand between entries, and would pile up behind the entry that was taken out.
            if self.entry is not None or not text.isspace():
                self.builder.data(text)

    def _count(self, characters: int, elements: int) -> None:
        self.characters += characters
        self.elements += elements
        if self.characters > MAX_ENTRY_CHARACTERS or self.elements > _MAX_ELEMENTS_OF_AN_ENTRY:
            raise self._refused(
                f"an entry has more than {MAX_ENTRY_CHARACTERS:,} characters "
                f"or {_MAX_ELEMENTS_OF_AN_ENTRY:,} elements"
            )

    def _refused(self, reason: str) -> ConversionFailed:
        return at_line(self.parser.CurrentLineNumber, reason)


def _short(name: str) -> str:
    """expat gives `URI local prefix`:  "http://purl.org/dc/elements/1.1/ creator dc" -> "dc:creator"."""
    uri, _, rest = name.partition(" ")
    if not rest:
        return name
    local, _, own_prefix = rest.partition(" ")
    prefix = _PREFIXES.get(uri, own_prefix)
    return f"{prefix}:{local}" if prefix else local
