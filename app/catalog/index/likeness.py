"""How like articles are by the words of their titles and excerpts: half the title, half both, by TF-IDF.

A text's length stands for the norm of its vector: it finds as many of the articles that curators link as
exact norms do, and asks for no other article's words.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, Final, NamedTuple, Self

from pyroaring import BitMap
from sqlalchemy import Connection, Select, select

from app.catalog.audience import Published
from app.catalog.index.sets import of_audience
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import article_words, articles, word_articles
from app.catalog.terms import count_of_all
from app.database.rows import id_in_parameter, ids_parameter, text_in_parameter, texts_parameter
from app.database.statements import statement

# Twelve of the rarest words, which 200 articles have at most, lead to nearly all that any word leads to.
_MAX_RARE_WORDS: Final = 12
_MAX_ARTICLES_OF_RARE_WORD: Final = 200
# An excerpt may have thousands of words. Those after so many say little of what it is about.
_MAX_WORDS: Final = 150
# Comparing 100 in place of 200 finds 0.73 of ten linked ones in place of 0.75, all of them 0.77.
_MAX_COMPARED: Final = 200
# News of one thing comes within days; what uses the same words a year later tells of something else.
_DAYS_TO_FADE: Final = 30
_DAY_SECONDS: Final = 86_400


class Likeness(NamedTuple):
    """`words` are those that both have and few others, the rarest first."""

    score: float
    words: tuple[str, ...]


class _Text(NamedTuple):
    time: int | None
    title: frozenset[str]
    both: frozenset[str]


@dataclass(frozen=True, slots=True)
class WordProfile:
    """An article's words, with what they weigh among the articles of an audience."""

    article_id: int
    _own: _Text
    _weights: Mapping[str, float]
    _with_rare_words: Mapping[str, BitMap]

    @classmethod
    def read(cls, connection: Connection, article_id: int, published: Published) -> Self:
        own = _read_texts(connection, [article_id])[article_id]
        words = sorted(own.both, key=lambda word: (word not in own.title, word))[:_MAX_WORDS]
        dialect = connection.dialect.name
        found = {
            row.word: of_audience(connection, _union(row.in_title, row.in_excerpt), published)
            for row in _words(connection, dialect).rows({"words": texts_parameter(dialect, words)})
        }
        total = count_of_all(connection, published)
        weights = {word: math.log(1 + total / len(ids)) ** 2 for word, ids in found.items() if ids}
        rare = [word for word, ids in found.items() if 1 < len(ids) <= _MAX_ARTICLES_OF_RARE_WORD]
        rare = sorted(rare, key=lambda word: (len(found[word]), word))[:_MAX_RARE_WORDS]
        return cls(article_id, own, weights, {word: found[word] for word in rare})

    def candidates(self) -> set[int]:
        """Articles that share the rarest words, those with most of them."""
        points: dict[int, float] = defaultdict(float)
        for word, ids in self._with_rare_words.items():
            for id_ in ids:
                points[id_] += self._weights[word]
        points.pop(self.article_id, None)
        # Ids follow the order of imports, so they decide nothing: who is equal to the last is in.
        enough = min(nlargest(_MAX_COMPARED, points.values()), default=0)
        return {id_ for id_, sum_ in points.items() if sum_ >= enough}

    def compare(self, connection: Connection, article_ids: Collection[int]) -> dict[int, Likeness]:
        texts = _read_texts(connection, article_ids)
        return {id_: self._compare(text) for id_, text in texts.items()}

    def _compare(self, other: _Text) -> Likeness:
        shared = [word for word in self._own.both & other.both if word in self._weights]
        shared.sort(key=lambda word: (-self._weights[word], word))
        in_titles = [word for word in shared if word in self._own.title and word in other.title]
        score = self._cosine(in_titles, self._own.title, other.title) / 2
        score += self._cosine(shared, self._own.both, other.both) / 2
        if self._own.time is not None and other.time is not None:
            days = abs(self._own.time - other.time) / _DAY_SECONDS
            score *= math.exp(-days / _DAYS_TO_FADE)
        return Likeness(score, tuple([word for word in shared if word in self._with_rare_words]))

    def _cosine(self, shared: Iterable[str], own: Collection[str], other: Collection[str]) -> float:
        # The other's words are taken to weigh as much as the own ones do in the mean.
        norm = sum(self._weights.get(word, 0) for word in sorted(own))
        if not norm or not other:
            return 0
        mean = norm / len(own)
        return min(1.0, sum(self._weights[word] for word in shared) / math.sqrt(norm * mean * len(other)))


def _union(in_title: bytes | None, in_excerpt: bytes | None) -> BitMap:
    return BitMap.union(*(BitMap.deserialize(ids) if ids else BitMap() for ids in (in_title, in_excerpt)))


def _read_texts(connection: Connection, article_ids: Collection[int]) -> dict[int, _Text]:
    dialect = connection.dialect.name
    texts = {}
    for row in _texts(connection, dialect).rows({"ids": ids_parameter(dialect, article_ids)}):
        title = frozenset(row.title.split())
        time = None if row.oldest == UNKNOWN else row.oldest
        texts[row.id] = _Text(time, title, title.union(row.excerpt.split()))
    return texts


@statement
def _texts(dialect: str) -> Select[Any]:
    return (
        select(articles.c.id, articles.c.oldest, article_words.c.title, article_words.c.excerpt)
        .join(article_words, article_words.c.article_id == articles.c.id)
        .where(id_in_parameter(dialect, articles.c.id, "ids"))
    )


@statement
def _words(dialect: str) -> Select[Any]:
    columns = word_articles.c.word, word_articles.c.in_title, word_articles.c.in_excerpt
    return select(*columns).where(text_in_parameter(dialect, word_articles.c.word, "words"))
