"""The API's documentation: the OpenAPI document, and a page to read and try it that asks no other host."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from app.web.problems import PROBLEM_MODELS, not_found
from app.web.routing import QueryRoute

STATIC = Path(__file__).parent / "static"

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".txt": "text/plain"}

# Swagger UI draws its icons from data: URLs. Its scripts and styles are files, so nothing inline is allowed.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = APIRouter(route_class=QueryRoute, include_in_schema=False)


@router.get("/openapi.json")
def get_openapi(request: Request) -> Response:
    return Response(openapi_bytes(request.app), media_type="application/json")


@router.get("/docs")
def get_docs() -> Response:
    headers = {"Content-Security-Policy": _PAGE_POLICY}
    return Response(_files()["docs.html"], media_type="text/html", headers=headers)


@router.get("/docs/{name}")
def get_docs_file(name: str) -> Response:
    """What the page loads. All of them lie in memory, so no name can lead out of the folder."""
    media_type = _MEDIA_TYPES.get(Path(name).suffix)
    if media_type is None or name not in _files():
        raise not_found()
    return Response(_files()[name], media_type=media_type)


@cache
def openapi_bytes(app: FastAPI) -> bytes:
    return json.dumps(openapi_document(app), ensure_ascii=False, separators=(",", ":")).encode()


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """FastAPI's, and what it cannot say: how a problem looks, and that a token may be sent but need not."""
    document = app.openapi()
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in PROBLEM_MODELS:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    components["securitySchemes"] = {
        "editorToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "The editor's token (CLIPPINGS_EDITOR_TOKEN) shows what is not published.",
        }
    }
    document["security"] = [{}, {"editorToken": []}]
    for path in document["paths"].values():
        for parameter in path["get"].get("parameters", ()):
            parameter["schema"] = _of_what_can_be_sent(parameter["schema"])
    return document


def _of_what_can_be_sent(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter may be left out, but null cannot be sent; its title only repeats its name."""
    sendable = [member for member in schema.get("anyOf", ()) if member != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    if len(sendable) > 1:
        return {**rest, "anyOf": sendable}
    return {**rest, **sendable[0]} if sendable else rest


@cache
def _files() -> dict[str, bytes]:
    """By the names they are asked for; the large script is kept as .gz, a third of its size."""
    return {
        path.name.removesuffix(".gz"): gzip.decompress(path.read_bytes())
        if path.suffix == ".gz"
        else path.read_bytes()
        for path in STATIC.rglob("*")
        if path.is_file()
    }
