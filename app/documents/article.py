"""What a valid article document says. Knows nothing of files, and nothing of what is stored or served."""

from dataclasses import dataclass
from typing import Any

# What YAML may hold once scalars are text: text, None, lists, and mappings with text keys.
Tree = Any


@dataclass(frozen=True, slots=True)
class Image:
    """`url` is absolute, or relative as written where the source has no base URL."""

    url: str
    width: int | None
    height: int | None
    title: str | None
    attribution: str | None
    is_cached: bool | None


@dataclass(frozen=True, slots=True)
class Provider:
    """`domain` is lower-cased, less `www.`; where the document names none, it is the host of the web URL."""

    name: str | None
    domain: str | None
    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class RelatedLink:
    """An article mentioned by another one. It has a title, a web URL, or both."""

    title: str | None
    excerpt: str | None
    type: str | None
    quality: int | None
    heat: int | None
    published_date_time: str | None
    updated_date_time: str | None
    web_url: str | None
    original_url: str | None
    amp_web_url: str | None
    cdn_amp_web_url: str | None
    provider: Provider
    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class ArticleDocument:
    """Date-times are RFC 3339 in UTC to the second: `2020-06-11T00:07:00Z`.

    `details` holds the keys served as JSON with a single article, those present alone; the providers' authors
    stand there as "provider.authors". `extra` mirrors the document's nesting and holds what only an export
    repeats:  {"layout": "post", "images": {"0": {"focus": "left"}}, "related": {"3": {"topics": ["AI"]}}},
    list places counted among the elements kept.
    """

    path: str
    title: str
    excerpt: str | None
    type: str | None
    category: str | None
    locale: str | None
    web_url: str | None
    original_url: str | None
    amp_web_url: str | None
    cdn_amp_web_url: str | None
    published_date_time: str | None
    updated_date_time: str | None
    published: bool
    removed: bool
    quality: int | None
    heat: int | None
    provider: Provider
    topics: tuple[str, ...]
    tags: tuple[str, ...]
    images: tuple[Image, ...]
    related: tuple[RelatedLink, ...]
    secured: str | None
    details: dict[str, Tree]
    extra: dict[str, Tree]
    content: str
