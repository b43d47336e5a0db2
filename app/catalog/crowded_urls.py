"""URLs that very many articles have or mention, such as a site's front page: they tell of no event."""

from collections.abc import Collection, Mapping, Set
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    union,
    union_all,
)

from app.catalog import story_groups
from app.catalog.audience import Published
from app.catalog.tables import article_urls, articles, link_urls, related_links
from app.database.rows import id_in_parameter, ids_parameter
from app.database.statements import statement

# The most that a real curator's tree of 1,611 articles has at one URL are 32. An import looks at all who
# stand at a URL, and the bound keeps one that 50,000 articles mention from making it look at all of these.
MAX_ARTICLES_AT_URL: Final = 200

# Rows that are read of a URL for each article that may be there, at first.
_ROWS_OF_EACH: Final = 2
_CROWDED, _UNDECIDED, _NOT_CROWDED = 1, 0, -1


def crowded_keys(
    connection: Connection, article_ids: Collection[int], published: Published, most_links: int
) -> set[bytes]:
    """The URLs of these articles that too many of the audience's articles have or mention.

    Only `most_links` links of each article are looked at, the first.
    """
    dialect = connection.dialect.name
    values = _values(dialect, article_ids, most_links)
    # An article that mentions the URL by several links has as many rows.
    values |= {"most": MAX_ARTICLES_AT_URL, "rows": _ROWS_OF_EACH * (MAX_ARTICLES_AT_URL + 1)}
    values |= {"counted_links": story_groups.MAX_LINKS}
    return {
        row.url_key
        for row in _counted(connection, dialect, published).rows(values)
        if row.verdict == _CROWDED
        or (
            row.verdict == _UNDECIDED
            and len(articles_at(connection, row.url_key, published)) > MAX_ARTICLES_AT_URL
        )
    }


def busy_keys(connection: Connection, article_ids: Collection[int], most_links: int) -> Set[bytes]:
    """A few more than those: it counts whoever may see an article, and an article as often as it mentions."""
    dialect = connection.dialect.name
    return {row.url_key for row in _busy(connection, dialect).rows(_values(dialect, article_ids, most_links))}


def _values(dialect: str, article_ids: Collection[int], most_links: int) -> dict[str, Any]:
    # More than so many have or mention a URL only if more than half of it have it, or mention it.
    return {
        "ids": ids_parameter(dialect, article_ids),
        "half": MAX_ARTICLES_AT_URL // 2,
        "most_links": most_links,
    }


def articles_at(
    connection: Connection, key: bytes, published: Published, most: int | None = None
) -> Mapping[int, bool]:
    """The articles that have or mention a URL, and whether they have it: all, or more than `most` of them."""
    most = MAX_ARTICLES_AT_URL if most is None else most
    limit = _ROWS_OF_EACH * (most + 1)
    while True:
        values = {"key": key, "rows": limit, "counted_links": story_groups.MAX_LINKS}
        rows = _at(connection, published).rows(values)
        found: dict[int, bool] = {}
        for row in rows:
            found[row.article_id] = found.get(row.article_id, False) or bool(row.is_own)
        if len(rows) < limit or len(found) > most:
            return found
        limit *= 4


@statement
def _busy(dialect: str) -> Select[Any]:
    return _busy_keys(dialect)


@statement
def _counted(dialect: str, published: Published) -> Select[Any]:
    """Whether each busy URL is crowded, as far as so many rows tell."""
    busy = _busy_keys(dialect).cte("busy")
    there = _rows_at(busy.c.url_key, published, busy).limit(bindparam("rows")).subquery()
    verdict = case(
        (func.count(there.c.article_id.distinct()) > bindparam("most"), _CROWDED),
        (func.count() == bindparam("rows"), _UNDECIDED),
        else_=_NOT_CROWDED,
    )
    return select(busy.c.url_key, select(verdict).select_from(there).scalar_subquery().label("verdict"))


def _busy_keys(dialect: str) -> Select[Any]:
    mentioned = (
        select(link_urls.c.url_key)
        .join(related_links, related_links.c.link_id == link_urls.c.link_id)
        .where(
            id_in_parameter(dialect, related_links.c.article_id, "ids"),
            related_links.c.position < bindparam("most_links"),
        )
    )
    own = select(article_urls.c.url_key).where(id_in_parameter(dialect, article_urls.c.article_id, "ids"))
    keys = union(mentioned, own).cte("keys")
    links_there = link_urls.alias()
    mentions = (
        select(literal(1))
        .select_from(links_there)
        .join(related_links, related_links.c.link_id == links_there.c.link_id)
        .where(links_there.c.url_key == keys.c.url_key)
    )
    owners_there = article_urls.alias()
    owners = select(literal(1)).where(owners_there.c.url_key == keys.c.url_key)
    return select(keys.c.url_key).where(or_(_has_many(mentions), _has_many(owners)))


def _has_many(rows: Select[Any]) -> ColumnElement[bool]:
    return rows.limit(1).offset(bindparam("half")).exists()


@statement
def _at(published: Published) -> Select[Any]:
    return _rows_at(bindparam("key"), published).limit(bindparam("rows"))


def _rows_at(key: ColumnElement[bytes], published: Published, outer: FromClause | None = None) -> Select[Any]:
    """The articles that have or mention a URL; `outer` is what the URL comes from."""
    own = select(article_urls.c.article_id, literal(1).label("is_own")).where(article_urls.c.url_key == key)
    mentions = (
        select(related_links.c.article_id, literal(0).label("is_own"))
        .join(link_urls, link_urls.c.link_id == related_links.c.link_id)
        .where(link_urls.c.url_key == key, related_links.c.position < bindparam("counted_links"))
    )
    if published == "true":
        # `+ 0` keeps the planner from using an index of an order, which would scan all articles.
        is_published = articles.c.published + 0 == 1
        own = own.join(articles, articles.c.id == article_urls.c.article_id).where(is_published)
        mentions = mentions.join(articles, articles.c.id == related_links.c.article_id).where(is_published)
    either = union_all(own.correlate(outer), mentions.correlate(outer)).subquery()
    return select(either.c.article_id, either.c.is_own)
