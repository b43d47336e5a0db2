"""The OpenAPI document: FastAPI's, and what it cannot say. Knows no way to answer.

How a problem looks; that a token may be sent but need not; which headers every answer has; what seeds/ are
answered with; and which operation goes on from which answer.
"""

import json
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

from fastapi import FastAPI

from app.catalog.state import MAX_REVISION
from app.web.http.problems import PROBLEM_MODELS

# Each operation has the query that was asked of seeds/, and its answer, shortened. A test compares.
EXAMPLES: Final[dict[str, dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "examples.json").read_text(encoding="utf-8")
)

# Each operation has those that its answer leads to, and where in the answer their parameter stands.
_LINKS: Final = {
    "list_articles": [
        ("get_article", "article_id", "/items/0/id"),
        ("list_related_links", "article_id", "/items/0/id"),
    ],
    "get_article": [
        ("list_related_links", "article_id", "/id"),
        ("get_topic", "topic", "/topics/0"),
        ("get_provider", "provider", "/provider/domain"),
    ],
    "list_related_links": [("get_article", "article_id", "/items/0/articleId")],
    "list_topics": [("get_topic", "topic", "/items/0/id"), ("list_articles", "topic", "/items/0/id")],
    "get_topic": [("list_articles", "topic", "/id")],
    "list_providers": [
        ("get_provider", "provider", "/items/0/domain"),
        ("list_articles", "provider", "/items/0/domain"),
    ],
    "get_provider": [("list_articles", "provider", "/domain")],
    "find_link": [
        ("get_article", "article_id", "/articles/0/id"),
        ("get_article", "article_id", "/mentionedBy/items/0/articleId"),
    ],
    "list_changes": [("get_article", "article_id", "/items/0/id")],
}

_TEXT: Final = {"schema": {"type": "string"}}
_HEADERS: Final = {
    "ETag": {"description": "Changes exactly when the answer's bytes do", **_TEXT},
    "Catalogue-Revision": {
        "description": "The revision of the catalogue that the answer is of",
        "schema": {"type": "integer"},
    },
}
_MINIMUM_REVISION: Final = {
    "name": "Minimum-Revision",
    "in": "header",
    "required": False,
    "description": "Only an answer of this revision or a newer one will do, else 503 with `Retry-After`. For "
    "those who know its number, from `Catalogue-Revision` or an import, and may meet a standby",
    "schema": {"type": "integer", "minimum": 0, "maximum": MAX_REVISION},
    "example": 1,
}
_MINIMUM_REVISION_REFERENCE: Final = {"$ref": "#/components/parameters/MinimumRevision"}
_NOT_MODIFIED: Final = {"description": "The ETag sent as If-None-Match is still that of the answer"}
_PAGED: Final = {
    "Link": {
        "description": 'The pages with rel="next" and rel="prev" (RFC 8288), where there are any',
        **_TEXT,
    }
}


# These operations take the same query as lists, and refuse a part of it with advice.
REFUSED_PARAMETERS: Final = {
    "get_facets": frozenset({"collapse"}),
    "get_timeline": frozenset({"collapse"}),
    "list_stories": frozenset({"collapse", "sort"}),
}

# FastAPI's own document is not to be made on two threads at once.
_making = Lock()


def openapi_bytes(app: FastAPI) -> bytes:
    with _making:
        return _bytes_of(app)


@cache
def _bytes_of(app: FastAPI) -> bytes:
    return json.dumps(openapi_document(app), ensure_ascii=False, separators=(",", ":")).encode()


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1."""
    document = app.openapi()
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in PROBLEM_MODELS:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    components["parameters"] = {"MinimumRevision": _MINIMUM_REVISION}
    components["securitySchemes"] = {
        "editorToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "The editor's token (CLIPPINGS_EDITOR_TOKEN) shows what is not published.",
        }
    }
    document["security"] = [{}, {"editorToken": []}]
    document["externalDocs"] = {
        "description": "The guide: what to ask, with answers",
        "url": document["servers"][0]["url"].rstrip("/") + "/docs/guide",
    }
    for path in document["paths"].values():
        if "service" in path["get"]["tags"]:
            # A token changes nothing here.
            path["get"]["security"] = []
        refused = REFUSED_PARAMETERS.get(path["get"]["operationId"], frozenset())
        parameters = path["get"].get("parameters", [])
        parameters[:] = [parameter for parameter in parameters if parameter["name"] not in refused]
        for parameter in parameters:
            parameter["schema"] = _of_what_can_be_sent(parameter["schema"])
            _show_examples(parameter)
        _say_more(path["get"])
        if "service" not in path["get"]["tags"]:
            path["parameters"] = [_MINIMUM_REVISION_REFERENCE]
    for schema in schemas.values():
        for value in schema.get("properties", {}).values():
            # A title that only repeats the name of its key.
            value.pop("title", None)
    # FastAPI also lists the models of values that are texts in a query.
    written = json.dumps(document)
    for name in [name for name in schemas if f'"#/components/schemas/{name}"' not in written]:
        del schemas[name]
    return document


def _say_more(operation: dict[str, Any]) -> None:
    name, answer = operation["operationId"], operation["responses"]["200"]
    if example := EXAMPLES.get(name):
        [content] = answer["content"].values()
        content["example"] = example["answer"]
        content.setdefault("schema", {"type": "string" if isinstance(example["answer"], str) else "object"})
        for parameter in operation.get("parameters", ()):
            if parameter["name"] in example["path"]:
                parameter["example"] = example["path"][parameter["name"]]
        is_page = isinstance(example["answer"], dict) and "prev" in example["answer"]
        answer["headers"] = _HEADERS | (_PAGED if is_page else {})
        operation["responses"]["304"] = _NOT_MODIFIED
    if links := _LINKS.get(name):
        answer["links"] = {
            f"{operation_id}_by{pointer.replace('/', '_')}": {
                "operationId": operation_id,
                "parameters": {parameter: f"$response.body#{pointer}"},
            }
            for operation_id, parameter, pointer in links
        }


def _show_examples(parameter: dict[str, Any]) -> None:
    """In the description: the page would send an `example` of each parameter, all at once."""
    examples = [
        example[0] if isinstance(example, list) else example
        for example in parameter["schema"].get("examples", ())
    ]
    if examples:
        described = parameter["schema"].get("description", "")
        shown = f"{described}. Such as {' or '.join(f'`{example}`' for example in examples)}"
        parameter["description"] = parameter["schema"]["description"] = shown


def _of_what_can_be_sent(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter may be left out, but null cannot be sent; its title only repeats its name."""
    sendable = [member for member in schema.get("anyOf", ()) if member != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    if len(sendable) > 1:
        return {**rest, "anyOf": sendable}
    return {**rest, **sendable[0]} if sendable else rest
