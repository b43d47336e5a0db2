"""The full-text index, which the two databases keep in their own ways and fill with our words alone.

SQLite has an FTS5 table of three columns, PostgreSQL a tsvector whose weights A, B and C stand for them. Both
see the same words at the same places, so they find the same articles.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    delete,
    false,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from app.catalog.search_rows import quoted
from app.catalog.tables import articles
from app.catalog.words import Search, Term, stem_of
from app.database import in_parts, write_rows

# Who asks for more words than this has said enough to find the best.
_GROUPS_RANKED: Final = 6

_FIELDS: Final = ("title", "excerpt", "content")
_POINTS: Final = (4, 2)
POINTS_ELSEWHERE: Final = 1

# Not among the tables of the catalogue: each database has a search of its own kind.
_postgresql = Table("search", MetaData(), Column("article_id", BigInteger), Column("words", TSVECTOR))
_sqlite = Table("search", MetaData(), Column("rowid", BigInteger), *(Column(name, Text) for name in _FIELDS))
_fts = table("search", column("rowid", BigInteger), column("search", Text))


def write_search(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Those of search_rows."""
    write_rows(connection, _postgresql if connection.dialect.name == "postgresql" else _sqlite, rows)


def delete_search(connection: Connection, article_ids: Sequence[int]) -> None:
    """PostgreSQL's rows go with their articles; a virtual table has no foreign keys."""
    if connection.dialect.name == "sqlite":
        for part in in_parts(article_ids):
            connection.execute(delete(_sqlite).where(_sqlite.c.rowid.in_(part)))


def found_ids(dialect: str, search: Search) -> tuple[bool, Select[Any]]:
    """Ids of the articles that are found, or, with False, of those that are not."""
    if search.all_of:
        return True, _found(dialect, search.all_of, search.none_of)
    if search.none_of:
        return False, _found(dialect, (search.none_of,), ())
    return True, select(articles.c.id).where(false())


def ranked_groups(dialect: str, search: Search) -> Iterator[tuple[tuple[Select[Any], int], ...]]:
    """Of each group: ids of the articles that have it in their title, in their excerpt, with its points.

    Elsewhere it counts POINTS_ELSEWHERE.
    """
    for group in search.all_of[:_GROUPS_RANKED]:
        yield tuple((_found(dialect, (group,), (), field), points) for field, points in enumerate(_POINTS))


def _found(
    dialect: str, all_of: Sequence[Sequence[Term]], none_of: Sequence[Term], field: int | None = None
) -> Select[Any]:
    if dialect == "postgresql":
        weight = "" if field is None else "ABC"[field]
        parts = [" | ".join(_tsquery(term, weight) for term in group) for group in all_of]
        query = " & ".join(f"({part})" for part in parts)
        query += "".join(f" & !({_tsquery(term, weight)})" for term in none_of)
        # Of these words, not of any: a plan for any takes twice the time.
        these: ColumnElement[str] = bindparam(None, query, literal_execute=True)
        return select(_postgresql.c.article_id).where(_postgresql.c.words.op("@@")(cast(these, TSQUERY)))
    parts = [" OR ".join(map(_fts5_query, group)) for group in all_of]
    query = " AND ".join(f"({part})" for part in parts)
    if none_of:
        query = f"({query}) NOT ({' OR '.join(map(_fts5_query, none_of))})"
    if field is not None:
        query = f"{{{_FIELDS[field]}}} : ({query})"
    return select(_fts.c.rowid).where(_fts.c.search.op("MATCH")(query))


def _tsquery(term: Term, weight: str) -> str:
    *before, last = term.words
    if not before and not term.begins:
        return f"{quoted('=' + stem_of(last))}:{weight}" if weight else quoted("=" + stem_of(last))
    marks = ("*" if term.begins else "") + weight
    lexemes = [quoted(word) + (f":{weight}" if weight else "") for word in before]
    lexemes.append(quoted(last) + (f":{marks}" if marks else ""))
    return "(" + " <-> ".join(lexemes) + ")"


def _fts5_query(term: Term) -> str:
    if len(term.words) == 1 and not term.begins:
        return f'"={stem_of(term.words[0])}"'
    return '"' + " ".join(term.words) + '"' + ("*" if term.begins else "")
