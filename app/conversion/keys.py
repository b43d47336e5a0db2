"""An entry's own names and values -> the keys of a document. The other names of keys are the documents' own.

What no key is for stays under its own name. Where a document would read that name as something else, or
nearly so (`source`, `tag`), it stays in the mapping `export`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from app.conversion.dates import date_text
from app.conversion.entries import HtmlText, PlainText
from app.conversion.markup import excerpt_text, text_of_html, title_text
from app.documents.article import ARTICLE_KEYS, CONTAINERS, KEYS
from app.documents.fields import near_miss
from app.documents.scalars import host
from app.documents.yaml_tree import NOT_TEXT

Values = dict[str, Any]

# Tools have these names for a key, beside those that documents have. The first that says something counts:
# Readwise's `url` leads to its own reader, and `source_url` to the article.
_TOOL_NAMES: Final = {
    "title": "resolved_title given_title name headline booktitle",
    "excerpt": "extended selection",
    "webUrl": "source_url external_url resolved_url given_url href uri permalink xmlUrl",
    "publishedDateTime": "published_at published_date date_published publication_date issued",
    "updatedDateTime": "date_modified",
    "addedDateTime": "time_added add_date saved_at saved_date date_saved bookmarked_at created_at time "
    "timestamp accessed import_date",
    "authors": "byline creator creators writers published_by book_author",
    "images": "cover data_cover thumbnail image_url preview_picture lead_image_url top_image_url",
    # The lists of a tool's own words for a link all count, beside its folders.
    "tags": "labels label tag_names document_tags keyword keywords",
    "folders": "folder collection collections lists",
    "body": "content_html content content_text",
    "providerName": "site_name container_title publisher",
    "providerDomain": "domain domain_name",
    "private": "is_private",
    "public": "is_public shared",
}
# Folders that tools have for what is filed nowhere, or has been read.
_NO_SUBJECTS: Final = frozenset(
    "|unread|archive|archived|starred|favorites|unsorted|unorganized|home|my list|inbox|none|all".split("|")
)
_DATES: Final = ("publishedDateTime", "updatedDateTime", "addedDateTime")
_NO: Final = frozenset({"", "0", "false", "no", "off"})
# An excerpt is two or three lines under the heading of a list. A longer text belongs into the body.
MAX_EXCERPT_CHARACTERS: Final = 2_000
# An entry without a title is called by the beginning of its text.
MAX_TITLE_CHARACTERS: Final = 100
# A document would read these as something else, or take them for misspelt keys.
_READ_BY_DOCUMENTS: Final = ARTICLE_KEYS | {"export", *CONTAINERS}


def fold_name(name: str) -> str:
    """`Document tags`, `document_tags` and `documentTags` are one name."""
    return re.sub(r"[\s_-]+", "", name).lower()


def _names_of_keys() -> dict[str, list[str]]:
    """The key itself, what tools call it, and what documents call it."""
    names = {}
    for key in (*KEYS, *(key for key in _TOOL_NAMES if key not in KEYS)):
        other_names = KEYS[key].other_names if key in KEYS else ()
        spellings = (key, *_TOOL_NAMES.get(key, "").split(), *other_names)
        names[key] = list(dict.fromkeys(map(fold_name, spellings)))
    return names


_NAMES: Final = _names_of_keys()
_KEY_OF_NAME: Final = {name: key for key, names in reversed(_NAMES.items()) for name in names}
_RANK: Final = {name: rank for names in _NAMES.values() for rank, name in enumerate(names)}


@dataclass(frozen=True, slots=True)
class Converted:
    """`warnings` name the values that no key can have; they are kept in `export`."""

    values: Values
    body: str
    warnings: tuple[str, ...]


def is_known(name: str) -> bool:
    return fold_name(name) in _KEY_OF_NAME


def names_a_link(names: Iterable[str]) -> bool:
    """Anything may have a name: a list of people does."""
    folded = {fold_name(name) for name in names} - {"name"}
    return any(_KEY_OF_NAME.get(name) in ("webUrl", "originalUrl", "title") for name in folded)


def convert(fields: dict[str, Any]) -> Converted:
    """A document's values, in the order of its keys. Whether they can be so is for the documents to say."""
    candidates, others = _sorted_by_key(_as_pinboard_means(fields))
    values: Values = {}
    warnings: list[str] = []
    _add_url(values, candidates, others)
    _add_texts(values, candidates)
    _add_dates(values, candidates, others, warnings)
    _add_lists(values, candidates, others)
    _add_provider(values, candidates)
    if _is_private(candidates):
        values["published"] = False
    bodies = candidates.get("body", [])
    body = str(bodies.pop(0)[1]) if bodies and isinstance(bodies[0][1], str) else ""
    for key, pairs in candidates.items():
        if pairs and key in KEYS and key not in values:
            _, values[key] = pairs.pop(0)
    excerpt = values.get("excerpt", "")
    if len(excerpt) > MAX_EXCERPT_CHARACTERS:
        body = body or excerpt
        values["excerpt"] = _beginning(excerpt, MAX_EXCERPT_CHARACTERS)
    if not values.get("title"):
        title = _beginning((excerpt or text_of_html(body[:10_000])).partition("\n")[0], MAX_TITLE_CHARACTERS)
        values["title"] = title or values.get("webUrl", "")
    others += [pair for pairs in candidates.values() for pair in pairs]
    said = [value for key in ("title", "webUrl") if (value := values.get(key))]
    others = [(name, value) for name, value in others if value not in said]
    ordered = {key: values[key] for key in KEYS if key in values and values[key] not in ("", [], {})}
    return Converted(_with_others(ordered, others), body, tuple(warnings))


def set_aside(converted: Converted, key: str) -> Converted:
    """Moves a value that cannot be what its key says."""
    values = {name: value for name, value in converted.values.items() if name != key}
    aside = {**values.pop("export", {}), key: converted.values[key]}
    return Converted({**values, "export": aside}, converted.body, converted.warnings)


Pairs = list[tuple[str, Any]]


def _as_pinboard_means(fields: dict[str, Any]) -> dict[str, Any]:
    """Pinboard's JSON calls the title `description`, and its blanks part the tags."""
    if "href" not in fields or "extended" not in fields:
        return fields
    renamed = {"title" if name == "description" else name: value for name, value in fields.items()}
    tags = renamed.get("tags")
    return {**renamed, "tags": tags.split()} if isinstance(tags, str) else renamed


def _sorted_by_key(fields: dict[str, Any]) -> tuple[dict[str, Pairs], Pairs]:
    """The values that say something, for each key in the order of its names; and what has no key."""
    candidates: dict[str, Pairs] = defaultdict(list)
    others: Pairs = []
    for name, raw in fields.items():
        value = _cleaned(raw)
        if value in ("", None, [], {}):
            continue
        key = _KEY_OF_NAME.get(fold_name(name))
        (others if key is None else candidates[key]).append((name, value))
    for pairs in candidates.values():
        pairs.sort(key=lambda pair: _RANK[fold_name(pair[0])])
    return dict(candidates), others


def _cleaned(value: Any) -> Any:
    match value:
        case PlainText() | HtmlText():
            return type(value)(_clean_text(value))
        case str():
            return _clean_text(value)
        case list():
            return [cleaned for each in value if (cleaned := _cleaned(each)) not in ("", None, [], {})]
        case dict():
            return {_clean_text(name): _cleaned(each) for name, each in value.items()}
        case float() if not isfinite(value):
            return str(value)
    return value


def _clean_text(text: str) -> str:
    """Databases and XML hold no control characters."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return NOT_TEXT.sub("", text).strip()


def _add_url(values: Values, candidates: dict[str, Pairs], others: Pairs) -> None:
    """The first absolute URL; a DOI is one too. A `source` may be the name of an app.

    A note of Shaarli has a path (`/shaare/x`), which leads nowhere from here.
    """
    pairs = candidates.pop("webUrl", [])
    texts = [pair for pair in pairs if isinstance(pair[1], str) and fold_name(pair[0]) != "source"]
    usable = [pair for pair in pairs if isinstance(pair[1], str) and host(pair[1]) is not None]
    doi = next((value for name, value in others if fold_name(name) == "doi" and isinstance(value, str)), None)
    if usable:
        values["webUrl"] = str(usable[0][1])
    elif doi and not texts:
        values["webUrl"] = doi if doi.startswith("http") else f"https://doi.org/{doi}"
    elif texts and not texts[0][1].startswith(("/", "?")):
        values["webUrl"] = str(texts[0][1])
    others += [pair for pair in pairs if pair[1] != values.get("webUrl")]


def _add_texts(values: Values, candidates: dict[str, Pairs]) -> None:
    for key, text_of in (("title", title_text), ("excerpt", excerpt_text)):
        pairs = candidates.get(key, [])
        if pairs and isinstance(pairs[0][1], str):
            text = text_of(pairs.pop(0)[1]).strip()
            values[key] = " ".join(text.split()) if key == "title" else text


def _add_dates(values: Values, candidates: dict[str, Pairs], others: Pairs, warnings: list[str]) -> None:
    published = candidates.get("published", [])
    if published and (date := date_text(published[0][1])):
        # A date in `published` says when, and that it is.
        candidates.setdefault("publishedDateTime", []).append((published.pop(0)[0], date))
    for key in _DATES:
        pairs = candidates.pop(key, [])
        for name, value in pairs:
            date = date_text(value)
            if date and key not in values:
                values[key] = date
                if isinstance(value, dict):
                    # CSL's [[2020, 6]] says less than a date.
                    others.append((name, value))
            elif not date and value not in (0, "0"):
                others.append((name, value))
                warnings.append(f"{name}: is {json.dumps(value, ensure_ascii=False)[:80]}, which is no date")
            elif date and date != values[key]:
                others.append((name, value))


def _add_lists(values: Values, candidates: dict[str, Pairs], others: Pairs) -> None:
    tags = [tag for _, value in candidates.pop("tags", []) for tag in _words(value)]
    for name, value in candidates.pop("folders", []):
        folders = _words(value, is_list=False)
        # The path of a bookmark's folders stands beside the list of their names.
        is_path = name == "folder" and isinstance(value, PlainText)
        subjects = [] if is_path else [each for each in folders if each.lower() not in _NO_SUBJECTS]
        tags += subjects
        if len(subjects) < len(folders):
            others.append((name, value))
    values["tags"] = list(dict.fromkeys(tags))
    if topics := candidates.pop("topics", []):
        values["topics"] = list(dict.fromkeys(word for _, value in topics for word in _words(value)))
    if people := candidates.get("authors"):
        name, value = people.pop(0)
        values["authors"] = [person for each in _people(value) if (person := _clean_text(each))]
        if not values["authors"]:
            others.append((name, value))
    if images := candidates.get("images"):
        _, value = images.pop(0)
        values["images"] = [value] if isinstance(value, str | dict) else value


def _words(value: Any, *, is_list: bool = True) -> list[str]:
    """The words of a list (texts, or mappings with a name), a mapping of names, or a text with separators."""
    match value:
        case str() if is_list:
            if value.startswith("[") and value.endswith("]"):
                try:
                    return _words(json.loads(value))
                except ValueError:
                    pass
            sign = next((sign for sign in "|;," if sign in value), None)
            parts = value.split(sign) if sign else [value]
        case str():
            parts = [value]
        case list():
            parts = [_name(each) for each in value]
        case dict():
            # Readwise has tags by their names; a collection of Raindrop has a title or an id.
            parts = [_name(value)] if {"name", "title", "$id"} & value.keys() else list(value)
        case _:
            parts = [str(value)]
    # JSON inside a cell may hold anything.
    words = [_clean_text(title_text(part)) for part in parts]
    return [word for word in words if word]


def _name(value: Any) -> str:
    if isinstance(value, dict):
        value = next((value[key] for key in ("name", "title", "label", "term", "tag") if value.get(key)), "")
    return str(value) if isinstance(value, str | int | float) else ""


def _people(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield from (title_text(name).strip() for name in value.split(";") if name.strip())
        case {"name": str(name)} | {"literal": str(name)}:
            yield name
        case {"family": str(family)}:
            yield " ".join(filter(None, (value.get("given"), value.get("non-dropping-particle"), family)))
        case list():
            for each in value:
                yield from _people(each)


def _add_provider(values: Values, candidates: dict[str, Pairs]) -> None:
    provider = candidates.get("provider", [])
    if provider and isinstance(provider[0][1], dict):
        values["provider"] = provider.pop(0)[1]
        return
    if provider:
        candidates.setdefault("providerName", []).insert(0, provider.pop(0))
    parts = {}
    for key, part in (("providerName", "name"), ("providerDomain", "domain")):
        pairs = candidates.get(key, [])
        if pairs and (name := _name(pairs[0][1])):
            parts[part] = title_text(name).strip()
            pairs.pop(0)
    if parts:
        values["provider"] = parts


def _is_private(candidates: dict[str, Pairs]) -> bool:
    """An entry that is not clearly public stays unpublished: an export has links that nobody was to see."""
    private = [str(value).lower() for _, value in candidates.pop("private", [])]
    public = [str(value).lower() for _, value in candidates.pop("public", [])]
    return any(value not in _NO for value in private) or any(value in _NO for value in public)


def _beginning(text: str, max_characters: int) -> str:
    if len(text) <= max_characters:
        return text
    return text[:max_characters].rsplit(None, 1)[0].rstrip(" ,.;:") + "…"


def _with_others(values: Values, others: Pairs) -> Values:
    aside: Values = {}
    for raw_name, value in others:
        name = " ".join(_clean_text(raw_name).split()) or "unnamed"
        is_read = name in _READ_BY_DOCUMENTS or name in values or near_miss(name, ARTICLE_KEYS)
        place = aside if is_read else values
        place[name] = _plain(value)
    return {**values, "export": aside} if aside else values


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
