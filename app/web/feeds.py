"""/feeds: the newest of a query, for feed readers."""

from collections.abc import Callable, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.filters import matching
from app.catalog.orders import item_of
from app.catalog.paging import read_page
from app.catalog.query import ArticleQuery
from app.feeds.feed import Feed, entry_of, title_of
from app.feeds.formats import atom, json_feed, rss
from app.web.http.problems import COMMON_PROBLEMS, problems
from app.web.http.routes import QueryRoute
from app.web.paging import MAX_PAGE_SIZE
from app.web.view import open_view

router = APIRouter(route_class=QueryRoute, tags=["feeds"], responses=COMMON_PROBLEMS)


class FeedQuery(ArticleQuery):
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = Field(20, description="So many entries")


def _responses(media_type: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": "The feed", "content": {media_type: {}}}, **problems(403)}


@router.get("/feeds/articles.rss", response_class=Response, responses=_responses("application/rss+xml"))
def get_rss_feed(request: Request, query: Annotated[FeedQuery, Query()]) -> Response:
    """RSS 2.0."""
    return _feed_response(request, query, "application/rss+xml", rss)


@router.get("/feeds/articles.atom", response_class=Response, responses=_responses("application/atom+xml"))
def get_atom_feed(request: Request, query: Annotated[FeedQuery, Query()]) -> Response:
    """Atom, RFC 4287."""
    return _feed_response(request, query, "application/atom+xml", atom)


@router.get("/feeds/articles.json", response_class=Response, responses=_responses("application/feed+json"))
def get_json_feed(request: Request, query: Annotated[FeedQuery, Query()]) -> Response:
    """JSON Feed 1.1."""
    return _feed_response(request, query, "application/feed+json", json_feed)


def _feed_response(
    request: Request, query: FeedQuery, media_type: str, write: Callable[[Feed], bytes]
) -> Response:
    with open_view(request, query) as view:
        listing = matching(view.connection, query).listing()
        page = read_page(view.connection, listing, query.limit)
        items = tuple(entry_of(item_of(row)) for row in page.rows)
        # The Host header must not be used: its sender would choose where the links of other readers lead.
        base = view.settings.public_url or ""
        filters = query.parameters(leave_out={"limit"}, keep_durations=True)
        limit = [("limit", str(query.limit))] if "limit" in query.model_fields_set else []
        path = request.url.path.removeprefix(view.settings.public_path)
        feed_url = _with_query(base + path, [*filters, *limit])
        list_url = _with_query(base + "/articles", filters)
        feed = Feed(title_of(query), feed_url, list_url, items)
        headers = {"Catalogue-Revision": str(view.state.revision)}
        return Response(write(feed), media_type=media_type, headers=headers)


def _with_query(url: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{url}?{urlencode(pairs)}" if pairs else url
