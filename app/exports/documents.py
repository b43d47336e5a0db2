"""A stored document -> the text of a file that an import reads as the same document. Pure.

Written as briefly as the contract allows, so that what was within the limits on size and nodes stays so.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic.alias_generators import to_camel

from app.catalog.originals import OriginalDocument
from app.exports.yaml_text import yaml_text

Values = dict[str, Any]

_YAML: Final = (".yaml", ".yml")
# Of an item, what is not the document's own, or is written in its own way.
_NOT_WRITTEN: Final = frozenset(
    {"id", "source", "path", "relatedCount", "position", "articleId", "published"}
)
_TAXONOMY_KEYS: Final = {"topic_id": "_id", "organization_id": "_id"}


def document_text(stored: OriginalDocument) -> str:
    """The whole file, LF at the ends of its lines. Raises nothing that the import let in."""
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
        # A take-down: nothing of it stands anywhere but in its own row.
        kept = data["document"]
        details, content = kept.pop("details"), kept.pop("content")
        for key in ("secured", "extra"):
            del kept[key]
        item = _camel(kept)
        related = item.pop("related")
    values = _page(item)
    values |= {"published": False} if not item["published"] else {}
    values |= {"removed": True} if stored.article is None else {}
    values |= {"secured": data["secured"]} if data["secured"] else {}
    authors = details.pop("provider.authors", None)
    if authors is not None:
        values["provider"] = {**values.get("provider", {}), "authors": authors}
    values |= details
    if related:
        values["related"] = [_page(link) for link in related]
    return _with_extra(values, data["extra"]), content


def _page(item: Mapping[str, Any]) -> Values:
    """An article or a related link, less all that is unknown or follows from the rest."""
    values = {
        key: value for key, value in item.items() if key not in _NOT_WRITTEN and value not in (None, [], ())
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
        if len(values.get(key, ())) == 1:
            [values[key]] = values[key]
    return values


def _domain_of(item: Mapping[str, Any]) -> str | None:
    host = urlsplit(item["webUrl"]).hostname if item["webUrl"] else None
    return host and host.removeprefix("www.")


def _image(image: Mapping[str, Any]) -> Any:
    said = {key: value for key, value in image.items() if value is not None}
    return image["url"] if said.keys() == {"url"} else said


def _with_extra(value: Any, extra: Mapping[str, Any]) -> Any:
    """What no key of ours says, put back at its place: lists go by their elements' numbers."""
    if isinstance(value, list):
        values = list(value)
        for place, more in extra.items():
            one = values[int(place)]
            values[int(place)] = _with_extra({"url": one} if isinstance(one, str) else one, more)
        return values
    merged = dict(value)
    for key, more in extra.items():
        own = merged.get(key)
        merged[key] = _with_extra(own, more) if isinstance(own, dict | list) else more
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
    described: Values = _with_extra(values, extra)
    return described


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name if name in _TAXONOMY_KEYS else to_camel(name): _camel(each) for name, each in value.items()
        }
    return [_camel(each) for each in value] if isinstance(value, list) else value
