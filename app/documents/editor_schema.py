"""JSON Schemas of front matter, for editors that complete and check: of articles, topics, organizations."""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from app.documents.article import KEYS, KEYS_OF_RELATED, OTHER_NAMES, OTHER_NAMES_OF_RELATED, Key
from app.documents.taxonomy import KEYS_OF_ORGANIZATION, KEYS_OF_TOPIC

Schema = dict[str, Any]
Kind = Literal["article", "topic", "organization"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

# Scalars are texts until a key says otherwise, so `title: 1.10` is fine. An empty key counts as an absent
# one.
_TEXT: Schema = {"type": ["string", "number", "boolean", "null"]}

_URL: Schema = {"type": ["string", "null"], "format": "uri-reference"}

_DATE: Schema = {
    "type": ["string", "null"],
    "pattern": (
        r"^\s*(\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?([Zz]|[+-]\d{2}:?\d{2}))?)?)?\s*$"
    ),
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
    "title": _TEXT,
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


def front_matter_schema(kind: Kind = "article") -> Schema:
    """JSON Schema, draft 2020-12, of the front matter that describes this kind of thing."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"The front matter of {'a topic' if kind == 'topic' else f'an {kind}'}",
        "type": "object",
        **(_article() if kind == "article" else _description(kind)),
        "$defs": _definitions(),
    }


def _article() -> Schema:
    url_names = ("webUrl", "originalUrl", *KEYS["webUrl"].other_names)
    return {
        # The title may be that of the body or the file where there is a URL.
        "anyOf": [
            {
                "required": ["title"],
                "properties": {"title": {"type": ["string", "number", "boolean"], "minLength": 1}},
            },
            *({"required": [name]} for name in url_names),
        ],
        "properties": {
            **{name: _schema_of(key) for name, key in KEYS.items()},
            **_other_names(OTHER_NAMES),
        },
    }


def _description(kind: Kind) -> Schema:
    keys, names, taxonomies = {
        "topic": (KEYS_OF_TOPIC, ("_id", "name"), ["topic"]),
        "organization": (KEYS_OF_ORGANIZATION, ("name", "domain"), ["organization", "provider"]),
    }[kind]
    return {
        "required": ["taxonomy"],
        "anyOf": [{"required": [name]} for name in names],
        "properties": {
            "taxonomy": _described(f"Says that this describes a kind of thing: {kind}", {"enum": taxonomies}),
            **{name: _schema_of(key) for name, key in keys.items()},
        },
    }


def _definitions() -> dict[str, Schema]:
    return {
        "texts": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
        "people": {"anyOf": [_PERSON, {"type": "array", "items": _PERSON}]},
        "provider": {
            "type": ["object", "string", "number", "boolean", "null"],
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
                "type": ["object", "string", "number", "boolean", "null"],
                "properties": {
                    **{name: _schema_of(KEYS[name]) for name in KEYS_OF_RELATED},
                    # A link is known by its title or its webUrl.
                    "title": _described(KEYS["title"].meaning, _TEXT),
                    **_other_names(OTHER_NAMES_OF_RELATED),
                },
            }
        ),
    }


def _schema_of(key: Key) -> Schema:
    return _described(key.meaning, _SCHEMAS[key.kind])


def _other_names(keys_by_other_name: Mapping[str, str]) -> Schema:
    """Any value may stand there: one that cannot be what the key says is only a warning."""
    return {
        other_name: {"description": f"Read as {name} where that says nothing"}
        for other_name, name in keys_by_other_name.items()
    }


def _list_of(element: Schema) -> Schema:
    return {"anyOf": [{"type": "array", "items": element}, {"type": "null"}, {"const": ""}]}


def _described(description: str, schema: Schema) -> Schema:
    return {"description": description, **schema}
