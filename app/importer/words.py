"""Puts articles into the sets of their words, and takes them out, in bounded memory whatever they say.

Each set is read and written once for some thousands of articles. Where these have more different words than
fit into memory, their texts are read several times, each time for another part of the words.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import or_, sub
from typing import Final

from pyroaring import BitMap
from sqlalchemy import Connection, delete, select

from app.catalog.search_words import Where, WordTexts
from app.catalog.tables import article_words, word_articles
from app.catalog.words import stem_of
from app.database import in_parts, write_rows

_ARTICLES_AT_ONCE: Final = 20_000
# Some 30 MB each.
_MOST_WORDS: Final = 100_000
_MOST_PLACES: Final = 3_000_000
# By word: an article's id times four, and one more where the title has it, two more where the excerpt has it.
_Places = Mapping[str, Sequence[int]]


def put_into_words(connection: Connection, article_ids: Sequence[int]) -> None:
    """Once their texts are written."""
    _change(connection, article_ids, or_)


def take_out_of_words(connection: Connection, article_ids: Sequence[int]) -> None:
    """Before their texts are deleted."""
    _change(connection, article_ids, sub)


def _change(
    connection: Connection, article_ids: Sequence[int], change: Callable[[BitMap, BitMap], BitMap]
) -> None:
    for start in range(0, len(article_ids), _ARTICLES_AT_ONCE):
        some = article_ids[start : start + _ARTICLES_AT_ONCE]
        for places in _by_parts(partial(_texts, connection, some)):
            for words in in_parts(sorted(places)):
                _write(connection, {word: _where(places[word]) for word in words}, change)


def _texts(connection: Connection, article_ids: Sequence[int]) -> Iterator[WordTexts]:
    for part in in_parts(article_ids):
        for row in connection.execute(select(article_words).where(article_words.c.article_id.in_(part))):
            yield row[0], row[1], row[2], row[3]


def _by_parts(texts: Callable[[], Iterable[WordTexts]]) -> Iterator[_Places]:
    """All places of some words, then those of others."""
    parts, part = 1, 0
    while part < parts:
        found: dict[str, list[int]] = defaultdict(list)
        count = 0
        for article_id, title, excerpt, content in texts():
            in_title, in_excerpt = set(title.split()), set(excerpt.split())
            for word in in_title | in_excerpt | set(content.split()):
                if parts == 1 or hash(word) % parts == part:
                    found[word].append(article_id * 4 + (word in in_title) + 2 * (word in in_excerpt))
                    count += 1
            # As many parts as the first one needs; all are alike.
            while part == 0 and (len(found) > _MOST_WORDS or count > _MOST_PLACES):
                parts *= 2
                for word in [word for word in found if hash(word) % parts]:
                    count -= len(found.pop(word))
        yield found
        part += 1


def _where(places: Sequence[int]) -> Where:
    return Where(
        BitMap([place >> 2 for place in places if place & 1]),
        BitMap([place >> 2 for place in places if place & 2]),
        BitMap([place >> 2 for place in places]),
    )


def _write(
    connection: Connection, found: Mapping[str, Where], change: Callable[[BitMap, BitMap], BitMap]
) -> None:
    here = word_articles.c.word.in_(list(found))
    stored = {
        word: Where(*(BitMap.deserialize(each) if each else BitMap() for each in sets))
        for word, _, *sets in connection.execute(select(word_articles).where(here))
    }
    nowhere = Where(BitMap(), BitMap(), BitMap())
    rows = []
    for word, where in found.items():
        changed = Where(*map(change, stored.get(word, nowhere), where))
        if changed.anywhere:
            rows.append((word, stem_of(word), *map(_as_bytes, changed)))
    if stored:
        connection.execute(delete(word_articles).where(here))
    write_rows(connection, word_articles, rows)


def _as_bytes(articles: BitMap) -> bytes | None:
    # So that equal sets are equal bytes, whatever their history.
    articles.run_optimize()
    return articles.serialize() if articles else None
