"""What a valid article document says. Knows nothing of files, and nothing of what is stored or served."""

from dataclasses import dataclass
from typing import Any, cast

from app.documents import scalars
from app.documents.fields import Keys, is_unknown, without_www, wrong_kind
from app.documents.problems import Findings, Unfit
from app.documents.repeated_links import Repeated

# What YAML may hold once scalars are text: text, None, lists, and mappings with text keys.
Tree = Any

# Keys of any shape, served as JSON with a single article.
DETAILS = (
    "length",
    "price",
    "levels",
    "ratings",
    "actions",
    "items",
    "members",
    "featuredContent",
    "startDateTime",
    "endDateTime",
    "website",
    "authors",
)
# Older names are read as today's.
OLDER_NAMES = {
    "abstract": "excerpt",
    "sourceUrl": "webUrl",
    "ampUrl": "ampWebUrl",
    "cdnAmpUrl": "cdnAmpWebUrl",
    "level": "levels",
}
OLDER_NAMES_OF_RELATED = {"url": "webUrl"} | OLDER_NAMES
RELATED_KEYS = frozenset(
    {
        *("title", "excerpt", "type", "quality", "heat", "publishedDateTime", "updatedDateTime", "webUrl"),
        *("originalUrl", "ampWebUrl", "cdnAmpWebUrl", "provider", "images", *OLDER_NAMES_OF_RELATED),
    }
)
ARTICLE_KEYS = (RELATED_KEYS - {"url"}) | {
    *("taxonomy", "category", "locale", "published", "draft", "removed"),
    *("topics", "tags", "related", "secured"),
    *DETAILS,
}
PROVIDER_KEYS = frozenset({"name", "domain", "images", "authors"})
IMAGE_KEYS = frozenset({"url", "width", "height", "title", "attribution", "isCached"})


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


def read_article(
    path: str, tree: dict[str, Tree], content: str, base_url: str | None, findings: Findings
) -> ArticleDocument | None:
    """The article, or None where `findings` has problems. The tree is used up."""
    keys = Keys(tree, (), findings, base_url).rename(OLDER_NAMES)
    title = keys.line("title")
    if title is None and not findings.problems:
        findings.problem(("title",), Unfit("is missing", "Give the article a title."))
    web_url, original_url = keys.url("webUrl"), keys.url("originalUrl")
    provider_keys = keys.mapping("provider")
    details = _details(keys, provider_keys)
    provider, extra_provider = _provider(provider_keys, web_url or original_url)
    images, extra_images = read_images(keys)
    related, extra_related = _related(keys)
    keys.take("taxonomy")
    document = ArticleDocument(
        path=path,
        title=title or "",
        excerpt=keys.shown_text("excerpt"),
        type=keys.label("type"),
        category=keys.label("category"),
        locale=keys.label("locale"),
        web_url=web_url or original_url,
        original_url=original_url,
        amp_web_url=keys.url("ampWebUrl"),
        cdn_amp_web_url=keys.url("cdnAmpWebUrl"),
        published_date_time=keys.converted(scalars.date_time, "publishedDateTime"),
        updated_date_time=keys.converted(scalars.date_time, "updatedDateTime"),
        published=_is_published(keys),
        removed=keys.converted(scalars.boolean, "removed") or False,
        quality=keys.converted(scalars.integer, "quality"),
        heat=keys.converted(scalars.integer, "heat"),
        provider=provider,
        topics=keys.names("topics"),
        tags=keys.names("tags"),
        images=images,
        related=related,
        secured=keys.text("secured"),
        details=details,
        extra=keys.rest(ARTICLE_KEYS) | extra_provider | extra_images | extra_related,
        content=content.strip(),
    )
    return None if findings.problems else document


def read_images(keys: Keys) -> tuple[tuple[Image, ...], dict[str, Tree]]:
    """The images, and what else their mappings say:  {"images": {"0": {"focus": "left"}}}, or {}."""
    images: list[Image] = []
    extra: dict[str, Tree] = {}
    for index, element in keys.elements("images"):
        if not isinstance(element, str | dict):
            keys.problem(wrong_kind(element, "a mapping with a url, or a URL"), "images", index)
            continue
        mapping = {"url": element} if isinstance(element, str) else element
        image_keys = Keys(mapping, (*keys.place, "images", index), keys.findings, keys.base_url)
        found_before = len(keys.findings.problems)
        url = image_keys.converted(scalars.image_url, "url", keys.base_url)
        image = Image(
            url=url or "",
            width=image_keys.converted(scalars.integer, "width"),
            height=image_keys.converted(scalars.integer, "height"),
            title=image_keys.line("title"),
            attribution=image_keys.shown_text("attribution"),
            is_cached=image_keys.converted(scalars.boolean, "isCached"),
        )
        if url is None and len(keys.findings.problems) == found_before:
            keys.drop("images", index, "has no url and is left out")
            continue
        rest = image_keys.rest(IMAGE_KEYS)
        if rest:
            extra[str(len(images))] = rest
        images.append(image)
    return tuple(images), {"images": extra} if extra else {}


def _related(keys: Keys) -> tuple[tuple[RelatedLink, ...], dict[str, Tree]]:
    links: list[RelatedLink] = []
    extra: dict[str, Tree] = {}
    for index, element in keys.elements("related"):
        found_before = len(keys.findings.problems)
        if isinstance(element, Repeated):
            link, rest = _repeated_link(element, index, keys)
        elif isinstance(element, dict):
            link, rest = _related_link(element, index, keys)
        else:
            keys.problem(wrong_kind(element, "a mapping with a title or a webUrl"), "related", index)
            continue
        if link.title is None and link.web_url is None and len(keys.findings.problems) == found_before:
            keys.drop("related", index, "has neither title nor webUrl and is left out")
            continue
        if rest:
            extra[str(len(links))] = rest
        links.append(link)
    return tuple(links), {"related": extra} if extra else {}


def _repeated_link(repeated: Repeated, index: int, keys: Keys) -> tuple[RelatedLink, dict[str, Tree]]:
    if keys.base_url in repeated.readings:
        return cast(tuple[RelatedLink, dict[str, Tree]], repeated.readings[keys.base_url])
    told_before = keys.findings.told
    reading = _related_link(repeated.take(), index, keys)
    # What there is to tell of it must be told of every document that has it.
    if keys.findings.told == told_before:
        repeated.readings[keys.base_url] = reading
    return reading


def _related_link(mapping: dict[str, Tree], index: int, article: Keys) -> tuple[RelatedLink, dict[str, Tree]]:
    keys = Keys(mapping, ("related", index), article.findings, article.base_url)
    keys.rename(OLDER_NAMES_OF_RELATED)
    web_url, original_url = keys.url("webUrl"), keys.url("originalUrl")
    provider, extra_provider = _provider(keys.mapping("provider"), web_url or original_url)
    images, extra_images = read_images(keys)
    link = RelatedLink(
        title=keys.line("title"),
        excerpt=keys.shown_text("excerpt"),
        type=keys.label("type"),
        quality=keys.converted(scalars.integer, "quality"),
        heat=keys.converted(scalars.integer, "heat"),
        published_date_time=keys.converted(scalars.date_time, "publishedDateTime"),
        updated_date_time=keys.converted(scalars.date_time, "updatedDateTime"),
        web_url=web_url or original_url,
        original_url=original_url,
        amp_web_url=keys.url("ampWebUrl"),
        cdn_amp_web_url=keys.url("cdnAmpWebUrl"),
        provider=provider,
        images=images,
    )
    return link, keys.rest(RELATED_KEYS) | extra_provider | extra_images


def _provider(keys: Keys, web_url: str | None) -> tuple[Provider, dict[str, Tree]]:
    images, extra_images = read_images(keys)
    name, domain = keys.name("name"), keys.domain("domain")
    if domain is None and web_url is not None:
        domain = without_www(scalars.host(web_url) or "") or None
    extra = keys.rest(PROVIDER_KEYS) | extra_images
    return Provider(name, domain, images), {"provider": extra} if extra else {}


def _details(keys: Keys, provider_keys: Keys) -> dict[str, Tree]:
    found = {key: keys.take(key) for key in DETAILS if key in keys.values}
    found["provider.authors"] = provider_keys.take("authors")
    return {key: scalars.json_value(value) for key, value in found.items() if value is not None}


def _is_published(keys: Keys) -> bool:
    """Only a clear yes publishes, and the curator who left the key out has said yes; a draft never is."""
    is_draft = _is_draft(keys)
    return _says_published(keys) and not is_draft


def _is_draft(keys: Keys) -> bool:
    """The key stays for the export: the site's generator that it was written for goes on reading it."""
    if "draft" not in keys.values:
        return False
    copy = Keys({"draft": keys.values["draft"]}, keys.place, keys.findings, keys.base_url)
    return copy.converted(scalars.boolean, "draft") or False


def _says_published(keys: Keys) -> bool:
    if "published" not in keys.values:
        return True
    if is_unknown(keys.values["published"]):
        reason = "is empty, so the article is not published"
        keys.findings.warning(("published",), reason, "Write true or false.")
    return keys.converted(scalars.boolean, "published") or False
