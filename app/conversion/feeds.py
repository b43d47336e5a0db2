"""RSS, Atom and JSON Feed -> entries. Knows the elements of feeds, and not what becomes of them."""

import re
from collections.abc import Iterator
from typing import IO, Any, Final
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element, tostring

from app.conversion.entries import EntryPosition, ExportEntry, HtmlText, PlainText, Unusable
from app.conversion.xml_elements import XmlEntry, read_xml

ROOTS: Final = ("rss", "rdf:RDF", "feed")
_ENTRIES: Final = ("item", "entry")
# RSS 2.0 has an address with the name behind it:  "jo@example.org (Jo Doe)".
_NAME_OF_ADDRESS: Final = re.compile(r"\S+@\S+\s+\((.+)\)")
_ADDRESS_OF_NAME: Final = re.compile(r"(.+?)\s*<\S+@\S+>")

Fields = dict[str, Any]


def read_feed(file: IO[bytes]) -> Iterator[ExportEntry | Unusable]:
    for xml in read_xml(file, lambda element: element.tag in _ENTRIES):
        head = next((each for each in reversed(xml.around) if each.tag in ("channel", "feed")), None)
        if head is None and xml.around:
            # The items stand beside the channel in RSS 1.0.
            head = xml.around[0].find("channel")
        yield ExportEntry(
            EntryPosition(line=xml.line), _fields(xml, Element("channel") if head is None else head)
        )


def _fields(xml: XmlEntry, head: Element) -> Fields:
    fields: Fields = {}
    is_atom = xml.element.tag == "entry"
    base = _base(xml, head, is_atom=is_atom)
    for element in xml.element:
        (_read_atom if is_atom else _read_rss)(fields, element, base)
    if "link" not in fields and _is_permalink(xml.element.find("guid")):
        fields["link"] = fields["guid"]
    _add_what_the_head_says(fields, head, _link_of(head, base, is_atom=is_atom))
    return fields


def _base(xml: XmlEntry, head: Element, *, is_atom: bool) -> str:
    """What relative URLs are relative to: `xml:base`, else the link of the feed."""
    bases = [each.get("xml:base") for each in (*xml.around, xml.element)]
    base = ""
    for each in filter(None, bases):
        base = urljoin(base, each)
    return base or _link_of(head, "", is_atom=is_atom)


def _link_of(head: Element, base: str, *, is_atom: bool) -> str:
    if not is_atom:
        return (head.findtext("link") or "").strip()
    links = [link for link in head.iterfind("link") if link.get("rel", "alternate") == "alternate"]
    return _joined(base, links[0].get("href", "")) if links else ""


def _read_rss(fields: Fields, element: Element, base: str) -> None:
    tag, text = str(element.tag), (element.text or "").strip()
    match tag:
        case "link" if not element.attrib or "href" not in element.attrib:
            fields.setdefault("link", _joined(base, text))
        case "title" | "description" | "pubDate" | "guid":
            fields.setdefault(tag, text)
        case "content:encoded":
            fields["content"] = text
        case "dc:date":
            fields.setdefault("date", text)
        case "dcterms:modified":
            fields["updated"] = text
        case "author" | "dc:creator":
            fields.setdefault("author", []).append(_person(text or "".join(element.itertext()).strip()))
        case "category" | "dc:subject":
            fields.setdefault("categories", []).append(text)
        case "dc:language":
            fields["language"] = text
        case _:
            _read_other(fields, element, base)


def _read_atom(fields: Fields, element: Element, base: str) -> None:
    tag = str(element.tag)
    base = urljoin(base, element.get("xml:base", ""))
    match tag:
        case "title" | "summary" | "content" if not element.get("src"):
            fields[tag] = _atom_text(element)
        case "id":
            fields["guid"] = (element.text or "").strip()
        case "published" | "issued":
            fields["pubDate"] = (element.text or "").strip()
        case "updated" | "modified":
            fields["updated"] = (element.text or "").strip()
        case "link" if element.get("rel", "alternate") == "alternate":
            fields.setdefault("link", _joined(base, element.get("href", "")))
        case "link" if element.get("rel") == "enclosure":
            _add_enclosure(fields, element, _joined(base, element.get("href", "")))
        case "author":
            fields.setdefault("author", []).append((element.findtext("name") or "").strip())
        case "category":
            fields.setdefault("categories", []).append(element.get("label") or element.get("term") or "")
        case _:
            _read_other(fields, element, base)


def _atom_text(element: Element) -> str:
    kind = element.get("type", "text")
    if kind in ("html", "text/html"):
        return HtmlText(element.text or "")
    if kind in ("xhtml", "application/xhtml+xml"):
        return HtmlText((element.text or "") + "".join(map(_html, element)))
    return PlainText("".join(element.itertext()))


def _html(element: Element) -> str:
    return tostring(element, encoding="unicode", method="html")


def _read_other(fields: Fields, element: Element, base: str) -> None:
    tag = str(element.tag)
    if tag == "media:group":
        for member in element:
            _read_other(fields, member, base)
    elif tag in ("enclosure", "media:content", "media:thumbnail", "itunes:image"):
        _add_enclosure(fields, element, _joined(base, element.get("url") or element.get("href") or ""))
    else:
        # The entry's other links (`via`, `self`) must not be taken for its own.
        tag = "links" if tag == "link" else tag
        value, before = _value(element), fields.get(tag)
        if before is None:
            fields[tag] = value
        elif value:
            fields[tag] = [*before, value] if isinstance(before, list) else [before, value]


def _add_enclosure(fields: Fields, element: Element, url: str) -> None:
    kind = element.get("type") or element.get("medium") or ""
    is_image = kind.startswith("image") or element.tag in ("media:thumbnail", "itunes:image")
    if is_image and url:
        if url not in fields.setdefault("images", []):
            fields["images"].append(url)
    else:
        fields.setdefault("enclosures", []).append({**element.attrib, **({"url": url} if url else {})})


def _value(element: Element) -> Any:
    """An element that nothing here knows: its text, or a mapping of its attributes and elements."""
    text = (element.text or "").strip()
    if not element.attrib and not len(element):
        return text
    members: Fields = {**element.attrib, **({"text": text} if text else {})}
    for child in element:
        members[str(child.tag)] = _value(child)
    return members


def _person(text: str) -> str:
    match = _NAME_OF_ADDRESS.fullmatch(text) or _ADDRESS_OF_NAME.fullmatch(text)
    return match[1] if match else text


def _is_permalink(guid: Element | None) -> bool:
    return guid is not None and guid.get("isPermaLink", "true") != "false" and "://" in (guid.text or "")


def _add_what_the_head_says(fields: Fields, head: Element, link: str) -> None:
    """Its title is the provider of what it publishes itself; a planet's entries lead to other hosts."""
    language = head.findtext("language") or head.findtext("dc:language") or head.get("xml:lang")
    if language:
        fields.setdefault("language", language.strip())
    if "author" not in fields and (name := (head.findtext("author/name") or "").strip()):
        fields["author"] = [name]
    if "pubDate" not in fields and "date" not in fields and "updated" in fields:
        # Atom wants `updated` alone: an entry that has no other date was last published then.
        fields["pubDate"] = fields["updated"]
    title = " ".join((head.findtext("title") or "").split())
    if title and _host(link) and _host(link) == _host(fields.get("link", "")):
        fields.setdefault("publisher", title)


def _host(url: Any) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.") if isinstance(url, str) else ""
    except ValueError:
        return ""


def _joined(base: str, url: str) -> str:
    url = url.strip()
    try:
        return urljoin(base, url) if url else ""
    except ValueError:
        return url


def is_json_feed(tree: Any) -> bool:
    return isinstance(tree, dict) and "jsonfeed.org/version/" in str(tree.get("version", ""))


def read_json_feed(tree: Any) -> Iterator[ExportEntry | Unusable]:
    items = tree.get("items")
    for number, item in enumerate(items if isinstance(items, list) else [], 1):
        place = EntryPosition(number=number)
        if not isinstance(item, dict):
            yield Unusable(place, "is no object", "Write an object with an id and a url.")
            continue
        fields = dict(item)
        url = fields.get("url")
        if isinstance(url, str) and isinstance(fields.get("external_url"), str):
            # A link blog's item is about the page it links to, and was found on the blog.
            fields["originalUrl"] = fields.pop("url")
        for name in ("language", "authors", "author"):
            if tree.get(name) and not {"authors", "author", name} & fields.keys():
                fields[name] = tree[name]
        link = fields.get("external_url") or url
        title, home = tree.get("title"), tree.get("home_page_url")
        if isinstance(title, str) and _host(home) and _host(home) == _host(link):
            fields.setdefault("publisher", title)
        if "image" in fields and "banner_image" in fields and fields["image"] == fields["banner_image"]:
            del fields["banner_image"]
        yield ExportEntry(place, fields)
