"""The terms articles are filed under, in memory while an import moves their names and counts."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, func, select, update

from app.catalog.fields import Has
from app.catalog.index.sets import HAS, SetChanges, SetKey
from app.catalog.tables import term_names, terms
from app.database import in_parts, insert_rows
from app.names import fold_of_document as fold

# As what a document gives a name: not at all, as one more, or as the one to show.
USED, ALSO, SHOWN = 0, 1, 2


_NAME_UPDATE = ("term_id", "described", "public_count", "editor_count")


_TERM_UPDATE = ("described", "public_name", "editor_name", "public_count", "editor_count")


@dataclass(slots=True)
class Name:
    id: int
    term_id: int
    field: str
    name: str
    folded: str
    described: int = USED
    public_count: int = 0
    editor_count: int = 0
    stored: tuple[object, ...] | None = None

    def changing(self) -> tuple[object, ...]:
        return tuple(getattr(self, column) for column in _NAME_UPDATE)


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
        return tuple(getattr(self, column) for column in _TERM_UPDATE)


class Filing:
    """Only terms that were loaded, or made here, may be asked for: load() first what the import touches."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._terms: dict[tuple[str, int, str], Term] = {}
        self._by_id: dict[int, Term] = {}
        self._names: dict[int, Name] = {}
        self.sets = SetChanges()
        self._next_term = (connection.scalar(select(func.max(terms.c.id))) or 0) + 1
        self._next_name = (connection.scalar(select(func.max(term_names.c.id))) or 0) + 1

    def load(self, condition: ColumnElement[bool]) -> None:
        self._keep(self._connection.execute(select(terms).where(condition)).all())

    def load_keys(self, of_field: str, keys: Iterable[str]) -> None:
        for part in in_parts(sorted({fold(key) for key in keys})):
            self.load((terms.c.field == of_field) & terms.c.folded_key.in_(part))

    def load_ids(self, ids: Iterable[int]) -> None:
        for part in in_parts(sorted(set(ids) - self._by_id.keys())):
            self.load(terms.c.id.in_(part))

    def _keep(self, rows: Sequence[Row[Any]]) -> None:
        found = {}
        for row in rows:
            if row.id not in self._by_id:
                changing = (getattr(row, column) for column in _TERM_UPDATE)
                term = Term(row.id, row.field, row.by_name, row.key, *changing)
                term.stored = term.changing()
                self._terms[term.field, term.by_name, term.key] = self._by_id[term.id] = found[term.id] = term
        for part in in_parts(sorted(found)):
            for row in self._connection.execute(select(term_names).where(term_names.c.term_id.in_(part))):
                name = Name(row.id, row.term_id, row.field, row.name, row.folded)
                name.described, name.public_count, name.editor_count = (
                    row.described,
                    row.public_count,
                    row.editor_count,
                )
                name.stored = name.changing()
                found[name.term_id].names[name.name] = self._names[name.id] = name

    def all(self, of_field: str) -> list[Term]:
        return [term for term in self._by_id.values() if term.field == of_field]

    def term(self, of_field: str, by_name: int, key: str) -> Term:
        term = self._terms.get((of_field, by_name, key))
        if term is None:
            term = Term(self._next_term, of_field, by_name, key)
            self._terms[of_field, by_name, key] = self._by_id[term.id] = term
            self._next_term += 1
        return term

    def name(self, term: Term, spelling: str) -> Name:
        name = term.names.get(spelling)
        if name is None:
            name = Name(self._next_name, term.id, term.field, spelling, fold(spelling))
            term.names[spelling] = self._names[name.id] = name
            self._next_name += 1
        return name

    def move(self, name: Name, term: Term) -> None:
        del self._by_id[name.term_id].names[name.name]
        name.term_id = term.id
        term.names[name.name] = name

    def count(self, term_id: int, name_id: int | None, published: int, by: int) -> None:
        counted: list[Term | Name] = [self._by_id[term_id]]
        if name_id is not None:
            counted.append(self._names[name_id])
        for each in counted:
            each.editor_count += by
            each.public_count += by * published

    def put(self, article_id: int, term_ids: Iterable[int]) -> None:
        """All that one article is filed under."""
        self.sets.add(article_id, self._sets_of(term_ids))

    def take(self, article_id: int, term_ids: Iterable[int]) -> None:
        self.sets.remove(article_id, self._sets_of(term_ids))

    def _sets_of(self, term_ids: Iterable[int]) -> set[SetKey]:
        sets = {(self._by_id[term_id].field, term_id) for term_id in term_ids}
        return sets | {(HAS, Has.term_of(field)) for field, _ in sets}

    def write(self) -> None:
        for term in self._by_id.values():
            term.public_name, term.editor_name = _shown(term, "public_count"), _shown(term, "editor_count")
        new_terms = [term for term in self._by_id.values() if term.stored is None]
        new_names = [name for name in self._names.values() if name.stored is None]
        insert_rows(
            self._connection,
            terms,
            [
                {
                    "id": term.id,
                    "field": term.field,
                    "by_name": term.by_name,
                    "key": term.key,
                    "folded_key": fold(term.key),
                    **dict(zip(_TERM_UPDATE, term.changing(), strict=True)),
                }
                for term in new_terms
            ],
        )
        insert_rows(
            self._connection,
            term_names,
            [
                {
                    "id": name.id,
                    "field": name.field,
                    "name": name.name,
                    "folded": name.folded,
                    **dict(zip(_NAME_UPDATE, name.changing(), strict=True)),
                }
                for name in new_names
            ],
        )
        self._update(terms, self._by_id.values(), _TERM_UPDATE)
        self._update(term_names, self._names.values(), _NAME_UPDATE)
        self.sets.write(self._connection)

    def _update(self, table: Table, kept: Iterable[Term | Name], columns: tuple[str, ...]) -> None:
        changed = [each for each in kept if each.stored not in (None, each.changing())]
        if changed:
            self._connection.execute(
                update(table).where(table.c.id == bindparam("of_id")),
                [{"of_id": each.id, **dict(zip(columns, each.changing(), strict=True))} for each in changed],
            )


def _shown(term: Term, count: str) -> str | None:
    """The name its document gives, else the most frequent spelling among those the reader may see."""

    def rank(name: Name) -> tuple[bool, int, str]:
        return name.described != SHOWN, -getattr(name, count), name.name

    seen = (name for name in term.names.values() if name.described or getattr(name, count) > 0)
    return next((name.name for name in sorted(seen, key=rank)), None)
