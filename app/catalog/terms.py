"""Which terms the value of a clause names: by an id, a domain or any name that the asker may know."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    bindparam,
    func,
    literal,
    select,
    union_all,
)

from app.catalog.audience import Published, count_of, is_visible
from app.catalog.tables import term_names, terms, topics
from app.database.statements import statement
from app.names import fold


@dataclass(frozen=True, slots=True)
class FoundTerm:
    """`count` is the number of its articles, 0 where it was not asked for."""

    id: int
    field: str
    count: int


def count_of_all(connection: Connection, published: Published) -> int:
    [row] = _count_of_all(connection, published).rows({})
    return int(row.total)


@statement
def _count_of_all(published: Published) -> Select[Any]:
    total = func.coalesce(func.sum(count_of(terms, published)), 0).label("total")
    return select(total).where(terms.c.field == "source")


def find_terms(connection: Connection, field: str, value: str, published: Published) -> Iterable[FoundTerm]:
    """The term with this id or domain, even if another term has it as a name; else all that have the name."""
    name = value if field == "source" else fold(value)
    values = {"field": field, "key": name.removeprefix("www.") if field == "provider" else name, "name": name}
    rows = _terms_called(connection, field == "source", published).rows(values)
    by_key = [row for row in rows if row.called == "key"]
    return {row.id: FoundTerm(row.id, field, row.articles) for row in by_key or rows}.values()


@statement
def _terms_called(is_source: bool, published: Published) -> Select[Any] | CompoundSelect[Any]:
    """Rows of the terms that have the key or the name."""
    of_field: ColumnElement[str] = bindparam("field")
    count = count_of(terms, published).label("articles")
    key = terms.c.key if is_source else terms.c.folded_key
    by_key = select(terms.c.id, literal("key").label("called"), count).where(
        terms.c.field == of_field, key == bindparam("key"), terms.c.by_name == 0, is_visible(terms, published)
    )
    by_own_name = select(terms.c.id, literal("name"), count).where(
        terms.c.field == of_field,
        terms.c.folded_key == bindparam("name"),
        terms.c.by_name == 1,
        is_visible(terms, published),
    )
    by_name = (
        select(terms.c.id, literal("name"), count)
        .join(term_names, term_names.c.term_id == terms.c.id)
        .where(
            term_names.c.field == of_field,
            term_names.c.folded == bindparam("name"),
            is_visible(term_names, published),
        )
    )
    return by_key if is_source else union_all(by_key, by_own_name, by_name)


def with_descendants(connection: Connection, topics_: Sequence[FoundTerm]) -> list[FoundTerm]:
    if not topics_:
        return []
    below = (
        select(topics.c.term_id)
        .where(topics.c.parent_id.in_([topic.id for topic in topics_]))
        .cte("below", recursive=True)
    )
    deeper = select(topics.c.term_id).join(below, topics.c.parent_id == below.c.term_id)
    ids = connection.scalars(select(below.union(deeper).c.term_id)).all()
    # Their counts are not read: an article may have several of them, so their sum would say nothing.
    descendants = set(ids) - {topic.id for topic in topics_}
    return [*topics_, *(FoundTerm(term_id, "topic", 0) for term_id in sorted(descendants))]
