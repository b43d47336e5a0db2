"""A feed as RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1. Pure: equal feeds give equal bytes.

Each entry is written by itself, so that whoever writes a feed can stop before it becomes too long. While the
garbage collector goes through a tree of millions of elements, nobody is answered.
"""

from collections.abc import Callable, Sequence
from email.utils import format_datetime
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from app.feeds.feed import Entry, Feed, as_html, date_of, updated_of
from app.printable import compact_json, for_xml


class FeedFormat(NamedTuple):
    """`whole` puts the texts of all entries together, which `entry` has written."""

    media_type: str
    entry: Callable[[Entry], bytes]
    whole: Callable[[Feed, Sequence[Entry], Sequence[bytes]], bytes]


_ATOM: Final = "http://www.w3.org/2005/Atom"
# Prefixes are written out, because all threads share ElementTree's own table of them.
_NAMESPACES: Final = {
    "xmlns:dc": "http://purl.org/dc/elements/1.1/",
    "xmlns:media": "http://search.yahoo.com/mrss/",
}
_RSS_NAMESPACES: Final = {
    "xmlns:atom": _ATOM,
    "xmlns:content": "http://purl.org/rss/1.0/modules/content/",
    **_NAMESPACES,
}
_RSS_TYPE: Final = "application/rss+xml"
_ATOM_TYPE: Final = "application/atom+xml"
_JSON_TYPE: Final = "application/feed+json"


def _rss(feed: Feed, entries: Sequence[Entry], texts: Sequence[bytes]) -> bytes:
    root = Element("rss", {"version": "2.0", **_RSS_NAMESPACES})
    channel = SubElement(root, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", feed.home_url)
    _add(channel, "description", as_html(feed.description or feed.title))
    if entries:
        _add(channel, "lastBuildDate", _rfc822(updated_of(entries)))
    SubElement(channel, "atom:link", rel="self", href=feed.url, type=_RSS_TYPE)
    if feed.next_url:
        SubElement(channel, "atom:link", rel="next", href=feed.next_url, type=_RSS_TYPE)
    return _xml(root, texts, b"</channel></rss>")


def _rss_entry(entry: Entry) -> bytes:
    item = Element("item")
    _add(item, "title", entry.title)
    _add(item, "link", entry.link)
    SubElement(item, "guid", isPermaLink="false").text = entry.id
    _add(item, "description", entry.excerpt and as_html(entry.excerpt))
    _add(item, "content:encoded", entry.html_with_picture)
    _add(item, "pubDate", _rfc822(entry.published))
    if entry.updated != entry.published:
        _add(item, "atom:updated", entry.updated)
    for writer in entry.writers:
        _add(item, "dc:creator", writer)
    for category in entry.categories:
        _add(item, "category", category)
    if entry.picture:
        # RSS wants a length, which nobody knows here; 0 is the usual value then.
        url = for_xml(entry.picture.url)
        SubElement(item, "enclosure", url=url, length="0", type=entry.picture.media_type)
    _add_source_and_media(item, entry)
    return _fragment(item)


def _atom(feed: Feed, entries: Sequence[Entry], texts: Sequence[bytes]) -> bytes:
    root = Element("feed", {"xmlns": _ATOM, **_NAMESPACES})
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "subtitle", feed.description)
    _add(root, "updated", updated_of(entries))
    SubElement(root, "link", rel="self", href=feed.url, type=_ATOM_TYPE)
    SubElement(root, "link", rel="alternate", href=feed.home_url, type="text/html")
    if feed.next_url:
        SubElement(root, "link", rel="next", href=feed.next_url, type=_ATOM_TYPE)
    # An entry whose author nobody knows has the feed's.
    _add(SubElement(root, "author"), "name", feed.site_name)
    return _xml(root, texts, b"</feed>")


def _atom_entry(entry: Entry) -> bytes:
    element = Element("entry")
    _add(element, "id", entry.id)
    _add(element, "title", entry.title)
    _add(element, "updated", entry.updated)
    _add(element, "published", entry.published)
    SubElement(element, "link", rel="alternate", href=for_xml(entry.link))
    for writer in entry.writers:
        _add(SubElement(element, "author"), "name", writer)
    for category in entry.categories:
        SubElement(element, "category", term=for_xml(category))
    if entry.picture:
        href = for_xml(entry.picture.url)
        SubElement(element, "link", rel="enclosure", href=href, type=entry.picture.media_type)
    _add_source_and_media(element, entry)
    _add(element, "summary", entry.excerpt)
    if (html := entry.html_with_picture) is not None:
        SubElement(element, "content", type="html").text = for_xml(html)
    return _fragment(element)


def _json(feed: Feed, entries: Sequence[Entry], texts: Sequence[bytes]) -> bytes:
    head = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home_url,
        "feed_url": feed.url,
        "description": feed.description,
        "next_url": feed.next_url,
    }
    beginning = compact_json({key: value for key, value in head.items() if value is not None})
    return b"".join((beginning.removesuffix("}").encode(), b',"items":[', b",".join(texts), b"]}"))


def _json_entry(entry: Entry) -> bytes:
    picture = entry.picture
    item: dict[str, Any] = {
        "id": entry.id,
        "url": entry.link,
        "title": entry.title,
        # One of the two is required.
        "content_html": entry.html,
        "content_text": entry.title if entry.html is None else None,
        "summary": entry.excerpt,
        "image": picture and picture.url,
        "date_published": entry.published,
        "date_modified": entry.updated,
        "authors": [{"name": writer} for writer in entry.writers] or None,
        "tags": entry.categories or None,
        "language": entry.locale,
        "attachments": [{"url": picture.url, "mime_type": picture.media_type}] if picture else None,
        # Keys of one's own begin with an underscore (JSON Feed 1.1, "Extensions").
        "_publisher": {"name": entry.provider} if entry.provider else None,
    }
    return compact_json({key: value for key, value in item.items() if value is not None}).encode()


RSS: Final = FeedFormat(_RSS_TYPE, _rss_entry, _rss)
ATOM: Final = FeedFormat(_ATOM_TYPE, _atom_entry, _atom)
JSON: Final = FeedFormat(_JSON_TYPE, _json_entry, _json)


def _add_source_and_media(parent: Element, entry: Entry) -> None:
    _add(parent, "dc:publisher", entry.provider)
    picture = entry.picture
    if not picture:
        return
    size = {
        name: str(pixels)
        for name, pixels in (("width", picture.width), ("height", picture.height))
        if pixels is not None and pixels > 0
    }
    url = for_xml(picture.url)
    media = SubElement(
        parent, "media:content", {"url": url, "type": picture.media_type, "medium": "image", **size}
    )
    _add(media, "media:title", picture.title)
    _add(media, "media:credit", picture.attribution)
    SubElement(parent, "media:thumbnail", {"url": url, **size})


def _rfc822(text: str) -> str:
    return format_datetime(date_of(text), usegmt=True)


def _add(parent: Element, tag: str, text: str | None) -> None:
    if text is not None:
        SubElement(parent, tag).text = for_xml(text)


def _fragment(element: Element) -> bytes:
    text: str = tostring(element, encoding="unicode")
    return text.encode()


def _xml(root: Element, texts: Sequence[bytes], end: bytes) -> bytes:
    beginning: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return b"".join((beginning.removesuffix(end), *texts, end))
