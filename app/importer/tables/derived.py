"""What an import makes of stored articles and terms alone: words, also of names, and the keys of URLs.

An upgrade may fold words or compare URLs in another way. What is stored by the old way would then not be
what a question looks for, and most documents are never read again: their bytes are those stored, or their
files are gone. So the first import after such an upgrade makes all of it anew from the articles themselves.
"""

import json
from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, select, update

from app.catalog.index.keep import WordLimits, renew_words
from app.catalog.search_text import SearchText, search_text
from app.catalog.tables import article_urls, articles, catalogue, contents
from app.database.rows import insert_tuples
from app.importer.read import Progress
from app.importer.serialise import url_keys_of_item
from app.importer.tables import links, name_words

# Raise it when the same article gives other words or URL keys than before: with a change of what
# app.catalog.letters, search_language, search_text and visible_text or app.urls answer. A test says when.
DERIVATION_VERSION: Final = 4

# Contents have up to 8 MB each. PostgreSQL sends so many rows at once, and the driver holds them.
_ROWS_AT_ONCE: Final = 20
# Texts of so many characters are written together: 500 usual articles, or a single long one.
_CHARACTERS_AT_ONCE: Final = 1_000_000


class _Derived(NamedTuple):
    article_id: int
    text: SearchText
    url_keys: tuple[bytes, ...]


def renew(connection: Connection, word_limits: WordLimits, progress: Progress) -> bool:
    """Whether articles were stored by another version, so that the answers of searches may be others now."""
    if connection.scalars(select(catalogue.c.derivation_version)).one() == DERIVATION_VERSION:
        return False
    connection.execute(update(catalogue).values(derivation_version=DERIVATION_VERSION))
    name_words.renew(connection)
    ids = array("q", connection.scalars(select(articles.c.id).order_by(articles.c.id)))
    if not ids:
        return False
    connection.execute(delete(article_urls))
    renew_words(connection, word_limits, ids, _texts(connection, len(ids), progress))
    links.renew(connection)
    return True


def _texts(connection: Connection, count: int, progress: Progress) -> Iterator[list[tuple[int, SearchText]]]:
    """The words of all articles, batch by batch; the keys of their URLs are written on the way."""
    done = 0
    for batch in _batches(connection):
        progress(f"{done:,} of {count:,} articles made searchable anew")
        done += len(batch)
        insert_tuples(
            connection,
            article_urls,
            ("url_key", "article_id"),
            [(url_key, derived.article_id) for derived in batch for url_key in derived.url_keys],
        )
        yield [(derived.article_id, derived.text) for derived in batch]


def _batches(connection: Connection) -> Iterator[list[_Derived]]:
    rows = connection.execute(
        select(articles.c.id, articles.c.item, contents.c.content).join(contents).order_by(articles.c.id),
        execution_options={"yield_per": _ROWS_AT_ONCE},
    )
    batch: list[_Derived] = []
    characters = 0
    for article_id, stored, content in rows:
        item = json.loads(stored)
        text = search_text(item["title"], item["excerpt"], content)
        batch.append(_Derived(article_id, text, url_keys_of_item(item)))
        characters += sum(map(len, text)) + len(stored)
        if characters >= _CHARACTERS_AT_ONCE:
            yield batch
            batch, characters = [], 0
    yield batch
