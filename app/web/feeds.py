"""/feeds: the newest of a query, for feed readers."""

from collections.abc import Callable, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.filters import matching
from app.catalog.paging import read_page
from app.catalog.query import ArticleQuery
from app.feeds.feed import Feed, item_of, title_of
from app.feeds.formats import atom, json_feed, rss
from app.web.http.problems import EVERYWHERE, problems
from app.web.http.routes import QueryRoute
from app.web.pages import MOST_ON_A_PAGE
from app.web.view import reading

router = APIRouter(route_class=QueryRoute, tags=["feeds"], responses=EVERYWHERE)


class FeedQuery(ArticleQuery):
    limit: Annotated[int, Field(ge=1, le=MOST_ON_A_PAGE)] = Field(20, description="So many entries")


def _of(media_type: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": "The feed", "content": {media_type: {}}}, **problems(403)}


@router.get("/feeds/articles.rss", response_class=Response, responses=_of("application/rss+xml"))
def get_rss_feed(request: Request, query: Annotated[FeedQuery, Query()]) -> Response:
    """RSS 2.0."""
    return _answer(request, query, "application/rss+xml", rss)


@router.get("/feeds/articles.atom", response_class=Response, responses=_of("application/atom+xml"))
def get_atom_feed(request: Request, query: Annotated[FeedQuery, Query()]) -> Response:
    """Atom, RFC 4287."""
    return _answer(request, query, "application/atom+xml", atom)


@router.get("/feeds/articles.json", response_class=Response, responses=_of("application/feed+json"))
def get_json_feed(request: Request, query: Annotated[FeedQuery, Query()]) -> Response:
    """JSON Feed 1.1."""
    return _answer(request, query, "application/feed+json", json_feed)


def _answer(
    request: Request, query: FeedQuery, media_type: str, written: Callable[[Feed], bytes]
) -> Response:
    with reading(request, query) as now:
        listing = matching(now.connection, query).listing()
        newest = read_page(now.connection, listing, query.limit)
        items = tuple(item_of(row.item) for row in newest.rows)
        # Never the Host header: whoever sends it would choose where the links of others lead.
        base = now.settings.public_url or ""
        asked = query.parameters(leave_out={"limit"}, keep_durations=True)
        own = [*asked, ("limit", str(query.limit))] if "limit" in query.model_fields_set else asked
        path = request.url.path.removeprefix(now.settings.public_path)
        feed = Feed(title_of(query), _with(base + path, own), _with(base + "/articles", asked), items)
        headers = {"Catalogue-Revision": str(now.state.revision)}
        return Response(written(feed), media_type=media_type, headers=headers)


def _with(url: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{url}?{urlencode(pairs)}" if pairs else url
