"""The sets of articles as they are stored, and as the rows that they stand for say."""

from collections import defaultdict
from datetime import date

from pyroaring import BitMap
from sqlalchemy import Connection, text

from app.catalog.article_sets import HAS_KEYS

Sets = dict[tuple[str, int], set[int]]

_FILED = """SELECT article_id, term_id, field FROM article_terms filed
    JOIN terms ON terms.id = filed.term_id"""
_SAID = """SELECT id, published, published_date_time, updated_date_time, quality, heat,
    (SELECT count(*) FROM images WHERE images.article_id = articles.id) AS images,
    (SELECT count(*) FROM related_links WHERE related_links.article_id = articles.id) AS related
    FROM articles"""


def stored_sets(connection: Connection) -> Sets:
    rows = connection.execute(text("SELECT kind, key, article_ids FROM article_sets"))
    return {(kind, key): set(BitMap.deserialize(bytes(article_ids))) for kind, key, article_ids in rows}


def sets_by_rows(connection: Connection) -> Sets:
    """What is null is in no set."""
    sets: Sets = defaultdict(set)
    for article_id, term_id, field in connection.execute(text(_FILED)):
        sets[field, term_id].add(article_id)
        sets["has", HAS_KEYS[field]].add(article_id)
    for row in connection.execute(text(_SAID)):
        if row.published:
            sets["published", 1].add(row.id)
        for kind, moment in (("day", row.published_date_time), ("updated_day", row.updated_date_time)):
            if moment:
                sets[kind, date.fromisoformat(moment[:10]).toordinal()].add(row.id)
        for kind, number in (("quality", row.quality), ("heat", row.heat)):
            if number is not None:
                sets[kind, number].add(row.id)
        for what, count in (("image", row.images), ("related", row.related)):
            if count:
                sets["has", HAS_KEYS[what]].add(row.id)
    return dict(sets)
