"""What a valid article document says. Knows nothing of files, and nothing of what is stored or served."""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast

from app.documents import scalars
from app.documents.body_titles import body_title, name_without_date
from app.documents.fields import FieldReader, is_unknown, without_www, wrong_kind
from app.documents.problems import Findings, KeyPath, WrongValue
from app.documents.repeated_links import RepeatedLink

# A change of how documents are read raises this number: the next import then reads unchanged files again.
READER_VERSION = 6

# A value of a document is a text, None, a list, or a mapping with text keys. Scalars stay texts until a key
# of ours converts them.
YamlValue = Any


class Key(NamedTuple):
    """A key of an article. `kind` says what may stand there; app/documents/editor_schema.py has the kinds.

    Other tools and older sites write `other_names`: where the key says nothing, the first of them that says
    something is read as the key.
    """

    kind: str
    meaning: str
    other_names: tuple[str, ...] = ()


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Keys of any shape, served as JSON with a single article; of a collection's items only what no article has.
DETAILS = {
    **dict.fromkeys(
        """
        length price levels ratings actions items members featuredContent
        startDateTime endDateTime website
        """.split(),
        Key("anything", "Served with the single article"),
    ),
    "levels": Key("anything", "Served with the single article", _names("level")),
    "items": Key("texts", "Paths of the articles that a collection lists"),
}
# The one table of other names: README, the schema and the conversion of other tools' files are made from it.
KEYS = {
    "title": Key("title", "What the article is called"),
    "excerpt": Key("text", "A sentence or two of what it says", _names("abstract description summary")),
    "type": Key("text", "article, video, course, collection …"),
    "category": Key("text", "news …"),
    "locale": Key("text", "en-us …", _names("lang language")),
    "webUrl": Key(
        "url",
        "Where it is",
        _names(
            """
            sourceUrl source link bookmark-of bookmarkOf externalUrl external-url external_url canonical url
            """
        ),
    ),
    "originalUrl": Key("url", "Where it was found"),
    "ampWebUrl": Key("url", "Its AMP page", _names("ampUrl")),
    "cdnAmpWebUrl": Key("url", "Its AMP page on a cache", _names("cdnAmpUrl")),
    "publishedDateTime": Key(
        "date",
        "When it was published; without an offset in UTC",
        _names("date pubDate pubDatetime publishDate"),
    ),
    "updatedDateTime": Key(
        "date",
        "When it was last updated",
        _names("lastmod updated updatedDate modDatetime last_modified_at"),
    ),
    "addedDateTime": Key(
        "date",
        "When it was filed; without it, when an import first took it",
        _names("created added dateAdded date_added savedAt"),
    ),
    "published": Key("yes or date", "Whether it is shown, or since when; absent or empty means true"),
    "draft": Key("yes or no", "true keeps it unpublished, whatever published says"),
    "removed": Key("yes or no", "true takes it down for good"),
    "quality": Key("whole number", "How good it is"),
    "heat": Key("whole number", "How much it is talked about"),
    "provider": Key("provider", "Who published it"),
    "authors": Key("people", "Who wrote it, by name", _names("author")),
    "topics": Key("texts", "What it is filed under, the first topic first", _names("categories")),
    "tags": Key("texts", "Words it may be found by"),
    "images": Key(
        "images",
        "Its pictures, the first one first",
        _names("image cover banner thumbnail heroImage ogImage photo"),
    ),
    "related": Key("related", "Articles it mentions"),
    "secured": Key("text", "Kept for the export of documents, and shown nowhere"),
    **DETAILS,
}
OTHER_NAMES = {other_name: name for name, key in KEYS.items() for other_name in key.other_names}
# Zola and Hugo let a document's own keys stand in these mappings.
CONTAINERS = ("taxonomies", "params")
KEYS_OF_RELATED = tuple(
    """
    title excerpt type webUrl originalUrl ampWebUrl cdnAmpWebUrl publishedDateTime updatedDateTime
    quality heat provider images
    """.split()
)
# Older sites wrote it in their related links alone, where it may be relative as webUrl may.
_URL_OF_LINK = "url"
OTHER_NAMES_OF_RELATED = {_URL_OF_LINK: "webUrl"} | {
    other_name: name for other_name, name in OTHER_NAMES.items() if name in KEYS_OF_RELATED
}
RELATED_KEYS = frozenset((*KEYS_OF_RELATED, *OTHER_NAMES_OF_RELATED))
ARTICLE_KEYS = frozenset(("taxonomy", *KEYS, *OTHER_NAMES))
_IMAGES = "images: [{url: https://example.org/a.png}]"
_RELATED = "related: [{title: A title, webUrl: https://example.org/}]"
# A key that is nearly a word of another tool's, or of details, is more likely a word of its own: `rating`.
_MISSPELT_KEYS = frozenset(KEYS.keys() - DETAILS.keys())
_MISSPELT_KEYS_OF_RELATED = frozenset(KEYS_OF_RELATED)
# Keys by which other tools keep something to themselves. They are not read, but nobody should learn that from
# a reader.
_PRIVATE_VALUES = {
    "publish": ("false", "no"),
    "private": ("true", "yes"),
    "hidden": ("true", "yes"),
    "status": ("draft", "private"),
    "visibility": ("private", "hidden"),
}
PROVIDER_KEYS = frozenset("name domain images authors".split())
IMAGE_KEYS = frozenset("url width height title attribution isCached".split())


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

    `details` has those keys of DETAILS that the document has; the provider's authors stand there as
    "provider.authors". `extra` has the keys that only an export repeats, nested as in the document:
    {"layout": "post", "images": {"0": {"focus": "left"}}, "related": {"3": {"topics": ["AI"]}}}. Places count
    the elements that were kept.
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
    added_date_time: str | None
    published: bool
    removed: bool
    quality: int | None
    heat: int | None
    provider: Provider
    authors: tuple[str, ...]
    topics: tuple[str, ...]
    tags: tuple[str, ...]
    images: tuple[Image, ...]
    related: tuple[RelatedLink, ...]
    secured: str | None
    details: dict[str, YamlValue]
    extra: dict[str, YamlValue]
    content: str


def read_article(
    path: str, tree: dict[str, YamlValue], content: str, base_url: str | None, findings: Findings
) -> ArticleDocument | None:
    """The article, or None where `findings` has problems. The tree is used up."""
    fields = FieldReader(tree, (), findings, base_url)
    fields.read_nested(CONTAINERS, ARTICLE_KEYS)
    _read_date_in_published(fields)
    fields.read_other_names(OTHER_NAMES, partial(_fault, base_url, None))
    _flatten_categories(fields)
    web_url, original_url = fields.url("webUrl"), fields.url("originalUrl")
    title = fields.line("title")
    if title is None and not findings.problems:
        if web_url or original_url:
            title = _title_without_key(path, content)
        else:
            findings.problem(("title",), WrongValue("is missing", "Give the article a title."))
    provider_fields = fields.provider()
    details = _details(fields, provider_fields)
    provider, extra_provider = _provider(provider_fields, web_url or original_url)
    images, extra_images = read_images(fields)
    related, extra_related = _related(fields)
    authors, extra_authors = _authors(fields)
    published = _is_published(fields)
    if published:
        _warn_of_private_keys(fields)
    fields.take("taxonomy")
    document = ArticleDocument(
        path=path,
        title=title or "",
        excerpt=fields.display_text("excerpt"),
        type=fields.label("type"),
        category=fields.label("category"),
        locale=fields.label("locale"),
        web_url=web_url or original_url,
        original_url=original_url,
        amp_web_url=fields.url("ampWebUrl"),
        cdn_amp_web_url=fields.url("cdnAmpWebUrl"),
        published_date_time=fields.converted(scalars.date_time, "publishedDateTime"),
        updated_date_time=fields.converted(scalars.date_time, "updatedDateTime"),
        added_date_time=fields.converted(scalars.date_time, "addedDateTime"),
        published=published,
        removed=fields.converted(scalars.boolean, "removed") or False,
        quality=fields.converted(scalars.integer, "quality"),
        heat=fields.converted(scalars.integer, "heat"),
        provider=provider,
        authors=authors,
        topics=fields.names("topics", parted_by=","),
        tags=fields.names("tags", parted_by=","),
        images=images,
        related=related,
        secured=fields.text("secured"),
        details=details,
        extra=fields.leftovers(ARTICLE_KEYS, _MISSPELT_KEYS)
        | extra_provider
        | extra_images
        | extra_related
        | extra_authors,
        content=content.strip(),
    )
    _warn_of_zero_dates(fields, document)
    return None if findings.problems else document


def _fault(
    base_url: str | None, url_of_link: str | None, other_name: str, key: str, value: YamlValue
) -> WrongValue | bool:
    """Why the value of another name cannot be what our key says; True for what was not meant to be that."""
    kind = KEYS[key].kind
    if kind == "images":
        # Themes write `cover: false`.
        if _says_whether(value):
            return True
        pictures = value if isinstance(value, list) else [value]
        has_url = any(_image_mapping(picture).get("url") for picture in pictures)
        return False if has_url else WrongValue("has no URL of a picture", "Write the URL of a picture.")
    if kind not in ("url", "date", "text"):
        return False
    if not isinstance(value, str):
        return wrong_kind(value, "a text")
    text = value.strip()
    if key == "webUrl" and other_name != url_of_link and scalars.host(text) is None:
        # A name of a source, or the path of the page that a site generator makes.
        return scalars.not_a_url(text) if scalars.is_meant_as_a_url(text) else True
    converted = (
        scalars.url(text, base_url)
        if kind == "url"
        else scalars.date_time(text)
        if kind == "date"
        else scalars.display_text(text)
    )
    return converted if isinstance(converted, WrongValue) else False


def _read_date_in_published(fields: FieldReader) -> None:
    """Obsidian's Web Clipper writes there when an article was published: it is, and then."""
    value = fields.values.get("published")
    if is_date(value) and is_unknown(fields.values.get("publishedDateTime")):
        place = fields.place("published")
        fields.values["publishedDateTime"] = fields.values.pop("published")
        fields.places["publishedDateTime"] = place


def _says_whether(value: YamlValue) -> bool:
    return isinstance(value, str) and not isinstance(scalars.boolean(value.strip()), WrongValue)


def _flatten_categories(fields: FieldReader) -> None:
    """Hexo writes a path of categories as a list in the list:  [[Sports, Baseball], [Play]]."""
    categories = fields.values.get("topics")
    if (
        "topics" in fields.lenient
        and isinstance(categories, list)
        and any(isinstance(category, list) for category in categories)
    ):
        fields.values["topics"] = [
            name
            for category in categories
            for name in (category if isinstance(category, list) else [category])
        ]


def is_date(value: YamlValue) -> bool:
    return isinstance(value, str) and not isinstance(scalars.date_time(value.strip()), WrongValue)


def _title_without_key(path: str, body: str) -> str:
    heading = body_title(body) or ""
    return heading if 0 < len(heading) <= scalars.MAX_TEXT_CHARACTERS else name_without_date(path)


def read_images(fields: FieldReader) -> tuple[tuple[Image, ...], dict[str, YamlValue]]:
    """The images, and the other keys of their mappings:  {"images": {"0": {"focus": "left"}}}, or {}."""
    images: list[Image] = []
    extra: dict[str, YamlValue] = {}
    is_lenient = "images" in fields.lenient
    place: KeyPath = (*fields.key_path, *fields.place("images"))
    is_list = isinstance(fields.values.get("images"), list)
    if is_lenient and not is_list:
        fields.values["images"] = [fields.values["images"]]
    for index, element in fields.elements("images", _IMAGES):
        if not isinstance(element, str | dict):
            fields.problem(wrong_kind(element, "a mapping with a url, or a URL", _IMAGES), "images", index)
            continue
        mapping = (
            _image_mapping(element)
            if is_lenient
            else {"url": element}
            if isinstance(element, str)
            else element
        )
        image_fields = FieldReader(
            mapping,
            (*place, index) if is_list else place,
            fields.findings,
            fields.base_url,
            is_lenient=is_lenient,
        )
        count_before = fields.findings.count
        url = image_fields.converted(scalars.image_url, "url", fields.base_url)
        image = Image(
            url=url or "",
            width=image_fields.converted(scalars.integer, "width"),
            height=image_fields.converted(scalars.integer, "height"),
            title=image_fields.line("title"),
            attribution=image_fields.display_text("attribution"),
            is_cached=image_fields.converted(scalars.boolean, "isCached"),
        )
        if url is None:
            # Whatever else is wrong with the mapping was said, and says enough.
            if fields.findings.count == count_before:
                fields.drop("images", index, "has no url and is left out")
            continue
        leftovers = image_fields.leftovers(IMAGE_KEYS)
        if leftovers:
            extra[str(len(images))] = leftovers
        images.append(image)
    return tuple(images), {"images": extra} if extra else {}


def _image_mapping(picture: YamlValue) -> dict[str, YamlValue]:
    """A picture as other tools write it: its URL, or a mapping with `url`, `src` or `image`, and `alt`."""
    if isinstance(picture, str):
        return {} if _says_whether(picture) or is_unknown(picture) else {"url": picture}
    if not isinstance(picture, dict):
        return {}
    mapping = dict(picture)
    for name, key in (("src", "url"), ("image", "url"), ("alt", "title")):
        if is_unknown(mapping.get(key)) and isinstance(mapping.get(name), str):
            mapping[key] = mapping.pop(name)
    return mapping


def _authors(fields: FieldReader) -> tuple[tuple[str, ...], dict[str, YamlValue]]:
    """Each name once, of texts, of mappings with a name, or of one of these. [[X]], a link in Obsidian, is X.

    The list is also kept as written where a mapping has other keys than the name.
    """
    if "authors" not in fields.values:
        return (), {}
    written = fields.values["authors"]
    people = [written] if isinstance(written, dict) else written
    if not isinstance(people, list):
        people = [] if is_unknown(written) else [written]
    people = [_without_lists(person) for person in people]
    names = [person.get("name") if isinstance(person, dict) else person for person in people]
    fields.values["authors"] = [_without_brackets(name) if isinstance(name, str) else name for name in names]
    has_more = any(isinstance(person, dict) and person.keys() != {"name"} for person in people)
    return fields.names("authors"), {"authors": scalars.as_written(people)} if has_more else {}


def _without_lists(value: YamlValue) -> YamlValue:
    """[[X]] without quotes is a list in a list to YAML."""
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list | str):
        [value] = value
    return value


def _without_brackets(name: str) -> str:
    name = name.strip()
    if name.startswith("[[") and name.endswith("]]"):
        # Obsidian shows what stands behind the bar of [[people/Ada|Ada Lovelace]].
        name = name[2:-2].rpartition("|")[2].strip()
    return name


def _related(fields: FieldReader) -> tuple[tuple[RelatedLink, ...], dict[str, YamlValue]]:
    links: list[RelatedLink] = []
    extra: dict[str, YamlValue] = {}
    for index, element in fields.elements("related", _RELATED):
        problems_before = len(fields.findings.problems)
        said = (
            _without_lists(element) if isinstance(element, list) and element[0].__class__ is list else element
        )
        if isinstance(said, RepeatedLink):
            link, leftovers = _repeated_link(said, index, fields)
        elif isinstance(said, dict | str):
            mapping = said if isinstance(said, dict) else _mentioned(said)
            link, leftovers = _related_link(mapping, index, fields)
        else:
            fields.problem(wrong_kind(element, "a mapping or a text", _RELATED), "related", index)
            continue
        if link.title is None and link.web_url is None and len(fields.findings.problems) == problems_before:
            fields.drop("related", index, "has neither title nor webUrl and is left out")
            continue
        if leftovers:
            extra[str(len(links))] = leftovers
        links.append(link)
    return tuple(links), {"related": extra} if extra else {}


def _mentioned(text: str) -> dict[str, YamlValue]:
    """A related link that is written as one text: a URL, else a title."""
    if scalars.host(text.strip()) is not None:
        return {"webUrl": text}
    return {"title": _without_brackets(text)}


def _repeated_link(
    repeated: RepeatedLink, index: int, fields: FieldReader
) -> tuple[RelatedLink, dict[str, YamlValue]]:
    if fields.base_url in repeated.readings:
        return cast(tuple[RelatedLink, dict[str, YamlValue]], repeated.readings[fields.base_url])
    count_before = fields.findings.count
    reading = _related_link(repeated.take(), index, fields)
    # A reading with findings is not kept: each document that has the link must report them.
    if fields.findings.count == count_before:
        repeated.readings[fields.base_url] = reading
    return reading


def _related_link(
    mapping: dict[str, YamlValue], index: int, article: FieldReader
) -> tuple[RelatedLink, dict[str, YamlValue]]:
    place = (*article.place("related"), index)
    fields = FieldReader(mapping, place, article.findings, article.base_url)
    fields.read_other_names(OTHER_NAMES_OF_RELATED, partial(_fault, article.base_url, _URL_OF_LINK))
    web_url, original_url = fields.url("webUrl"), fields.url("originalUrl")
    provider, extra_provider = _provider(fields.provider(), web_url or original_url)
    images, extra_images = read_images(fields)
    link = RelatedLink(
        title=fields.line("title"),
        excerpt=fields.display_text("excerpt"),
        type=fields.label("type"),
        quality=fields.converted(scalars.integer, "quality"),
        heat=fields.converted(scalars.integer, "heat"),
        published_date_time=fields.converted(scalars.date_time, "publishedDateTime"),
        updated_date_time=fields.converted(scalars.date_time, "updatedDateTime"),
        web_url=web_url or original_url,
        original_url=original_url,
        amp_web_url=fields.url("ampWebUrl"),
        cdn_amp_web_url=fields.url("cdnAmpWebUrl"),
        provider=provider,
        images=images,
    )
    return link, fields.leftovers(RELATED_KEYS, _MISSPELT_KEYS_OF_RELATED) | extra_provider | extra_images


def _provider(fields: FieldReader, web_url: str | None) -> tuple[Provider, dict[str, YamlValue]]:
    images, extra_images = read_images(fields)
    name, domain = fields.name("name"), fields.domain("domain")
    if domain is None and web_url is not None:
        domain = without_www(scalars.host(web_url) or "") or None
    extra = fields.leftovers(PROVIDER_KEYS) | extra_images
    return Provider(name, domain, images), {"provider": extra} if extra else {}


def _details(fields: FieldReader, provider_fields: FieldReader) -> dict[str, YamlValue]:
    if "items" in fields.values:
        # A file may be called 2020.md or 1.10.md: an item is a text, whatever YAML would make of it.
        fields.values["items"] = list(fields.texts("items", scalars.display_text))
    details = {key: fields.take(key) for key in DETAILS if key in fields.values}
    details["provider.authors"] = provider_fields.take("authors")
    return {key: scalars.json_value(value) for key, value in details.items() if value is not None}


def _is_published(fields: FieldReader) -> bool:
    """True without the key, or with a clear yes in it. A draft is not published, whatever the key says."""
    is_draft = _is_draft(fields)
    return _says_published(fields) and not is_draft


def _warn_of_private_keys(fields: FieldReader) -> None:
    for key, private_values in _PRIVATE_VALUES.items():
        value = fields.values.get(key)
        if isinstance(value, str) and value.strip().lower() in private_values:
            reason = "says that the article is private, and is not read: the article is published"
            fields.findings.warning(fields.place(key), reason, "Write published: false.")


def _warn_of_zero_dates(fields: FieldReader, document: ArticleDocument) -> None:
    for key, date_time in (
        ("publishedDateTime", document.published_date_time),
        ("updatedDateTime", document.updated_date_time),
        ("addedDateTime", document.added_date_time),
    ):
        if date_time and date_time.startswith("0001-"):
            reason = f"is {date_time}, in the year 1: Hugo and others write that where they know no date"
            fields.findings.warning(fields.place(key), reason, "Remove the key, or write the date.")


def _is_draft(fields: FieldReader) -> bool:
    """Leaves the key in place, for the export: the site generator that it was written for still reads it."""
    if "draft" not in fields.values:
        return False
    copy = FieldReader({"draft": fields.values["draft"]}, fields.key_path, fields.findings, fields.base_url)
    return copy.converted(scalars.boolean, "draft") or False


def _says_published(fields: FieldReader) -> bool:
    value = fields.values.get("published")
    # A date beside publishedDateTime says no more than yes, and stays for the export.
    if is_unknown(value) or is_date(value):
        return True
    return fields.converted(_yes_or_no_or_date, "published") or False


def _yes_or_no_or_date(text: str) -> bool | WrongValue:
    value = scalars.boolean(text)
    if isinstance(value, WrongValue):
        return WrongValue(value.reason, "Write true or false, or a date, such as 2020-06-11.")
    return value
