"""A document as the catalogue keeps it: ids, the JSON of answers, digests that tell of changes. Pure."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

from pydantic.alias_generators import to_snake

from app.catalog.fields import ITEM_KEYS
from app.documents.article import ArticleDocument, Image, Provider, RelatedLink
from app.documents.problems import Problem
from app.documents.taxonomy import OrganizationDocument, TopicDocument
from app.urls import url_key

Document = ArticleDocument | TopicDocument | OrganizationDocument

# The keys whose values are the document's own. Values of the others are made from several things.
_MADE_KEYS = frozenset({"id", "source", "provider", "topics", "images", "relatedCount"})
_ATTRIBUTE_OF_KEY = {key: to_snake(key) for key in ITEM_KEYS if key not in _MADE_KEYS}


def public_id(source: str, path: str) -> str:
    """100 bits of SHA-256 of both: the same on every machine, whatever else was imported and when."""
    first_bits = hashlib.sha256(f"{source}\0{path}".encode()).digest()[:15]
    return base64.b32encode(first_bits).decode().lower()[:20]


@dataclass(frozen=True, slots=True)
class LinkShape:
    """`item` is the related link as answered, less position and `articleId`, which are the article's."""

    value_hash: bytes
    item: str
    url_keys: frozenset[bytes]


@dataclass(slots=True)
class Shape:
    """What `documents` keeps: `meaning_hash` covers all that is said, `view_hash` what is answered.

    `links` are the article's related links.
    """

    kind: str
    view_hash: bytes
    meaning_hash: bytes
    data: str
    links: tuple[LinkShape, ...] = ()


def shape_of(document: Document) -> Shape:
    if isinstance(document, ArticleDocument):
        return _article_shape(document)
    described = asdict(document)
    del described["path"]
    kind = "topic" if isinstance(document, TopicDocument) else "organization"
    data = as_json(described)
    extra = described.pop("extra")
    return Shape(kind, digest(kind, as_json(described)), digest(kind, data, as_json(extra)), data)


def _article_shape(document: ArticleDocument) -> Shape:
    links = tuple(map(_link_shape, document.related))
    view = digest(
        item_json(document, "", "", document.topics, links),
        as_json(document.details),
        document.content,
        *(link.item for link in links),
        "removed" if document.removed else "",
    )
    kept: dict[str, Any] = {"secured": document.secured, "extra": document.extra}
    if document.removed:
        # A take-down has no row that a question could find, so this is all that an export has.
        kept["document"] = {key: value for key, value in asdict(document).items() if key != "path"}
    data = as_json(kept)
    return Shape("article", view, digest(view.hex(), data), data, links)


def item_json(
    document: ArticleDocument, id_: str, source: str, topics: Sequence[str], links: Sequence[LinkShape]
) -> str:
    """The article as every list answers it, its keys in the order of the contract."""
    values: dict[str, Any] = {
        "id": id_,
        "source": source,
        "provider": _provider(document.provider),
        "topics": topics,
        "images": [image_item(image) for image in document.images],
        "relatedCount": len(links),
    }
    for key, attribute in _ATTRIBUTE_OF_KEY.items():
        values[key] = getattr(document, attribute)
    return as_json({key: values[key] for key in ITEM_KEYS})


# By the link's identity, which it keeps while it stands here: hashing them took a sixth of an import.
_link_shapes: dict[int, tuple[RelatedLink, LinkShape]] = {}


# Most links are repeated, side by side in many documents; those of the last few thousand are worth keeping.
_LINK_SHAPES_KEPT = 20_000


def _link_shape(link: RelatedLink) -> LinkShape:
    known = _link_shapes.get(id(link))
    if known is None:
        if len(_link_shapes) >= _LINK_SHAPES_KEPT:
            _link_shapes.clear()
        known = _link_shapes[id(link)] = (link, _new_link_shape(link))
    return known[1]


def _new_link_shape(link: RelatedLink) -> LinkShape:
    item = as_json(
        {
            "title": link.title,
            "excerpt": link.excerpt,
            "type": link.type,
            "quality": link.quality,
            "heat": link.heat,
            "publishedDateTime": link.published_date_time,
            "updatedDateTime": link.updated_date_time,
            "webUrl": link.web_url,
            "originalUrl": link.original_url,
            "ampWebUrl": link.amp_web_url,
            "cdnAmpWebUrl": link.cdn_amp_web_url,
            "provider": _provider(link.provider),
            "images": [image_item(image) for image in link.images],
        }
    )
    return LinkShape(digest(item), item, url_keys(link))


def url_keys(page: ArticleDocument | RelatedLink) -> frozenset[bytes]:
    urls = (page.web_url, page.original_url, page.amp_web_url, page.cdn_amp_web_url)
    return frozenset(url_key(url) for url in urls if url)


def image_item(image: Image) -> dict[str, Any]:
    return {
        "url": image.url,
        "width": image.width,
        "height": image.height,
        "title": image.title,
        "attribution": image.attribution,
        "isCached": image.is_cached,
    }


def _provider(provider: Provider) -> dict[str, Any]:
    return {
        "name": provider.name,
        "domain": provider.domain,
        "images": [image_item(image) for image in provider.images],
    }


def problems_json(problems: Sequence[Problem]) -> str:
    return as_json([astuple(problem) for problem in problems])


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def digest(*texts: str) -> bytes:
    """16 bytes; a text cannot borrow from its neighbour, since none holds a NUL."""
    return hashlib.blake2b("\0".join(texts).encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Written:
    article_id: int
    source: str
    document: ArticleDocument
    links: tuple[LinkShape, ...]
