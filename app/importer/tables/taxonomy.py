"""What topic and organization documents say of the terms. Reads all of them each time: they are few."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, select

from app.catalog.tables import documents, providers, sources, terms, topics
from app.database.rows import insert_rows
from app.documents.article import Image
from app.documents.taxonomy import OrganizationDocument, TopicDocument
from app.importer.serialise import as_json, image_item
from app.importer.tables.terms import ALSO, SHOWN, USED, Filing, Term
from app.importer.topic_groups import Described, Topics, Warned, first_of_each_domain, group_topics
from app.names import fold


def describe_topics(connection: Connection, filing: Filing, names: Iterable[str]) -> tuple[Topics, set[int]]:
    """`names` are those of the articles being written. Also returns the terms that names were taken from."""
    filing.load(terms.c.field == "topic")
    known = filing.all("topic")
    given = {name.folded: term.key for term in known for name in term.names.values()}
    descriptions = [
        Described(row.source, row.id, TopicDocument(path=row.path, **_data(row.data)))
        for row in _described(connection, "topic")
    ]
    grouped = group_topics(descriptions, {*given, *map(fold, names)}, given)
    moved = set()
    for term in known:
        for name in list(term.names.values()):
            key = grouped.ids[name.folded]
            if key != term.key:
                filing.move(name, filing.term("topic", 0, key))
                moved.add(term.id)
    _forget_descriptions(known)
    for key, described in grouped.described.items():
        term, document = filing.term("topic", 0, key), described.document
        term.described = 1
        if document.topic_id and document.topic_id != key:
            filing.name(term, document.topic_id).described = ALSO
        if document.shortname:
            filing.name(term, document.shortname).described = ALSO
        if document.name:
            filing.name(term, document.name).described = SHOWN
        if document.parent and (above := grouped.ids[fold(document.parent)]) not in grouped.described:
            parent = filing.term("topic", 0, above)
            parent.described = 1
            filing.name(parent, document.parent).described = ALSO
    return grouped, moved


def describe_providers(
    connection: Connection, filing: Filing
) -> tuple[Mapping[tuple[int, str], Described[OrganizationDocument]], tuple[Warned, ...]]:
    descriptions = [
        Described(row.source, row.id, OrganizationDocument(path=row.path, **_data(row.data)))
        for row in _described(connection, "organization")
    ]
    first, warnings = first_of_each_domain(descriptions)
    filing.load((terms.c.field == "provider") & (terms.c.described == 1))
    filing.load_keys("provider", (key for _, key in first))
    _forget_descriptions(filing.all("provider"))
    for (by_name, key), described in first.items():
        term = filing.term("provider", by_name, key)
        term.described = 1
        for other in described.document.other_names:
            filing.name(term, other).described = ALSO
        if described.document.name:
            filing.name(term, described.document.name).described = SHOWN
    return first, warnings


def write_descriptions(
    connection: Connection,
    filing: Filing,
    grouped: Topics,
    organizations: Mapping[tuple[int, str], Described[OrganizationDocument]],
) -> None:
    """All anew, once the terms are there: so nothing of an earlier state is left."""
    connection.execute(delete(topics))
    connection.execute(delete(providers))
    rows = []
    for key, described in grouped.described.items():
        document = described.document
        parent = grouped.parents.get(key)
        rows.append(
            {
                "term_id": filing.term("topic", 0, key).id,
                "document_id": described.document_id,
                "parent_id": filing.term("topic", 0, parent).id if parent else None,
                "shortname": document.shortname,
                "keywords": as_json(document.keywords),
                "hashtags": as_json(document.hashtags),
                "images": as_json([image_item(image) for image in document.images]),
            }
        )
    insert_rows(connection, topics, rows)
    insert_rows(
        connection,
        providers,
        [
            {
                "term_id": filing.term("provider", *key).id,
                "document_id": described.document_id,
                "description": described.document.description,
                "images": as_json([image_item(image) for image in described.document.images]),
            }
            for key, described in organizations.items()
        ],
    )


def _forget_descriptions(known: Iterable[Term]) -> None:
    for term in known:
        term.described = 0
        for name in term.names.values():
            name.described = USED


def _described(connection: Connection, kind: str) -> Iterable[Any]:
    return connection.execute(
        select(documents.c.id, documents.c.path, documents.c.data, sources.c.name.label("source"))
        .join(sources, sources.c.id == documents.c.source_id)
        .where(documents.c.kind == kind)
        .order_by(sources.c.name, documents.c.path)
    )


def _data(stored: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(stored)
    return {
        key: tuple(Image(**each) for each in value)
        if key == "images"
        else tuple(value)
        if isinstance(value, list)
        else value
        for key, value in data.items()
    }
