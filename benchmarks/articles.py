"""One idea of an article: always the same by seed and number, with sizes, ties and topics as in real trees.

The texts are of words that mean nothing, some much more frequent than others, as words are.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
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

    @cached_property
    def links(self) -> Sequence[RelatedLink]:
        """What articles mention: of one real tree's 161,223 links only 4,172 differ."""
        return tuple(self.link(number * self.count // self._pool) for number in range(self._pool))

    @property
    def _pool(self) -> int:
        return max(50, min(self.count, 4_958) * 4_172 // 4_958)

    def link(self, number: int) -> RelatedLink:
        """To the article of this number."""
        to = self.article(number, 0, 0)
        return RelatedLink(
            **{name: getattr(to, name) for name in RelatedLink.__dataclass_fields__ if name != "images"},
            images=to.images[:1],
        )

    def article(self, number: int, related: int, sentences: int) -> ArticleDocument:
        """It mentions so many others, and has so many sentences, of some 60 characters each."""
        random = Random(self.seed * 2**32 + number)
        title = " ".join(self.words.some(random, random.randint(4, 8))).capitalize()
        published = self.moment(number)
        topics = dict.fromkeys(self._other_topics.some(random, random.randint(1, 3)))
        if random.random() < _HALF:
            topics = {self.topics[0]: None, **topics}
        provider = self._providers.some(random, 1)[0]
        name = slug(title)[:40].strip("-")
        url = f"https://www.{provider.domain}/{published:%Y/%m}/{name}-{number}"
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
            related=self._mentioned(random, number, related),
            secured=None,
            details={},
            extra={},
            content="".join(f"<p>{text}</p>\n" for text in random.choices(self._sentences, k=sentences)),
        )

    def moment(self, number: int) -> datetime:
        block, place = divmod(number, len(_TIE_OF))
        moments = len(_TIES) * (self.count // len(_TIE_OF) + 1)
        return FIRST + (LAST - FIRST) * ((block * len(_TIES) + _TIE_OF[place]) / moments)

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


def _sentence(random: Random, words: Frequent[str]) -> str:
    return " ".join(words.some(random, random.randint(6, 14))).capitalize() + "."


def _provider(name: str) -> Provider:
    logo = Image(f"https://{name}.example.org/logo.png", 50, 50, None, None, None)
    return Provider(name.capitalize(), f"{name}.example.org", (logo,))


def _image(url: str, place: int) -> Image:
    return Image(f"{url}/{place}.jpg", 1200, 630, "What it is about", None, True)
