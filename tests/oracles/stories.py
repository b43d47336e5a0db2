"""The contract's stories in plain Python over documents: union-find over URLs. Knows no database.

It joins pairs one by one, looks at all articles each time, and so says nothing of how an import finds those
that it must compute anew.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from app.urls import canonical, url_key

DAY = 86_400


@dataclass(frozen=True)
class Link:
    urls: tuple[str, ...]
    time: int | None = None

    def pages(self) -> frozenset[str]:
        return frozenset(map(canonical, self.urls))


@dataclass(frozen=True)
class Article:
    path: str
    id: str
    time: int | None = None
    quality: int | None = None
    published: bool = True
    urls: tuple[str, ...] = ()
    related: tuple[Link, ...] = ()

    def pages(self) -> frozenset[str]:
        return frozenset(map(canonical, self.urls))


@dataclass
class Group:
    members: list[Article] = field(default_factory=list)


def stories(
    articles: Sequence[Article], most: int = 60, most_at_url: int = 200, most_links: int = 1_000
) -> dict[str, dict[str, Any]]:
    """By id: `articles` (ids), `size`, `links` (sets of pages), as one audience has them who sees these.

    `most` is how many members a story has at most, `most_at_url` how many articles may be at a URL,
    `most_links` how many links of an article count.
    """
    articles = _without_crowds(articles, most_at_url, most_links)
    here = {page for article in articles for page in article.pages()}
    group_of = {article.id: Group([article]) for article in articles}
    for _, _, one, other in sorted(_joins(articles)):
        first, second = group_of[one], group_of[other]
        together = [*first.members, *second.members]
        if first is not second and _is_event(together, here, most):
            first.members = together
            for article in second.members:
                group_of[article.id] = first
    found = {}
    for group in {id(group): group for group in group_of.values()}.values():
        links = _links_in_event(group.members, here, most)
        size = len(group.members) + len(links)
        if size > 1:
            lead = min(group.members, key=_rank)
            ids = sorted(article.id for article in group.members)
            found[lead.id] = {"articles": ids, "size": size, "links": links}
    return found


def _without_crowds(articles: Sequence[Article], most_at_url: int, most_links: int) -> list[Article]:
    at_page = Counter(
        page
        for article in articles
        for page in article.pages().union(*(link.pages() for link in article.related[:most_links]))
    )

    def left(urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(url for url in urls if at_page[canonical(url)] <= most_at_url)

    return [
        replace(
            article,
            urls=left(article.urls),
            related=tuple(
                replace(link, urls=left(link.urls))
                for link in article.related[:most_links]
                if left(link.urls)
            ),
        )
        for article in articles
    ]


def _rank(article: Article) -> tuple[Any, ...]:
    quality = float("inf") if article.quality is None else -article.quality
    time = float("inf") if article.time is None else article.time
    return quality, time, article.path


def _tells_in_time(article: Article, link: Link) -> bool:
    if link.time is None:
        return True
    return article.time is not None and abs(article.time - link.time) <= 7 * DAY


def _joins(articles: Sequence[Article]) -> Iterator[tuple[int, int, str, str]]:
    """How far apart, when, and the ids of the two."""
    pages = {page for article in articles for page in article.pages()}
    pages |= {page for article in articles for link in article.related for page in link.pages()}
    for page in pages:
        owners = sorted(
            article.id for article in articles if article.time is None and page in article.pages()
        )
        points = [point for article in articles for point in _points(article, page)]
        dated = sorted(point for point in points if isinstance(point[0], int))
        undated = sorted(id_ for time, id_, _ in points if time is None)
        for (time, one, own), (later, other, others) in pairwise(dated):
            if later - time <= 7 * DAY and one != other:
                yield max(later - time, own, others), time, min(one, other), max(one, other)
        for one, other in pairwise(undated):
            if one != other:
                yield 7 * DAY, 0, one, other
        if owners and dated and owners[0] != dated[0][1]:
            time, one, _ = dated[0]
            yield 7 * DAY, time, min(one, owners[0]), max(one, owners[0])


def _points(article: Article, page: str) -> Iterator[tuple[Any, str, int]]:
    """When the article stands at the page, its id, and how far that is from its own time."""
    if page in article.pages():
        yield article.time, article.id, 0
    for link in article.related:
        if page in link.pages() and _tells_in_time(article, link):
            time = article.time if link.time is None else link.time
            yield time, article.id, 0 if time is None else abs(time - (article.time or 0))


def _is_event(articles: Sequence[Article], here: set[str], most: int) -> bool:
    times = [article.time for article in articles if article.time is not None]
    if times and max(times) - min(times) > 21 * DAY:
        return False
    return len(articles) + len(_links(articles, here)) <= most


def _links_in_event(articles: Sequence[Article], here: set[str], most: int) -> set[frozenset[str]]:
    """Those nearest in time to the articles, until there are `most` members or three weeks are over."""
    own = [article.time for article in articles if article.time is not None]
    ranked = []
    for pages in _links(articles, here):
        times = {
            link.time
            for article in articles
            for link in article.related
            if link.pages() & pages and link.time is not None and _tells_in_time(article, link)
        }
        away = max((max(min(own) - time, time - max(own), 0) for time in times), default=0)
        ranked.append((away, min(map(url_key, pages)), pages, times))
    kept, lasting = set[frozenset[str]](), set(own)
    for _, _, pages, times in sorted(ranked, key=lambda link: link[:2]):
        together = lasting | times
        if (
            len(articles) + len(kept) < most
            and max(together, default=0) - min(together, default=0) <= 21 * DAY
        ):
            kept.add(pages)
            lasting = together
    return kept


def _links(articles: Sequence[Article], here: set[str]) -> set[frozenset[str]]:
    """The pages that are not here, each as all of its URLs that the articles name."""
    links: list[frozenset[str]] = []
    for article in articles:
        for link in article.related:
            if link.urls and _tells_in_time(article, link) and not link.pages() & here:
                same = [other for other in links if other & link.pages()]
                links = [other for other in links if other not in same]
                links.append(link.pages().union(*same))
    return set(links)
