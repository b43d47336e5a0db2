"""The terms articles are filed under, in memory while an import moves their names and counts."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, func, select, update

from app.catalog.name_words import NAMED_FIELDS, TERM_KEY, is_called_by_key
from app.catalog.tables import term_names, terms
from app.database.rows import chunked, insert_rows
from app.importer.tables import name_words
from app.importer.tables.name_words import TermName
from app.names import fold_of_document as fold

_CHANGING_OF_NAMES: Final = ("term_id", "described", "public_count", "editor_count")
_CHANGING_OF_TERMS: Final = ("described", "public_name", "editor_name", "public_count", "editor_count")


class NameSource(IntEnum):
    """Who gives a name to a term. The numbers are stored in every catalogue: never renumber, only add."""

    ARTICLES = 0
    DOCUMENT = 1  # as another name
    DOCUMENT_TITLE = 2  # as the name to show


@dataclass(slots=True)
class Name:
    id: int
    term_id: int
    field: str
    name: str
    folded: str
    described: int = NameSource.ARTICLES
    public_count: int = 0
    editor_count: int = 0
    stored: tuple[object, ...] | None = None

    def changing(self) -> tuple[object, ...]:
        return tuple(getattr(self, column) for column in _CHANGING_OF_NAMES)


@dataclass(slots=True)
class Term:
    id: int
    field: str
    by_name: int
    key: str
    described: int = 0
    public_name: str | None = None
    editor_name: str | None = None
    public_count: int = 0
    editor_count: int = 0
    names: dict[str, Name] = dataclasses.field(default_factory=dict)
    stored: tuple[object, ...] | None = None

    def changing(self) -> tuple[object, ...]:
        return tuple(getattr(self, column) for column in _CHANGING_OF_TERMS)


class Terms:
    """Only terms that were loaded, or made here, may be asked for: load first what the import touches."""

    def __init__(self, connection: Connection) -> None:
        self._terms: dict[tuple[str, int, str], Term] = {}
        self._by_id: dict[int, Term] = {}
        self._names: dict[int, Name] = {}
        self._loaded_keys: dict[str, set[str]] = {}
        self._moved: list[tuple[int, Name]] = []
        self._next_term = (connection.scalar(select(func.max(terms.c.id))) or 0) + 1
        self._next_name = (connection.scalar(select(func.max(term_names.c.id))) or 0) + 1

    def load(self, connection: Connection, condition: ColumnElement[bool]) -> None:
        self._keep(connection, connection.execute(select(terms).where(condition)).all())

    def load_keys(self, connection: Connection, of_field: str, keys: Iterable[str]) -> None:
        loaded = self._loaded_keys.setdefault(of_field, set())
        new_keys = {fold(key) for key in keys} - loaded
        loaded |= new_keys
        for part in chunked(sorted(new_keys)):
            self.load(connection, (terms.c.field == of_field) & terms.c.folded_key.in_(part))

    def load_ids(self, connection: Connection, ids: Iterable[int]) -> None:
        for part in chunked(sorted(set(ids) - self._by_id.keys())):
            self.load(connection, terms.c.id.in_(part))

    def all(self, of_field: str) -> list[Term]:
        return [term for term in self._by_id.values() if term.field == of_field]

    def term(self, of_field: str, by_name: int, key: str) -> Term:
        term = self._terms.get((of_field, by_name, key))
        if term is None:
            term = Term(self._next_term, of_field, by_name, key)
            self._terms[of_field, by_name, key] = self._by_id[term.id] = term
            self._next_term += 1
        return term

    def field(self, term_id: int) -> str:
        return self._by_id[term_id].field

    def name_and_key(self, term_id: int, name_id: int | None) -> tuple[str, str]:
        """How an article calls the term, and the key that the catalogue knows it by: a topic's is its id."""
        term = self._by_id[term_id]
        return (term.key if name_id is None else self._names[name_id].name), term.key

    def name(self, term: Term, spelling: str) -> Name:
        name = term.names.get(spelling)
        if name is None:
            name = Name(self._next_name, term.id, term.field, spelling, fold(spelling))
            term.names[spelling] = self._names[name.id] = name
            self._next_name += 1
        return name

    def move(self, name: Name, term: Term) -> None:
        """A stored name moves to another term, and at most once."""
        self._moved.append((name.term_id, name))
        del self._by_id[name.term_id].names[name.name]
        name.term_id = term.id
        term.names[name.name] = name

    def count(self, term_id: int, name_id: int | None, published: int, by: int) -> None:
        counted: list[Term | Name] = [self._by_id[term_id]]
        if name_id is not None:
            counted.append(self._names[name_id])
        for term_or_name in counted:
            term_or_name.editor_count += by
            term_or_name.public_count += by * published

    def insert_new(self, connection: Connection) -> None:
        """Rows may refer to them from now on; `write` corrects their counts when all is counted."""
        new_terms = [term for term in self._by_id.values() if term.stored is None]
        new_names = [name for name in self._names.values() if name.stored is None]
        for term in new_terms:
            _choose_names(term)
        insert_rows(
            connection,
            terms,
            [
                {
                    "id": term.id,
                    "field": term.field,
                    "by_name": term.by_name,
                    "key": term.key,
                    "folded_key": fold(term.key),
                    **dict(zip(_CHANGING_OF_TERMS, term.changing(), strict=True)),
                }
                for term in new_terms
            ],
        )
        insert_rows(
            connection,
            term_names,
            [
                {
                    "id": name.id,
                    "field": name.field,
                    "name": name.name,
                    "folded": name.folded,
                    **dict(zip(_CHANGING_OF_NAMES, name.changing(), strict=True)),
                }
                for name in new_names
            ],
        )
        name_words.add(
            connection,
            [
                *(
                    TermName(term.field, term.id, TERM_KEY, term.key)
                    for term in new_terms
                    if is_called_by_key(term.field, term.by_name)
                ),
                *(
                    TermName(name.field, name.term_id, name.id, name.name)
                    for name in new_names
                    if name.field in NAMED_FIELDS
                ),
            ],
        )
        inserted: list[Term | Name] = [*new_terms, *new_names]
        for row in inserted:
            row.stored = row.changing()

    def write(self, connection: Connection) -> None:
        self.insert_new(connection)
        for term in self._by_id.values():
            _choose_names(term)
        _update(connection, terms, self._by_id.values(), _CHANGING_OF_TERMS)
        _update(connection, term_names, self._names.values(), _CHANGING_OF_NAMES)
        name_words.move(
            connection,
            [
                (before, TermName(name.field, name.term_id, name.id, name.name))
                for before, name in self._moved
            ],
        )

    def _keep(self, connection: Connection, rows: Sequence[Row[Any]]) -> None:
        loaded = {}
        for row in rows:
            if row.id not in self._by_id:
                changing = (getattr(row, column) for column in _CHANGING_OF_TERMS)
                term = Term(row.id, row.field, row.by_name, row.key, *changing)
                term.stored = term.changing()
                self._terms[term.field, term.by_name, term.key] = self._by_id[term.id] = loaded[term.id] = (
                    term
                )
        for part in chunked(sorted(loaded)):
            for row in connection.execute(select(term_names).where(term_names.c.term_id.in_(part))):
                name = Name(row.id, row.term_id, row.field, row.name, row.folded)
                name.described, name.public_count, name.editor_count = (
                    row.described,
                    row.public_count,
                    row.editor_count,
                )
                name.stored = name.changing()
                loaded[name.term_id].names[name.name] = self._names[name.id] = name


def _update(
    connection: Connection, table: Table, kept: Iterable[Term | Name], columns: tuple[str, ...]
) -> None:
    changed = [row for row in kept if row.stored != row.changing()]
    if changed:
        connection.execute(
            update(table).where(table.c.id == bindparam("stored_id")),
            [{"stored_id": row.id, **dict(zip(columns, row.changing(), strict=True))} for row in changed],
        )


def _choose_names(term: Term) -> None:
    term.public_name, term.editor_name = _shown(term, "public_count"), _shown(term, "editor_count")


def _shown(term: Term, count: str) -> str | None:
    """The name its document gives, else the most frequent spelling among those the reader may see."""

    def rank(name: Name) -> tuple[bool, int, str]:
        return name.described != NameSource.DOCUMENT_TITLE, -getattr(name, count), name.name

    seen = (name for name in term.names.values() if name.described or getattr(name, count) > 0)
    return next((name.name for name in sorted(seen, key=rank)), None)
