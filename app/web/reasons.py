"""Why a parameter was refused, in words that tell what to send instead. Knows pydantic's kinds of error."""

from typing import Any, get_args

import annotated_types
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

# By how the kind begins. The braces are filled from the error's context, and from the field's own bounds.
_WORDS = {
    "missing": "is required",
    "int_": "must be a whole number{range}",
    "float_": "must be a number{range}",
    "greater_than": "must be a {number}{range}",
    "less_than": "must be a {number}{range}",
    "bool_": "must be true or false",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_pattern_mismatch": "is broken: copy it whole from where it came",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "too_long": "may be given at most {max_length} times",
    "value_error": "{error}",
}


def reason(error: ErrorDetails, field: FieldInfo | None) -> str:
    """Reads on after the parameter's name. What a validator of ours says stands as it is."""
    words = next((words for kind, words in _WORDS.items() if error["type"].startswith(kind)), None)
    if words is None:
        return error["msg"].removeprefix("Input ")
    context = {**error.get("ctx", {}), "range": _range(field), "number": _number(field)}
    if "expected" in context:
        context["expected"] = context["expected"].replace("'", "")
    return words.format_map(context)


def _number(field: FieldInfo | None) -> str:
    members = (field.annotation, *get_args(field.annotation)) if field else ()
    return (
        "whole number"
        if int in (get_args(each)[0] if get_args(each) else each for each in members)
        else "number"
    )


def _range(field: FieldInfo | None) -> str:
    bounds = _bounds(field) if field else []
    lowest = next((bound.ge for bound in bounds if isinstance(bound, annotated_types.Ge)), None)
    highest = next((bound.le for bound in bounds if isinstance(bound, annotated_types.Le)), None)
    if lowest is not None and highest is not None:
        return f" from {lowest} to {highest}"
    if lowest is not None:
        return f" of at least {lowest}"
    return f" of at most {highest}" if highest is not None else ""


def _bounds(field: FieldInfo) -> list[Any]:
    """Its own and, for  Annotated[int, Field(ge=1)] | None, those of the members."""
    bounds = list(field.metadata)
    for member in get_args(field.annotation):
        for bound in get_args(member)[1:]:
            bounds += bound.metadata if isinstance(bound, FieldInfo) else [bound]
    return bounds
