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

# Of a query of 8,000 characters, all of them escaped in JSON, in base64; a title's key has 1,000 bytes.
MAX_CHARACTERS: Final = 24_000
_CHECKSUM_BYTES: Final = 6
# json.dumps makes an encoder for each text.
_as_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_INTEGERS: Final = range(-(2**63), 2**63)

BROKEN = "is broken: copy it whole from `next` or `prev`, or leave it out to begin at the first page"


@dataclass(frozen=True, slots=True)
class Cursor:
    """`of` names the list, `parameters` its query; `revision` is there where no other one has the place.

    It is the name of one. An older version wrote its number, which no revision has for a name.
    """

    list_path: str
    parameters: tuple[tuple[str, str], ...]
    place: Place
    revision: str | int | None

    def __str__(self) -> str:
        keys = self.place.keys
        written = None if keys is None else [_written(key) for key in keys]
        content = _as_json(
            [self.list_path, self.parameters, written, self.place.backwards, self.revision]
        ).encode()
        return base64.urlsafe_b64encode(_checksum(content) + content).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Raises ValueError for anything that str(cursor) did not make, whatever it is."""
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
            ]:
                pairs = tuple((_text(name), _text(value)) for name, value in parameters)
                place = Place(None if keys is None else tuple(_read(key) for key in keys), backwards)
                cursor = Cursor(list_path, pairs, place, revision)
            case _:
                raise ValueError(BROKEN)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise ValueError(BROKEN) from None
    if str(cursor) != text:
        raise ValueError(BROKEN)
    return cursor


def check_place(place: Place, order: Sequence[ColumnElement[Any]]) -> None:
    """Raises ValueError where the keys are not of the kinds that the order compares."""
    if place.keys is None:
        return
    kinds = [column.type.python_type for column in order]
    if [type(key) for key in place.keys] != kinds:
        raise ValueError(BROKEN)


def _written(key: KeyValue) -> Any:
    return [base64.b64encode(key).decode()] if isinstance(key, bytes) else key


def _read(key: Any) -> KeyValue:
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


def _text(text: str) -> str:
    """JSON can spell what no database takes."""
    if "\0" in text:
        raise ValueError(BROKEN)
    text.encode()
    return text


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_BYTES).digest()
