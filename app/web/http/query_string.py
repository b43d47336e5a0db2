"""Reads a raw query string into a valid query, or lists all its errors. Knows no parameter by name."""

import difflib
import re
from collections.abc import Set
from typing import Any, get_args, get_origin
from urllib.parse import unquote_to_bytes

import annotated_types
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from app.urls import is_tracking_parameter
from app.web.http.problems import ParameterError, unprocessable

# Servers and proxies have limits around 8,000 too; the longest honest query has a few hundred characters.
MAX_CHARACTERS = 8_000

# A cursor carries a whole query, quoted and in base64, so it may be nearly three times as long.
MAX_CHARACTERS_WITH_CURSOR = 26_000

MAX_PARAMETERS = 100

# jQuery and others add the time under this name, so that no cache answers.
_CACHE_BUSTER = "_"

# A form sends a space as `+`, and whoever types an address means a plus. Nobody ends a value with two spaces,
# so two pluses are the name's own:  topic=C++   topic=C++,Java   q=C++%20templates
_LITERAL_PLUSES = re.compile(rb"(?<=[^+,])\+{2,}(?=$|,|\"|%2[Cc2]|%20)")
# The last of three in the midst of a text is the space:  q=C+++templates
_LITERAL_PLUSES_BEFORE_SPACE = re.compile(rb"(?<=[^+,])\+{2}(?=\+[^+])")
# No date and time has a space before digits at its end, so this plus is that of the offset.
_DATE_TIME_WITH_OFFSET = re.compile(
    rb"([0-9]{4}-[0-9]{2}-[0-9]{2}(?:T|\+|%20)[0-9]{2}(?::|%3[Aa])[0-9]{2}(?:[0-9.:]|%3[Aa]){0,20})"
    rb"\+([0-9]{2}(?::|%3[Aa])?[0-9]{2})"
)
# One plus at the end of a clause's value may be either, and a wrong guess would answer with other articles:
# topic=Disney+ (the name) and topic=AI+ (a form in which a space was typed after AI). A quotation mark ends a
# value only before a comma or the end:  category=say+"hi"
_AMBIGUOUS_PLUS = re.compile(rb"[^+,]\+(?:\"|%22)?(?:$|,|%2[Cc])")

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class QueryReader:
    """Reads queries of one model. Only a parameter whose field is a tuple or list may be given again.

    The model may have a set `refused`: parameters that it knows only to refuse them with advice, and that are
    offered to nobody.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model
        self._fields = {field.alias or name: field for name, field in model.model_fields.items()}
        refused: Set[str] = getattr(model, "refused", frozenset())
        self._offered = [name for name in self._fields if name not in refused]
        self._lists = {name for name, field in self._fields.items() if _is_list(field.annotation)}

    def read(self, query_string: bytes) -> BaseModel:
        values, errors = self._values(query_string)
        try:
            query = self.model.model_validate(values)
        except ValidationError as error:
            # A parameter with an error is not in the values; that it is "missing" there is no second error.
            bad_names = {parameter_error.parameter for parameter_error in errors}
            model_errors = (
                self._parameter_error(details, values) for details in error.errors(include_url=False)
            )
            errors += [model_error for model_error in model_errors if model_error.parameter not in bad_names]
        if errors:
            raise unprocessable(*errors)
        return query

    def _values(self, query_string: bytes) -> tuple[dict[str, str | list[str]], list[ParameterError]]:
        texts_by_name: dict[str, list[str]] = {}
        errors: list[ParameterError] = []
        for name, value, fault in _pairs(query_string, self._lists):
            if name not in self._fields:
                errors.append(ParameterError(name, value, self._unknown(name)))
            elif fault:
                errors.append(ParameterError(name, value, fault))
            else:
                texts_by_name.setdefault(name, []).append(value)
        values: dict[str, str | list[str]] = {}
        for name, texts in texts_by_name.items():
            if name in self._lists:
                values[name] = texts
            elif len(texts) == 1:
                values[name] = texts[0]
            else:
                advice = f"given twice: {' and '.join(texts)}; give it once"
                errors.append(ParameterError(name, ", ".join(texts), advice))
        return values, errors

    def _unknown(self, name: str) -> str:
        if not self._offered:
            return "is unknown: this address takes no parameters"
        by_folded = {field_name.casefold(): field_name for field_name in self._offered}
        if matches := difflib.get_close_matches(name.casefold(), by_folded, n=1):
            return f"is unknown; did you mean {by_folded[matches[0]]}?"
        return f"is unknown; this address takes {', '.join(self._offered)}"

    def _parameter_error(self, error: ErrorDetails, values: dict[str, str | list[str]]) -> ParameterError:
        """An error of the whole query has no place, but its context may name the parameter to blame."""
        place = error["loc"] or (error.get("ctx", {}).get("parameter", ""),)
        name = str(place[0])
        value = values.get(name)
        if isinstance(value, list):
            index = place[1] if len(place) > 1 else None
            value = value[index] if isinstance(index, int) else ", ".join(value)
        return ParameterError(name, value, reason(error, self._fields.get(name)))


class _NoParameters(BaseModel):
    pass


# An address without a query refuses parameters: ignoring them would multiply its entries in caches.
NO_PARAMETERS = QueryReader(_NoParameters)


def without_tracking(query_string: bytes) -> bytes:
    """The query string without what trackers add to links that are shared, such as `utm_source` and `fbclid`.

    What is left has the same answer, links, ETag and place in caches as if nothing had been added.
    """
    if not query_string:
        return query_string
    raw_pairs = query_string.split(b"&")
    remaining = [raw_pair for raw_pair in raw_pairs if not _is_tracking(raw_pair)]
    return query_string if len(remaining) == len(raw_pairs) else b"&".join(remaining)


def _is_tracking(raw_pair: bytes) -> bool:
    raw_name = raw_pair.partition(b"=")[0]
    name = (unquote_to_bytes(raw_name) if b"%" in raw_name else raw_name).decode("latin-1")
    return name == _CACHE_BUSTER or is_tracking_parameter(name)


def _pairs(query_string: bytes, lists: Set[str]) -> list[tuple[str, str, str | None]]:
    """Triples of name, value and fault. A value with a fault is left as it was sent."""
    max_characters = MAX_CHARACTERS_WITH_CURSOR if b"cursor=" in query_string else MAX_CHARACTERS
    if len(query_string) > max_characters:
        raise unprocessable(detail=f"The query has more than {max_characters:,} characters.")
    raw_pairs = [raw_pair for raw_pair in query_string.split(b"&") if raw_pair]
    if len(raw_pairs) > MAX_PARAMETERS:
        raise unprocessable(detail=f"The query has more than {MAX_PARAMETERS} parameters.")
    return [_pair(raw_pair, lists) for raw_pair in raw_pairs]


def _pair(raw_pair: bytes, lists: Set[str]) -> tuple[str, str, str | None]:
    raw_name, _, raw_value = raw_pair.partition(b"=")
    try:
        name = unquote_to_bytes(raw_name.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        name = raw_name.decode("latin-1")
    raw_text = raw_value.decode("latin-1")
    if _BROKEN_ESCAPE.search(raw_value):
        return name, raw_text, "has a % that is not followed by two hexadecimal digits; write % itself as %25"
    if b"+" in raw_value:
        raw_value = _with_escaped_pluses(raw_value)
        if name in lists and _AMBIGUOUS_PLUS.search(raw_value):
            return name, raw_text, "has a value that ends in +, which means a space; write + itself as %2B"
    try:
        value = unquote_to_bytes(raw_value.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        return name, raw_text, "must be UTF-8, percent-encoded"
    if "\0" in value:
        return name, raw_text, "must not have a NUL character (%00)"
    return name, value, None


def _with_escaped_pluses(raw_value: bytes) -> bytes:
    if date_time := _DATE_TIME_WITH_OFFSET.fullmatch(raw_value):
        return b"%2B".join(date_time.groups())
    for pattern in (_LITERAL_PLUSES, _LITERAL_PLUSES_BEFORE_SPACE):
        raw_value = pattern.sub(lambda match: b"%2B" * len(match[0]), raw_value)
    return raw_value


def _is_list(annotation: object) -> bool:
    """True for tuple[str, ...], and for tuple[str, ...] | None."""
    origins = {get_origin(annotation), *(get_origin(member) for member in get_args(annotation))}
    return bool(origins & {list, tuple, set, frozenset})


# Beginning of pydantic's error type -> reason. Braces are filled from the error's context and the field.
_REASONS = {
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
    """The text reads on after the parameter's name. Messages of our own validators are used as they are."""
    template = next((reason for kind, reason in _REASONS.items() if error["type"].startswith(kind)), None)
    if template is None:
        return error["msg"].removeprefix("Input ")
    context = {**error.get("ctx", {}), "range": _range(field), "number": _number(field)}
    if "expected" in context:
        context["expected"] = context["expected"].replace("'", "")
    return template.format_map(context)


def _number(field: FieldInfo | None) -> str:
    members = (field.annotation, *get_args(field.annotation)) if field else ()
    types = [get_args(member)[0] if get_args(member) else member for member in members]
    return "whole number" if int in types else "number"


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
    """The field's own bounds, and those of its members in  Annotated[int, Field(ge=1)] | None."""
    bounds = list(field.metadata)
    for member in get_args(field.annotation):
        for bound in get_args(member)[1:]:
            bounds += bound.metadata if isinstance(bound, FieldInfo) else [bound]
    return bounds
