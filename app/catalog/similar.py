"""The articles most like one: by their words and dates, and by what curators linked to it and to those most
like it.

It finds 0.75 of ten of the articles that a real curator linked, where shared words of titles find 0.47.
`python -m benchmarks.neighbours` measures it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from heapq import nsmallest
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Connection,
    Select,
    bindparam,
    literal,
    select,
    union,
)

from app.catalog.audience import Published
from app.catalog.crowded_urls import crowded_keys
from app.catalog.index.find import WordProfile
from app.catalog.orders import list_columns
from app.catalog.tables import article_urls, articles, link_urls, links, related_links
from app.database.rows import id_in_parameter, ids_parameter
from app.database.statements import statement

# A lower score is chance: a common word or two, or a vote of those that are hardly alike. Between the two a
# rare word must stand in a title. Half of the answers were below in a tree of 60 articles; leaving them out
# loses 0.005 of those that a curator linked.
_SURE, _UNSURE = 0.1, 0.05

# The likest vote for what they link to, each with half of its own likeness.
_VOTERS: Final = 10
_VOTE: Final = 0.5

# An answer has 200 articles at most, and an article's page shows as many of its links. Asking whether a URL
# is crowded takes up to 1 ms, and one document may have 30,000.
_MAX_LINKED: Final = 200

# The keys are articles, the values those that they link to.
LinkedArticles = Mapping[int, Collection[int]]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """`score` is from 0 to 1 by words, and more where links vote; `words` are those that few others have.

    `is_linked` says that one of the two mentions a URL of the other, `has_votes` that those most alike link
    to it.
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
    """The likest first, and linked articles however little alike.

    `read_links` reads whom articles link to: a measure of likeness hides some, and all links of this one.
    """
    profile = WordProfile.read(connection, article_id, published)
    own = _linked_articles(connection, article_id, published) if read_links is None else set[int]()
    likeness = profile.compare(connection, profile.candidates() | own)
    own &= likeness.keys()
    voters = sorted(likeness, key=lambda id_: (-likeness[id_].score, likeness[id_].place))[:_VOTERS]
    linked = (read_links or links_of)(connection, voters)
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
    others = [id_ for id_ in scores.keys() - alike - own if scores[id_]]
    either = [*best(alike), *best(others)]
    joined = own if read_links is not None else own | _joined_among(connection, article_id, either)
    shown = best(id_ for id_ in {*either, *own} if id_ in joined or id_ in alike)
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


def _linked_articles(connection: Connection, article_id: int, published: Published) -> set[int]:
    """Those that have a URL which the article's first links mention, or mention one of its own.

    A URL that too many have or mention, such as a front page, says nothing of any of them.
    """
    # The statement wants one key at least.
    crowded = crowded_keys(connection, [article_id], published, _MAX_LINKED) or {b""}
    rows = connection.execute(_linked_with(published), {"article_id": article_id, "crowded": sorted(crowded)})
    return {row.id for row in rows}


def _joined_among(connection: Connection, article_id: int, ids: Collection[int]) -> set[int]:
    """Those of these articles that a curator linked with the article, by whatever URL."""
    dialect = connection.dialect.name
    values = {"article_id": article_id, "ids": ids_parameter(dialect, ids)}
    return {row.article_id for row in _joined(connection, dialect).rows(values)}


def _items(connection: Connection, ids: Collection[int], published: Published) -> dict[int, str]:
    dialect = connection.dialect.name
    rows = _articles(connection, dialect, published).rows({"ids": ids_parameter(dialect, ids)})
    return {row.id: row.item for row in rows}


@statement
def _articles(dialect: str, published: Published) -> Select[Any]:
    return select(*list_columns(published)).where(id_in_parameter(dialect, articles.c.id, "ids"))


@cache
def _linked_with(published: Published) -> Select[Any]:
    crowded: BindParameter[Any] = bindparam("crowded", expanding=True)
    article_id: BindParameter[int] = bindparam("article_id")
    mentioned = (
        select(article_urls.c.article_id)
        .join(link_urls, link_urls.c.url_key == article_urls.c.url_key)
        .join(related_links, related_links.c.link_id == link_urls.c.link_id)
        .where(
            related_links.c.article_id == article_id,
            related_links.c.position < _MAX_LINKED,
            link_urls.c.url_key.not_in(crowded),
        )
    )
    mentioning = (
        select(related_links.c.article_id)
        .join(link_urls, link_urls.c.link_id == related_links.c.link_id)
        .join(article_urls, article_urls.c.url_key == link_urls.c.url_key)
        .where(article_urls.c.article_id == article_id, article_urls.c.url_key.not_in(crowded))
    )
    either = union(mentioned, mentioning).subquery()
    rows = select(articles.c.id).join(either, either.c.article_id == articles.c.id)
    if published == "true":
        # `+ 0` keeps the planner from using an index of an order, which would scan all articles.
        rows = rows.where(articles.c.published + 0 == 1)
    # Ids of rows follow the order of imports, so they do not say which are too many.
    return rows.where(articles.c.id != article_id).order_by(articles.c.public_id).limit(_MAX_LINKED)


@statement
def _joined(dialect: str) -> CompoundSelect[Any]:
    own, mention, mentioned = article_urls.alias(), related_links.alias(), link_urls.alias()
    article_id: BindParameter[int] = bindparam("article_id")
    is_mentioned = (
        select(literal(1))
        .select_from(mentioned)
        .join(mention, mention.c.link_id == mentioned.c.link_id)
        .where(mention.c.article_id == article_id, mentioned.c.url_key == article_urls.c.url_key)
        .exists()
    )
    is_own = (
        select(literal(1))
        .where(own.c.article_id == article_id, own.c.url_key == link_urls.c.url_key)
        .exists()
    )
    return union(
        select(article_urls.c.article_id).where(
            id_in_parameter(dialect, article_urls.c.article_id, "ids"), is_mentioned
        ),
        select(related_links.c.article_id)
        .join(link_urls, link_urls.c.link_id == related_links.c.link_id)
        .where(id_in_parameter(dialect, related_links.c.article_id, "ids"), is_own),
    )


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
