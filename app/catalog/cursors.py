"""A place in a list as opaque text that carries its whole query. Knows no list by name.

It holds a query, an order and a place, no snapshot, so it outlives imports. The checksum tells a broken copy;
it is no signature, since whoever makes one up asks a question they could have asked without it.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement

from app.catalog.paging import KeyValue, Place
from app.catalog.state import MAX_REVISION

# A query has at most 8,000 characters, which JSON may escape and base64 makes a third longer; the key of a
# title adds 1,000 bytes.
MAX_CHARACTERS: Final = 24_000
_CHECKSUM_BYTES: Final = 6
# json.dumps would make a new encoder for each text.
_as_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_INTEGERS: Final = range(-(2**63), 2**63)

BROKEN = "is broken: copy it whole from `next` or `prev`, or leave it out to begin at the first page"


@dataclass(frozen=True, slots=True)
class Cursor:
    """`revision` is the name of the only revision in which the place means something, None if all do.

    An older version wrote a revision's number, which no revision has for a name. `told` is the number of the
    revision that it was made from, where the next answer may come from a standby that is behind.
    """

    list_path: str
    parameters: tuple[tuple[str, str], ...]
    place: Place
    revision: str | int | None
    told: int | None = None

    def __str__(self) -> str:
        keys = self.place.keys
        json_keys = None if keys is None else [_key_to_json(key) for key in keys]
        told = [] if self.told is None else [self.told]
        content = _as_json(
            [self.list_path, self.parameters, json_keys, self.place.backwards, self.revision, *told]
        ).encode()
        return base64.urlsafe_b64encode(_checksum(content) + content).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Raises ValueError for any text that str(cursor) did not make."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(BROKEN)
    try:
        whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        checksum, content = whole[:_CHECKSUM_BYTES], whole[_CHECKSUM_BYTES:]
        if checksum != _checksum(content):
            raise ValueError(BROKEN)
        match json.loads(content):
            case [
                str(list_path),
                list(parameters),
                list() | None as keys,
                bool(backwards),
                str() | int() | None as revision,
                *told,
            ]:
                pairs = tuple((_text(name), _text(value)) for name, value in parameters)
                place = Place(None if keys is None else tuple(_key_from_json(key) for key in keys), backwards)
                cursor = Cursor(list_path, pairs, place, revision, _told_of(told))
            case _:
                raise ValueError(BROKEN)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise ValueError(BROKEN) from None
    if str(cursor) != text:
        raise ValueError(BROKEN)
    return cursor


def check_place(place: Place, order: Sequence[ColumnElement[Any]]) -> None:
    """Raises ValueError if the keys are not of the types that the order compares."""
    if place.keys is None:
        return
    types = [column.type.python_type for column in order]
    if [type(key) for key in place.keys] != types:
        raise ValueError(BROKEN)


def _key_to_json(key: KeyValue) -> Any:
    return [base64.b64encode(key).decode()] if isinstance(key, bytes) else key


def _key_from_json(key: Any) -> KeyValue:
    match key:
        case bool():
            raise ValueError(BROKEN)
        case int() if key in _INTEGERS:
            return key
        case str():
            return _text(key)
        case [str(encoded)]:
            return base64.b64decode(encoded, validate=True)
        case _:
            raise ValueError(BROKEN)


def _told_of(rest: list[Any]) -> int | None:
    match rest:
        case []:
            return None
        case [int(told)] if type(told) is int and told in range(MAX_REVISION + 1):
            return told
        case _:
            raise ValueError(BROKEN)


def _text(text: str) -> str:
    """JSON can spell NUL and lone surrogates, which no database takes."""
    if "\0" in text:
        raise ValueError(BROKEN)
    text.encode()
    return text


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_BYTES).digest()
