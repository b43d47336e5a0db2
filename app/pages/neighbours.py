"""What stands beside an article and why: members of a collection, versions, similar ones. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.pages.addresses import article_address
from app.pages.dates import day_in_words
from app.pages.entries import cut
from app.pages.languages import direction_of, language_of

_MAX_TITLE_CHARACTERS: Final = 300
_MAX_WORDS: Final = 5
_MAX_WORD_CHARACTERS: Final = 40

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NeighbourEntry:
    """`href` is None for what a collection lists and nobody here may see; `why` is said beside it."""

    title: str
    href: str | None
    language: str | None
    direction: str
    is_published: bool
    provider: str | None
    moment: str | None
    day: str | None
    why: str | None


def neighbour_of(item: Item, prefix: str, why: str | None = None) -> NeighbourEntry:
    moment = item["publishedDateTime"]
    name = item["provider"]["name"] or item["provider"]["domain"]
    return NeighbourEntry(
        title=cut(item["title"], _MAX_TITLE_CHARACTERS),
        href=article_address(prefix, item["id"]),
        language=language_of(item["locale"]),
        direction=direction_of(item["locale"]),
        is_published=item["published"],
        provider=cut(name, 80) if name else None,
        moment=moment,
        day=day_in_words(moment) if moment else None,
        why=why,
    )


def why_similar(words: Sequence[str], *, is_linked: bool, has_votes: bool) -> str:
    """ "a curator joined them, and both say “police”, “recognition”" """
    quoted = ", ".join(f"“{cut(word, _MAX_WORD_CHARACTERS)}”" for word in words[:_MAX_WORDS])
    reasons = ["a curator joined them"] if is_linked else []
    reasons += [f"both say {quoted}"] if quoted else []
    if not reasons:
        reasons = ["articles like this one link to it" if has_votes else "they have many words in common"]
    return ", and ".join(reasons)


def why_version(version: Item, title: str) -> str:
    return "under the same title" if version["title"] == title else "under another title"


def member_of(member: Mapping[str, Any], prefix: str) -> NeighbourEntry:
    """What a collection lists; its path where no article is there."""
    if member["article"]:
        return neighbour_of(member["article"], prefix)
    title = cut(member["path"], _MAX_TITLE_CHARACTERS)
    return NeighbourEntry(
        title=title,
        href=None,
        language=None,
        direction=direction_of(None),
        is_published=True,
        provider=None,
        moment=None,
        day=None,
        why="not in this catalogue",
    )
