"""What topic and organization documents say of the terms. Reads all of them each time: they are few."""

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import astuple
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from app.catalog.tables import catalogue, documents, providers, sources, terms, topics
from app.database.rows import insert_rows
from app.documents.article import Image
from app.documents.taxonomy import OrganizationDocument, TopicDocument
from app.importer.serialise import as_json, image_item
from app.importer.tables.terms import NameSource, Term, Terms
from app.importer.topic_groups import Described, Topics, Warned, first_of_each_domain, group_topics
from app.names import fold


class Taxonomy(NamedTuple):
    """All that documents say of terms. Names were taken from `topics_that_lost_names`, ids of terms."""

    topics: Topics
    topics_that_lost_names: Set[int]
    organizations: Mapping[tuple[int, str], Described[OrganizationDocument]]
    warnings: tuple[Warned, ...]


def describe(connection: Connection, terms_: Terms, topic_names: Set[str]) -> Taxonomy:
    """`topic_names` are the folded names of the articles being written."""
    topic_documents = [
        Described(row.source, row.id, TopicDocument(path=row.path, **_data(row.data)))
        for row in _descriptions(connection, "topic")
    ]
    organizations, warnings = first_of_each_domain(
        [
            Described(row.source, row.id, OrganizationDocument(path=row.path, **_data(row.data)))
            for row in _descriptions(connection, "organization")
        ]
    )
    is_described_provider = (terms.c.field == "provider") & (terms.c.described == 1)
    terms_.load(connection, (terms.c.field == "topic") | is_described_provider)
    terms_.load_keys(connection, "provider", (key for _, key in organizations))
    topics, lost_names = _describe_topics(terms_, topic_documents, topic_names)
    _describe_providers(terms_, organizations)
    return Taxonomy(topics, lost_names, organizations, (*topics.warnings, *warnings))


def _describe_topics(
    terms_: Terms, descriptions: Sequence[Described[TopicDocument]], topic_names: Set[str]
) -> tuple[Topics, set[int]]:
    known = terms_.all("topic")
    ids_so_far = {name.folded: term.key for term in known for name in term.names.values()}
    grouped = group_topics(descriptions, {*ids_so_far, *topic_names}, ids_so_far)
    lost_names = set()
    for term in known:
        for name in list(term.names.values()):
            key = grouped.ids[name.folded]
            if key != term.key:
                terms_.move(name, terms_.term("topic", 0, key))
                lost_names.add(term.id)
    _forget_descriptions(known)
    for key, described in grouped.described.items():
        term, document = terms_.term("topic", 0, key), described.document
        term.described = 1
        if document.topic_id and document.topic_id != key:
            terms_.name(term, document.topic_id).described = NameSource.DOCUMENT
        if document.shortname:
            terms_.name(term, document.shortname).described = NameSource.DOCUMENT
        if document.name:
            terms_.name(term, document.name).described = NameSource.DOCUMENT_TITLE
        if document.parent and (above := grouped.ids[fold(document.parent)]) not in grouped.described:
            parent = terms_.term("topic", 0, above)
            parent.described = 1
            terms_.name(parent, document.parent).described = NameSource.DOCUMENT
    return grouped, lost_names


def _describe_providers(
    terms_: Terms, organizations: Mapping[tuple[int, str], Described[OrganizationDocument]]
) -> None:
    _forget_descriptions(terms_.all("provider"))
    for (by_name, key), described in organizations.items():
        term = terms_.term("provider", by_name, key)
        term.described = 1
        for other in described.document.other_names:
            terms_.name(term, other).described = NameSource.DOCUMENT
        if described.document.name:
            terms_.name(term, described.document.name).described = NameSource.DOCUMENT_TITLE


def write(connection: Connection, terms_: Terms, taxonomy: Taxonomy) -> None:
    """All of it anew, once the terms are there: so nothing of an earlier state is left, warnings included."""
    grouped = taxonomy.topics
    connection.execute(delete(topics))
    connection.execute(delete(providers))
    rows = []
    for key, described in grouped.described.items():
        document = described.document
        parent = grouped.parents.get(key)
        rows.append(
            {
                "term_id": terms_.term("topic", 0, key).id,
                "document_id": described.document_id,
                "parent_id": terms_.term("topic", 0, parent).id if parent else None,
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
                "term_id": terms_.term("provider", *key).id,
                "document_id": described.document_id,
                "description": described.document.description,
                "images": as_json([image_item(image) for image in described.document.images]),
            }
            for key, described in taxonomy.organizations.items()
        ],
    )
    warnings = [(warned.source, *astuple(warned.problem)) for warned in taxonomy.warnings]
    connection.execute(update(catalogue).values(warnings=as_json(warnings)))


def _forget_descriptions(known: Iterable[Term]) -> None:
    for term in known:
        term.described = 0
        for name in term.names.values():
            name.described = NameSource.ARTICLES


def _descriptions(connection: Connection, kind: str) -> Iterable[Any]:
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
