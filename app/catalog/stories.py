"""Stories as they are answered, and one with all its articles and links. Knows no HTTP."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, or_, select

from app.catalog import story_groups
from app.catalog.audience import Published, name_of
from app.catalog.crowded_urls import crowded_keys
from app.catalog.orders import list_columns, story_of
from app.catalog.sort_keys import UNKNOWN
from app.catalog.story_groups import Member, PageMention, without
from app.catalog.story_groups import story_of as group_of
from app.catalog.tables import article_urls, articles, link_urls, links, related_links, stories, terms
from app.database.rows import id_in_parameter, ids_parameter
from app.database.statements import statement
from app.moments import rfc3339
from app.printable import compact_json


@dataclass(frozen=True, slots=True)
class _Coverage:
    """What stories are made of: their articles as lists show them, and the terms these have."""

    items: Mapping[int, str]
    times: Mapping[int, int]
    term_ids: Mapping[int, Sequence[int]]
    terms: Mapping[int, Any]


def find_story(connection: Connection, public_id: str, published: Published) -> Row[Any] | None:
    """The story that has an article of this id: its own id may change with its lead."""
    for row in _reference(connection, published).rows({"public_id": public_id}):
        if row.story:
            values = {"for_editors": int(published != "true"), "public_id": json.loads(row.story)["id"]}
            return next(iter(_story(connection).rows(values)), None)
    return None


def story_items(connection: Connection, rows: Sequence[Row[Any]], published: Published) -> list[str]:
    """The stories as JSON."""
    by_story = [json.loads(row.article_ids) for row in rows]
    coverage = _coverage(connection, [id_ for ids in by_story for id_ in ids], published)
    return [_item(row, ids, coverage) for row, ids in zip(rows, by_story, strict=True)]


def whole_story(connection: Connection, row: Row[Any], published: Published) -> str:
    """The story as JSON, with its articles and the links of these, oldest first."""
    ids: list[int] = json.loads(row.article_ids)
    coverage = _coverage(connection, ids, published)
    oldest_first = sorted(ids, key=lambda id_: (coverage.times[id_], coverage.items[id_]))
    items = ",".join([coverage.items[id_] for id_ in oldest_first])
    link_items = ",".join(_links(connection, ids, published) if row.link_count else ())
    return f'{_item(row, ids, coverage)[:-1]},"articles":[{items}],"links":[{link_items}]}}'


def _item(row: Row[Any], article_ids: Sequence[int], coverage: _Coverage) -> str:
    lead = coverage.items[row.lead_id]
    values = {
        "id": row.public_id,
        "title": json.loads(lead)["title"],
        "size": len(article_ids) + row.link_count,
        "articleCount": len(article_ids),
        "linkCount": row.link_count,
        "providers": [
            {"domain": None if term.by_name else term.key, "name": term.shown, "articleCount": count}
            for term, count in _most_frequent("provider", article_ids, coverage)
        ],
        "topics": [
            {"id": term.key, "name": term.shown, "articleCount": count}
            for term, count in _most_frequent("topic", article_ids, coverage)
        ],
        "firstDateTime": _date_time(row.first_time),
        "lastDateTime": _date_time(row.last_time),
    }
    return f'{compact_json(values)[:-1]},"lead":{lead}}}'


def _most_frequent(field: str, article_ids: Iterable[int], coverage: _Coverage) -> list[tuple[Any, int]]:
    counts = Counter(
        term_id
        for article_id in article_ids
        for term_id in coverage.term_ids[article_id]
        if term_id in coverage.terms and coverage.terms[term_id].field == field
    )
    counted = [(coverage.terms[term_id], count) for term_id, count in counts.items()]
    return sorted(counted, key=lambda term: (-term[1], term[0].by_name, term[0].key))


def _coverage(connection: Connection, article_ids: Sequence[int], published: Published) -> _Coverage:
    dialect = connection.dialect.name
    rows = _articles(connection, dialect, published).rows({"ids": ids_parameter(dialect, article_ids)})
    term_ids = {row.id: json.loads(row.terms)[::2] for row in rows}
    every = {term_id for of_article in term_ids.values() for term_id in of_article}
    found = _terms(connection, dialect, published).rows({"ids": ids_parameter(dialect, every)})
    return _Coverage(
        {row.id: row.item for row in rows},
        {row.id: row.oldest for row in rows},
        term_ids,
        {term.id: term for term in found},
    )


def _links(connection: Connection, article_ids: Sequence[int], published: Published) -> list[str]:
    """The related links of these articles that belong to their story, each once, with who mentions it."""
    dialect = connection.dialect.name
    values = {"ids": ids_parameter(dialect, article_ids), "most_links": story_groups.MAX_LINKS}
    keys: dict[int, list[bytes]] = defaultdict(list)
    rows: dict[int, Any] = {}
    mentioning: dict[int, list[int]] = defaultdict(list)
    for row in _mentions(connection, dialect).rows(values):
        rows[row.link_id] = row
        if not mentioning[row.link_id] or mentioning[row.link_id][-1] != row.article_id:
            mentioning[row.link_id].append(row.article_id)
        if row.url_key not in keys[row.link_id]:
            keys[row.link_id].append(row.url_key)
    here = {row.url_key for row in _keys_here(connection, dialect, published).rows(values)}
    by_article: dict[int, list[PageMention]] = defaultdict(list)
    for link_id, ids in mentioning.items():
        mention = PageMention(link_id, tuple(sorted(keys[link_id])), rows[link_id].time)
        for article_id in ids:
            by_article[article_id].append(mention)
    members = {
        row.id: Member(
            row.id,
            row.public_id,
            "",
            "",
            None,
            None if row.oldest == UNKNOWN else row.oldest,
            (),
            tuple(by_article[row.id]),
        )
        for row in _times(connection, dialect).rows(values)
    }
    crowded = crowded_keys(connection, article_ids, published, story_groups.MAX_LINKS)
    found = []
    for link in group_of([without(crowded, member) for member in members.values()], here).links:
        shown = min(link, key=lambda mention: (mention.time or UNKNOWN, rows[mention.link_id].item))
        who = {
            (members[id_].time or UNKNOWN, members[id_].public_id)
            for mention in link
            for id_ in mentioning[mention.link_id]
        }
        mentioned_by = compact_json([public_id for _, public_id in sorted(who)])
        item = f'{rows[shown.link_id].item[:-1]},"mentionedBy":{mentioned_by}}}'
        found.append((shown.time or UNKNOWN, item))
    return [item for _, item in sorted(found)]


def _date_time(seconds: int | None) -> str | None:
    return None if seconds is None else rfc3339(datetime.fromtimestamp(seconds, UTC))


@statement
def _reference(published: Published) -> Select[Any]:
    return select(story_of(published).label("story")).where(articles.c.public_id == bindparam("public_id"))


@statement
def _story() -> Select[Any]:
    return select(*stories.c).where(
        stories.c.for_editors == bindparam("for_editors"), stories.c.public_id == bindparam("public_id")
    )


@statement
def _articles(dialect: str, published: Published) -> Select[Any]:
    columns = (*list_columns(published), articles.c.terms, articles.c.oldest)
    return select(*columns).where(id_in_parameter(dialect, articles.c.id, "ids"))


@statement
def _terms(dialect: str, published: Published) -> Select[Any]:
    shown = name_of(terms, published).label("shown")
    return select(terms.c.id, terms.c.field, terms.c.key, terms.c.by_name, shown).where(
        id_in_parameter(dialect, terms.c.id, "ids"),
        or_(terms.c.field == "provider", terms.c.field == "topic"),
    )


@statement
def _times(dialect: str) -> Select[Any]:
    columns = articles.c.id, articles.c.public_id, articles.c.oldest
    return select(*columns).where(id_in_parameter(dialect, articles.c.id, "ids"))


@statement
def _mentions(dialect: str) -> Select[Any]:
    return (
        select(
            related_links.c.article_id,
            links.c.id.label("link_id"),
            links.c.time,
            links.c.item,
            link_urls.c.url_key,
        )
        .join(links, links.c.id == related_links.c.link_id)
        .join(link_urls, link_urls.c.link_id == links.c.id)
        .where(
            id_in_parameter(dialect, related_links.c.article_id, "ids"),
            related_links.c.position < bindparam("most_links"),
        )
        .order_by(links.c.id, related_links.c.article_id)
    )


@statement
def _keys_here(dialect: str, published: Published) -> Select[Any]:
    """The keys of what these articles mention that some article has."""
    here = (
        select(article_urls.c.url_key)
        .distinct()
        .join(link_urls, link_urls.c.url_key == article_urls.c.url_key)
        .join(related_links, related_links.c.link_id == link_urls.c.link_id)
        .where(
            id_in_parameter(dialect, related_links.c.article_id, "ids"),
            related_links.c.position < bindparam("most_links"),
        )
    )
    if published != "true":
        return here
    # `+ 0` keeps the planner from using an index of an order, which would scan all articles.
    is_published = articles.c.published + 0 == 1
    return here.join(articles, articles.c.id == article_urls.c.article_id).where(is_published)
