"""What the catalogue has of a source before an import, and what it says of sources after it."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from app.catalog.sort_keys import descending, seconds
from app.catalog.tables import article_terms, articles, catalogue, collection_items, documents, sources, terms
from app.documents.problems import Problem
from app.importer.plan import Source, StoredDocument, StoredDocuments
from app.importer.read import Request
from app.importer.remarks import (
    ADVICE,
    Locator,
    date_ahead,
    latest_date,
    missing_item,
    undescribed_topic,
    unread_keys,
)
from app.importer.report import most_frequent_first

# PostgreSQL would send all rows at once, and the driver would hold them.
_ROWS_AT_ONCE = 1_000
# More of them are one mistake, made by a program.
MAX_LOCATED = 100


def source_named(connection: Connection, name: str, new_base_url: str | None) -> Source:
    """Makes it where it is new, and changes its base URL where another one is wanted."""
    stored = connection.execute(select(sources).where(sources.c.name == name)).one_or_none()
    if stored is None:
        source_id = (connection.scalar(select(func.max(sources.c.id))) or 0) + 1
        connection.execute(insert(sources).values(id=source_id, name=name, base_url=new_base_url))
        return Source(source_id, name, new_base_url)
    if new_base_url and new_base_url != stored.base_url:
        connection.execute(update(sources).where(sources.c.id == stored.id).values(base_url=new_base_url))
    return Source(stored.id, name, new_base_url or stored.base_url)


def stored_documents(connection: Connection, source: Source, parts: Sequence[str]) -> StoredDocuments:
    """Those at these paths and below them; without parts, all of the source."""
    query = select(
        documents.c.path,
        documents.c.kind,
        documents.c.id,
        documents.c.bytes_hash,
        documents.c.meaning_hash,
        documents.c.warnings,
    ).where(documents.c.source_id == source.id)
    stored = StoredDocuments()
    rows = connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    for path, kind, document_id, bytes_hash, meaning_hash, warnings in rows:
        if not parts or any(part in (".", path) or path.startswith(f"{part}/") for part in parts):
            document = StoredDocument(document_id, bytes_hash, meaning_hash, _problems(warnings))
            stored.add(path, kind, document)
    return stored


def next_document_id(connection: Connection) -> int:
    return (connection.scalar(select(func.max(documents.c.id))) or 0) + 1


def time_of_latest_import(connection: Connection) -> datetime | None:
    latest = connection.scalar(select(func.max(sources.c.imported_at)))
    return datetime.fromisoformat(latest) if latest else None


def note_import(connection: Connection, names: Sequence[str], now: str) -> None:
    connection.execute(update(sources).where(sources.c.name.in_(names)).values(imported_at=now))


def contradictions(connection: Connection, names: Sequence[str]) -> list[Problem]:
    """Where documents of these sources describe one thing twice, or in a circle."""
    warnings = json.loads(connection.scalars(select(catalogue.c.warnings)).one())
    return [Problem(*problem) for source, *problem in warnings if source in names]


def count_unpublished(connection: Connection, names: Sequence[str]) -> int:
    unpublished = (articles.c.published == 0) & articles.c.source.in_(names)
    return connection.scalars(select(func.count()).where(unpublished)).one()


def count_unread_keys(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Keys that documents of these sources have and nobody reads, and how many documents have each."""
    query = (
        select(documents.c.data)
        .join(sources, sources.c.id == documents.c.source_id)
        .where(sources.c.name.in_(names), documents.c.data.not_like('%"extra":{}%'))
    )
    counts = Counter[str]()
    for data in connection.scalars(query, execution_options={"yield_per": _ROWS_AT_ONCE}):
        counts.update(unread_keys(json.loads(data)["extra"]))
    return most_frequent_first(counts)


def dates_ahead(connection: Connection, requests: Sequence[Request], now: datetime) -> list[Problem]:
    """Articles that say they are published more than a day from now."""
    latest = latest_date(now)
    by_name = {request.source: request for request in requests}
    query = (
        select(articles.c.source, articles.c.path, articles.c.item)
        .where(
            # Sort keys are negative seconds; articles without a date are at the other end.
            articles.c.newest < descending(seconds(latest)),
            articles.c.published.in_((0, 1)),
            articles.c.source.in_(by_name),
        )
        .order_by(articles.c.source, articles.c.path)
    )
    return _located(
        (by_name[source], path, ("publishedDateTime",), date_ahead(json.loads(item)["publishedDateTime"]))
        for source, path, item in connection.execute(query)
    )


def undescribed_topics(connection: Connection, requests: Sequence[Request]) -> list[Problem]:
    """The names that no document describes, at their first article, of sources that describe topics."""
    by_name = {request.source: request for request in requests}
    describing = (
        select(sources.c.name)
        .join(documents, documents.c.source_id == sources.c.id)
        .where(documents.c.kind == "topic", sources.c.name.in_(by_name))
        .distinct()
    )
    query = (
        select(article_terms.c.source, func.min(article_terms.c.path), func.count(), terms.c.editor_name)
        .join(terms, terms.c.id == article_terms.c.term_id)
        .where(
            terms.c.field == "topic",
            terms.c.described == 0,
            article_terms.c.source.in_(connection.scalars(describing).all()),
        )
        .group_by(article_terms.c.source, terms.c.id, terms.c.editor_name)
        .order_by(article_terms.c.source, func.min(article_terms.c.path), terms.c.editor_name)
    )
    return _located(
        (by_name[source], path, ("topics",), undescribed_topic(name, count - 1))
        for source, path, count, name in connection.execute(query)
    )


def missing_items(connection: Connection, requests: Sequence[Request]) -> list[Problem]:
    """What collections of these sources list and no article has."""
    by_name = {request.source: request for request in requests}
    query = (
        select(
            articles.c.source,
            articles.c.path,
            collection_items.c.position,
            collection_items.c.path.label("item"),
        )
        .join(collection_items, collection_items.c.article_id == articles.c.id)
        .where(collection_items.c.member_id.is_(None), articles.c.source.in_(by_name))
        .order_by(articles.c.source, articles.c.path, collection_items.c.position)
    )
    return _located(
        (by_name[source], path, ("items", position), missing_item(item))
        for source, path, position, item in connection.execute(query)
    )


def _located(remarks: Iterable[tuple[Request, str, tuple[str, *tuple[int, ...]], str]]) -> list[Problem]:
    problems = []
    locator = Locator()
    for count, (request, path, (key, *places), reason) in enumerate(remarks):
        problem = Problem(path, None, None, key, reason, ADVICE[key])
        # Looking for a line may mean to read the file again, a millisecond each.
        problems.append(locator.located(request, problem, key, *places) if count < MAX_LOCATED else problem)
    return problems


def _problems(warnings: str) -> tuple[Problem, ...]:
    # Nearly no document has any.
    return () if warnings == "[]" else tuple(Problem(*problem) for problem in json.loads(warnings))
