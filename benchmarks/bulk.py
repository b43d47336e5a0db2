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
from collections.abc import Iterable, Mapping, Set
from functools import partial
from itertools import groupby, islice
from typing import Any, Final, get_args
from zlib import crc32

import click
from pyroaring import BitMap
from sqlalchemy import Connection, Row, Table, create_engine, func, select, text, update

from app.catalog.index.groups import HEADS, IDS_IN_A_PART, IDS_IN_A_PIECE, OTHERS, GroupKind
from app.catalog.index.ranges import SET_RANGE_BITS, WORD_RANGE_BITS, joined
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
        for table in metadata.sorted_tables:
            copy.execute(table.delete())
            stored = select(table).order_by(*table.primary_key)
            count = _insert(copy, table, rows.execution_options(yield_per=_ROWS_AT_ONCE).execute(stored))
            click.echo(f"{count:>12,} {table.name}", err=True)
    with writing_engine(Settings(database_url=to).database_url).connect() as copy:
        copy.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


@bulk.command("multiply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("times", type=click.IntRange(min=2))
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
    _spread(connection, article_sets, offsets, frozenset((DAY, UPDATED_DAY, MONTH)))
    _spread_days(connection, offsets, days)
    _spread(connection, word_articles, offsets, rare)
    _add_words(connection, offsets, rare)
    renew_group_sets(connection)
    for table in (terms, term_names):
        counts = {name: table.c[name] * times for name in ("public_count", "editor_count")}
        connection.execute(update(table).values(counts))


_IN_TEXTS: Final = ("in_title", "in_excerpt", "anywhere")

# Ids and digests are turned by a character or a byte for each copy: as long and as random as before.
_ID: Final = "substr(public_id, :copy + 1) || substr(public_id, 1, :copy)"
_KEY: Final = "CAST(substr({0}, :copy + 1) || substr({0}, 1, :copy) AS BLOB)"
# Generated paths end so.
_PATH: Final = "substr(path, 1, length(path) - 3) || '-' || :copy || '.md'"
# A reference is `{"id":"` and 20 characters.
_STORY: Final = (
    "substr({0}, 1, 7) || substr({0}, 8 + :copy, 20 - :copy) || substr({0}, 8, :copy) || substr({0}, 28)"
)
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


def _days_covered(connection: Connection) -> int:
    days = sets_of_kind(connection, DAY)
    return max(days) - min(days) + 1


def _spread_days(connection: Connection, offsets: list[int], days: int) -> None:
    """The sets of days and months, each copy's so much later than the one before."""
    for kind in (DAY, UPDATED_DAY):
        spread: dict[SetKey, BitMap] = defaultdict(BitMap)
        for first_day, ids in sets_of_kind(connection, kind).items():
            for copy, offset in enumerate(offsets):
                day = first_day + copy * days
                spread[kind, day] |= ids.shift(offset)
                if kind == DAY:
                    spread[MONTH, month_number(day)] |= ids.shift(offset)
        kinds = {of_kind for of_kind, _ in spread}
        connection.execute(article_sets.delete().where(article_sets.c.kind.in_(kinds)))
        rows = [
            (of_kind, key, range_, as_bytes(piece))
            for (of_kind, key), ids in spread.items()
            for range_, piece in _pieces(ids, SET_RANGE_BITS)
        ]
        insert_tuples(connection, article_sets, ("kind", "key", "range", "article_ids"), rows)


def _rare_words(connection: Connection) -> frozenset[str]:
    counts: Counter[str] = Counter()
    for word, ids in connection.execute(select(word_articles.c.word, word_articles.c.anywhere)):
        counts[word] += len(BitMap.deserialize(ids))
    few = (word for word, count in counts.items() if count <= _MAX_RARE)
    return frozenset(word for word in few if crc32(word.encode()) % 2)


def _words_moved(rare: Set[str], words: str, copy: int) -> str:
    return " ".join([_in_copy(word, copy) if word in rare else word for word in words.split(" ")])


def _in_copy(word: str, copy: int) -> str:
    return f"{word}{chr(ord('a') + copy)}"


def _add_words(connection: Connection, offsets: list[int], rare: Set[str]) -> None:
    """The rare words as the copies have them."""
    for part in chunked(sorted(rare)):
        rows = connection.execute(
            select(word_articles).where(word_articles.c.word.in_(part)).order_by(word_articles.c.word)
        ).all()
        for copy, offset in list(enumerate(offsets))[1:]:
            for key, of_word in groupby(rows, lambda row: row.word):
                word = _in_copy(key, copy)
                same = {"word": word, "stem": stem_of(word)}
                _insert_pieces(connection, word_articles, same, list(of_word), [offset])


def _spread(connection: Connection, table: Table, offsets: list[int], but: Set[str]) -> None:
    """Each set has the same articles once for each offset; rows with the keys `but` stay."""
    keys = [column for column in table.primary_key if column.name != "range"]
    for row_key in connection.execute(select(*keys).distinct()).all():
        if row_key[0] not in but:
            is_set = [column == value for column, value in zip(keys, row_key, strict=True)]
            rows = list(connection.execute(select(table).where(*is_set)))
            connection.execute(table.delete().where(*is_set))
            same = {name: value for name, value in rows[0]._mapping.items() if isinstance(value, int | str)}
            _insert_pieces(connection, table, same, rows, offsets)
    click.echo(f"{table.name} spread", err=True)


def _insert_pieces(
    connection: Connection, table: Table, same: Mapping[str, Any], rows: list[Row[Any]], offsets: list[int]
) -> None:
    """The pieces of one set, or of a word's three, moved by each of the offsets; `same` is in all rows."""
    names, bits = (
        (("article_ids",), SET_RANGE_BITS) if table is article_sets else (_IN_TEXTS, WORD_RANGE_BITS)
    )
    pieces: dict[int, dict[str, bytes]] = defaultdict(dict)
    for name in names:
        first = joined(row._mapping[name] for row in rows)
        for range_, piece in _pieces(BitMap.union(*(first.shift(offset) for offset in offsets)), bits):
            pieces[range_][name] = as_bytes(piece)
    columns = ("range", *(key for key in same if key != "range"), *names)
    moved = [
        (range_, *(value for key, value in same.items() if key != "range"), *map(sets.get, names))
        for range_, sets in sorted(pieces.items())
    ]
    insert_tuples(connection, table, columns, moved)


def _pieces(ids: BitMap, bits: int) -> list[tuple[int, BitMap]]:
    if not ids:
        return []
    ranges = range(ids.min() >> bits, (ids.max() >> bits) + 1)
    pieces = ((range_, ids & BitMap(range(range_ << bits, range_ + 1 << bits))) for range_ in ranges)
    return [(range_, piece) for range_, piece in pieces if piece]


if __name__ == "__main__":
    bulk()
