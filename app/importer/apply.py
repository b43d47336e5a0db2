"""Carries plans out within the caller's transaction. What to do is decided; here it is only put in order."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import Connection, bindparam, delete, func, select, update

from app.catalog.index.words import put_into_words, take_out_of_words
from app.catalog.tables import article_urls, catalogue, documents
from app.database.rows import in_parts, insert_rows
from app.documents.article import ArticleDocument
from app.importer.plan import Plan, Taken
from app.importer.serialise import Written, as_json, problems_json, url_keys
from app.importer.tables.article_terms import (
    file,
    file_again,
    load_terms,
    take_out_of_sets,
    unfile,
    write_filed,
)
from app.importer.tables.articles import write_articles
from app.importer.tables.changes import current_revision, remember, revise
from app.importer.tables.links import drop_unmentioned, links_of, retarget, write_links
from app.importer.tables.taxonomy import describe_providers, describe_topics, write_descriptions
from app.importer.tables.terms import Filing
from app.importer.topic_groups import Warned
from app.importer.workers import Processes


@dataclass(frozen=True, slots=True)
class Tree:
    """One source with what is to be done to it."""

    source: str
    source_id: int
    plan: Plan


def carry_out(connection: Connection, trees: Sequence[Tree], now: str, processes: Processes) -> int:
    """Returns the catalogue's revision, which is a new one if any answer changed."""
    _refresh(connection, trees)
    replaced = [t.document_id for tree in trees for t in tree.plan.taken if t.document_id is not None]
    outgoing = replaced + [document_id for tree in trees for document_id in tree.plan.gone]
    if not outgoing and not any(tree.plan.taken for tree in trees):
        return current_revision(connection)
    before = remember(connection, outgoing)
    next_id = (connection.scalar(select(func.max(documents.c.id))) or 0) + 1
    filing = Filing(connection)
    words_before = take_out_of_words(connection, outgoing)
    keys, link_ids = _take_out(connection, filing, outgoing)
    incoming = _write_documents(connection, trees, next_id)
    found = [
        Written(document_id, source, taken.document, taken.shape.links)
        for document_id, source, taken in incoming
        if isinstance(taken.document, ArticleDocument) and not taken.document.removed
    ]
    topics, moved = describe_topics(
        connection, filing, (name for each in found for name in each.document.topics)
    )
    organizations, warnings = describe_providers(connection, filing)
    load_terms(filing, found)
    filed = {each.article_id: file(filing, topics, each) for each in found}
    refiled = file_again(connection, filing, topics, moved, filed.keys())
    filing.write()
    write_articles(connection, topics, found, filed, processes)
    processes.end()
    put_into_words(connection, [each.article_id for each in found], words_before)
    write_filed(connection, [*filed.values(), *refiled])
    write_descriptions(connection, filing, topics, organizations)
    new_links = write_links(connection, [(each.article_id, each.links) for each in found])
    drop_unmentioned(connection, link_ids)
    retarget(connection, keys.union(*(url_keys(each.document) for each in found)), new_links)
    _warn(connection, (*topics.warnings, *warnings))
    return revise(connection, incoming, before, now)


def _refresh(connection: Connection, trees: Sequence[Tree]) -> None:
    rows = [
        {"of_id": each.document_id, "bytes_hash": each.bytes_hash, "warnings": problems_json(each.warnings)}
        for tree in trees
        for each in tree.plan.refreshed
    ]
    if rows:
        connection.execute(update(documents).where(documents.c.id == bindparam("of_id")), rows)


def _take_out(connection: Connection, filing: Filing, ids: Sequence[int]) -> tuple[set[bytes], set[int]]:
    """Returns the URL keys that the articles had, and the links they mentioned."""
    keys: set[bytes] = set()
    link_ids: set[int] = set()
    for part in in_parts(ids):
        unfile(connection, filing, part)
        take_out_of_sets(connection, filing, part)
        keys |= set(
            connection.scalars(select(article_urls.c.url_key).where(article_urls.c.article_id.in_(part)))
        )
        link_ids |= links_of(connection, part)
        connection.execute(delete(documents).where(documents.c.id.in_(part)))
    return keys, link_ids


def _write_documents(
    connection: Connection, trees: Sequence[Tree], next_id: int
) -> list[tuple[int, str, Taken]]:
    """A document that takes the place of another one takes its id too."""
    incoming = []
    rows = []
    for tree in trees:
        for taken in tree.plan.taken:
            document_id = taken.document_id
            if document_id is None:
                document_id, next_id = next_id, next_id + 1
            shape = taken.shape
            incoming.append((document_id, tree.source, taken))
            rows.append(
                {
                    "id": document_id,
                    "source_id": tree.source_id,
                    "path": taken.document.path,
                    "kind": shape.kind,
                    "bytes_hash": taken.bytes_hash,
                    "meaning_hash": shape.meaning_hash,
                    "view_hash": shape.view_hash,
                    "warnings": problems_json(taken.warnings),
                    "data": shape.data,
                }
            )
    insert_rows(connection, documents, rows)
    return incoming


def _warn(connection: Connection, warnings: Sequence[Warned]) -> None:
    said = [(warned.source, *astuple(warned.problem)) for warned in warnings]
    connection.execute(update(catalogue).values(warnings=as_json(said)))
