"""Related links, stored once by value, and the article of the catalogue that each leads to."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, exists, func, select, update

from app.catalog.tables import article_urls, articles, link_urls, links, related_links
from app.database.rows import in_parts, insert_tuples
from app.importer.serialise import LinkShape

# Each mentions some thirty links, and the rows of so many articles are in memory at once.
_ARTICLES_AT_ONCE = 500


def links_of(connection: Connection, article_ids: Sequence[int]) -> set[int]:
    return set(
        connection.scalars(
            select(related_links.c.link_id).distinct().where(related_links.c.article_id.in_(article_ids))
        )
    )


def write_links(connection: Connection, related: Sequence[tuple[int, Sequence[LinkShape]]]) -> list[int]:
    """Returns the ids of links that are new."""
    distinct = {link.value_hash: link for _, mentioned in related for link in mentioned}
    ids: dict[bytes, int] = {}
    for part in in_parts(sorted(distinct)):
        query = select(links.c.value_hash, links.c.id).where(links.c.value_hash.in_(part))
        ids |= {row.value_hash: row.id for row in connection.execute(query)}
    next_id = (connection.scalar(select(func.max(links.c.id))) or 0) + 1
    new = [link for link in distinct.values() if link.value_hash not in ids]
    ids |= {link.value_hash: next_id + place for place, link in enumerate(new)}
    insert_tuples(
        connection,
        links,
        ("id", "value_hash", "item"),
        [(ids[link.value_hash], link.value_hash, link.item) for link in new],
    )
    keys = [(key, ids[link.value_hash]) for link in new for key in sorted(link.url_keys)]
    insert_tuples(connection, link_urls, ("url_key", "link_id"), keys)
    for start in range(0, len(related), _ARTICLES_AT_ONCE):
        insert_tuples(
            connection,
            related_links,
            ("article_id", "position", "link_id"),
            [
                (article_id, position, ids[link.value_hash])
                for article_id, mentioned in related[start : start + _ARTICLES_AT_ONCE]
                for position, link in enumerate(mentioned)
            ],
        )
    return [ids[link.value_hash] for link in new]


def drop_unmentioned(connection: Connection, link_ids: Iterable[int]) -> None:
    for part in in_parts(sorted(link_ids)):
        mentioned = exists().where(related_links.c.link_id == links.c.id)
        connection.execute(delete(links).where(links.c.id.in_(part), ~mentioned))


def retarget(connection: Connection, url_keys: Iterable[bytes], new_links: Iterable[int]) -> None:
    """Finds anew where links lead that are new, or have a URL of an article that came, changed or went."""
    touched = set(new_links)
    for keys in in_parts(sorted(url_keys)):
        touched |= set(connection.scalars(select(link_urls.c.link_id).where(link_urls.c.url_key.in_(keys))))
    for part in in_parts(sorted(touched)):
        targets = _targets(connection, part)
        stored = connection.execute(select(links.c.id, links.c.target_article_id).where(links.c.id.in_(part)))
        changed = [
            {"of_id": link_id, "target": targets.get(link_id)}
            for link_id, target in stored.all()
            if target != targets.get(link_id)
        ]
        if changed:
            of_id = links.c.id == bindparam("of_id")
            connection.execute(
                update(links).where(of_id).values(target_article_id=bindparam("target")), changed
            )


def _targets(connection: Connection, link_ids: Sequence[int]) -> dict[int, int]:
    """By link, of those that lead to any: a published article first, then the first by source and path."""
    leading = (
        select(link_urls.c.link_id, articles.c.id)
        .join(article_urls, article_urls.c.url_key == link_urls.c.url_key)
        .join(articles, articles.c.id == article_urls.c.article_id)
        .where(link_urls.c.link_id.in_(link_ids))
        .order_by(articles.c.published, articles.c.source.desc(), articles.c.path.desc())
    )
    return {row.link_id: row.id for row in connection.execute(leading)}
