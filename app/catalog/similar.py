"""The articles most like one: by their words and dates, and by what curators linked to those most like it.

It finds 0.75 of ten of the articles that a real curator linked, where shared words of titles find 0.47.
`python -m benchmarks.neighbours` measures it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from app.catalog.audience import Published
from app.catalog.index.find import WordProfile
from app.catalog.orders import list_columns
from app.catalog.tables import articles, links, related_links
from app.database.rows import id_in_parameter, ids_parameter
from app.database.statements import statement

# A lower score is chance: a common word or two, or a vote of those that are hardly alike. Between the two a
# rare word must stand in a title. Half of the answers were below in a tree of 60 articles; leaving them out
# loses 0.005 of those that a curator linked.
_SURE, _UNSURE = 0.1, 0.05

# The likest vote for what they link to, each with half of its own likeness.
_VOTERS: Final = 10
_VOTE: Final = 0.5

# The keys are articles, the values those that they link to.
LinkedArticles = Mapping[int, Collection[int]]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """`score` is from 0 to 1 by words, and more where links vote; `words` are those that few others have.

    `is_linked` says that one of the two links to the other, `has_votes` that those most alike link to it.
    """

    article_id: int
    score: float
    words: tuple[str, ...]
    is_linked: bool
    has_votes: bool
    item: str


def similar_articles(
    connection: Connection,
    article_id: int,
    published: Published,
    limit: int,
    read_links: Callable[[Connection, Collection[int]], LinkedArticles] | None = None,
) -> list[Neighbour]:
    """The likest first. `read_links` reads whom articles link to: a measure of likeness hides some."""
    profile = WordProfile.read(connection, article_id, published)
    likeness = profile.compare(connection, profile.candidates())
    voters = sorted(likeness, key=lambda id_: (-likeness[id_].score, likeness[id_].place))[:_VOTERS]
    read_links = read_links or links_of
    linked = read_links(connection, voters)
    votes: dict[int, float] = defaultdict(float)
    for voter in voters:
        for id_ in linked.get(voter, ()):
            votes[id_] += _VOTE * likeness[voter].score
    votes.pop(article_id, None)
    if missing := votes.keys() - likeness.keys():
        likeness |= profile.compare(connection, missing)
    scores = {id_: round(like.score + votes.get(id_, 0), _DECIMALS) for id_, like in likeness.items()}

    def best(ids: Iterable[int]) -> list[int]:
        return nsmallest(limit, ids, key=lambda id_: (-scores[id_], likeness[id_].place))

    alike = {
        id_
        for id_, score in scores.items()
        if score >= _SURE or (score >= _UNSURE and likeness[id_].names_it)
    }
    others = [id_ for id_ in scores.keys() - alike if scores[id_]]
    either = [*best(alike), *best(others)]
    joined = _joined_with(article_id, read_links(connection, [article_id, *either]))
    shown = best(id_ for id_ in either if id_ in joined or id_ in alike)
    items = _items(connection, shown, published)
    return [
        Neighbour(id_, scores[id_], likeness[id_].words, id_ in joined, id_ in votes, items[id_])
        for id_ in shown
    ]


# Sums of the same numbers may differ in their last bits where they are added in another order.
_DECIMALS: Final = 6


def links_of(connection: Connection, article_ids: Collection[int]) -> LinkedArticles:
    dialect = connection.dialect.name
    linked: dict[int, set[int]] = defaultdict(set)
    for row in _linked(connection, dialect).rows({"ids": ids_parameter(dialect, article_ids)}):
        linked[row.article_id].add(row.target_article_id)
    return {id_: sorted(targets) for id_, targets in linked.items()}


def _joined_with(article_id: int, linked: LinkedArticles) -> set[int]:
    """Those that the article links to, or that link to it."""
    return {*linked.get(article_id, ()), *(id_ for id_, targets in linked.items() if article_id in targets)}


def _items(connection: Connection, ids: Collection[int], published: Published) -> dict[int, str]:
    dialect = connection.dialect.name
    rows = _articles(connection, dialect, published).rows({"ids": ids_parameter(dialect, ids)})
    return {row.id: row.item for row in rows}


@statement
def _articles(dialect: str, published: Published) -> Select[Any]:
    return select(*list_columns(published)).where(id_in_parameter(dialect, articles.c.id, "ids"))


@statement
def _linked(dialect: str) -> Select[Any]:
    return (
        select(related_links.c.article_id, links.c.target_article_id)
        .join(links, links.c.id == related_links.c.link_id)
        .where(
            id_in_parameter(dialect, related_links.c.article_id, "ids"),
            links.c.target_article_id.is_not(None),
        )
    )
