"""Large catalogues sooner than imports make them: copies of rows, and sets with moved ids.

python -m benchmarks.bulk multiply million.db 3
python -m benchmarks.bulk copy million.db postgresql:///large

An import takes a millisecond for each article, and a copy of its rows a fifth of that. A multiplied catalogue
has the same articles again under other ids and paths, each copy with digests of URLs and with stories of its
own and later than the one before; sets, counts and words are what an import makes of these articles. Half of
the rare words are others in each copy, because words grow with the catalogue. Texts that are shown stay as
they were.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from itertools import islice
from typing import Any, Final, get_args
from zlib import crc32

import click
from pyroaring import BitMap
from sqlalchemy import Column, Connection, Row, Table, create_engine, func, select, text, update

from app.catalog.index.groups import HEADS, IDS_IN_A_PART, IDS_IN_A_PIECE, OTHERS, GroupKind
from app.catalog.index.ranges import SET_RANGE_BITS, WORD_RANGE_BITS
from app.catalog.index.sets import DAY, MONTH, UPDATED_DAY, SetKey, as_bytes, month_number, sets_of_kind
from app.catalog.search_language import stem_of
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import (
    article_groups,
    article_sets,
    article_terms,
    article_urls,
    article_words,
    articles,
    changes,
    contents,
    documents,
    link_urls,
    links,
    metadata,
    related_links,
    stories,
    term_names,
    term_repeats,
    terms,
    word_articles,
)
from app.database.engines import exclusive, writing_engine
from app.database.rows import chunked, insert_tuples
from app.importer.serialise import as_json
from app.migrate import upgrade
from app.settings import Settings

_ROWS_AT_ONCE: Final = 5_000
_NUMBER_BYTES: Final = 4
_DAY_SECONDS: Final = 86_400
# Most words are rare: half of those that so few articles have make as many new words as larger trees have.
_MAX_RARE: Final = 10
# Rows are copies of such as refer to others that are there, so nothing looks that up again.
_NO_FOREIGN_KEYS: Final = "SET LOCAL session_replication_role = replica"
_SORT_MEMORY: Final = "SET LOCAL maintenance_work_mem = '1GB'"
# Nobody reads the file meanwhile, and a copy that fails is begun again: no log, and a large cache.
_IN_A_HURRY: Final = (
    *("foreign_keys = OFF", "journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"),
    "cache_size = -1500000",
)


@click.group()
def bulk() -> None:
    """Make large catalogues of smaller ones."""


@bulk.command("copy")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("to", metavar="URL")
def _copy(file: str, to: str) -> None:
    """The SQLite catalogue in FILE, row by row, in an empty database of PostgreSQL."""
    with (
        create_engine(f"sqlite:///{file}").connect() as rows,
        exclusive(writing_engine(Settings(database_url=to).database_url)) as copy,
    ):
        upgrade(copy)
        if copy.scalar(select(func.count()).select_from(articles)):
            raise click.UsageError("the database has articles already; name a new one")
        copy.execute(text(_NO_FOREIGN_KEYS))
        copy.execute(text(_SORT_MEMORY))
        indexes = [index for table in metadata.sorted_tables for index in table.indexes]
        for index in indexes:
            index.drop(copy)
        for table in metadata.sorted_tables:
            copy.execute(table.delete())
            stored = select(table).order_by(*_order_of_imports(table))
            count = _insert(copy, table, rows.execution_options(yield_per=_ROWS_AT_ONCE).execute(stored))
            click.echo(f"{count:>12,} {table.name}", err=True)
        # Sorting all entries of an index takes a fraction of placing each of them.
        for index in indexes:
            index.create(copy)
    with writing_engine(Settings(database_url=to).database_url).connect() as copy:
        copy.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


@bulk.command("multiply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("times", type=click.IntRange(2, 16))
def _multiply(file: str, times: int) -> None:
    """The SQLite catalogue in FILE, TIMES as large."""
    with create_engine(f"sqlite:///{file}").connect() as connection:
        for pragma in _IN_A_HURRY:
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        multiply(connection, times)
        connection.commit()
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def multiply(connection: Connection, times: int) -> None:
    """What stands for all articles, sets and counts, comes last: the copies are made of the first ones."""
    largest = connection.scalar(select(func.max(documents.c.id))) or 0
    first_links = connection.scalar(select(func.max(links.c.id))) or 0
    # A row of groups holds the numbers of so many ids, so a copy begins at the beginning of one.
    apart = -(-(largest + 1) // IDS_IN_A_PART) * IDS_IN_A_PART
    driver: Any = connection.connection.driver_connection
    driver.create_function("ids_moved", 2, _ids_moved, deterministic=True)
    driver.create_function("digest_moved", 2, _digest_moved, deterministic=True)
    driver.create_function("numbers_moved", 2, _numbers_moved, deterministic=True)
    rare = _rare_words(connection)
    days = _days_covered(connection)
    driver.create_function("words_moved", 2, partial(_words_moved, rare), deterministic=True)
    for copy in range(1, times):
        values = {"ids": copy * apart, "link_ids": copy * (first_links + 1)}
        values |= {"largest": largest, "links": first_links, "copy": copy, "parts": IDS_IN_A_PART}
        values |= {"seconds": copy * days * _DAY_SECONDS, "unknown": UNKNOWN}
        for table, (limit, changed) in _MOVED.items():
            columns = [f'"{column.name}"' for column in table.columns]
            moved = [changed.get(column.name, f'"{column.name}"') for column in table.columns]
            order = ", ".join(f'"{column.name}"' for column in table.primary_key)
            # The names are of our own tables, and nothing comes from outside.
            insert = f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {', '.join(moved)}"
            statement = f"{insert} FROM {table.name} WHERE {limit} ORDER BY {order}"
            count = driver.execute(statement, values).rowcount
            click.echo(f"{count:>12,} {table.name}, copy {copy}", err=True)
    offsets = [copy * apart for copy in range(times)]
    _spread_sets(connection, offsets, days)
    _spread_words(connection, offsets, rare)
    lay_by_range(connection)
    renew_group_sets(connection)
    connection.execute(update(term_repeats).values(repeats=term_repeats.c.repeats * times))
    for table in (terms, term_names):
        counts = {name: table.c[name] * times for name in ("public_count", "editor_count")}
        connection.execute(update(table).values(counts))


_IN_TEXTS: Final = ("in_title", "in_excerpt", "anywhere")

# Two characters of an id are others in each copy: as long and as random as before. Ids are written in letters
# and 2 to 7, so these characters make new ones. Where they stand differs by the size of what is multiplied,
# for copies of copies.
_MARKS: Final = "0189"
_MARK: Final = f"substr('{_MARKS}', :copy / 4 + 1, 1) || substr('{_MARKS}', :copy % 4 + 1, 1)"
_PLACE: Final = "(:largest % 17)"
_ID: Final = f"substr(public_id, 1, {_PLACE}) || {_MARK} || substr(public_id, {_PLACE} + 3)"
_KEY: Final = "digest_moved({0}, :copy * (:largest + 1))"
# Generated paths end so.
_PATH: Final = "substr(path, 1, length(path) - 3) || '-' || :largest || '-' || :copy || '.md'"
# A reference is `{"id":"` and 20 characters.
_STORY: Final = f"substr({{0}}, 1, 7 + {_PLACE}) || {_MARK} || substr({{0}}, 10 + {_PLACE})"
_ITEM: Final = (
    f"""replace(replace(item, '"id":"' || public_id || '"', '"id":"' || {_ID} || '"'),"""
    f""" '"path":"' || path || '"', '"path":"' || {_PATH} || '"')"""
)
_LATER: Final = "CASE {0} WHEN :unknown THEN {0} ELSE {0} {1} :seconds END"
_OF_ARTICLE: Final = {"article_id": "article_id + :ids"}
_OF_FIRST: Final = "article_id <= :largest"

# Which rows are of the first articles, and what a copy has instead in which columns. What others refer to
# come first.
_MOVED: Final[Mapping[Table, tuple[str, Mapping[str, str]]]] = {
    documents: ("id <= :largest", {"id": "id + :ids", "path": _PATH}),
    changes: (
        "public_id IN (SELECT public_id FROM articles WHERE id <= :largest)",
        {"public_id": _ID},
    ),
    articles: (
        "id <= :largest",
        {
            **{"id": "id + :ids", "public_id": _ID, "path": _PATH, "item": _ITEM},
            **{name: _STORY.format(name) for name in ("public_story", "editor_story")},
            **{name: _LATER.format(name, "-") for name in ("newest", "newest_updated")},
            **{name: _LATER.format(name, "+") for name in ("oldest", "oldest_updated")},
        },
    ),
    contents: (_OF_FIRST, _OF_ARTICLE),
    article_words: (
        _OF_FIRST,
        {
            **_OF_ARTICLE,
            **{name: f"words_moved({name}, :copy)" for name in ("title", "excerpt", "content")},
        },
    ),
    article_urls: (_OF_FIRST, {**_OF_ARTICLE, "url_key": _KEY.format("url_key")}),
    links: (
        "id <= :links",
        {
            **{"id": "id + :link_ids", "value_hash": _KEY.format("value_hash")},
            **{"target_article_id": "target_article_id + :ids", "time": "time + :seconds"},
        },
    ),
    link_urls: (
        "link_id <= :links",
        {"link_id": "link_id + :link_ids", "url_key": _KEY.format("url_key")},
    ),
    related_links: (_OF_FIRST, {**_OF_ARTICLE, "link_id": "link_id + :link_ids"}),
    article_terms: (
        _OF_FIRST,
        {**_OF_ARTICLE, "path": _PATH, "newest": _LATER.format("newest", "-")},
    ),
    stories: (
        "lead_id <= :largest",
        {
            **{"lead_id": "lead_id + :ids", "public_id": _ID},
            **{"article_ids": "ids_moved(article_ids, :ids)", "newest": _LATER.format("newest", "-")},
            **{"first_time": "first_time + :seconds", "last_time": "last_time + :seconds"},
        },
    ),
    article_groups: (
        "part <= :largest / :parts AND kind IN ('public_story', 'editor_story', 'page')",
        {"part": "part + :ids / :parts", "numbers": "numbers_moved(numbers, :ids)"},
    ),
}


def _digest_moved(digest: bytes, by: int) -> bytes:
    return (int.from_bytes(digest, "big") ^ by << 64).to_bytes(len(digest), "big")


def _ids_moved(article_ids: str, apart: int) -> str:
    return as_json([id_ + apart for id_ in json.loads(article_ids)])


def _numbers_moved(numbers: bytes, apart: int) -> bytes:
    moved = [number and number + apart for number in memoryview(numbers).cast("I")]
    return b"".join(number.to_bytes(_NUMBER_BYTES, "little") for number in moved)


def _insert(connection: Connection, table: Table, rows: Iterable[Row[Any]]) -> int:
    columns = tuple(column.name for column in table.columns)
    count = 0
    iterator = iter(rows)
    while part := list(islice(iterator, _ROWS_AT_ONCE)):
        insert_tuples(connection, table, columns, part)
        count += len(part)
    return count


def renew_group_sets(connection: Connection) -> None:
    """The sets of heads and of other members, as the numbers say."""
    for kind in get_args(GroupKind):
        rows = select(article_groups.c.part, article_groups.c.numbers).where(article_groups.c.kind == kind)
        sets: dict[tuple[str, int], BitMap] = defaultdict(BitMap)
        for part, numbers in connection.execute(rows).all():
            for id_, number in enumerate(memoryview(numbers).cast("I"), part * IDS_IN_A_PART):
                if number:
                    of_kind = HEADS[kind] if number == id_ else OTHERS[kind]
                    sets[of_kind, id_ // IDS_IN_A_PIECE].add(id_)
        is_old = article_groups.c.kind.in_((HEADS[kind], OTHERS[kind]))
        connection.execute(article_groups.delete().where(is_old))
        renewed = [(of_kind, piece, as_bytes(ids)) for (of_kind, piece), ids in sets.items()]
        insert_tuples(connection, article_groups, ("kind", "part", "numbers"), renewed)


def lay_by_range(connection: Connection) -> None:
    """The rows of sets in the order in which imports make them.

    The pieces of one word would else stand side by side, and an import would write a page for each word.
    """
    for table in (article_sets, word_articles):
        # The names are of our own tables, and nothing comes from outside.
        connection.exec_driver_sql(f"CREATE TEMP TABLE laid AS SELECT * FROM {table.name}")  # noqa: S608
        order = ", ".join(f'"{column.name}"' for column in _order_of_imports(table))
        connection.execute(table.delete())
        connection.exec_driver_sql(f"INSERT INTO {table.name} SELECT * FROM laid ORDER BY {order}")  # noqa: S608
        connection.exec_driver_sql("DROP TABLE laid")


def _order_of_imports(table: Table) -> list[Column[Any]]:
    """That of the key, but one range after the other: an import begins one when the last is full."""
    return sorted(table.primary_key, key=lambda column: column.name != "range")


def _days_covered(connection: Connection) -> int:
    days = sets_of_kind(connection, DAY)
    return max(days) - min(days) + 1


def _spread_sets(connection: Connection, offsets: list[int], days: int) -> None:
    """The sets of all articles, of days and months so much later for each copy."""
    for kind in connection.scalars(select(article_sets.c.kind).distinct()).all():
        if kind == MONTH:
            continue
        spread: dict[SetKey, BitMap] = defaultdict(BitMap)
        for key, ids in sets_of_kind(connection, kind).items():
            for copy, offset in enumerate(offsets):
                later = key + copy * days if kind in (DAY, UPDATED_DAY) else key
                spread[kind, later] |= ids.shift(offset)
                if kind == DAY:
                    spread[MONTH, month_number(later)] |= ids.shift(offset)
        kinds = {of_kind for of_kind, _ in spread}
        connection.execute(article_sets.delete().where(article_sets.c.kind.in_(kinds)))
        rows = [
            (of_kind, key, range_, as_bytes(piece))
            for (of_kind, key), ids in spread.items()
            for range_, piece in _pieces(ids, SET_RANGE_BITS)
        ]
        insert_tuples(connection, article_sets, ("kind", "key", "range", "article_ids"), rows)
    click.echo("article_sets spread", err=True)


def _pieces(ids: BitMap, range_bits: int) -> Iterator[tuple[int, BitMap]]:
    for range_ in range(ids.min() >> range_bits, (ids.max() >> range_bits) + 1):
        first = range_ << range_bits
        if piece := ids & BitMap(range(first, first + (1 << range_bits))):
            yield range_, piece


def _rare_words(connection: Connection) -> frozenset[str]:
    counts = Counter[str]()
    for word, piece in connection.execute(select(word_articles.c.word, word_articles.c.anywhere)):
        counts[word] += len(BitMap.deserialize(piece))
    few = (word for word, count in counts.items() if count <= _MAX_RARE)
    return frozenset(word for word in few if crc32(word.encode()) % 2)


def _words_moved(rare: Set[str], words: str, copy: int) -> str:
    return " ".join([_in_copy(word, copy) if word in rare else word for word in words.split(" ")])


def _in_copy(word: str, copy: int) -> str:
    return f"{word}{chr(ord('a') + copy)}"


def _spread_words(connection: Connection, offsets: list[int], rare: Set[str]) -> None:
    """The sets of words, which are others in each copy where they are rare."""
    stored = connection.scalars(select(word_articles.c.word).distinct().order_by(word_articles.c.word)).all()
    for words in chunked(stored):
        spread: dict[str, list[BitMap]] = defaultdict(lambda: [BitMap() for _ in _IN_TEXTS])
        is_one = word_articles.c.word.in_(words)
        pieces = select(word_articles.c.word, *(word_articles.c[name] for name in _IN_TEXTS)).where(is_one)
        for word, *in_texts in connection.execute(pieces).all():
            for copy, offset in enumerate(offsets):
                sets = spread[_in_copy(word, copy) if copy and word in rare else word]
                for place, piece in enumerate(in_texts):
                    if piece:
                        sets[place] |= BitMap.deserialize(piece).shift(offset)
        connection.execute(word_articles.delete().where(is_one))
        rows = [
            (word, range_, stem_of(word), *in_pieces)
            for word, sets in spread.items()
            for range_, in_pieces in _pieces_of_word(sets)
        ]
        insert_tuples(connection, word_articles, ("word", "range", "stem", *_IN_TEXTS), rows)
    click.echo("word_articles spread", err=True)


def _pieces_of_word(sets: Sequence[BitMap]) -> Iterator[tuple[int, list[bytes | None]]]:
    *in_parts, anywhere = [dict(_pieces(ids, WORD_RANGE_BITS)) if ids else {} for ids in sets]
    for range_, piece in anywhere.items():
        parts = [as_bytes(part[range_]) if range_ in part else None for part in in_parts]
        yield range_, [*parts, as_bytes(piece)]


if __name__ == "__main__":
    bulk()
