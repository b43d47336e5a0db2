"""What a feed says in any format: the newest articles of a query, and a title in words."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from app.catalog.query import ArticleQuery

Item = dict[str, Any]

# XML 1.0 holds no other characters, not even escaped. Documents may hold a few of them, such as U+FFFE.
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MEDIA_TYPES: Final = {
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",
    "avif": "image/avif",
}
# A feed must have a date, and a catalogue may have none. The clock would change the feed at every request.
_NEVER: Final = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Feed:
    """`items` are articles by `entry_of`; `url` is where the feed is, `home_url` where its query is."""

    title: str
    url: str
    home_url: str
    items: tuple[Item, ...]

    @property
    def updated(self) -> str:
        """The newest date of any item."""
        return max((updated_of(item) for item in self.items), default=_NEVER)


def id_of(item: Item) -> str:
    # Feed readers treat a changed id as a new entry, so it holds nothing that a curator may correct.
    return f"urn:clippings:article:{item['id']}"


def updated_of(item: Item) -> str:
    return item["updatedDateTime"] or item["publishedDateTime"] or _NEVER


def link_of(feed: Feed, item: Item) -> str:
    return item["webUrl"] or f"{feed.home_url.partition('?')[0]}/{item['id']}"


def entry_of(text: str) -> Item:
    """The article in this JSON, with at most one image: the first that has an absolute URL.

    A feed reader cannot resolve a relative one. An article may have 29,000 images, and a feed 200 articles.
    """
    item: Item = json.loads(text)
    item["images"] = [image for image in item["images"] if "://" in image["url"]][:1]
    return item


def image_of(item: Item) -> tuple[str, str] | None:
    """The image's URL and its media type."""
    if not item["images"]:
        return None
    url: str = item["images"][0]["url"]
    ending = url.partition("?")[0].rpartition(".")[2].lower()
    return url, _MEDIA_TYPES.get(ending, "image/jpeg")


def for_xml(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)


def date_of(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def title_of(query: ArticleQuery) -> str:
    """The query in words:  "Articles about AI from 2020-01-01"."""
    return " ".join(["Articles", *query.in_words()])
