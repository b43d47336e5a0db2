"""The sets of articles, in memory while an import takes articles out of them and puts others in."""

from collections import defaultdict
from collections.abc import Iterable

from pyroaring import BitMap
from sqlalchemy import Connection, delete, select

from app.catalog.article_sets import SetKey
from app.catalog.tables import article_sets
from app.database import in_parts, write_rows


class Sets:
    """What was done last to an article in a set is what holds."""

    def __init__(self) -> None:
        self._put: dict[SetKey, BitMap] = defaultdict(BitMap)
        self._taken: dict[SetKey, BitMap] = defaultdict(BitMap)

    def put(self, article_id: int, sets: Iterable[SetKey]) -> None:
        for each in sets:
            self._put[each].add(article_id)

    def take(self, article_id: int, sets: Iterable[SetKey]) -> None:
        for each in sets:
            self._put[each].discard(article_id)
            self._taken[each].add(article_id)

    def write(self, connection: Connection) -> None:
        keys: dict[str, set[int]] = defaultdict(set)
        for kind, key in self._put.keys() | self._taken.keys():
            keys[kind].add(key)
        for kind, of_kind in keys.items():
            for part in in_parts(sorted(of_kind)):
                self._write(connection, kind, part)

    def _write(self, connection: Connection, kind: str, keys: Iterable[int]) -> None:
        here = (article_sets.c.kind == kind) & article_sets.c.key.in_(keys)
        stored = {
            key: BitMap.deserialize(article_ids)
            for key, article_ids in connection.execute(
                select(article_sets.c.key, article_sets.c.article_ids).where(here)
            )
        }
        rows = []
        for key in keys:
            found = (stored.get(key, BitMap()) - self._taken[kind, key]) | self._put[kind, key]
            if found:
                rows.append((kind, key, as_bytes(found)))
        if stored:
            connection.execute(delete(article_sets).where(here))
        write_rows(connection, article_sets, rows)


def as_bytes(articles: BitMap) -> bytes:
    """Of equal sets equal bytes, whatever their history."""
    articles.run_optimize()
    return articles.serialize()
