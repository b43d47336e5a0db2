"""The documentation: the OpenAPI document, a page to try it, and the README; all without another host."""

import gzip
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.content_html import content_html
from app.web.http.problems import not_found
from app.web.http.routes import QueryRoute
from app.web.openapi import openapi_bytes

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


@router.get("/docs/guide")
def get_guide() -> Response:
    headers = {"Content-Security-Policy": _PAGE_POLICY}
    return Response(_guide(), media_type="text/html", headers=headers)


@router.get("/docs/{name}")
def get_docs_file(name: str) -> Response:
    """A file that the page loads. All files are in memory, so no name can lead out of the folder."""
    media_type = _MEDIA_TYPES.get(Path(name).suffix)
    if media_type is None or name not in _files():
        raise not_found()
    return Response(_files()[name], media_type=media_type)


@cache
def _guide() -> str:
    """The README as a page: it is of this very version, and needs no internet."""
    # The wheel carries it within the package; a checkout has it beside.
    package = Path(__file__).parents[1]
    inside = package / "_README.md"
    readme = (inside if inside.is_file() else package.parent / "README.md").read_text(encoding="utf-8")
    return (STATIC / "guide.html").read_text(encoding="utf-8").replace("{guide}", content_html(readme, None))


@cache
def _files() -> dict[str, bytes]:
    """File name -> content. The large script is stored as .gz, at a third of its size."""
    return {
        path.name.removesuffix(".gz"): gzip.decompress(path.read_bytes())
        if path.suffix == ".gz"
        else path.read_bytes()
        for path in STATIC.rglob("*")
        if path.is_file()
    }
