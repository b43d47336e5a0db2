"""A problem as a page, for browsers: what went wrong, and ways on. Knows no route."""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from app.pages.entries import PageLink
from app.pages.frame import PageFrame
from app.pages.rendering import render
from app.settings import Settings
from app.web.http.audience import Asker, asker_by_cookie
from app.web.http.problems import ProblemAnswer
from app.web.http.query_string import MAX_CHARACTERS_WITH_CURSOR, MAX_PARAMETERS
from app.web.http.response import RawHeaders
from app.web.people.frames import address, page_headers, site_of

_HEADINGS: Final = {
    401: "This is for editors",
    403: "This is shown to nobody here",
    404: "There is nothing here",
    405: "This page takes no such request",
    410: "This page of the list is gone",
    413: "That was too much",
    422: "This cannot be asked",
    500: "Something went wrong here",
    503: "Not now",
}


def problem_page(
    settings: Settings, path: str, query: bytes, cookies: bytes, problem: ProblemAnswer
) -> tuple[RawHeaders, bytes]:
    """Nobody stores a problem, so an editor's has the editor's bar, also where the API reads no cookie."""
    public = Asker(may_see_unpublished=settings.show_unpublished, has_token=False)
    site = site_of(settings, asker_by_cookie(cookies, public, settings))
    heading = _HEADINGS.get(problem.status, problem.title)
    frame = PageFrame(site=site, title=heading, canonical=f"{site.prefix}/", request=None, is_indexed=False)
    errors: Any = problem.members.get("errors", [])
    body = render(
        "problem",
        frame=frame,
        site=site,
        heading=heading,
        status=problem.status,
        detail=problem.detail,
        errors=errors,
        ways=_ways(settings, problem, path, query, [error["parameter"] for error in errors]),
    )
    headers = {**problem.headers, **page_headers(settings), "Content-Type": "text/html; charset=utf-8"}
    # Nobody stores a problem (`no-store`), so it need not say what it varies by.
    del headers["Vary"]
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()], body


def _ways(
    settings: Settings, problem: ProblemAnswer, path: str, query: bytes, bad_parameters: list[str]
) -> list[PageLink]:
    prefix = settings.public_path
    ways = []
    first = problem.members.get("first")
    if isinstance(first, str):
        ways.append(PageLink("Begin at the first page", first))
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        ways.append(PageLink("Try again", _same(prefix, path, query, [])))
    if bad_parameters and any(bad_parameters):
        it = "it" if len(set(bad_parameters)) == 1 else "them"
        ways.append(PageLink(f"Go on without {it}", _same(prefix, path, query, bad_parameters)))
    if problem.status == HTTPStatus.UNAUTHORIZED and settings.editor_token is not None:
        ways.append(PageLink("Sign in", f"{prefix}/view/sign-in"))
    ways.append(PageLink("See all articles", f"{prefix}/"))
    ways.append(PageLink("Topics", f"{prefix}/view/topics"))
    return ways


def _same(prefix: str, path: str, query: bytes, without: list[str]) -> str:
    """The address that was asked, without these parameters; its beginning where it is too long to be one."""
    text = query[:MAX_CHARACTERS_WITH_CURSOR].decode("latin-1")
    pairs = parse_qsl(text, keep_blank_values=True)[:MAX_PARAMETERS]
    # "//host" would lead to another site.
    path = "/" + quote(path.removeprefix(prefix).lstrip("/"))
    return address(prefix + path, [(name, value) for name, value in pairs if name not in without])
