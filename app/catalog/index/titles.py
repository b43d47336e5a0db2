"""Articles whose titles have words as they are being typed, found in bounded time whatever they are."""

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Any, Final

from pyroaring import BitMap
from sqlalchemy import Connection, Select, bindparam, select

from app.catalog.audience import PUBLISHED_VALUES, Published
from app.catalog.index.ranges import joined
from app.catalog.index.sets import of_audience
from app.catalog.index.words import most_rows, most_rows_values
from app.catalog.name_words import WordCondition, are_typed, has_prefix, is_word, prefix_values
from app.catalog.tables import article_words, articles, word_articles
from app.database.rows import id_in_parameter, ids_parameter
from app.database.statements import statement

# The bitmaps of so many words are put together in 0.2 ms. A beginning of more words is looked for in the
# newest titles first, which nearly always have enough.
FEW_WORDS: Final = 100
# The bitmaps of so many words are put together in 5 ms.
MAX_WORDS: Final = 1_000
# The newest titles are read in two steps: 2,000 take 10 ms. Older titles with a beginning that is so rare,
# and of more words than MAX_WORDS, are left out.
TITLES_READ: Final = (200, 2_000)


def find_titled(connection: Connection, words: Sequence[str], published: Published, limit: int) -> BitMap:
    """Articles whose titles have all of the words, the last of which may go on.

    These are all of them, or the newest: at least `limit` if the titles that are read have so many.
    """
    *whole_words, prefix = words
    sets = [_read_set(connection, is_word, {"word": word}, FEW_WORDS) or BitMap() for word in whole_words]
    within = of_audience(connection, reduce(and_, sets), published) if sets else None
    for most_words, titles_read in zip((FEW_WORDS, MAX_WORDS), TITLES_READ, strict=True):
        with_prefix = _read_set(connection, has_prefix, prefix_values(prefix), most_words)
        if with_prefix is not None:
            return of_audience(connection, with_prefix, published) if within is None else with_prefix & within
        if within is not None and len(within) <= titles_read:
            dialect = connection.dialect.name
            rows = _titles_with_ids(connection, dialect).rows({"ids": ids_parameter(dialect, within)})
            return _typed(rows, words)
        by_audience = [
            _newest_typed(connection, words, number, titles_read) for number in PUBLISHED_VALUES[published]
        ]
        newest = BitMap.union(*by_audience)
        # An audience of both kinds takes as many of each as it may need.
        if all(len(typed) >= limit for typed in by_audience):
            break
    return newest


def _read_set(
    connection: Connection, condition: WordCondition, values: dict[str, str], most_words: int
) -> BitMap | None:
    """None if more words of titles than `most_words` fulfil the condition."""
    rows = sets_of_title_words(connection, condition).rows({**values, **most_rows_values(most_words + 1)})
    if len({row.word for row in rows}) > most_words:
        return None
    return joined(row.in_title for row in rows)


@statement
def sets_of_title_words(condition: WordCondition) -> Select[Any]:
    word, in_title = word_articles.c.word, word_articles.c.in_title
    rows = select(word, in_title).where(condition(word_articles), in_title.is_not(None))
    return rows.limit(most_rows())


def _newest_typed(connection: Connection, words: Sequence[str], published: int, titles_read: int) -> BitMap:
    rows = newest_titles(connection).rows({"published": published, "limit": titles_read})
    return _typed(rows, words)


@statement
def newest_titles() -> Select[Any]:
    return (
        select(articles.c.id, article_words.c.title)
        .join(article_words, article_words.c.article_id == articles.c.id)
        .where(articles.c.published == bindparam("published"))
        .order_by(articles.c.newest, articles.c.path, articles.c.source)
        .limit(bindparam("limit"))
    )


@statement
def _titles_with_ids(dialect: str) -> Select[Any]:
    columns = article_words.c
    return select(columns.article_id.label("id"), columns.title).where(
        id_in_parameter(dialect, columns.article_id, "ids")
    )


def _typed(rows: Sequence[Any], words: Sequence[str]) -> BitMap:
    return BitMap([row.id for row in rows if are_typed(words, row.title.split())])
