"""A document as the catalogue keeps it: ids, the JSON of answers, digests that tell of changes. Pure.

All of it is made once, by whichever process read the file; what is written later is made of nothing else.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple
from typing import Any, NamedTuple

from pydantic.alias_generators import to_snake

from app.catalog.fields import ATTRIBUTE_OF_FIELD, ITEM_KEYS, FieldName
from app.catalog.search_text import SearchText, search_text
from app.catalog.sort_keys import UNKNOWN, ascending, descending, seconds, sort_keys
from app.documents.article import ArticleDocument, Image, Provider, RelatedLink
from app.documents.problems import Problem
from app.documents.taxonomy import OrganizationDocument, TopicDocument
from app.urls import url_key

Document = ArticleDocument | TopicDocument | OrganizationDocument

# A quotation mark within a text is escaped in JSON, so this stands in an item once.
_NOT_ADDED = '"addedDateTime":null'
# The catalogue gives topics their ids, so a document alone has none.
_NO_TOPIC_IDS = '"topicIds":[],'
# Digests of bytes, meaning and view have this size, and so have the values of links.
DIGEST_BYTES = 16
# `_item` writes these keys, the others are made of the document alone.
_FIRST_KEYS = ("id", "source")
# The story depends on other documents too, so it is no part of the stored item.
_KEYS_AFTER_SOURCE = tuple(key for key in ITEM_KEYS if key not in (*_FIRST_KEYS, "story"))
# The keys whose values are the document's own. Values of the others are made from several things.
_MADE_KEYS = frozenset({"provider", "topics", "topicIds", "images", "relatedCount"})
_URLS_OF_ITEM = ("webUrl", "originalUrl", "ampWebUrl", "cdnAmpWebUrl")
_ATTRIBUTE_OF_KEY = {key: to_snake(key) for key in _KEYS_AFTER_SOURCE if key not in _MADE_KEYS}


class SerialisedLink(NamedTuple):
    """`item` is the related link as answered, less position and `articleId`, which are the article's.

    `time` is when its page was published, in seconds from 1970.
    """

    value_hash: bytes
    item: str
    url_keys: tuple[bytes, ...]
    time: int | None


class SerialisedArticle(NamedTuple):
    """What the rows of an article are made of. `item` names all topics of the document, and no ids of them.

    `page_key` is that of the URL by which articles are versions of one page. `names` are those of terms,
    topics, provider and source apart:  (("type", "video"), ("tag", "http"))
    """

    item: str
    published: bool
    quality: int | None
    heat: int | None
    image_count: int
    sort_keys: dict[str, int | bytes]
    topics: tuple[str, ...]
    names: tuple[tuple[FieldName, str], ...]
    provider_name: str | None
    provider_domain: str | None
    url_keys: tuple[bytes, ...]
    page_key: bytes | None
    link_hashes: tuple[bytes, ...]
    details: str
    content: str
    text: SearchText


class Serialised(NamedTuple):
    """What `documents` keeps: `meaning_hash` covers all that is said, `view_hash` what is answered.

    `article` is None for a description, and for an article that is taken down; descriptions have no
    `public_id`.
    """

    kind: str
    path: str
    public_id: str | None
    meaning_hash: bytes
    view_hash: bytes
    data: str
    article: SerialisedArticle | None = None
    links: tuple[SerialisedLink, ...] = ()


def serialise(source: str, base_url: str | None, document: Document) -> Serialised:
    """`source` is the name of the source that the document stands in, `base_url` that source's."""
    if isinstance(document, ArticleDocument):
        return _serialise_article(source, base_url, document)
    described = asdict(document)
    del described["path"]
    kind = "topic" if isinstance(document, TopicDocument) else "organization"
    data = as_json(described)
    extra = described.pop("extra")
    meaning_hash, view_hash = digest(kind, data, as_json(extra)), digest(kind, as_json(described))
    return Serialised(kind, document.path, None, meaning_hash, view_hash, data)


def public_id(source: str, path: str) -> str:
    """100 bits of SHA-256 of both: the same on every machine, whatever else was imported and when."""
    first_bits = hashlib.sha256(f"{source}\0{path}".encode()).digest()[:15]
    return base64.b32encode(first_bits).decode().lower()[:20]


def _serialise_article(source: str, base_url: str | None, document: ArticleDocument) -> Serialised:
    links = tuple(map(_serialise_link, document.related))
    item, details = _item_after_source(document), as_json(document.details)
    view_hash = digest(
        # Documents say nothing of ids, and older versions had none in their items.
        _item("", "", item).replace(_NO_TOPIC_IDS, "", 1),
        details,
        document.content,
        # Links in the content are served against it.
        (base_url or "") if document.content else "",
        *(link.item for link in links),
        "removed" if document.removed else "",
    )
    kept: dict[str, Any] = {"secured": document.secured, "extra": document.extra}
    if document.removed:
        # A take-down has no row that a question could find, so this is all that an export has.
        kept["document"] = {key: value for key, value in asdict(document).items() if key != "path"}
    data = as_json(kept)
    id_ = public_id(source, document.path)
    serialised = Serialised("article", document.path, id_, digest(view_hash.hex(), data), view_hash, data)
    if document.removed:
        return serialised
    article = SerialisedArticle(
        item=_item(id_, source, item),
        published=document.published,
        quality=document.quality,
        heat=document.heat,
        image_count=len(document.images),
        sort_keys=sort_keys(
            document.title,
            document.published_date_time,
            document.updated_date_time,
            document.added_date_time,
            document.quality,
            document.heat,
        ),
        topics=document.topics,
        names=tuple(_names(document)),
        provider_name=document.provider.name,
        provider_domain=document.provider.domain,
        url_keys=_url_keys(document),
        page_key=url_key(document.web_url) if document.web_url else None,
        link_hashes=tuple([link.value_hash for link in links]),
        details=details,
        content=document.content,
        text=search_text(document.title, document.excerpt, document.content),
    )
    return serialised._replace(article=article, links=links)


def _names(document: ArticleDocument) -> Iterator[tuple[FieldName, str]]:
    for field, attribute in ATTRIBUTE_OF_FIELD.items():
        value = getattr(document, attribute)
        for name in value if isinstance(value, tuple) else (value,):
            if name:
                yield field, name


def _item(id_: str, source: str, after_source: str) -> str:
    """The article as every list answers it, its keys in the order of the contract."""
    return f'{{"id":{as_json(id_)},"source":{as_json(source)},{after_source}'


def _item_after_source(document: ArticleDocument) -> str:
    values: dict[str, Any] = {
        "provider": _provider(document.provider),
        "topics": document.topics,
        "topicIds": (),
        "images": [image_item(image) for image in document.images],
        "relatedCount": len(document.related),
    }
    for key, attribute in _ATTRIBUTE_OF_KEY.items():
        values[key] = getattr(document, attribute)
    return as_json({key: values[key] for key in _KEYS_AFTER_SOURCE}).removeprefix("{")


def with_added_date_time(article: SerialisedArticle, added_date_time: str) -> SerialisedArticle:
    """The same article where its document says when it was added; otherwise as added at this time."""
    if article.sort_keys["newest_added"] != UNKNOWN:
        return article
    added = seconds(added_date_time)
    return article._replace(
        item=article.item.replace(_NOT_ADDED, f'"addedDateTime":"{added_date_time}"', 1),
        sort_keys=article.sort_keys | {"newest_added": descending(added), "oldest_added": ascending(added)},
    )


def item_with_topic_ids(item: str, topic_ids: Sequence[str]) -> str:
    """The item of a document, with the ids of its topics in their order."""
    return item.replace(_NO_TOPIC_IDS, f'"topicIds":{as_json(topic_ids)},', 1) if topic_ids else item


def item_with_topics(item: str, topics: Sequence[str], topic_ids: Sequence[str]) -> str:
    """The same item with other topics: of several names of one topic an answer has the first."""
    return as_json(json.loads(item) | {"topics": topics, "topicIds": topic_ids})


# The keys are identities of links, which stay while these stand here: hashing took a sixth of an import.
_serialised_links: dict[int, tuple[RelatedLink, SerialisedLink]] = {}


# Most links are repeated, side by side in many documents; those of the last few thousand are worth keeping.
_MAX_LINKS_KEPT = 20_000


def _serialise_link(link: RelatedLink) -> SerialisedLink:
    known = _serialised_links.get(id(link))
    if known is None:
        if len(_serialised_links) >= _MAX_LINKS_KEPT:
            _serialised_links.clear()
        known = _serialised_links[id(link)] = (link, _serialise_new_link(link))
    return known[1]


def _serialise_new_link(link: RelatedLink) -> SerialisedLink:
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
    return SerialisedLink(digest(item), item, _url_keys(link), seconds(link.published_date_time))


def _url_keys(page: ArticleDocument | RelatedLink) -> tuple[bytes, ...]:
    return _keys((page.web_url, page.original_url, page.amp_web_url, page.cdn_amp_web_url))


def url_keys_of_item(item: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The keys of an article or of a related link, made of its stored item."""
    return _keys([item[key] for key in _URLS_OF_ITEM])


def _keys(urls: Iterable[str | None]) -> tuple[bytes, ...]:
    return tuple(sorted({url_key(url) for url in urls if url}))


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
    """A text cannot borrow from its neighbour, since none holds a NUL."""
    return hashlib.blake2b("\0".join(texts).encode(), digest_size=DIGEST_BYTES).digest()
