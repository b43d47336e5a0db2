"""What all pages for people share: the site, the same query as data, the headers. Knows no page."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from app.pages.frame import PageRequest, Site
from app.settings import Settings
from app.web.http.audience import Asker
from app.web.http.response import VARY
from app.web.view import View

Pairs = Sequence[tuple[str, str]]

# A page also varies by the editor's cookie.
_VARY: Final = f"{VARY}, Cookie"


def site_of(settings: Settings, asker: Asker | None = None) -> Site:
    return Site(
        name=settings.site_name,
        description=settings.site_description,
        url=(settings.public_url or "").removesuffix(settings.public_path),
        prefix=settings.public_path,
        shows_images=settings.show_images,
        can_sign_in=settings.editor_token is not None,
        is_signed_in=bool(asker and asker.is_signed_in),
        sees_unpublished=bool(asker and asker.may_see_unpublished),
    )


def site_of_view(view: View) -> Site:
    return site_of(view.settings, view.asker)


def page_policy(settings: Settings) -> str:
    """No script and no style of a document can run, whatever comes through; pictures are on other hosts."""
    images = "'self' https: http:" if settings.show_images else "'self'"
    return (
        f"default-src 'none'; style-src 'self'; img-src {images}; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def page_headers(settings: Settings) -> dict[str, str]:
    return {
        "Content-Security-Policy": page_policy(settings),
        "Cross-Origin-Resource-Policy": "same-origin",
        # A browser says `Origin: null` of our own forms under `no-referrer`, as of those of others.
        "Referrer-Policy": "same-origin",
        "Vary": _VARY,
    }


def page_response(view: View, body: bytes) -> Response:
    headers = {**page_headers(view.settings), "Catalogue-Revision": str(view.state.revision)}
    return Response(body, media_type="text/html", headers=headers)


def request_of_list(view: View, filters: Pairs, paging: Pairs, *, is_public: bool) -> PageRequest:
    """The list itself, and the same articles as feeds and files, which have no pages."""
    needs_token = not is_public and not view.settings.show_unpublished
    query = f"?{urlencode(filters)}" if filters else ""
    json = address(view.path("/articles"), [*filters, *paging] if not _has_cursor(paging) else paging)
    return PageRequest(
        json=json,
        curl=curl(view, json, needs_token=needs_token),
        feeds=(
            ("RSS", view.path("/feeds/articles.rss") + query),
            ("Atom", view.path("/feeds/articles.atom") + query),
            ("JSON Feed", view.path("/feeds/articles.json") + query),
        ),
        files=(
            ("CSV", view.path("/exports/articles.csv") + query),
            ("NDJSON", view.path("/exports/articles.ndjson") + query),
            ("XLSX", view.path("/exports/articles.xlsx") + query),
        ),
        needs_token=needs_token,
    )


def request_of(view: View, path: str, pairs: Pairs = (), *, is_public: bool) -> PageRequest:
    """`is_public` if everybody gets the same answer."""
    needs_token = not is_public and not view.settings.show_unpublished
    json = address(view.path(path), pairs)
    return PageRequest(json=json, curl=curl(view, json, needs_token=needs_token), needs_token=needs_token)


def curl(view: View, path: str, *, needs_token: bool) -> str:
    """A command that works when it is pasted: percent-encoding leaves no quotation mark in an address."""
    site = site_of_view(view)
    token = ' -H "Authorization: Bearer $CLIPPINGS_EDITOR_TOKEN"' if needs_token else ""
    return f"curl{token} '{site.url}{path}'"


def address(path: str, pairs: Pairs) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _has_cursor(paging: Pairs) -> bool:
    return any(name == "cursor" for name, _ in paging)
