"""The full-text index, which the two databases keep in their own ways and fill with our words alone.

SQLite has an FTS5 table of three columns, PostgreSQL a tsvector whose weights A, B and C stand for them. Both
see the same words at the same places, so they find the same articles.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate, chain
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
    case,
    cast,
    column,
    delete,
    false,
    literal,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from app.catalog.tables import articles
from app.catalog.words import MOST_WORDS, Search, Term, stem_of, without_markup, words_of
from app.database import in_parts, write_rows

# Of one word a tsvector knows 256 places; what is beyond is left out on both databases.
MOST_PLACES_OF_A_WORD: Final = 255
# A tsvector has at most 1 MB of words, of stems, which are as long, and of 4 bytes for a place of either.
MOST_WORD_BYTES: Final = 400_000
# Between two fields, so that no phrase begins in one and ends in the next.
_GAP: Final = 10
# Keeps the place where a word is left out; no word is spelled so.
_NO_WORD: Final = "="
# Who asks for more words than this has said enough to find the best.
_GROUPS_RANKED: Final = 6

_FIELDS: Final = ("title", "excerpt", "content")
_POINTS: Final = (4, 2)

# Not among the tables of the catalogue: each database has a search of its own kind.
_postgresql = Table("search", MetaData(), Column("article_id", BigInteger), Column("words", TSVECTOR))
_sqlite = Table("search", MetaData(), Column("rowid", BigInteger), *(Column(name, Text) for name in _FIELDS))
_fts = table("search", column("rowid", BigInteger), column("search", Text))


@dataclass(frozen=True, slots=True)
class _Places:
    """The words of each field, _NO_WORD where one is left out, and its stems."""

    words: Sequence[Sequence[str]]
    stems: Sequence[Sequence[str]]


def write_search(connection: Connection, texts: Iterable[tuple[int, str, str | None, str]]) -> None:
    """Rows of article id, title, excerpt and content. Of these only the content may be HTML."""
    found = [
        (article_id, _places((title, excerpt or "", without_markup(content))))
        for article_id, title, excerpt, content in texts
    ]
    if connection.dialect.name == "postgresql":
        write_rows(connection, _postgresql, [(article_id, _tsvector(places)) for article_id, places in found])
    else:
        write_rows(connection, _sqlite, [(article_id, *_fts5(places)) for article_id, places in found])


def delete_search(connection: Connection, article_ids: Sequence[int]) -> None:
    """PostgreSQL's rows go with their articles; a virtual table has no foreign keys."""
    if connection.dialect.name == "sqlite":
        for part in in_parts(article_ids):
            connection.execute(delete(_sqlite).where(_sqlite.c.rowid.in_(part)))


def is_found(dialect: str, search: Search) -> ColumnElement[bool]:
    """A condition on `articles`."""
    if search.all_of:
        return articles.c.id.in_(_found(dialect, search.all_of, search.none_of))
    if search.none_of:
        return articles.c.id.not_in(_found(dialect, (search.none_of,), ()))
    return false()


def relevance(dialect: str, search: Search) -> ColumnElement[int]:
    """The more negative the better: what stands in a title counts most, then in an excerpt."""
    points: ColumnElement[int] = literal(0)
    for group in search.all_of[:_GROUPS_RANKED]:
        in_fields = [
            (articles.c.id.in_(_found(dialect, (group,), (), field)), point)
            for field, point in enumerate(_POINTS)
        ]
        points = points - case(*in_fields, else_=1)
    return points


def _found(
    dialect: str, all_of: Sequence[Sequence[Term]], none_of: Sequence[Term], field: int | None = None
) -> Select[Any]:
    if dialect == "postgresql":
        weight = "" if field is None else "ABC"[field]
        parts = [" | ".join(_tsquery(term, weight) for term in group) for group in all_of]
        query = " & ".join(f"({part})" for part in parts)
        query += "".join(f" & !({_tsquery(term, weight)})" for term in none_of)
        return select(_postgresql.c.article_id).where(_postgresql.c.words.op("@@")(cast(query, TSQUERY)))
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
        return f"{_quoted('=' + stem_of(last))}:{weight}" if weight else _quoted("=" + stem_of(last))
    marks = ("*" if term.begins else "") + weight
    lexemes = [_quoted(word) + (f":{weight}" if weight else "") for word in before]
    lexemes.append(_quoted(last) + (f":{marks}" if marks else ""))
    return "(" + " <-> ".join(lexemes) + ")"


def _fts5_query(term: Term) -> str:
    if len(term.words) == 1 and not term.begins:
        return f'"={stem_of(term.words[0])}"'
    return '"' + " ".join(term.words) + '"' + ("*" if term.begins else "")


def _places(fields: Sequence[str]) -> _Places:
    words = _within_limits([words_of(text) for text in fields])
    stems = tuple(tuple(dict.fromkeys(map(stem_of, dict.fromkeys(in_field)))) for in_field in words)
    often = {word for word, count in Counter(chain(*words)).items() if count > MOST_PLACES_OF_A_WORD}
    return _Places(_less_often(words, often) if often else words, stems)


def _within_limits(fields: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    left, left_bytes = MOST_WORDS, MOST_WORD_BYTES
    within = []
    for words in fields:
        cut = words[:left]
        if _size(cut) > left_bytes:
            cut = cut[: bisect_right(list(accumulate(_size([word]) for word in cut)), left_bytes)]
        left, left_bytes = left - len(cut), left_bytes - _size(cut)
        within.append(cut)
    return within


def _size(words: Sequence[str]) -> int:
    return len("".join(words).encode())


def _less_often(fields: Sequence[Sequence[str]], often: Set[str]) -> Sequence[Sequence[str]]:
    places_left = dict.fromkeys(often, MOST_PLACES_OF_A_WORD)

    def kept(word: str) -> str:
        if word not in often:
            return word
        places_left[word] -= 1
        return word if places_left[word] >= 0 else _NO_WORD

    return [[kept(word) for word in words] for words in fields]


def _fts5(places: _Places) -> Iterator[str]:
    for words, stems in zip(places.words, places.stems, strict=True):
        yield " ".join([*words, *(f"={stem}" for stem in stems)])


def _tsvector(places: _Places) -> str:
    found: dict[str, list[str]] = {}
    place = 0
    for weight, words, stems in zip("ABC", places.words, places.stems, strict=True):
        for word in words:
            place += 1
            if word != _NO_WORD:
                found.setdefault(word, []).append(f"{place}{weight}")
        place += _GAP
        for stem in stems:
            # A place only to carry the weight: no phrase is made of stems.
            found.setdefault(f"={stem}", []).append(f"{len(found.get(f'={stem}', ())) + 1}{weight}")
    return " ".join(f"{_quoted(word)}:{','.join(at)}" for word, at in found.items())


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
