"""A feed as RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1. Pure: equal feeds give equal bytes."""

from collections.abc import Iterable
from email.utils import format_datetime
from html import escape
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from app.feeds.feed import Feed, Item, date_of, for_xml, id_of, image_of, link_of, updated_of
from app.printable import compact_json

_ATOM = "http://www.w3.org/2005/Atom"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"


def rss(feed: Feed) -> bytes:
    # Prefixes are written out here, because all threads share ElementTree's own table of them.
    root = Element("rss", {"version": "2.0", "xmlns:atom": _ATOM, "xmlns:dc": _DUBLIN_CORE})
    channel = SubElement(root, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", feed.home_url)
    _add(channel, "description", _as_html(feed.title))
    if feed.items:
        _add(channel, "lastBuildDate", format_datetime(date_of(feed.updated), usegmt=True))
    SubElement(channel, "atom:link", rel="self", href=feed.url, type="application/rss+xml")
    return _xml(root, (_rss_entry(feed, item) for item in feed.items), b"</channel></rss>")


def _rss_entry(feed: Feed, item: Item) -> Element:
    entry = Element("item")
    _add(entry, "title", item["title"])
    _add(entry, "link", link_of(feed, item))
    SubElement(entry, "guid", isPermaLink="false").text = id_of(item)
    _add(entry, "description", _as_html(item["excerpt"]))
    if item["publishedDateTime"]:
        _add(entry, "pubDate", format_datetime(date_of(item["publishedDateTime"]), usegmt=True))
    _add(entry, "dc:creator", _author(item))
    for category in (*item["topics"], *item["tags"]):
        _add(entry, "category", category)
    if image := image_of(item):
        # RSS wants a length, which nobody knows here; 0 is the usual value then.
        SubElement(entry, "enclosure", url=for_xml(image[0]), length="0", type=image[1])
    return entry


def atom(feed: Feed) -> bytes:
    root = Element("feed", xmlns=_ATOM)
    _add(root, "id", feed.url)
    _add(root, "title", feed.title)
    _add(root, "updated", feed.updated)
    SubElement(root, "link", rel="self", href=feed.url, type="application/atom+xml")
    SubElement(root, "link", rel="alternate", href=feed.home_url, type="application/json")
    _author_of_atom(root, "Clippings")
    return _xml(root, (_atom_entry(feed, item) for item in feed.items), b"</feed>")


def _atom_entry(feed: Feed, item: Item) -> Element:
    entry = Element("entry")
    _add(entry, "id", id_of(item))
    _add(entry, "title", item["title"])
    _add(entry, "updated", updated_of(item))
    _add(entry, "published", item["publishedDateTime"])
    SubElement(entry, "link", rel="alternate", href=for_xml(link_of(feed, item)))
    _add(entry, "summary", item["excerpt"])
    if author := _author(item):
        _author_of_atom(entry, author)
    for category in (*item["topics"], *item["tags"]):
        SubElement(entry, "category", term=for_xml(category))
    if image := image_of(item):
        SubElement(entry, "link", rel="enclosure", href=for_xml(image[0]), type=image[1])
    return entry


def json_feed(feed: Feed) -> bytes:
    head = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home_url,
        "feed_url": feed.url,
    }
    # Each item is encoded by itself: nothing else of Python runs while large ones are encoded as one.
    items = [compact_json(_json_item(feed, item)).encode() for item in feed.items]
    return b"".join((compact_json(head).removesuffix("}").encode(), b',"items":[', b",".join(items), b"]}"))


def _json_item(feed: Feed, item: Item) -> dict[str, Any]:
    image = image_of(item)
    author = _author(item)
    entry = {
        "id": id_of(item),
        "url": link_of(feed, item),
        "title": item["title"],
        "content_text": item["excerpt"] or item["title"],
        "summary": item["excerpt"],
        "image": image and image[0],
        "date_published": item["publishedDateTime"],
        "date_modified": item["updatedDateTime"],
        "authors": [{"name": author}] if author else None,
        "tags": [*item["topics"], *item["tags"]] or None,
        "language": item["locale"],
        "attachments": [{"url": image[0], "mime_type": image[1]}] if image else None,
    }
    return {key: value for key, value in entry.items() if value is not None}


def _as_html(text: str | None) -> str | None:
    # An RSS description is HTML: without escaping, readers would show "vector" for "vector<bool>". RSS titles
    # are plain text, and so are Atom's titles and summaries, and all of JSON Feed.
    return None if text is None else escape(text, quote=False)


def _author(item: Item) -> str | None:
    name: str | None = item["provider"]["name"] or item["provider"]["domain"]
    return name


def _author_of_atom(parent: Element, name: str) -> None:
    _add(SubElement(parent, "author"), "name", name)


def _add(parent: Element, tag: str, text: str | None) -> None:
    if text is not None:
        SubElement(parent, tag).text = for_xml(text)


def _xml(root: Element, entries: Iterable[Element], end: bytes) -> bytes:
    """The entries are written one by one: while the garbage collector goes through a tree of millions of
    elements, nobody is answered.
    """
    beginning: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return b"".join(
        (beginning.removesuffix(end), *(tostring(each, encoding="unicode").encode() for each in entries), end)
    )
