"""How like articles are by the words of their titles and excerpts: half the title, half both, by TF-IDF.

A text's length stands for the norm of its vector: it finds as many of the articles that curators link as
exact norms do, and asks for no other article's words.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, Final, NamedTuple, Self

from pyroaring import BitMap
from sqlalchemy import Connection, Select, select

from app.catalog.audience import Published
from app.catalog.index.ranges import joined
from app.catalog.index.sets import is_unpublished
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import article_words, articles, word_articles
from app.catalog.terms import count_of_all
from app.database.rows import id_in_parameter, ids_parameter, text_in_parameter, texts_parameter
from app.database.statements import statement

# Twelve of the rarest words, which 200 articles have at most, lead to nearly all that any word leads to.
_MAX_RARE_WORDS: Final = 12
_MAX_ARTICLES_OF_RARE_WORD: Final = 200
# A tenth of a small catalogue: of 60 articles 28 have "a". Where a tenth is less than five, five are few.
_RARE_SHARE: Final = 10
_ALWAYS_FEW: Final = 5
# Any word may be rare in a small catalogue: of 60 articles 2 have "too". In 1,611 such words alone name
# a thing, and leaving them out would lose 2 in 1,000 of the articles that a curator linked.
_COMPANY_SHARE: Final = 100
# An excerpt may have thousands of words. Those after so many say little of what it is about.
_MAX_WORDS: Final = 150
# Comparing 60 finds 0.76 of ten linked ones, 100 find 0.77, and so do all.
_MAX_COMPARED: Final = 60
# News of one thing comes within days; what uses the same words a year later tells of something else.
_DAYS_TO_FADE: Final = 30
_DAY_SECONDS: Final = 86_400


class Likeness(NamedTuple):
    """`words` are those that both have and few others, the rarest first; `names_it` that a title has one.

    A word alone says nothing if more than one in a hundred articles has it, unless both titles do.
    """

    score: float
    words: tuple[str, ...]
    names_it: bool
    # The newest of equals comes first.
    place: tuple[int, str, str]


class _Text(NamedTuple):
    title: frozenset[str]
    both: frozenset[str]
    newest: int
    path: str
    source: str


class _Articles(NamedTuple):
    """Articles that have a word in their title, and those that have it there or in their excerpt."""

    in_title: BitMap
    in_both: BitMap


@dataclass(frozen=True, slots=True)
class WordProfile:
    """An article's words, with what they weigh among the articles of an audience."""

    article_id: int
    _own: _Text
    _weights: Mapping[str, float]
    _with_rare_words: Mapping[str, _Articles]
    _needing_company: frozenset[str]
    _hidden: BitMap
    # Squares of the lengths of the vectors.
    _title_norm: float
    _both_norm: float

    @classmethod
    def read(cls, connection: Connection, article_id: int, published: Published) -> Self:
        own = _read_texts(connection, [article_id])[article_id]
        words = sorted(own.both, key=lambda word: (word not in own.title, word))[:_MAX_WORDS]
        hidden = is_unpublished().read(connection) if published == "true" else BitMap()
        weights: dict[str, float] = {}
        found: dict[str, _Articles] = {}
        total = count_of_all(connection, published)
        share = max(total // _RARE_SHARE, _ALWAYS_FEW)
        most = min(share, _MAX_ARTICLES_OF_RARE_WORD)
        dialect = connection.dialect.name
        pieces: dict[str, list[Any]] = defaultdict(list)
        for row in _words(connection, dialect).rows({"words": texts_parameter(dialect, words)}):
            pieces[row.word].append(row)
        for word, rows in pieces.items():
            in_title = joined(row.in_title for row in rows)
            in_excerpt = joined(row.in_excerpt for row in rows)
            ids = _Articles(in_title - hidden, (in_title | in_excerpt) - hidden)
            if count := len(ids.in_both):
                weights[word] = math.log(1 + total / count) ** 2
                if 1 < count <= most:
                    found[word] = ids
        rare = sorted(found, key=lambda word: (len(found[word].in_both), word))[:_MAX_RARE_WORDS]
        needing_company = frozenset(
            word for word in rare if len(found[word].in_both) * _COMPANY_SHARE > total
        )
        norms = (math.fsum([weights.get(word, 0) for word in text]) for text in (own.title, own.both))
        by_word = {word: found[word] for word in rare}
        return cls(article_id, own, weights, by_word, needing_company, hidden, *norms)

    def candidates(self) -> set[int]:
        """Articles that share the rarest words, those with most of them."""
        points: dict[int, float] = defaultdict(float)
        for word, ids in self._with_rare_words.items():
            weight = self._weights[word]
            for id_ in ids.in_both:
                points[id_] += weight
            if word in self._own.title:
                for id_ in ids.in_title:
                    points[id_] += weight
        points.pop(self.article_id, None)
        # Ids follow the order of imports, so they decide nothing: who is equal to the last is in.
        enough = min(nlargest(_MAX_COMPARED, points.values()), default=0)
        return {id_ for id_, sum_ in points.items() if sum_ >= enough}

    def compare(self, connection: Connection, article_ids: Collection[int]) -> dict[int, Likeness]:
        """Articles that the audience may not see are left out."""
        texts = _read_texts(connection, [id_ for id_ in article_ids if id_ not in self._hidden])
        return {id_: self._compare(text) for id_, text in texts.items()}

    def _compare(self, other: _Text) -> Likeness:
        shared = sorted(self._own.both & other.both & self._weights.keys())
        in_titles = [word for word in shared if word in self._own.title and word in other.title]
        score = self._cosine(in_titles, self._title_norm, len(self._own.title), len(other.title)) / 2
        score += self._cosine(shared, self._both_norm, len(self._own.both), len(other.both)) / 2
        if UNKNOWN not in (self._own.newest, other.newest):
            days = abs(self._own.newest - other.newest) / _DAY_SECONDS
            score *= math.exp(-days / _DAYS_TO_FADE)
        rare = tuple([word for word in self._with_rare_words if word in other.both])
        if (
            len(rare) == 1
            and rare[0] in self._needing_company
            and rare[0] not in self._own.title & other.title
        ):
            rare = ()
        names_it = any(word in self._own.title or word in other.title for word in rare)
        return Likeness(score, rare, names_it, (other.newest, other.path, other.source))

    def _cosine(self, shared: Sequence[str], squared_norm: float, own: int, other: int) -> float:
        """`own` and `other` are how many words the two have."""
        if not shared:
            return 0
        # The other's words are taken to weigh as much as the own ones do in the mean.
        norms = squared_norm * math.sqrt(other / own)
        return min(1.0, math.fsum([self._weights[word] for word in shared]) / norms)


def _read_texts(connection: Connection, article_ids: Collection[int]) -> dict[int, _Text]:
    dialect = connection.dialect.name
    texts = {}
    for row in _texts(connection, dialect).rows({"ids": ids_parameter(dialect, article_ids)}):
        title = frozenset(row.title.split())
        both = title.union(row.excerpt.split())
        texts[row.id] = _Text(title, both, row.newest, row.path, row.source)
    return texts


@statement
def _texts(dialect: str) -> Select[Any]:
    return (
        select(
            articles.c.id,
            articles.c.newest,
            articles.c.path,
            articles.c.source,
            article_words.c.title,
            article_words.c.excerpt,
        )
        .join(article_words, article_words.c.article_id == articles.c.id)
        .where(id_in_parameter(dialect, articles.c.id, "ids"))
    )


@statement
def _words(dialect: str) -> Select[Any]:
    columns = word_articles.c.word, word_articles.c.in_title, word_articles.c.in_excerpt
    return select(*columns).where(text_in_parameter(dialect, word_articles.c.word, "words"))
