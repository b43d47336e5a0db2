"""One idea of an article: always the same by seed and number, with sizes, ties and topics as in real trees.

The texts are of words that mean nothing, some much more frequent than others, as words are. A part of the
articles tells of events: these mention each other within days, and a few are two versions of one page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate
from random import Random
from typing import Final, Generic, TypeVar

from app.documents.article import ArticleDocument, Image, Provider, RelatedLink
from app.names import slug

T = TypeVar("T")

FIRST: Final = datetime(2010, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2025, 1, 1, tzinfo=UTC)
# One real tree has 4,485 of 6,310 articles that share their second with another; here it is 17 of each 24.
_TIES: Final = (1, 2, 1, 6, 1, 3, 1, 1, 4, 1, 2, 1)
_TIE_OF: Final = tuple(tie for tie, size in enumerate(_TIES) for _ in range(size))
# That topic is every second article's; it is the leading example of all lists.
_HALF, _SELDOM = 0.5, 0.2
_WITH_QUALITY, _WITH_HEAT, _UNPUBLISHED = 0.8, 0.6, 0.02
_TOPICS, _PROVIDERS, _TAGS, _WORDS, _SENTENCES = 400, 300, 2_000, 5_000, 5_000
# A larger catalogue has more words (Heaps): 3 in 100 words of a text, and 6 of a title, are of those beyond
# the frequent ones, which get rarer by their rank to the power of 1.5. Real trees of some 1,000 articles each
# have 2,000 words in titles and 4,500 in excerpts, and twice the text has 1.6 times the words.
_NEW_IN_TITLE, _NEW_IN_TEXT, _NEW_STEEPNESS, _MAX_NEW = 0.06, 0.03, 1.5, 10**9
# An event lasts some days. Stories of a real tree have so many articles: 2 in every second one, 9 seldom.
_EVENT_DAYS, _IN_EVENTS = 4, 0.3
_EVENT_SIZES: Final = {2: 99, 3: 33, 4: 25, 5: 8, 6: 6, 7: 7, 8: 6, 9: 8, 10: 4}
_MIN_BLOCK: Final = 24
_WITH_VERSION, _WITH_PAGE_ELSEWHERE, _MENTIONS_TWO = 0.12, 0.15, 0.3
# Links to the latest articles are asked for again and again.
_MAX_REMEMBERED: Final = 20_000
_SYLLABLES: Final = (
    *("ba", "cor", "den", "el", "fa", "gri", "hol", "in", "ju", "kel", "lo", "mar"),
    *("nu", "or", "pel", "qui", "ros", "sta", "tur", "un", "vel", "wi", "xa", "yl", "zet"),
)


class Frequent(Generic[T]):
    """Things of which the n-th comes up a n-th part as often as the first (Zipf)."""

    def __init__(self, things: Sequence[T]) -> None:
        self.things = things
        self._weights = tuple(accumulate(1 / rank for rank in range(1, len(things) + 1)))

    def some(self, random: Random, count: int) -> list[T]:
        return random.choices(self.things, cum_weights=self._weights, k=count)


@dataclass(frozen=True, slots=True)
class Event:
    """Articles that tell of one thing, the oldest first, with words that few others have.

    `mentioned` are the older articles of it that an article mentions.
    """

    numbers: tuple[int, ...]
    names: tuple[str, ...]
    mentioned: Mapping[int, tuple[int, ...]]
    has_version: bool
    has_page_elsewhere: bool


class Archive:
    """`count` articles, the oldest first; each is made anew at every call, and is always the same."""

    def __init__(self, seed: int, count: int) -> None:
        self.seed = seed
        self.count = count
        random = Random(seed)
        self.words = Frequent(_words(random, _WORDS))
        self._sentences = tuple(_sentence(random, self.words) for _ in range(_SENTENCES))
        names = _words(random, 2 * _TOPICS, syllables=4)
        self.topics = tuple(f"{names[2 * n]} {names[2 * n + 1]}".title() for n in range(_TOPICS))
        self._other_topics = Frequent(self.topics[1:])
        self._tags = Frequent(_words(random, _TAGS))
        self.providers = tuple(_provider(name) for name in _words(random, _PROVIDERS))
        self._providers = Frequent(self.providers)
        self._events_of = lru_cache(16)(self._new_events)
        self._link_of = lru_cache(_MAX_REMEMBERED)(self._new_link)

    @cached_property
    def links(self) -> Sequence[RelatedLink]:
        """What articles mention: of one real tree's 161,223 links only 4,172 differ."""
        return tuple(self.link(number * self.count // self._pool) for number in range(self._pool))

    @property
    def _pool(self) -> int:
        return max(50, min(self.count, 4_958) * 4_172 // 4_958)

    def link(self, number: int) -> RelatedLink:
        """To the article of this number."""
        return self._link_of(number)

    def article(self, number: int, related: int, sentences: int) -> ArticleDocument:
        """It mentions so many others, and has so many sentences, of some 60 characters each."""
        page, event = self._page(number), self._event(number)
        # A generator of its own: the page is the same for a link, which asks for no text and no mentions.
        random = Random(self.seed * 2**33 + number)
        texts = random.choices(self._sentences, k=sentences)
        if sentences:
            texts.append(" ".join(self._text(random, 10, _NEW_IN_TEXT)).capitalize() + ".")
        mentioned = (*self._mentioned_in(event, number), *self._mentioned(random, number, related))
        content = "".join(f"<p>{text}</p>\n" for text in texts)
        return replace(page, related=tuple(dict.fromkeys(mentioned)), content=content)

    def _page(self, number: int) -> ArticleDocument:
        random = Random(self.seed * 2**32 + number)
        event = self._event(number)
        words = self._text(random, random.randint(4, 8), _NEW_IN_TITLE)
        title = " ".join([*words, *(event.names if event else ())]).capitalize()
        published = self.moment(number)
        topics = dict.fromkeys(self._other_topics.some(random, random.randint(1, 3)))
        if random.random() < _HALF:
            topics = {self.topics[0]: None, **topics}
        provider = self._providers.some(random, 1)[0]
        name = slug(title)[:40].strip("-")
        url = f"https://www.{provider.domain}/{published:%Y/%m}/{name}-{number}"
        if event and event.has_version and number == event.numbers[1]:
            first = self._page(event.numbers[0])
            provider, url = first.provider, first.web_url or url
            title = f"{first.title} {words[0]}"
        updated = published + timedelta(hours=random.randint(1, 900))
        return ArticleDocument(
            path=f"{published:%Y}/{published:%m-%d}-{name}-{number}.md",
            title=title,
            excerpt=" ".join(random.choices(self._sentences, k=random.randint(1, 3))),
            type=random.choices(("article", "video", "course", "download"), (80, 12, 5, 3))[0],
            category=random.choices(("news", "opinion", "tutorial", "reference", None), (5, 2, 2, 1, 3))[0],
            locale=random.choices(("en-us", "en-gb", "de-de", "ja-jp"), (85, 9, 4, 2))[0],
            web_url=url,
            original_url=url if random.random() < _SELDOM else None,
            amp_web_url=f"{url}/amp" if random.random() < _SELDOM else None,
            cdn_amp_web_url=None,
            published_date_time=f"{published:%Y-%m-%dT%H:%M:%SZ}",
            updated_date_time=f"{updated:%Y-%m-%dT%H:%M:%SZ}" if random.random() < _HALF else None,
            added_date_time=None,
            published=random.random() >= _UNPUBLISHED,
            removed=False,
            quality=random.randint(0, 100) if random.random() < _WITH_QUALITY else None,
            heat=random.randint(0, 500) if random.random() < _WITH_HEAT else None,
            provider=provider,
            authors=(),
            topics=tuple(topics),
            tags=tuple(dict.fromkeys(self._tags.some(random, random.randint(0, 4)))),
            images=tuple(_image(url, place) for place in range(random.choices((0, 1, 2), (15, 70, 15))[0])),
            related=(),
            secured=None,
            details={},
            extra={},
            content="",
        )

    def moment(self, number: int) -> datetime:
        block, place = divmod(number, len(_TIE_OF))
        moments = len(_TIES) * (self.count // len(_TIE_OF) + 1)
        return FIRST + (LAST - FIRST) * ((block * len(_TIES) + _TIE_OF[place]) / moments)

    def _new_link(self, number: int) -> RelatedLink:
        to = self._page(number)
        return RelatedLink(
            **{name: getattr(to, name) for name in RelatedLink.__dataclass_fields__ if name != "images"},
            images=to.images[:1],
        )

    def _text(self, random: Random, count: int, new: float) -> list[str]:
        """Frequent ones, and a part `new` of the endless rest."""
        words = self.words.some(random, count)
        for place in range(count):
            if random.random() < new:
                rank = _WORDS * random.random() ** (-1 / (_NEW_STEEPNESS - 1))
                words[place] = _new_word(int(min(rank, _MAX_NEW)))
        return words

    def _event(self, number: int) -> Event | None:
        return self._events_of(number // self._block).get(number)

    @cached_property
    def _block(self) -> int:
        """An event lasts for so many articles in a row."""
        return max(_MIN_BLOCK, self.count * _EVENT_DAYS // (LAST - FIRST).days)

    def _new_events(self, block: int) -> dict[int, Event]:
        random = Random(self.seed * 2**34 + block)
        numbers = list(range(block * self._block, min(self.count, (block + 1) * self._block)))
        random.shuffle(numbers)
        sizes, weights = tuple(_EVENT_SIZES), tuple(_EVENT_SIZES.values())
        events: dict[int, Event] = {}
        start = 0
        while start < len(numbers) * _IN_EVENTS - 1:
            size = random.choices(sizes, weights)[0]
            of_event = tuple(sorted(numbers[start : start + size]))
            start += size
            # A name of its own, and one that may come up again.
            own = _new_word(_MAX_NEW + block * self._block + start)
            names = (own, *self._text(random, 1, 1))
            mentioned = {number: _some_of(random, of_event[:place]) for place, number in enumerate(of_event)}
            has_version, has_page = random.random() < _WITH_VERSION, random.random() < _WITH_PAGE_ELSEWHERE
            event = Event(of_event, names, mentioned, has_version and size > 1, has_page)
            events |= dict.fromkeys(of_event, event)
        return events

    def _mentioned_in(self, event: Event | None, number: int) -> list[RelatedLink]:
        if not event:
            return []
        links = [self.link(other) for other in event.mentioned[number]]
        if event.has_page_elsewhere:
            first = self.link(event.numbers[0])
            elsewhere = f"https://elsewhere.example.org/{event.numbers[0]}"
            links.append(replace(first, web_url=elsewhere, original_url=None, amp_web_url=None))
        return links

    def _mentioned(self, random: Random, number: int, count: int) -> tuple[RelatedLink, ...]:
        """Of the same time: trees repeat their latest news."""
        if not count:
            return ()
        near = number * len(self.links) // self.count
        places = random.sample(range(near, near + max(200, count)), count)
        return tuple(dict.fromkeys(self.links[place % len(self.links)] for place in places))


def _words(random: Random, count: int, syllables: int = 3) -> tuple[str, ...]:
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(random.choices(_SYLLABLES, k=random.randint(syllables - 1, syllables)))] = None
    return tuple(found)


def _new_word(number: int) -> str:
    """A word of five syllables at least, which is none of the frequent ones."""
    syllables = []
    number += len(_SYLLABLES) ** 4
    while number:
        number, place = divmod(number, len(_SYLLABLES))
        syllables.append(_SYLLABLES[place])
    return "".join(syllables)


def _some_of(random: Random, older: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(random.sample(older, min(len(older), 1 + (random.random() < _MENTIONS_TWO))))


def _sentence(random: Random, words: Frequent[str]) -> str:
    return " ".join(words.some(random, random.randint(6, 14))).capitalize() + "."


def _provider(name: str) -> Provider:
    logo = Image(f"https://{name}.example.org/logo.png", 50, 50, None, None, None)
    return Provider(name.capitalize(), f"{name}.example.org", (logo,))


def _image(url: str, place: int) -> Image:
    return Image(f"{url}/{place}.jpg", 1200, 630, "What it is about", None, True)
