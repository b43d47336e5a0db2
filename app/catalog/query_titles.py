"""A query as a title in words, topics and providers by their names. Knows no feed and no page."""

from collections.abc import Mapping
from itertools import islice
from typing import Final

from sqlalchemy import Connection, select

from app.catalog.audience import name_of
from app.catalog.fields import ORDER_IN_WORDS, FieldName
from app.catalog.query import ArticleQuery
from app.catalog.tables import terms
from app.catalog.terms import find_terms

# The values of these may be ids and domains; those of other fields are what they are called.
_FIELDS_WITH_NAMES: Final[tuple[FieldName, ...]] = ("topic", "provider")
# Each name is a question to the database, and nobody reads a longer title; further values stand as asked.
MAX_NAMES: Final = 50
# A name may have 65,536 characters.
MAX_NAME_CHARACTERS: Final = 100


def title_of(connection: Connection, query: ArticleQuery) -> str:
    """Every filter, and the order where it is not the usual one, by the names that the asker may see.

    "Articles about Artificial Intelligence by NASA from 2020-01-01, the last added first"
    """
    words = " ".join(["Articles", *query.in_words(names_in(connection, query))])
    is_usual = query.order == query.default_order
    return words if is_usual else f"{words}, {ORDER_IN_WORDS[query.order]}"


def names_in(connection: Connection, query: ArticleQuery) -> Mapping[tuple[str, str], str]:
    """The names by field and value. A value that means several terms, or none, is called as it was asked."""
    values = (
        (field, value)
        for field in _FIELDS_WITH_NAMES
        for clause in getattr(query, field)
        for value in clause.values
    )
    names: dict[tuple[str, str], str] = {}
    for field, value in islice(values, MAX_NAMES):
        found_terms = list(find_terms(connection, field, value, query.published))
        if len(found_terms) == 1:
            shown = select(name_of(terms, query.published)).where(terms.c.id == found_terms[0].id)
            if name := connection.scalars(shown).one():
                names[field, value] = _shortened(name)
    return names


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME_CHARACTERS else name[: MAX_NAME_CHARACTERS - 1] + "…"
