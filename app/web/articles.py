"""/articles: pages of them, single ones, and what they link to."""

import json
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, NoReturn
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.audience import Published
from app.catalog.collections import (
    collection_item,
    collections_with,
    count_items,
    details_with_missing_items,
    items_of,
    versions_of,
)
from app.catalog.content_html import content_html
from app.catalog.cursors import Cursor
from app.catalog.filters import matching, may_be_index_range
from app.catalog.highlights import highlights_of_page
from app.catalog.item_keys import LONG_KEYS, Fields, ItemText, has_long_keys, items_with_keys, within_page
from app.catalog.paging import BEGINNING, Page, PageTooLarge, read_unpaged
from app.catalog.query import ArticleQuery, Boolean
from app.catalog.related import find_article, find_whole_article, link_item, related_links_of
from app.catalog.rolling import with_fixed_dates
from app.catalog.search_language import Search
from app.catalog.similar import similar_articles
from app.catalog.spelling import propose
from app.printable import compact_json
from app.web.feeds import FEEDS
from app.web.http.problems import COMMON_PROBLEMS, ParameterError, not_found, problems, unprocessable
from app.web.http.routes import QueryRoute, resources_of, run_on_loop_if_local, run_on_thread
from app.web.paging import MAX_PAGE_SIZE, PRESENTATION, Paged, page_of, page_response, with_cursor
from app.web.representations import Article, ArticlePage, CollectionItemPage, RelatedLinkPage, SimilarArticles
from app.web.view import View, open_view

# A larger response takes longer than the switch to a thread, and would block the event loop meanwhile.
_MAX_ARTICLES_ON_LOOP, _MAX_CHARACTERS_ON_LOOP, _MAX_LINKS_ON_LOOP = 50, 200_000, 200
# Content is made into HTML, in up to 15 µs a character.
_MAX_CONTENT_ON_LOOP = 1_000

# Lists name their feeds in a header, three times their own query. Proxies refuse headers of 8,000 bytes.
_MAX_QUERY_IN_HEADER = 1_000

router = APIRouter(route_class=QueryRoute, tags=["articles"], responses=COMMON_PROBLEMS)


class ArticleListQuery(ArticleQuery, Paged):
    highlight: Boolean = Field(False, description="With `q`: where it matched, as marked and escaped HTML")
    fields: Fields | None = Field(
        None,
        description="Only these keys of each article. `content`, `contentHtml`, `details` and `related` may "
        "be named too; a page then ends early rather than exceed 8 MB, and `next` goes on",
        examples=["id,title,webUrl"],
    )

    def check_relevance(self) -> None:
        # A cursor carries `q` itself, so `sort=relevance` needs no `q` beside it.
        if not self.cursor:
            super().check_relevance()


class RelatedQuery(Paged):
    """`published` is accepted and ignored: whoever may see the article may see its links."""


@router.get("/articles", response_model=ArticlePage, responses=problems(403, 410))
async def list_articles(request: Request, query: Annotated[ArticleListQuery, Query()]) -> Response:
    """Articles that match, the newest first or as `sort` says."""
    query, cursor = with_cursor(query, "/articles")
    if query.page is not None and has_long_keys(query.fields):
        # A page that ends early would leave articles on no page with a number.
        advice = f"cannot be given where fields names {', '.join(LONG_KEYS)}; follow `next`"
        raise unprocessable(ParameterError("page", str(query.page), advice))
    is_short = query.limit <= _MAX_ARTICLES_ON_LOOP and not query.fields
    if resources_of(request).is_local and query.page is None and is_short and may_be_index_range(query):
        with suppress(NoIndexRange, PageTooLarge):
            return _list_articles(request, query, cursor, on_loop=True)
    return await run_on_thread(request, partial(_list_articles, request, query, cursor))


class NoIndexRange(Exception):
    """The query is more than one index range, so a thread must answer it."""


def _list_articles(
    request: Request, query: ArticleListQuery, cursor: Cursor, *, on_loop: bool = False
) -> Response:
    with open_view(request, query, cursor.told) as view:
        selection = matching(view.connection, query)
        if on_loop and not selection.is_index_range:
            raise NoIndexRange
        listing = selection.listing(_MAX_CHARACTERS_ON_LOOP if on_loop else None)
        page = page_of(view, query, cursor, listing)
        items = [row.item for row in page.rows]
        search = query.search if query.highlight else None
        if query.fields or search:
            page, items = _presented(view, query, page, search, backwards=cursor.place.backwards)
        if query.depends_on_clock:
            query = with_fixed_dates(view.connection, query)
        total, links = selection.total(), _links_to_feeds(view, query)
        # A guess that takes too long ends a transaction of PostgreSQL, so it comes last.
        proposal = propose(selection) if query.search else None
        more = {"didYouMean": proposal.q} if proposal else {}
        return page_response(view, query, "/articles", page, items, total, links, more)


def _presented(
    view: View, query: ArticleListQuery, page: Page, search: Search | None, *, backwards: bool
) -> tuple[Page, list[str]]:
    """The page and its items as the query wants them shown: some keys alone, or with highlights.

    Long keys may shorten the page. Read backwards, it keeps its end, from which the reader came.
    """
    rows = page.rows[::-1] if backwards else page.rows
    items: Iterable[ItemText] = (
        items_with_keys(view.connection, rows, query.fields, sees_all=view.asker.may_see_unpublished)
        if query.fields
        else (ItemText(row.item) for row in rows)
    )
    if search:
        by_id = {row.id: row.item for row in page.rows}
        highlights = highlights_of_page(view.connection, by_id, search)
        items = (
            item._replace(text=f'{item.text[:-1]},"highlights":{compact_json(highlights[row.id])}}}')
            for row, item in zip(rows, items, strict=True)
        )
    is_long = has_long_keys(query.fields)
    texts = list(within_page(items)) if is_long else [item.text for item in items]
    if backwards:
        texts.reverse()
    return (page.shortened(len(texts), backwards=backwards) if texts else page), texts


def _links_to_feeds(view: View, query: ArticleQuery) -> list[str]:
    """The members of a `Link` header by which readers find this very query's feeds."""
    parameters = urlencode(query.parameters(leave_out=PRESENTATION, keep_durations=True))
    if len(parameters) > _MAX_QUERY_IN_HEADER:
        return []
    suffix = f"?{parameters}" if parameters else ""
    return [
        f'<{view.path(path)}{suffix}>; rel="alternate"; type="{format_.media_type}"'
        for path, format_ in FEEDS.items()
    ]


@router.get("/articles/{article_id}", response_model=Article, responses=problems(404))
async def get_article(request: Request, article_id: str) -> Response:
    """One article with its related links, its content and all its details."""
    if response := await run_on_loop_if_local(request, partial(_get_small_article, request, article_id)):
        return response
    return await run_on_thread(request, partial(_get_article, request, article_id))


def _get_small_article(request: Request, article_id: str) -> Response | None:
    """None if the article is too large for the event loop."""
    with open_view(request) as view:
        article = _find_whole(view, article_id, _MAX_CONTENT_ON_LOOP + 1)
        if len(article.content) > _MAX_CONTENT_ON_LOOP or article.related_count > _MAX_LINKS_ON_LOOP:
            return None
        return _article_response(view, article)


def _get_article(request: Request, article_id: str) -> Response:
    with open_view(request) as view:
        return _article_response(view, _find_whole(view, article_id))


def _find_whole(view: View, article_id: str, max_characters: int | None = None) -> Any:
    sees_all = view.asker.may_see_unpublished
    article = find_whole_article(
        view.connection, article_id, sees_all=sees_all, max_characters=max_characters
    )
    return article or _raise_no_article()


def _article_response(view: View, article: Any) -> Response:
    sees_all = view.asker.may_see_unpublished
    rows = read_unpaged(view.connection, related_links_of(article.id))
    related = ",".join(link_item(row, sees_all=sees_all) for row in rows)
    content = json.dumps(article.content, ensure_ascii=False)
    html = json.dumps(content_html(article.content, article.base_url), ensure_ascii=False)
    published: Published = "any" if sees_all else "true"
    details = details_with_missing_items(view.connection, article.id, article.details, published)
    # A collection may list thousands; /articles/{id}/items has all of them.
    members = items_of(article.id, published).read(view.connection, BEGINNING, MAX_PAGE_SIZE)
    items = ",".join([collection_item(row) for _, row in members])
    body = (
        f'{article.item[:-1]},"related":[{related}],"content":{content},"contentHtml":{html},'
        f'"details":{details},"versions":{versions_of(view.connection, article.id, published)},'
        f'"collections":{collections_with(view.connection, article.id, published)},"items":[{items}]}}'
    )
    return view.json(body.encode())


@router.get("/articles/{article_id}/related", response_model=RelatedLinkPage, responses=problems(404))
def list_related_links(
    request: Request, article_id: str, query: Annotated[RelatedQuery, Query()]
) -> Response:
    """The articles that this one mentions, in its order."""
    list_path = f"/articles/{article_id}/related"
    query, cursor = with_cursor(query, list_path)
    with open_view(request, None, cursor.told) as view:
        sees_all = view.asker.may_see_unpublished
        article = find_article(view.connection, article_id, sees_all=sees_all) or _raise_no_article()
        page = page_of(view, query, cursor, related_links_of(article.id))
        items = [link_item(row, sees_all=sees_all) for row in page.rows]
        return page_response(view, query, list_path, page, items, article.related_count)


class ItemsQuery(Paged):
    """`published` changes nothing: whoever may see the collection sees what they may of its items. Values
    other than `true` need the token, as in lists.
    """


@router.get("/articles/{article_id}/items", response_model=CollectionItemPage, responses=problems(404))
def list_items(request: Request, article_id: str, query: Annotated[ItemsQuery, Query()]) -> Response:
    """The articles that a collection lists, in its order."""
    list_path = f"/articles/{article_id}/items"
    query, cursor = with_cursor(query, list_path)
    with open_view(request, query, cursor.told) as view:
        sees_all = view.asker.may_see_unpublished
        article = find_article(view.connection, article_id, sees_all=sees_all) or _raise_no_article()
        page = page_of(view, query, cursor, items_of(article.id, "any" if sees_all else "true"))
        items = [collection_item(row) for row in page.rows]
        total = count_items(view.connection, article.id)
        return page_response(view, query, list_path, page, items, total)


class SimilarQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = Field(20, description="At most so many")


@router.get("/articles/{article_id}/similar", response_model=SimilarArticles, responses=problems(404))
def list_similar_articles(
    request: Request, article_id: str, query: Annotated[SimilarQuery, Query()]
) -> Response:
    """The articles most like it by their words and dates, and by what curators linked to those, with why."""
    with open_view(request) as view:
        sees_all = view.asker.may_see_unpublished
        article = find_article(view.connection, article_id, sees_all=sees_all) or _raise_no_article()
        published: Published = "any" if sees_all else "true"
        items = ",".join(
            [
                f'{{"score":{similar.score},"words":{compact_json(similar.words)},'
                f'"isLinked":{compact_json(similar.is_linked)},"article":{similar.item}}}'
                for similar in similar_articles(view.connection, article.id, published, query.limit)
            ]
        )
        return view.json(f'{{"items":[{items}]}}'.encode())


def _raise_no_article() -> NoReturn:
    """Hidden articles get the same answer, so that nobody learns that they exist."""
    raise not_found("There is no article with this id; /articles lists those there are.")
