"""JSON Schema of an article's front matter, for editors that complete and check."""

from collections.abc import Mapping
from typing import Any

from app.documents.article import KEYS, KEYS_OF_RELATED, OTHER_NAMES, Key

Schema = dict[str, Any]

# Scalars are texts until a key says otherwise, so `title: 1.10` is fine. An empty key counts as an absent
# one.
_TEXT: Schema = {"type": ["string", "number", "boolean", "null"]}

_URL: Schema = {"type": ["string", "null"], "format": "uri-reference"}

_DATE: Schema = {
    "type": ["string", "null"],
    "pattern": r"^\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?\s*$",
    "examples": ["2020-06-11", "2020-06-11T00:07:00Z"],
}

_WHOLE_NUMBER: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
        {"type": "string", "pattern": r"^\s*[+-]?\d*\s*$"},
        {"type": "null"},
    ]
}

_YES_OR_NO: Schema = {
    "anyOf": [
        {"type": "boolean"},
        {"enum": [0, 1, None, ""]},
        {"type": "string", "pattern": "^(?i:true|false|yes|no|on|off|1|0)$"},
    ]
}


_PERSON: Schema = {"anyOf": [_TEXT, {"type": "object", "properties": {"name": _TEXT}}]}

_SCHEMAS: dict[str, Schema] = {
    "title": {"type": ["string", "number", "boolean"], "minLength": 1},
    "text": _TEXT,
    "people": {"$ref": "#/$defs/people"},
    "texts": {"$ref": "#/$defs/texts"},
    "url": _URL,
    "date": _DATE,
    "yes or date": {"anyOf": [_YES_OR_NO, _DATE]},
    "yes or no": _YES_OR_NO,
    "whole number": _WHOLE_NUMBER,
    "provider": {"$ref": "#/$defs/provider"},
    "images": {"$ref": "#/$defs/images"},
    "related": {"$ref": "#/$defs/related"},
    "anything": {},
}


def front_matter_schema() -> Schema:
    """JSON Schema, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The front matter of an article",
        "type": "object",
        "required": ["title"],
        "properties": {
            **{name: _schema_of(key) for name, key in KEYS.items()},
            **_deprecated(OTHER_NAMES),
        },
        "$defs": {
            "texts": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
            "people": {"anyOf": [_PERSON, {"type": "array", "items": _PERSON}]},
            "provider": {
                "type": ["object", "null"],
                "properties": {
                    "name": _TEXT,
                    "domain": _TEXT,
                    "images": {"$ref": "#/$defs/images"},
                    "authors": {},
                },
            },
            "images": _list_of(
                {
                    "type": ["object", "string", "null"],
                    "properties": {
                        "url": _URL,
                        "width": _WHOLE_NUMBER,
                        "height": _WHOLE_NUMBER,
                        "title": _TEXT,
                        "attribution": _TEXT,
                        "isCached": _YES_OR_NO,
                    },
                }
            ),
            "related": _list_of(
                {
                    "type": ["object", "null"],
                    "properties": {
                        **{name: _schema_of(KEYS[name]) for name in KEYS_OF_RELATED},
                        # A link is known by its title or its webUrl.
                        "title": _described(KEYS["title"].meaning, _TEXT),
                        **_deprecated({"url": "webUrl"}),
                    },
                }
            ),
        },
    }


def _schema_of(key: Key) -> Schema:
    return _described(key.meaning, _SCHEMAS[key.kind])


def _deprecated(other_names: Mapping[str, str]) -> Schema:
    return {
        other_name: {"description": f"Older name of {name}", "deprecated": True}
        for other_name, name in other_names.items()
    }


def _list_of(element: Schema) -> Schema:
    return {"anyOf": [{"type": "array", "items": element}, {"type": "null"}, {"const": ""}]}


def _described(description: str, schema: Schema) -> Schema:
    return {"description": description, **schema}
