"""/feeds: a query for feed readers, the first of it and page by page."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.cursors import Cursor
from app.catalog.fields import ITEM_KEYS
from app.catalog.filters import matching
from app.catalog.item_keys import MAX_PAGE_MARKDOWN_CHARACTERS, items_with_keys
from app.catalog.paging import BEGINNING, Page
from app.catalog.query import ArticleQuery
from app.catalog.query_titles import title_of
from app.feeds.feed import Entry, Feed, entry_of
from app.feeds.formats import ATOM, JSON, RSS, FeedFormat
from app.web.http.problems import COMMON_PROBLEMS, problems
from app.web.http.routes import QueryRoute
from app.web.paging import PRESENTATION, WithCursor, page_of, query_of_place, with_cursor
from app.web.view import View, open_view

router = APIRouter(route_class=QueryRoute, tags=["feeds"], responses=COMMON_PROBLEMS)

# A feed ends early, with a link to the rest of it, rather than have more: readers refuse some 10 MB.
MAX_FEED_BYTES = 8_000_000

_KEYS = ",".join((*ITEM_KEYS, "contentHtml"))
FEEDS = {"/feeds/articles.rss": RSS, "/feeds/articles.atom": ATOM, "/feeds/articles.json": JSON}


class FeedQuery(ArticleQuery, WithCursor):
    def check_relevance(self) -> None:
        # A cursor carries `q` itself, so `sort=relevance` needs no `q` beside it.
        if not self.cursor:
            super().check_relevance()


def _responses(format_: FeedFormat) -> dict[int | str, dict[str, object]]:
    return {200: {"description": "The feed", "content": {format_.media_type: {}}}, **problems(403, 410)}


@router.get("/feeds/articles.rss", response_class=Response, responses=_responses(RSS))
def get_rss_feed(request: Request, query: Annotated[FeedQuery, Query()]) -> Response:
    """RSS 2.0, with Media RSS and whole contents."""
    return _feed_response(request, query, "/feeds/articles.rss")


@router.get("/feeds/articles.atom", response_class=Response, responses=_responses(ATOM))
def get_atom_feed(request: Request, query: Annotated[FeedQuery, Query()]) -> Response:
    """Atom, RFC 4287."""
    return _feed_response(request, query, "/feeds/articles.atom")


@router.get("/feeds/articles.json", response_class=Response, responses=_responses(JSON))
def get_json_feed(request: Request, query: Annotated[FeedQuery, Query()]) -> Response:
    """JSON Feed 1.1."""
    return _feed_response(request, query, "/feeds/articles.json")


def _feed_response(request: Request, query: FeedQuery, path: str) -> Response:
    format_ = FEEDS[path]
    query, cursor = with_cursor(query, path)
    with open_view(request, query, cursor.told) as view:
        listing = matching(view.connection, query).listing()
        page, entries, texts = _entries(view, page_of(view, query, cursor, listing), format_)
        feed, headers = _described_feed(view, query, cursor, page)
        headers["Catalogue-Revision"] = str(view.state.revision)
        # Browsers take XML without a charset for their own, and show `NASAâ€™s`.
        media_type = f"{format_.media_type}; charset=utf-8"
        return Response(format_.whole(feed, entries, texts), media_type=media_type, headers=headers)


def _entries(view: View, page: Page, format_: FeedFormat) -> tuple[Page, list[Entry], list[bytes]]:
    """The entries and their texts, as many as a feed may have, and the page that these are."""
    entries: list[Entry] = []
    texts: list[bytes] = []
    bytes_left, characters_left = MAX_FEED_BYTES, MAX_PAGE_MARKDOWN_CHARACTERS
    for item in items_with_keys(view.connection, page.rows, _KEYS, sees_all=False):
        entry = entry_of(item.text, view.url("/view/articles"))
        text = format_.entry(entry)
        bytes_left -= len(text)
        # One entry is always given, or a walk would not go on.
        if texts and bytes_left < 0:
            break
        entries.append(entry)
        texts.append(text)
        characters_left -= item.markdown_characters
        if characters_left < 0:
            break
    return (page.shortened(len(texts), backwards=False) if texts else page), entries, texts


def _described_feed(view: View, query: FeedQuery, cursor: Cursor, page: Page) -> tuple[Feed, dict[str, str]]:
    """What the feed says of itself, and the header that leads to its next page.

    All of it is made of the query as it was asked: a feed of the last seven days that named their date would
    be another feed every second.
    """
    path = cursor.list_path
    first = query_of_place(view, query, path, BEGINNING, keep_durations=True)
    here = query_of_place(view, query, path, cursor.place, keep_durations=True)
    next_ = page.next and query_of_place(view, query, path, page.next, keep_durations=True)
    home = query.parameters(leave_out=PRESENTATION, keep_durations=True)
    feed = Feed(
        title=f"{title_of(view.connection, query)} – {view.settings.site_name}",
        description=view.settings.site_description,
        site_name=view.settings.site_name,
        id=view.url(path) + first,
        url=view.url(path) + here,
        # A place in the order of relevance is another after each import, and would make the feed another one.
        next_url=view.url(path) + next_ if next_ and not query.is_bound_to_revision else None,
        home_url=view.url("/") + (f"?{urlencode(home)}" if home else ""),
    )
    return feed, {"Link": f'<{view.path(path)}{next_}>; rel="next"'} if next_ else {}
