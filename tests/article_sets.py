"""The sets of articles as they are stored, and as the rows that they stand for say."""

from collections import defaultdict
from datetime import date

from pyroaring import BitMap
from sqlalchemy import Connection, text

from app.catalog.tables import FIELDS

Sets = dict[tuple[str, int], set[int]]

_FILED = """SELECT article_id, filed.published, published_date_time, term_id, field
    FROM article_terms filed
    JOIN terms ON terms.id = filed.term_id JOIN articles ON articles.id = filed.article_id"""


def stored_sets(connection: Connection) -> Sets:
    rows = connection.execute(text("SELECT kind, key, article_ids FROM article_sets"))
    return {(kind, key): set(BitMap.deserialize(bytes(article_ids))) for kind, key, article_ids in rows}


def sets_by_rows(connection: Connection) -> Sets:
    """Without published_date_time an article is of no day."""
    sets: Sets = defaultdict(set)
    for article_id, published, moment, term_id, field in connection.execute(text(_FILED)):
        sets[field, term_id].add(article_id)
        sets["has", FIELDS.index(field)].add(article_id)
        if published:
            sets["published", 1].add(article_id)
        if moment:
            sets["day", date.fromisoformat(moment[:10]).toordinal()].add(article_id)
    return dict(sets)
