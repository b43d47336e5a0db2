"""What a feed says in any format: entries made of articles, and how the feed itself is called."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from urllib.parse import urlsplit

# The image of most URLs that do not tell.
_USUAL_MEDIA_TYPE: Final = "image/jpeg"
_MEDIA_TYPES: Final = {
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",
    "avif": "image/avif",
}
# A feed must have a date, and a feed of nothing has none. The clock would change it at every request.
_NEVER: Final = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Picture:
    url: str
    media_type: str
    width: int | None
    height: int | None
    title: str | None
    attribution: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as a feed shows it. `html` is its content, else its excerpt, as HTML.

    Dates are RFC 3339 in UTC. What is not known is None or empty, but `published` and `updated` always are.
    """

    id: str
    title: str
    link: str
    excerpt: str | None
    html: str | None
    published: str
    updated: str
    added: str
    authors: tuple[str, ...]
    provider: str | None
    categories: tuple[str, ...]
    locale: str | None
    picture: Picture | None

    @property
    def html_with_picture(self) -> str | None:
        """Some readers, such as newsboat, show only pictures in a text. A text with pictures stays."""
        if not self.picture or "<img" in (self.html or ""):
            return self.html
        source, alternative = escape(self.picture.url), escape(self.picture.title or "")
        return f'<p><img src="{source}" alt="{alternative}"></p>\n{self.html or ""}'

    @property
    def writers(self) -> tuple[str, ...]:
        """The authors, else who published it."""
        return self.authors or ((self.provider,) if self.provider else ())


@dataclass(frozen=True, slots=True)
class Feed:
    """`id` is the URL of its first page, `url` that of this page, `next_url` that of the next one, if any.

    `home_url` is the page for people that has the same articles.
    """

    title: str
    description: str | None
    site_name: str
    id: str
    url: str
    next_url: str | None
    home_url: str


def entry_of(text: str, articles_url: str) -> Entry:
    """The entry of an article's JSON, of its keys in lists and `contentHtml`.

    An article without a URL of its own leads to its page below `articles_url`.
    """
    item: dict[str, Any] = json.loads(text)
    provider = item["provider"]
    published = item["publishedDateTime"] or item["addedDateTime"]
    excerpt = item["excerpt"]
    html = item["contentHtml"]
    if not html.strip():
        html = None if excerpt is None else as_html(excerpt)
    return Entry(
        # Feed readers treat a changed id as a new entry, so it holds nothing that a curator may correct.
        id=f"urn:clippings:article:{item['id']}",
        title=item["title"],
        link=item["webUrl"] or f"{articles_url}/{item['id']}",
        excerpt=excerpt,
        html=html,
        published=published,
        updated=item["updatedDateTime"] or published,
        added=item["addedDateTime"],
        authors=tuple(item["authors"]),
        provider=provider["name"] or provider["domain"],
        # Readers show each once, and one subject may be a topic and a tag.
        categories=tuple(dict.fromkeys((*item["topics"], *item["tags"]))),
        locale=item["locale"],
        picture=_picture(item["images"]),
    )


def updated_of(entries: Sequence[Entry]) -> str:
    """When the feed changed last: an old article that was added today is news."""
    return max((max(entry.updated, entry.added) for entry in entries), default=_NEVER)


def date_of(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def as_html(text: str) -> str:
    # Readers would show "vector" for "vector<bool>" without escaping.
    return escape(text, quote=False)


def _picture(images: list[dict[str, Any]]) -> Picture | None:
    """The first that has an absolute URL: a feed reader cannot resolve a relative one."""
    for image in images:
        if image["url"].lower().startswith(("http://", "https://")):
            return Picture(
                url=image["url"],
                media_type=_media_type(image["url"]),
                width=image["width"],
                height=image["height"],
                title=image["title"],
                attribution=image["attribution"],
            )
    return None


def _media_type(url: str) -> str:
    try:
        path = urlsplit(url).path
    except ValueError:  # half an IPv6 address
        return _USUAL_MEDIA_TYPE
    return _MEDIA_TYPES.get(path.rpartition(".")[2].lower(), _USUAL_MEDIA_TYPE)
