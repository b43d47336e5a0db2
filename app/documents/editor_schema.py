"""JSON Schema of an article's front matter, for editors that complete and check."""

from typing import Any

from app.documents.article import DETAILS, OLDER_NAMES

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


def front_matter_schema() -> Schema:
    """JSON Schema, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The front matter of an article",
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": _described(
                "What the article is called", {"type": ["string", "number", "boolean"], "minLength": 1}
            ),
            "excerpt": _described("A sentence or two of what it says", _TEXT),
            "type": _described("article, video, course, collection …", _TEXT),
            "category": _described("news …", _TEXT),
            "locale": _described("en-us …", _TEXT),
            **_urls(),
            **_dates(),
            "published": _described("Whether it is shown; absent means true, empty means false", _YES_OR_NO),
            "draft": _described("true keeps it unpublished, whatever published says", _YES_OR_NO),
            "removed": _described("true takes it down for good", _YES_OR_NO),
            "quality": _described("How good it is", _WHOLE_NUMBER),
            "heat": _described("How much it is talked about", _WHOLE_NUMBER),
            "provider": _described("Who published it", {"$ref": "#/$defs/provider"}),
            "topics": _described("What it is filed under, the first topic first", {"$ref": "#/$defs/texts"}),
            "tags": _described("Words it may be found by", {"$ref": "#/$defs/texts"}),
            "images": _described("Its pictures, the first one first", {"$ref": "#/$defs/images"}),
            "related": _described("Articles it mentions", {"$ref": "#/$defs/related"}),
            "secured": _described("Kept for the export of documents, and shown nowhere", _TEXT),
            **{key: _described("Served with the single article", {}) for key in DETAILS},
            **{
                older_name: {"description": f"Older name of {key}", "deprecated": True}
                for older_name, key in OLDER_NAMES.items()
            },
        },
        "$defs": {
            "texts": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
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
                        **dict.fromkeys(("title", "excerpt", "type"), _TEXT),
                        "url": {"description": "Older name of webUrl", "deprecated": True},
                        **_urls(),
                        **_dates(),
                        "quality": _WHOLE_NUMBER,
                        "heat": _WHOLE_NUMBER,
                        "provider": {"$ref": "#/$defs/provider"},
                        "images": {"$ref": "#/$defs/images"},
                    },
                }
            ),
        },
    }


def _urls() -> Schema:
    return {
        "webUrl": _described("Where it is", _URL),
        "originalUrl": _described("Where it was found", _URL),
        "ampWebUrl": _described("Its AMP page", _URL),
        "cdnAmpWebUrl": _described("Its AMP page on a cache", _URL),
    }


def _dates() -> Schema:
    return {
        "publishedDateTime": _described("When it was published; without an offset in UTC", _DATE),
        "updatedDateTime": _described("When it was last updated", _DATE),
    }


def _list_of(element: Schema) -> Schema:
    return {"anyOf": [{"type": "array", "items": element}, {"type": "null"}, {"const": ""}]}


def _described(description: str, schema: Schema) -> Schema:
    return {"description": description, **schema}
