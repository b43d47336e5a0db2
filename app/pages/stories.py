"""A story as pages show it: who covered it, and what came in what order. Pure: made of the story as data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.pages.addresses import article_address, host_of, outward, story_address, term_address
from app.pages.dates import day_in_words, span_in_words
from app.pages.entries import PageLink, cut, image_of
from app.pages.languages import direction_of, language_of
from app.printable import counted

_MAX_TITLE_CHARACTERS: Final = 300
_MAX_EXCERPT_CHARACTERS: Final = 320
_MAX_PROVIDERS: Final = 4
_MAX_TOPICS: Final = 4
_MAX_MENTIONS: Final = 3

Story = Mapping[str, Any]
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """`more_providers` is how many there are beyond those that are named."""

    title: str
    href: str
    language: str | None
    direction: str
    is_published: bool
    size: str
    span: str | None
    first: str | None
    providers: tuple[PageLink, ...]
    more_providers: int
    excerpt: str
    topics: tuple[PageLink, ...]
    image: str | None


@dataclass(frozen=True, slots=True)
class StoryMember:
    """An article, or a related link that is no article here: then `mentioned_by` has who links to it."""

    title: str
    href: str | None
    leads_out: bool
    language: str | None
    direction: str
    is_published: bool
    is_lead: bool
    provider: str | None
    moment: str | None
    day: str | None
    kind: str | None
    excerpt: str
    mentioned_by: tuple[PageLink, ...]


def story_entry_of(story: Story, prefix: str, published: str, *, shows_images: bool) -> StoryEntry:
    lead = story["lead"]
    first, last = story["firstDateTime"], story["lastDateTime"]
    providers = story["providers"]
    return StoryEntry(
        title=cut(story["title"], _MAX_TITLE_CHARACTERS),
        href=story_address(prefix, story["id"], published),
        language=language_of(lead["locale"]),
        direction=direction_of(lead["locale"]),
        is_published=lead["published"],
        size=size_in_words(story),
        span=span_in_words(first, last) if first else None,
        first=first,
        providers=tuple(_provider(provider, prefix) for provider in providers[:_MAX_PROVIDERS]),
        more_providers=max(0, len(providers) - _MAX_PROVIDERS),
        excerpt=cut(lead["excerpt"] or "", _MAX_EXCERPT_CHARACTERS),
        topics=topics_of(story, prefix, _MAX_TOPICS),
        image=image_of(lead["images"]) if shows_images else None,
    )


def size_in_words(story: Story) -> str:
    """ "5 articles, 2 links" """
    words = [counted(story["articleCount"], "article")]
    if story["linkCount"]:
        words.append(counted(story["linkCount"], "link"))
    return ", ".join(words)


def topics_of(story: Story, prefix: str, most: int) -> tuple[PageLink, ...]:
    return tuple(
        PageLink(cut(topic["name"], 80), term_address(prefix, "topic", topic["id"]))
        for topic in story["topics"][:most]
    )


def members_in_time(story: Story, prefix: str) -> list[StoryMember]:
    """Articles and links, oldest first. What has no date comes last, as it does in data."""
    articles = {item["id"]: item for item in story["articles"]}
    members = [_article(item, prefix, is_lead=item["id"] == story["id"]) for item in articles.values()]
    members += [_link(link, articles, prefix) for link in story["links"]]
    return sorted(members, key=lambda member: (member.moment is None, member.moment or ""))


def names_of_link_providers(story: Story) -> list[str]:
    """Who is linked to and has no article in the story."""
    known = {provider["domain"] or provider["name"] for provider in story["providers"]}
    names: dict[str, str] = {}
    for link in story["links"]:
        value = link["provider"]["domain"] or link["provider"]["name"]
        if value and value not in known:
            names.setdefault(value, cut(link["provider"]["name"] or value, 80))
    return list(names.values())


def _article(item: Item, prefix: str, *, is_lead: bool) -> StoryMember:
    published = item["publishedDateTime"]
    return StoryMember(
        title=cut(item["title"], _MAX_TITLE_CHARACTERS),
        href=article_address(prefix, item["id"]),
        leads_out=False,
        language=language_of(item["locale"]),
        direction=direction_of(item["locale"]),
        is_published=item["published"],
        is_lead=is_lead,
        provider=_name(item["provider"]),
        moment=published,
        day=day_in_words(published) if published else None,
        kind=item["type"] if item["type"] != "article" else None,
        excerpt=cut(item["excerpt"] or "", _MAX_EXCERPT_CHARACTERS),
        mentioned_by=(),
    )


def _link(link: Item, articles: Mapping[str, Item], prefix: str) -> StoryMember:
    published = link["publishedDateTime"]
    url = outward(link["webUrl"])
    return StoryMember(
        title=cut(link["title"] or link["webUrl"] or "Untitled", _MAX_TITLE_CHARACTERS),
        href=url,
        leads_out=True,
        language=None,
        direction=direction_of(None),
        is_published=True,
        is_lead=False,
        provider=_name(link["provider"]) or (host_of(url) if url else None),
        moment=published,
        day=day_in_words(published) if published else None,
        kind=None,
        excerpt="",
        mentioned_by=_mentions([articles[id_] for id_ in link["mentionedBy"] if id_ in articles], prefix),
    )


def _mentions(items: Iterable[Item], prefix: str) -> tuple[PageLink, ...]:
    return tuple(
        PageLink(cut(item["title"], 80), article_address(prefix, item["id"]))
        for item in list(items)[:_MAX_MENTIONS]
    )


def _provider(provider: Mapping[str, Any], prefix: str) -> PageLink:
    value = provider["domain"] or provider["name"]
    return PageLink(cut(provider["name"] or value, 80), term_address(prefix, "provider", value))


def _name(provider: Mapping[str, Any]) -> str | None:
    name = provider["name"] or provider["domain"]
    return cut(name, 80) if name else None
