"""The words of terms' names, for the fields whose names are searched. Neither a term nor a name ever goes."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from app.catalog.name_words import NAMED_FIELDS, TERM_KEY, is_called_by_key, rows_of_name, words_of_name
from app.catalog.tables import name_words, term_names, terms
from app.database.rows import chunked, insert_tuples

_COLUMNS: Final = ("field", "word", "term_id", "name_id", "stem")
# The words of so many names are sorted by the table's key, which fills its pages best, and written together.
_NAMES_AT_ONCE: Final = 20_000


class TermName(NamedTuple):
    """A name of a term; `name_id` is TERM_KEY where it is the term's own key."""

    field: str
    term_id: int
    name_id: int
    name: str


def add(connection: Connection, names: Iterable[TermName]) -> None:
    rows = sorted(row for name in names for row in rows_of_name(*name))
    insert_tuples(connection, name_words, _COLUMNS, rows)


def move(connection: Connection, names: Iterable[tuple[int, TermName]]) -> None:
    """Names that are given to another term, each with the id of the term that it was of."""
    moved = [
        {
            "moved_field": name.field,
            "moved_word": word,
            "moved_from": term_id,
            "moved_name": name.name_id,
            "moved_to": name.term_id,
        }
        for term_id, name in names
        for word in dict.fromkeys(words_of_name(name.name))
    ]
    if moved:
        columns = name_words.c
        connection.execute(
            update(name_words)
            .where(
                columns.field == bindparam("moved_field"),
                columns.word == bindparam("moved_word"),
                columns.term_id == bindparam("moved_from"),
                columns.name_id == bindparam("moved_name"),
            )
            .values(term_id=bindparam("moved_to")),
            moved,
        )


def renew(connection: Connection) -> None:
    """Writes the words of all names, whatever was stored of them."""
    connection.execute(delete(name_words))
    keys = connection.execute(select(terms.c.id, terms.c.field, terms.c.by_name, terms.c.key)).all()
    names = connection.execute(
        select(term_names.c.field, term_names.c.term_id, term_names.c.id, term_names.c.name).where(
            term_names.c.field.in_(NAMED_FIELDS)
        )
    ).all()
    called = [
        TermName(row.field, row.id, TERM_KEY, row.key)
        for row in keys
        if is_called_by_key(row.field, row.by_name)
    ]
    for batch in chunked([*called, *(TermName(*row) for row in names)], _NAMES_AT_ONCE):
        add(connection, batch)
