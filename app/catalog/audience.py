"""Which articles a count or a name is computed for: the published ones, the others, or all."""

from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause

Published = Literal["true", "false", "any"]

PUBLISHED_VALUES = {"true": (1,), "false": (0,), "any": (0, 1)}


def count_of(table: FromClause, published: Published) -> ColumnElement[Any]:
    """How many articles a row of `terms` or `term_names` has."""
    match published:
        case "true":
            return table.c.public_count
        case "any":
            return table.c.editor_count
        case "false":
            return table.c.editor_count - table.c.public_count


def name_of(terms: FromClause, published: Published) -> ColumnElement[Any]:
    return terms.c.public_name if published == "true" else terms.c.editor_name


def member_id_of(collection_items: FromClause, published: Published) -> ColumnElement[Any]:
    """The article that an item of a collection is to those who ask."""
    return collection_items.c.public_member_id if published == "true" else collection_items.c.member_id


def is_visible(table: FromClause, published: Published) -> ColumnElement[bool]:
    """True for what a document describes, and for what at least one of these articles has."""
    return (table.c.described > 0) | (count_of(table, published) > 0)
