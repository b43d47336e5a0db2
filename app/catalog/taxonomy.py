"""Topics and providers: their lists, and one of them by any of its names. Knows no HTTP."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, select

from app.catalog.audience import Published, count_of, is_visible, name_of
from app.catalog.paging import StatementPages
from app.catalog.tables import providers, term_names, terms, topics
from app.database.rows import chunked
from app.names import fold

Order = tuple[ColumnElement[Any], ...]


def topic_list(published: Published) -> StatementPages:
    """Rows for `topic_items`, those with most articles first."""
    rows, order = _topics(published)
    return StatementPages(rows, order, {})


@cache
def _topics(published: Published) -> tuple[Select[Any], Order]:
    count = count_of(terms, published)
    rows = (
        _visible("topic", published)
        .add_columns(
            topics.c.shortname, topics.c.parent_id, topics.c.keywords, topics.c.hashtags, topics.c.images
        )
        .outerjoin(topics, topics.c.term_id == terms.c.id)
    )
    return rows, (-count, terms.c.key)


def find_topic(connection: Connection, name: str, published: Published) -> Row[Any] | None:
    """The topic with this id, else with this name."""
    rows, order = _topics(published)
    by_id = case((terms.c.folded_key == fold(name), 0), else_=1)
    return connection.execute(
        rows.where(_is_called("topic", name, published)).order_by(by_id, *order)
    ).first()


def topic_items(
    connection: Connection, rows: Sequence[Row[Any]], published: Published
) -> list[dict[str, Any]]:
    names = _names(connection, rows, published)
    parents = _related_topics(
        connection, terms.c.id.in_, [row.parent_id for row in rows if row.parent_id], published
    )
    children = _related_topics(connection, topics.c.parent_id.in_, [row.id for row in rows], published)
    parent_by_id = {row.id: {"id": row.key, "name": row.shown or row.key} for row in parents}
    children_by_id: dict[int, list[dict[str, Any]]] = {}
    for row in children:
        child = {"id": row.key, "name": row.shown or row.key, "articleCount": row.articles}
        children_by_id.setdefault(row.parent_id, []).append(child)
    return [
        {
            "id": row.key,
            "name": row.shown or row.key,
            "shortname": row.shortname,
            "names": names.get(row.id, []),
            "parent": parent_by_id.get(row.parent_id),
            "children": children_by_id.get(row.id, []),
            "keywords": json.loads(row.keywords or "[]"),
            "hashtags": json.loads(row.hashtags or "[]"),
            "images": json.loads(row.images or "[]"),
            "articleCount": row.articles,
        }
        for row in rows
    ]


def provider_list(published: Published) -> StatementPages:
    """Rows for `provider_items`, those with most articles first; among equals those without a domain last."""
    rows, order = _providers(published)
    return StatementPages(rows, order, {})


@cache
def _providers(published: Published) -> tuple[Select[Any], Order]:
    count = _articles_of_provider(published)
    rows = (
        _visible("provider", published, count)
        .add_columns(terms.c.by_name, providers.c.description, providers.c.images)
        .outerjoin(providers, providers.c.term_id == terms.c.id)
    )
    return rows, (-count, terms.c.by_name, terms.c.key)


def _articles_of_provider(published: Published) -> ColumnElement[int]:
    """A name without a domain also finds the domains of this name, so their articles are its articles too."""
    domain = terms.alias("domain")
    of_this_name = (
        select(term_names.c.term_id)
        .where(
            term_names.c.field == "provider",
            term_names.c.folded == terms.c.key,
            is_visible(term_names, published),
        )
        .correlate(terms)
    )
    elsewhere = (
        select(func.coalesce(func.sum(count_of(domain, published)), 0))
        .where(domain.c.by_name == 0, domain.c.id.in_(of_this_name))
        .correlate(terms)
        .scalar_subquery()
    )
    count = count_of(terms, published)
    return case((terms.c.by_name == 1, count + elsewhere), else_=count)


def find_provider(connection: Connection, name: str, published: Published) -> Row[Any] | None:
    """The provider with this domain, else the one known by this name alone, else the largest so called."""
    rows, order = _providers(published)
    domain = fold(name).removeprefix("www.")
    rank = case(
        ((terms.c.by_name == 0) & (terms.c.folded_key == domain), 0),
        ((terms.c.by_name == 1) & (terms.c.folded_key == fold(name)), 1),
        else_=2,
    )
    called = _is_called("provider", name, published) | (terms.c.folded_key == domain)
    return connection.execute(rows.where(called).order_by(rank, *order)).first()


def provider_items(
    connection: Connection, rows: Sequence[Row[Any]], published: Published
) -> list[dict[str, Any]]:
    names = _names(connection, rows, published)
    return [
        {
            "domain": None if row.by_name else row.key,
            "name": row.shown,
            "names": names.get(row.id, []),
            "description": row.description,
            "images": json.loads(row.images or "[]"),
            "articleCount": row.articles,
        }
        for row in rows
    ]


def count_visible(connection: Connection, field: str, published: Published) -> int:
    visible = (terms.c.field == field) & is_visible(terms, published)
    return int(connection.scalars(select(func.count()).select_from(terms).where(visible)).one())


def _visible(field: str, published: Published, count: ColumnElement[int] | None = None) -> Select[Any]:
    return select(
        terms.c.id,
        terms.c.key,
        name_of(terms, published).label("shown"),
        (count_of(terms, published) if count is None else count).label("articles"),
    ).where(terms.c.field == field, is_visible(terms, published))


def _is_called(field: str, name: str, published: Published) -> ColumnElement[bool]:
    of_name = select(term_names.c.term_id).where(
        term_names.c.field == field, term_names.c.folded == fold(name), is_visible(term_names, published)
    )
    return (terms.c.folded_key == fold(name)) | terms.c.id.in_(of_name)


def _names(
    connection: Connection, rows: Sequence[Row[Any]], published: Published
) -> Mapping[int, list[dict[str, Any]]]:
    """The names by term, the most used first; a name that only a description gives has a count of 0."""
    count = count_of(term_names, published).label("articles")
    names: dict[int, list[dict[str, Any]]] = {}
    for part in chunked([row.id for row in rows]):
        query = (
            select(term_names.c.term_id, term_names.c.name, count)
            .where(term_names.c.term_id.in_(part), is_visible(term_names, published))
            .order_by(count.desc(), term_names.c.name)
        )
        for row in connection.execute(query):
            names.setdefault(row.term_id, []).append({"name": row.name, "count": row.articles})
    return names


def _related_topics(
    connection: Connection, is_one_of: Any, ids: Sequence[int], published: Published
) -> Sequence[Row[Any]]:
    rows, order = _topics(published)
    return connection.execute(rows.where(is_one_of(ids)).order_by(*order)).all() if ids else []
