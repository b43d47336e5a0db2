"""Which articles are one story: those that mention each other or the same pages at about the same time. Pure.

Every article stands at points of time by the URLs it has and those it mentions:

- at its own URLs, when it was published;
- at the URLs of a related link, when the link says that it was published, provided that this is within
  MAX_APART of the article's own date, since who tells of something long after writes background; a link
  without a date stands there when its article was published.

Neighbours at one URL that are at most MAX_APART from each other are joined. Joins are taken up closest first,
and one that would make a story longer than MAX_SPAN or larger than MAX_MEMBERS is left out: so a story is an
event, although real trees link a year of articles into one piece. The links of pages that are not here are
taken up in the same way, those nearest in time to the story's articles first.

A URL that very many articles have or mention (`crowded_urls` says how many) joins nobody and is no link of
any story. Only the first MAX_LINKS links of an article count.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, NamedTuple

_DAY_SECONDS: Final = 86_400
# A real curator linked 3,951 pairs: 91 in 100 are within a week of each other, 59 within a day.
MAX_APART: Final = 7 * _DAY_SECONDS
# A subject lasts longer. A limit of 14 days would part 4 in 100 of those pairs within a week.
MAX_SPAN: Final = 21 * _DAY_SECONDS
# An answer holds all of a story, articles and links alike. The largest of a real tree has 53 members.
MAX_MEMBERS: Final = 60

# A document may have 30,000 links, and 200 documents may share them: 3 GB. Real articles have some dozens.
MAX_LINKS: Final = 1_000


class PageMention(NamedTuple):
    """A related link of an article. `time` is that of the page it leads to, in seconds from 1970."""

    link_id: int
    keys: tuple[bytes, ...]
    time: int | None


@dataclass(frozen=True, slots=True)
class Member:
    """An article as stories see it. `time` is when it was published; `keys` are those of its URLs."""

    article_id: int
    public_id: str
    path: str
    source: str
    quality: int | None
    time: int | None
    keys: tuple[bytes, ...]
    mentions: tuple[PageMention, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """The lead is the first of `articles`: the best, then the earliest. `links` are of pages not here."""

    articles: tuple[Member, ...]
    links: tuple[tuple[PageMention, ...], ...]

    @property
    def lead(self) -> Member:
        return self.articles[0]

    @property
    def size(self) -> int:
        return len(self.articles) + len(self.links)

    def times(self) -> list[int]:
        own = [article.time for article in self.articles]
        of_links = [mention.time for link in self.links for mention in link]
        return sorted(time for time in (*own, *of_links) if time is not None)


class _PointInTime(NamedTuple):
    """An article at a URL; `distance` is that of the article's own time."""

    time: int | None
    article: Member
    distance: int
    is_own: bool


class _Join(NamedTuple):
    """Sorts by how close the two are, then in an order that no history of imports can change."""

    distance: int
    time: int
    first: str
    second: str


def stories_of(articles: Iterable[Member], keys_here: Set[bytes], crowded: Set[bytes]) -> list[Story]:
    """The stories of all articles that one audience sees.

    `keys_here` are those of its articles' URLs, among the keys that these articles mention; `crowded` those
    that too many have or mention. Articles that nothing joins to the others may be left out: that changes no
    other story.
    """
    by_id = {article.public_id: without(crowded, article) for article in articles}
    groups = _Groups(by_id.values(), keys_here)
    for join in sorted(_joins(by_id.values())):
        groups.join(join.first, join.second)
    stories = (story_of([by_id[id_] for id_ in ids], keys_here) for ids in groups)
    return [story for story in stories if story.size > 1]


def story_of(articles: Iterable[Member], keys_here: Set[bytes]) -> Story:
    articles = tuple(sorted(articles, key=_rank_as_lead))
    return Story(articles, tuple(_links_in_event(articles, _links(articles, keys_here))))


def without(crowded: Set[bytes], article: Member) -> Member:
    """The article as if it had and mentioned none of these URLs."""
    if not crowded:
        return article
    mentions = [
        mention._replace(keys=tuple([key for key in mention.keys if key not in crowded]))
        for mention in article.mentions
    ]
    return replace(
        article,
        keys=tuple([key for key in article.keys if key not in crowded]),
        mentions=tuple([mention for mention in mentions if mention.keys]),
    )


def is_of_its_time(article: Member, mention: PageMention) -> bool:
    """Whether the article tells of the page when it was new."""
    if mention.time is None:
        return True
    return article.time is not None and abs(article.time - mention.time) <= MAX_APART


def _rank_as_lead(article: Member) -> tuple[bool, int, bool, int, str, str]:
    quality, time = article.quality, article.time
    return quality is None, -(quality or 0), time is None, time or 0, article.path, article.source


def _joins(articles: Iterable[Member]) -> Iterator[_Join]:
    for points in _points_by_key(articles).values():
        if len(points) == 1:
            continue
        dated = sorted((point for point in points if point.time is not None), key=_by_time)
        undated = sorted((point for point in points if point.time is None), key=_by_time)
        pairs = [pair for pair in pairwise(dated) if _gap(pair) <= MAX_APART]
        pairs += pairwise(undated)
        # An article without a date is of the time at which it was first mentioned, for all one knows.
        if dated and (own := next((point for point in undated if point.is_own), None)):
            pairs.append((own, dated[0]))
        for one, other in pairs:
            if one.article is not other.article:
                yield _join(one, other)


def _points_by_key(articles: Iterable[Member]) -> dict[bytes, list[_PointInTime]]:
    points: dict[bytes, list[_PointInTime]] = defaultdict(list)
    for article in articles:
        for key in article.keys:
            points[key].append(_PointInTime(article.time, article, 0, is_own=True))
        for mention in article.mentions:
            if is_of_its_time(article, mention):
                time = article.time if mention.time is None else mention.time
                distance = abs((article.time or 0) - (time or 0))
                for key in mention.keys:
                    points[key].append(_PointInTime(time, article, distance, is_own=False))
    return points


def _by_time(point: _PointInTime) -> tuple[int, str]:
    return point.time or 0, point.article.public_id


def _gap(pair: tuple[_PointInTime, _PointInTime]) -> int:
    return (pair[1].time or 0) - (pair[0].time or 0)


def _join(one: _PointInTime, other: _PointInTime) -> _Join:
    first, second = sorted((one.article.public_id, other.article.public_id))
    if one.time is None or other.time is None:
        return _Join(MAX_APART, other.time or 0, first, second)
    distance = max(_gap((one, other)), one.distance, other.distance)
    return _Join(distance, one.time, first, second)


class _Groups:
    """Articles in groups that joins make larger, as far as an event goes."""

    def __init__(self, articles: Iterable[Member], keys_here: Set[bytes]) -> None:
        self._group_of: dict[str, str] = {}
        self._ids: dict[str, list[str]] = {}
        self._span: dict[str, tuple[int, int] | None] = {}
        # The keys of each link of a page that is not here.
        self._links: dict[str, set[tuple[bytes, ...]]] = {}
        for article in articles:
            id_ = article.public_id
            self._group_of[id_] = id_
            self._ids[id_] = [id_]
            self._span[id_] = None if article.time is None else (article.time, article.time)
            self._links[id_] = {mention.keys for mention in _mentions_of_links(article, keys_here)}

    def __iter__(self) -> Iterator[list[str]]:
        return iter(self._ids.values())

    def join(self, one: str, other: str) -> None:
        larger, smaller = self._group_of[one], self._group_of[other]
        if larger == smaller:
            return
        spans = [span for span in (self._span[larger], self._span[smaller]) if span]
        span = (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None
        if span and span[1] - span[0] > MAX_SPAN:
            return
        count = len(self._ids[larger]) + len(self._ids[smaller])
        links = self._links[larger] | self._links[smaller]
        # There are no more pages than links, and counting links is quicker.
        if count + len(links) > MAX_MEMBERS and count + _count_pages(links) > MAX_MEMBERS:
            return
        if len(self._ids[larger]) < len(self._ids[smaller]):
            larger, smaller = smaller, larger
        for id_ in self._ids[smaller]:
            self._group_of[id_] = larger
        self._ids[larger] += self._ids.pop(smaller)
        self._links[larger] |= self._links.pop(smaller)
        self._span[larger] = span


def _links_in_event(
    articles: Sequence[Member], links: Iterable[tuple[PageMention, ...]]
) -> Iterator[tuple[PageMention, ...]]:
    """The links nearest in time to the articles, as far as an event goes: one article may have thousands."""
    own = [article.time for article in articles if article.time is not None]
    first, last = min(own, default=0), max(own, default=0)
    # Nobody knows more of a link without a date than that the articles mention it.
    times = {link: [mention.time for mention in link if mention.time is not None] for link in links}

    def distance(link: tuple[PageMention, ...]) -> int:
        return max((max(first - time, time - last, 0) for time in times[link]), default=0)

    # Ids of links follow the order of imports, so their keys decide between those that are equally near.
    nearest_first = sorted(times, key=lambda link: (distance(link), min(min(of.keys) for of in link)))
    count, begin, end = len(articles), first, last
    for link in nearest_first:
        new_begin, new_end = min([begin, *times[link]]), max([end, *times[link]])
        if count < MAX_MEMBERS and new_end - new_begin <= MAX_SPAN:
            count, begin, end = count + 1, new_begin, new_end
            yield link


def _links(articles: Sequence[Member], keys_here: Set[bytes]) -> Iterator[tuple[PageMention, ...]]:
    """The mentions of each page that is not here, those of one page together, oldest first."""
    mentions = {
        mention.link_id: mention for article in articles for mention in _mentions_of_links(article, keys_here)
    }
    page = _pages([mention.keys for mention in mentions.values()])
    by_page: dict[bytes, list[PageMention]] = defaultdict(list)
    for mention in mentions.values():
        by_page[page(mention.keys[0])].append(mention)
    return (tuple(of_page) for of_page in by_page.values())


def _count_pages(links: Collection[tuple[bytes, ...]]) -> int:
    page = _pages(links)
    return len({page(keys[0]) for keys in links})


def _pages(links: Iterable[tuple[bytes, ...]]) -> Callable[[bytes], bytes]:
    """The page of each key, as one of its keys: links that have any key in common lead to one page."""
    page_of: dict[bytes, bytes] = {}

    def page(key: bytes) -> bytes:
        while (above := page_of.setdefault(key, key)) != key:
            key = above
        return key

    for keys in links:
        for key in keys[1:]:
            page_of[page(key)] = page(keys[0])
    return page


def _mentions_of_links(article: Member, keys_here: Set[bytes]) -> Iterator[PageMention]:
    for mention in article.mentions:
        if is_of_its_time(article, mention) and keys_here.isdisjoint(mention.keys):
            yield mention
