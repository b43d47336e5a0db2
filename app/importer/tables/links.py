"""Related links, stored once by value, and the article of the catalogue that each leads to."""

import json
from array import array
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, delete, exists, func, select, update

from app.catalog.tables import article_urls, articles, link_urls, links, related_links
from app.database.rows import chunked, insert_tuples
from app.importer.serialise import SerialisedLink, url_keys_of_item
from app.importer.spool import NewArticle

# An id takes some 150 bytes; real trees have some thousand different links. More are looked up again.
_MAX_REMEMBERED_IDS: Final = 100_000
# Links that may lead somewhere else are collected up to so many, and then asked.
_MAX_WAITING_LINKS: Final = 100_000


class LinkChanges:
    """Tell it of articles that leave while their rows are there, then of those that came; then write.

    A link leads to a published article first, then to the first by source and path. It is asked anew where
    it leads if its article left, if it is new itself, and if an article came that has a URL of it.
    """

    def __init__(self, connection: Connection) -> None:
        self._next_id = (connection.scalar(select(func.max(links.c.id))) or 0) + 1
        self._ids: dict[bytes, int] = {}
        self._mentioned_before: set[int] = set()
        self._to_retarget: set[int] = set()

    def remove(self, connection: Connection, article_ids: Sequence[int]) -> None:
        mentioned = select(related_links.c.link_id).distinct()
        self._mentioned_before.update(
            connection.scalars(mentioned.where(related_links.c.article_id.in_(article_ids)))
        )
        self._to_retarget.update(
            connection.scalars(select(links.c.id).where(links.c.target_article_id.in_(article_ids)))
        )

    def add(
        self,
        connection: Connection,
        new_articles: Sequence[NewArticle],
        first_mentioned: Iterable[SerialisedLink],
    ) -> None:
        """A link of these articles is among `first_mentioned`, or was so before."""
        self._insert_new_links(connection, new_articles, first_mentioned)
        insert_tuples(
            connection,
            related_links,
            ("article_id", "position", "link_id"),
            [
                (article.article_id, position, self._ids[value_hash])
                for article in new_articles
                for position, value_hash in enumerate(article.content.link_hashes)
            ],
        )
        keys = {url_key for article in new_articles for url_key in article.content.url_keys}
        for part in chunked(sorted(keys)):
            self._to_retarget.update(
                connection.scalars(select(link_urls.c.link_id).where(link_urls.c.url_key.in_(part)))
            )
        if len(self._to_retarget) > _MAX_WAITING_LINKS:
            self._retarget(connection)

    def write(self, connection: Connection) -> None:
        self._drop_unmentioned(connection)
        self._retarget(connection)

    def _insert_new_links(
        self,
        connection: Connection,
        new_articles: Iterable[NewArticle],
        first_mentioned: Iterable[SerialisedLink],
    ) -> None:
        if len(self._ids) > _MAX_REMEMBERED_IDS:
            self._ids.clear()
        hashes = {value_hash for article in new_articles for value_hash in article.content.link_hashes}
        for part in chunked(sorted(hashes - self._ids.keys())):
            query = select(links.c.value_hash, links.c.id).where(links.c.value_hash.in_(part))
            self._ids |= {row.value_hash: row.id for row in connection.execute(query)}
        new_links = [link for link in first_mentioned if link.value_hash not in self._ids]
        new_ids = {link.value_hash: self._next_id + place for place, link in enumerate(new_links)}
        self._next_id += len(new_links)
        self._ids |= new_ids
        self._to_retarget.update(new_ids.values())
        insert_tuples(
            connection,
            links,
            ("id", "value_hash", "item", "time"),
            [(new_ids[link.value_hash], link.value_hash, link.item, link.time) for link in new_links],
        )
        insert_tuples(
            connection,
            link_urls,
            ("url_key", "link_id"),
            [(url_key, new_ids[link.value_hash]) for link in new_links for url_key in link.url_keys],
        )

    def _drop_unmentioned(self, connection: Connection) -> None:
        for ids in chunked(sorted(self._mentioned_before)):
            is_mentioned = exists().where(related_links.c.link_id == links.c.id)
            connection.execute(delete(links).where(links.c.id.in_(ids), ~is_mentioned))

    def _retarget(self, connection: Connection) -> None:
        for ids in chunked(sorted(self._to_retarget)):
            _retarget(connection, ids)
        self._to_retarget.clear()


def renew(connection: Connection) -> None:
    """Makes the keys of all links anew, and asks where each leads; the keys of articles are there already."""
    connection.execute(delete(link_urls))
    for ids in chunked(array("q", connection.scalars(select(links.c.id).order_by(links.c.id)))):
        rows = connection.execute(select(links.c.id, links.c.item).where(links.c.id.in_(list(ids))))
        insert_tuples(
            connection,
            link_urls,
            ("url_key", "link_id"),
            [(url_key, row.id) for row in rows for url_key in url_keys_of_item(json.loads(row.item))],
        )
        _retarget(connection, list(ids))


def _retarget(connection: Connection, link_ids: Sequence[int]) -> None:
    targets = _targets(connection, link_ids)
    stored = connection.execute(select(links.c.id, links.c.target_article_id).where(links.c.id.in_(link_ids)))
    changed = [
        {"link_id": link_id, "target_article_id": targets.get(link_id)}
        for link_id, target in stored.all()
        if target != targets.get(link_id)
    ]
    if changed:
        connection.execute(update(links).where(links.c.id == bindparam("link_id")), changed)


def _targets(connection: Connection, link_ids: Sequence[int]) -> dict[int, int]:
    """The article that each link leads to, for those that lead to any."""
    # The last one of each link is kept, so the best comes last.
    leading = (
        select(link_urls.c.link_id, articles.c.id)
        .join(article_urls, article_urls.c.url_key == link_urls.c.url_key)
        .join(articles, articles.c.id == article_urls.c.article_id)
        .where(link_urls.c.link_id.in_(link_ids))
        .order_by(articles.c.published, articles.c.source.desc(), articles.c.path.desc())
    )
    return {row.link_id: row.id for row in connection.execute(leading)}
