"""The articles of each word, in memory while an import takes articles out of them and puts others in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import or_
from typing import Final

from pyroaring import BitMap
from sqlalchemy import Connection, delete, select

from app.catalog.search_words import Where, WordTexts, sets_of_words
from app.catalog.tables import article_words, word_articles
from app.catalog.words import stem_of
from app.database import in_parts, write_rows

# Some 50 MB. An import that touches more writes what it has and begins anew.
_MOST_IN_MEMORY: Final = 100_000


def _nowhere() -> Where:
    return Where(BitMap(), BitMap(), BitMap())


class Words:
    """First articles are taken out, then others put in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._put: dict[str, Where] = defaultdict(_nowhere)
        self._taken: dict[str, Where] = defaultdict(_nowhere)

    def put(self, texts: Sequence[WordTexts], sets: Mapping[str, Where]) -> None:
        """Texts of new articles, and the sets of their words."""
        write_rows(self._connection, article_words, texts)
        self._add(self._put, sets)

    def take(self, article_ids: Sequence[int]) -> None:
        """Before their rows are deleted."""
        of_them = article_words.c.article_id.in_(article_ids)
        texts = self._connection.execute(select(article_words).where(of_them))
        self._add(self._taken, sets_of_words((row[0], row[1], row[2], row[3]) for row in texts))

    def _add(self, to: dict[str, Where], sets: Mapping[str, Where]) -> None:
        for word, found in sets.items():
            to[word] = Where(*map(or_, to[word], found))
        if len(self._put) + len(self._taken) > _MOST_IN_MEMORY:
            self.write()

    def write(self) -> None:
        for words in in_parts(sorted(self._put.keys() | self._taken.keys())):
            self._write(words)
        self._put.clear()
        self._taken.clear()

    def _write(self, words: Sequence[str]) -> None:
        here = word_articles.c.word.in_(words)
        stored = {
            word: Where(*(BitMap.deserialize(each) if each else BitMap() for each in sets))
            for word, _, *sets in self._connection.execute(select(word_articles).where(here))
        }
        rows = []
        for word in words:
            before, taken, put = (each.get(word) or _nowhere() for each in (stored, self._taken, self._put))
            sets = [(b - t) | p for b, t, p in zip(before, taken, put, strict=True)]
            if sets[-1]:
                rows.append((word, stem_of(word), *map(_as_bytes, sets)))
        if stored:
            self._connection.execute(delete(word_articles).where(here))
        write_rows(self._connection, word_articles, rows)


def _as_bytes(articles: BitMap) -> bytes | None:
    # So that equal sets are equal bytes, whatever their history.
    articles.run_optimize()
    return articles.serialize() if articles else None
