"""Of which articles counts and names are: the published ones, the others, or all."""

from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause

Published = Literal["true", "false", "any"]

PUBLISHED_VALUES = {"true": (1,), "false": (0,), "any": (0, 1)}


def count_of(counted: FromClause, published: Published) -> ColumnElement[Any]:
    """How many articles a row of `terms` or `term_names` has."""
    match published:
        case "true":
            return counted.c.public_count
        case "any":
            return counted.c.editor_count
        case "false":
            return counted.c.editor_count - counted.c.public_count


def name_of(terms: FromClause, published: Published) -> ColumnElement[Any]:
    return terms.c.public_name if published == "true" else terms.c.editor_name


def is_visible(counted: FromClause, published: Published) -> ColumnElement[bool]:
    """What a document describes may be seen by all, anything else where the asked for articles have it."""
    return (counted.c.described > 0) | (count_of(counted, published) > 0)
