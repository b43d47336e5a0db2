"""A stored document -> the text of a file that an import reads as the same document. Pure.

The text is as brief as the contract allows, so that a document within the limits on size and nodes stays
within.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic.alias_generators import to_camel

from app.catalog.originals import OriginalDocument
from app.yaml_text import yaml_text

Values = dict[str, Any]

_YAML: Final = (".yaml", ".yml")
# A document does not hold these keys of an item, or `_article` writes them in another way.
_NOT_COPIED: Final = frozenset("id source path relatedCount topicIds position articleId published".split())
_TAXONOMY_KEYS: Final = {"topic_id": "_id", "organization_id": "_id"}


def document_text(stored: OriginalDocument) -> str:
    """The text of the whole file, with LF as line ends. Every document that was imported can be written."""
    values, body = _article(stored) if stored.kind == "article" else (_taxonomy(stored), "")
    front_matter = yaml_text(values)
    if stored.path.lower().endswith(_YAML):
        return front_matter
    return f"---\n{front_matter}---\n" + (f"\n{body}\n" if body else "")


def _article(stored: OriginalDocument) -> tuple[Values, str]:
    data = stored.data
    if stored.article is not None:
        item, details, content = stored.article.item, stored.article.details, stored.article.content
        item["topics"], related = stored.article.topics, stored.article.related
    else:
        # A removed article has no row among the articles: all of it stands in its document's row.
        document = data["document"]
        details, content = document.pop("details"), document.pop("content")
        for key in ("secured", "extra"):
            del document[key]
        item = _camel(document)
        related = item.pop("related")
    values = _keys_of_a_page(item)
    values |= {"published": False} if not item["published"] else {}
    values |= {"removed": True} if stored.article is None else {}
    values |= {"secured": data["secured"]} if data["secured"] else {}
    authors = details.pop("provider.authors", None)
    if authors is not None:
        values["provider"] = {**values.get("provider", {}), "authors": authors}
    values |= details
    if related:
        values["related"] = [_keys_of_a_page(link) for link in related]
    return _with_extra(values, data["extra"]), content


def _keys_of_a_page(item: Mapping[str, Any]) -> Values:
    """The keys of an article or a related link, without those that are unknown or follow from others."""
    values = {
        key: value for key, value in item.items() if key not in _NOT_COPIED and value not in (None, [], ())
    }
    if values.get("webUrl") == values.get("originalUrl"):
        values.pop("webUrl", None)
    provider = {key: value for key, value in values.pop("provider").items() if value}
    if provider.get("domain") == _domain_of(item):
        provider.pop("domain", None)
    if images := provider.get("images"):
        provider["images"] = [_image(image) for image in images]
    if provider:
        values["provider"] = provider
    if images := values.get("images"):
        values["images"] = [_image(image) for image in images]
    for key in ("topics", "tags"):
        # An import parts a text at its commas, and a list nowhere.
        if len(values.get(key, ())) == 1 and "," not in values[key][0]:
            [values[key]] = values[key]
    return values


def _domain_of(item: Mapping[str, Any]) -> str | None:
    host = urlsplit(item["webUrl"]).hostname if item["webUrl"] else None
    return host and host.removeprefix("www.")


def _image(image: Mapping[str, Any]) -> Any:
    values = {key: value for key, value in image.items() if value is not None}
    return image["url"] if values.keys() == {"url"} else values


def _with_extra(value: Any, extra: Mapping[str, Any]) -> Any:
    """Puts keys that are not ours back at their places; an element of a list goes by its index."""
    if isinstance(value, list):
        values = list(value)
        for index, extra_keys in extra.items():
            element = values[int(index)]
            mapping = {"url": element} if isinstance(element, str) else element
            values[int(index)] = _with_extra(mapping, extra_keys)
        return values
    merged = dict(value)
    for key, extra_value in extra.items():
        our_value = merged.get(key)
        # A list that is kept stands for the whole of our value.
        is_nested = isinstance(our_value, dict | list) and isinstance(extra_value, dict)
        merged[key] = _with_extra(our_value, extra_value) if is_nested else extra_value
    return merged


def _taxonomy(stored: OriginalDocument) -> Values:
    data = dict(stored.data)
    extra = data.pop("extra")
    values: Values = {"taxonomy": stored.kind}
    for name, value in _camel(data).items():
        if value not in (None, []):
            values[_TAXONOMY_KEYS.get(name, name)] = value
    if images := values.get("images"):
        values["images"] = [_image(image) for image in images]
    merged: Values = _with_extra(values, extra)
    return merged


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name if name in _TAXONOMY_KEYS else to_camel(name): _camel(member)
            for name, member in value.items()
        }
    return [_camel(member) for member in value] if isinstance(value, list) else value
