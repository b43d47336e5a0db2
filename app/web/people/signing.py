"""/view/sign-in and /view/sign-out: the editor's token becomes a cookie that no script can read.

Another site cannot sign anybody in or out: the cookie is SameSite=Strict, and a form that comes from
elsewhere is refused.
"""

import asyncio
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.pages.frame import PageFrame
from app.pages.rendering import render
from app.settings import Settings
from app.web.http.audience import (
    COOKIE_DAYS,
    EDITOR_COOKIE,
    asker_of,
    is_editor_token,
    signed_cookie,
)
from app.web.http.problems import ProblemAnswer, forbidden
from app.web.http.routes import QueryRoute, resources_of
from app.web.people.frames import page_headers, site_of

router = APIRouter(route_class=QueryRoute, include_in_schema=False)

FORM_PATHS: Final = frozenset(("/view/sign-in", "/view/sign-out"))

# A token has some hundred characters, and each may take three when it is encoded.
MAX_FORM_BYTES: Final = 4_096
# The head of a request may take as long.
MAX_FORM_SECONDS: Final = 10
_SECONDS_OF_A_DAY: Final = 86_400


@router.api_route("/view/sign-in", methods=["GET", "POST"])
async def sign_in(request: Request) -> Response:
    settings = resources_of(request).settings
    if request.method == "GET":
        return _form(request, settings, HTTPStatus.OK, None)
    _refuse_other_sites(request, settings)
    form = parse_qs((await _body(request)).decode("latin-1"))
    if not is_editor_token(form.get("token", [""])[0].strip(), settings):
        return _form(
            request, settings, HTTPStatus.FORBIDDEN, "This is not the editor’s token of this server."
        )
    return _redirect(settings, signed_cookie(settings), COOKIE_DAYS * _SECONDS_OF_A_DAY, "/?published=any")


@router.api_route("/view/sign-out", methods=["GET", "POST"])
async def sign_out(request: Request) -> Response:
    settings = resources_of(request).settings
    if request.method == "GET":
        return _form(request, settings, HTTPStatus.OK, None)
    _refuse_other_sites(request, settings)
    return _redirect(settings, "", 0, "/")


def _form(request: Request, settings: Settings, status: int, error: str | None) -> Response:
    site = site_of(settings, asker_of(request))
    canonical = f"{site.prefix}/view/sign-in"
    frame = PageFrame(site=site, title="For editors", canonical=canonical, request=None, is_indexed=False)
    body = render("sign_in", frame=frame, site=site, error=error, days=COOKIE_DAYS)
    headers = page_headers(settings)
    if status == HTTPStatus.OK:
        headers["Cache-Control"] = "no-store"
    return Response(body, status, media_type="text/html", headers=headers)


def _redirect(settings: Settings, cookie: str, max_age: int, path: str) -> Response:
    """The client goes on by GET (303), so that reloading the next page sends no form again."""
    parts = [
        f"{EDITOR_COOKIE}={cookie}",
        f"Path={settings.public_path or '/'}",
        f"Max-Age={max_age}",
        "HttpOnly",
        "SameSite=Strict",
    ]
    if urlsplit(settings.public_url or "").scheme == "https":
        parts.append("Secure")
    headers = {
        "Location": settings.public_path + path,
        "Set-Cookie": "; ".join(parts),
        "Cache-Control": "no-store",
    }
    return Response(b"", 303, headers=headers)


def _refuse_other_sites(request: Request, settings: Settings) -> None:
    """Browsers say where a form comes from: all by Origin, newer ones on secure sites by Sec-Fetch-Site."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    elif origin is not None:
        # The Host header is compared and nothing more: no link is made of it.
        ours = (urlsplit(settings.public_url or "").netloc, request.headers.get("host", ""))
        is_ours = origin.partition("://")[2] in ours
    else:
        is_ours = True
    if not is_ours:
        raise forbidden("This form comes from another site.")


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(MAX_FORM_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_FORM_BYTES:
                    raise ProblemAnswer(413, f"A form may have {MAX_FORM_BYTES:,} bytes.")
    except TimeoutError:
        raise ProblemAnswer(408, f"A form must arrive within {MAX_FORM_SECONDS} seconds.") from None
    return body
