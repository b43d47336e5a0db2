"""An article as lists show it to people. Pure: made of the item that a list answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from app.pages.addresses import article_address, host_of, outward, story_address, term_address
from app.pages.dates import day_in_words
from app.pages.languages import direction_of, language_of

# A title or an excerpt may have 65,536 characters; a list shows what a reader takes in at a glance.
_MAX_TITLE_CHARACTERS: Final = 300
_MAX_EXCERPT_CHARACTERS: Final = 320
_MAX_TOPICS: Final = 4

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PageLink:
    """`href` is None where no address can hold what the link would lead to."""

    text: str
    href: str | None
    count: int | None = None
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class ArticleEntry:
    title: str | Markup
    href: str
    language: str | None
    direction: str
    excerpt: str | Markup
    provider: PageLink | None
    day: str | None
    moment: str | None
    kind: str | None
    outward: str | None
    host: str
    image: str | None
    topics: tuple[PageLink, ...]
    is_published: bool
    story: PageLink | None


def entry_of(
    item: Item,
    prefix: str,
    *,
    published: str,
    shows_images: bool,
    highlights: Mapping[str, str | None] | None = None,
) -> ArticleEntry:
    """`published` says for whom the item was read: its story may be an editor's."""
    url = outward(item["webUrl"])
    locale = item["locale"]
    moment = item["publishedDateTime"]
    return ArticleEntry(
        title=_title(item, highlights or {}),
        href=article_address(prefix, item["id"]),
        language=language_of(locale),
        direction=direction_of(locale),
        excerpt=_excerpt(item, highlights or {}),
        provider=provider_link(item["provider"], prefix),
        day=day_in_words(moment) if moment else None,
        moment=moment,
        kind=item["type"] if item["type"] != "article" else None,
        outward=url,
        host=host_of(url) if url else "",
        image=image_of(item["images"]) if shows_images else None,
        topics=topic_links(item, prefix, _MAX_TOPICS),
        is_published=item["published"],
        story=_story(item, prefix, published),
    )


def _story(item: Item, prefix: str, published: str) -> PageLink | None:
    story = item["story"]
    if story is None:
        return None
    href = story_address(prefix, story["id"], published)
    return PageLink(f"and {story['size'] - 1:,} more in this story", href)


def provider_link(provider: Mapping[str, Any], prefix: str) -> PageLink | None:
    value = provider["domain"] or provider["name"]
    if not value:
        return None
    return PageLink(cut(provider["name"] or value, 80), term_address(prefix, "provider", value))


def topic_links(item: Item, prefix: str, most: int) -> tuple[PageLink, ...]:
    names = item["topics"][:most]
    # An id stays when the name changes.
    return tuple(
        PageLink(cut(name, 80), term_address(prefix, "topic", id_))
        for name, id_ in zip(names, item["topicIds"], strict=False)
    )


def image_of(images: list[Mapping[str, Any]]) -> str | None:
    """The first image that has an absolute URL: nobody knows where a relative one leads."""
    return next((image["url"] for image in images if outward(image["url"])), None)


def cut(text: str, most: int) -> str:
    """The text ends after at most so many characters, and with a whole word where it has one."""
    if len(text) <= most:
        return text
    words = text[: most - 1].rsplit(None, 1)
    return (words[0] if len(words) > 1 and len(words[0]) > most // 2 else text[: most - 1]) + "…"


def as_html(text: str) -> Markup:
    """The catalog has escaped or cleaned what comes here: highlights and contentHtml, and nothing else."""
    return Markup(text)  # noqa: S704


def _title(item: Item, highlights: Mapping[str, str | None]) -> str | Markup:
    marked = highlights.get("title")
    if marked and len(item["title"]) <= _MAX_TITLE_CHARACTERS:
        return as_html(marked)
    return cut(item["title"], _MAX_TITLE_CHARACTERS)


def _excerpt(item: Item, highlights: Mapping[str, str | None]) -> str | Markup:
    """Where the search matched, if it matched beyond the title."""
    excerpt = item["excerpt"] or ""
    if (marked := highlights.get("excerpt")) and len(excerpt) <= _MAX_EXCERPT_CHARACTERS:
        return as_html(marked)
    if marked := highlights.get("content"):
        return as_html(marked)
    return cut(excerpt, _MAX_EXCERPT_CHARACTERS)
