"""The words of articles, in order as imports find them and by article as questions do. Pure, knows no SQL."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Final, NamedTuple

from pyroaring import BitMap
from sqlalchemy import Connection, delete, select

from app.catalog.index.sets import as_bytes
from app.catalog.search_language import MAX_WORDS, stem_of, words_of_content, words_of_text
from app.catalog.tables import article_words, word_articles
from app.database import in_parts, insert_tuples

# Article id, title, excerpt and content. Of these only the content may be HTML.
Texts = tuple[int, str, str | None, str]


# The same, of each text its words, every one between spaces: so a phrase is a part of it.
WordTexts = tuple[int, str, str, str]


class Occurrences(NamedTuple):
    """Ids of the articles that have something in their title, in their excerpt, in any of their texts.

    Who has it in the title may be missing in `excerpt`.
    """

    title: BitMap
    excerpt: BitMap
    anywhere: BitMap


def word_texts(texts: Iterable[Texts]) -> list[WordTexts]:
    return [_words_of(*text) for text in texts]


def _words_of(article_id: int, title: str, excerpt: str | None, content: str) -> WordTexts:
    of_title = words_of_text(title, MAX_WORDS)
    of_excerpt = words_of_text(excerpt or "", MAX_WORDS - len(of_title))
    of_content = words_of_content(content, MAX_WORDS - len(of_title) - len(of_excerpt))
    return article_id, _spaced(of_title), _spaced(of_excerpt), _spaced(of_content)


def _spaced(words: Sequence[str]) -> str:
    return f" {' '.join(words)} " if words else ""


_ARTICLES_AT_ONCE: Final = 20_000


# Some 30 MB each.
_MOST_WORDS: Final = 100_000


_MOST_PLACES: Final = 3_000_000


# Of no more the texts are kept until others take their place.
_MOST_KEPT: Final = 1_000


# By word, of articles taken out and of those put in: an id times four, and one more where the title has the
# word, two more where the excerpt has it.
_Places = Mapping[str, tuple[list[int], list[int]]]


_Texts = Callable[[], Iterable[WordTexts]]


def take_out_of_words(connection: Connection, article_ids: Sequence[int]) -> Sequence[WordTexts]:
    """Before their texts are deleted. Those returned are yet to be taken out, by `put_into_words`."""
    if len(article_ids) <= _MOST_KEPT:
        return list(_texts(connection, article_ids))
    for some in in_parts(article_ids, _ARTICLES_AT_ONCE):
        _change(connection, partial(_texts, connection, some), tuple)
    return ()


def put_into_words(connection: Connection, article_ids: Sequence[int], taken: Sequence[WordTexts]) -> None:
    """Once their texts are written. `taken` are those that they take the place of."""
    first, *others = list(in_parts(article_ids, _ARTICLES_AT_ONCE)) or [()]
    _change(connection, lambda: taken, partial(_texts, connection, first))
    for some in others:
        _change(connection, tuple, partial(_texts, connection, some))


def _texts(connection: Connection, article_ids: Sequence[int]) -> Iterator[WordTexts]:
    for part in in_parts(article_ids):
        for row in connection.execute(select(article_words).where(article_words.c.article_id.in_(part))):
            yield row[0], row[1], row[2], row[3]


def _change(connection: Connection, taken: _Texts, put: _Texts) -> None:
    for places in _by_parts(taken, put):
        changed = sorted(word for word, (before, after) in places.items() if sorted(before) != sorted(after))
        for words in in_parts(changed):
            _write(connection, words, places)


def _by_parts(taken: _Texts, put: _Texts) -> Iterator[_Places]:
    """All places of some words, then those of others."""
    parts, part = 1, 0
    while part < parts:
        found: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        count = 0
        for is_put, (article_id, title, excerpt, content) in chain(
            ((False, text) for text in taken()), ((True, text) for text in put())
        ):
            in_title, in_excerpt = set(title.split()), set(excerpt.split())
            for word in in_title | in_excerpt | set(content.split()):
                if parts == 1 or hash(word) % parts == part:
                    found[word][is_put].append(article_id * 4 + (word in in_title) + 2 * (word in in_excerpt))
                    count += 1
            # As many parts as the first one needs; all are alike.
            while part == 0 and (len(found) > _MOST_WORDS or count > _MOST_PLACES):
                parts *= 2
                for word in [word for word in found if hash(word) % parts]:
                    count -= sum(map(len, found.pop(word)))
        yield found
        part += 1


def _write(connection: Connection, words: Sequence[str], places: _Places) -> None:
    here = word_articles.c.word.in_(words)
    stored = {
        word: Occurrences(*(BitMap.deserialize(each) if each else BitMap() for each in sets))
        for word, _, *sets in connection.execute(select(word_articles).where(here))
    }
    nowhere = Occurrences(BitMap(), BitMap(), BitMap())
    rows = []
    for word in words:
        of_each = zip(stored.get(word, nowhere), *map(_where, places[word]), strict=True)
        changed = Occurrences(*((before - taken) | put for before, taken, put in of_each))
        if changed.anywhere:
            rows.append((word, stem_of(word), *(as_bytes(each) if each else None for each in changed)))
    if stored:
        connection.execute(delete(word_articles).where(here))
    columns = ("word", "stem", "in_title", "in_excerpt", "anywhere")
    insert_tuples(connection, word_articles, columns, rows)


def _where(places: Sequence[int]) -> Occurrences:
    return Occurrences(
        BitMap([place >> 2 for place in places if place & 1]),
        BitMap([place >> 2 for place in places if place & 2]),
        BitMap([place >> 2 for place in places]),
    )
