"""/articles: pages of them, single ones, and what they link to."""

import json
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field
from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.cursors import Cursor
from app.catalog.filters import matching, may_be_index_range
from app.catalog.highlights import marked, snippet
from app.catalog.paging import Listing, read_unpaged
from app.catalog.query import ArticleQuery, Boolean
from app.catalog.rolling import fixed
from app.catalog.search_language import without_markup
from app.catalog.tables import articles, contents, links, related_links
from app.database.statements import prepared
from app.web.http.problems import EVERYWHERE, not_found, problems
from app.web.http.routes import QueryRoute, answered, on_a_thread
from app.web.pages import Paged, page_answer, page_of, resumed
from app.web.representations import (
    Article,
    ArticleItem,
    ArticlePage,
    FoundPage,
    RelatedLinkPage,
    SomeKeysPage,
)
from app.web.view import Reading, reading

# For a snippet: a body of 16,000 words, the most that are found. The largest real one has 22 kB.
_MOST_OF_A_CONTENT = 200_000
# For the marks of a page, text by text: half a second's work. The 200 longest real articles have half as
# much; what comes after so much is not marked.
_MOST_LOOKED_THROUGH = 500_000
# What is larger takes longer than the way to a thread, and nothing else would be answered meanwhile.
_MOST_ARTICLES_AT_ONCE, _MOST_CHARACTERS_AT_ONCE, _MOST_LINKS_AT_ONCE = 50, 200_000, 200
# One object, by which its statement is known again.
_BEGINNING_OF_CONTENT = func.substr(contents.c.content, 1, _MOST_CHARACTERS_AT_ONCE + 1).label("content")

router = APIRouter(route_class=QueryRoute, tags=["articles"], responses=EVERYWHERE)

KEYS = tuple(field.alias or name for name, field in ArticleItem.model_fields.items())


def _known_keys(text: str) -> str:
    if unknown := [key for key in text.split(",") if key not in KEYS]:
        raise ValueError(f"must not name {unknown[0] or 'nothing'}; an article has {', '.join(KEYS)}")
    return text


class ArticleListQuery(ArticleQuery, Paged):
    highlight: Boolean = Field(False, description="With `q`: where it matched, as marked and escaped HTML")
    fields: Annotated[str, AfterValidator(_known_keys)] | None = Field(
        None, description="Only these keys of each article", examples=["id,title,webUrl"]
    )


class RelatedQuery(Paged):
    """The article decides what is there; `published` is not asked."""


@router.get("/articles", response_model=ArticlePage | FoundPage | SomeKeysPage, responses=problems(403, 410))
async def list_articles(request: Request, query: Annotated[ArticleListQuery, Query()]) -> Response:
    """Articles that match, the newest first or as `sort` says."""
    query, cursor = resumed(query, "/articles")
    is_short = query.limit <= _MOST_ARTICLES_AT_ONCE and not query.fields
    if request.app.state.is_local and query.page is None and is_short and may_be_index_range(query):
        with suppress(NoIndexRange):
            return _list_articles(request, query, cursor, only_index_range=True)
    return await on_a_thread(request, partial(_list_articles, request, query, cursor))


class NoIndexRange(Exception):
    """The query is more than one index range, so the event loop must not wait for it."""


def _list_articles(
    request: Request, query: ArticleListQuery, cursor: Cursor, *, only_index_range: bool = False
) -> Response:
    with reading(request, query) as now:
        selection = matching(now.connection, query)
        if only_index_range and not selection.is_index_range:
            raise NoIndexRange
        page = page_of(now, query, cursor, selection.listing(articles.c.id, articles.c.item))
        items = [row.item for row in page.rows]
        found = _highlights(now, query, page.rows)
        if query.fields or found:
            items = [_dressed(row.item, query.fields, found.get(row.id)) for row in page.rows]
        query = fixed(now.connection, query)
        return page_answer(now, query, "/articles", page, items, selection.total())


@router.get("/articles/{article_id}", response_model=Article, responses=problems(404))
async def get_article(request: Request, article_id: str) -> Response:
    """One article with its related links, its content and all its details."""
    if small := await answered(request, partial(_get_small_article, request, article_id), at_once=True):
        return small
    return await on_a_thread(request, partial(_get_article, request, article_id))


def _get_small_article(request: Request, article_id: str) -> Response | None:
    """None for one that is not small."""
    with reading(request) as now:
        found = _find(now, article_id, _BEGINNING_OF_CONTENT, contents.c.details)
        is_long = len(found.content) > _MOST_CHARACTERS_AT_ONCE
        return None if is_long or found.related_count > _MOST_LINKS_AT_ONCE else _article_answer(now, found)


def _get_article(request: Request, article_id: str) -> Response:
    with reading(request) as now:
        return _article_answer(now, _find(now, article_id, contents.c.content, contents.c.details))


def _article_answer(now: Reading, found: Row[Any]) -> Response:
    related = ",".join(_link_item(now, row) for row in read_unpaged(now.connection, _related(found.id)))
    content = json.dumps(found.content, ensure_ascii=False)
    body = f'{found.item[:-1]},"related":[{related}],"content":{content},"details":{found.details}}}'
    return now.json(body.encode())


@router.get("/articles/{article_id}/related", response_model=RelatedLinkPage, responses=problems(404))
def list_related_links(
    request: Request, article_id: str, query: Annotated[RelatedQuery, Query()]
) -> Response:
    """The articles that this one mentions, in its order."""
    of = f"/articles/{article_id}/related"
    query, cursor = resumed(query, of)
    with reading(request) as now:
        found = _find(now, article_id)
        page = page_of(now, query, cursor, _related(found.id))
        items = [_link_item(now, row) for row in page.rows]
        return page_answer(now, query, of, page, items, found.related_count)


def _find(now: Reading, article_id: str, *more: ColumnElement[Any]) -> Row[Any]:
    """To those who may not see it a hidden article is as one that never was."""
    sees_all = now.asker.may_see_unpublished

    def make() -> Select[Any]:
        rows = select(articles.c.id, articles.c.item, articles.c.related_count, *more)
        rows = rows.join(contents, contents.c.article_id == articles.c.id) if more else rows
        rows = rows.where(articles.c.public_id == bindparam("public_id"))
        return rows if sees_all else rows.where(articles.c.published == 1)

    statement = prepared(now.connection, (_find, sees_all, more), make)
    found = statement.rows(now.connection, {"public_id": article_id})
    if not found:
        raise not_found("There is no article with this id; /articles lists those there are.")
    article: Row[Any] = found[0]
    return article


def _related(article_id: int) -> Listing:
    return Listing(related_rows, related_rows, [related_links.c.position], {"article_id": article_id})


def related_rows() -> Select[Any]:
    return (
        select(related_links.c.position, links.c.item, articles.c.public_id, articles.c.published)
        .join(links, links.c.id == related_links.c.link_id)
        .outerjoin(articles, articles.c.id == links.c.target_article_id)
        .where(related_links.c.article_id == bindparam("article_id"))
    )


def _link_item(now: Reading, row: Row[Any]) -> str:
    may_see = row.published == 1 or (row.published == 0 and now.asker.may_see_unpublished)
    target = f'"{row.public_id}"' if may_see else "null"
    return f'{{"position":{row.position},{row.item[1:-1]},"articleId":{target}}}'


def _highlights(now: Reading, query: ArticleListQuery, rows: Sequence[Row[Any]]) -> dict[int, dict[str, Any]]:
    search = query.search
    if not query.highlight or search is None:
        return {}
    beginning = func.substr(contents.c.content, 1, _MOST_OF_A_CONTENT).label("beginning")
    of_rows = select(contents.c.article_id, beginning).where(
        contents.c.article_id.in_([row.id for row in rows])
    )
    bodies = {row.article_id: row.beginning for row in now.connection.execute(of_rows)}
    left = _MOST_LOOKED_THROUGH
    found = {}
    for row in rows:
        article = json.loads(row.item)
        title, excerpt = article["title"], article["excerpt"] or ""
        marks: dict[str, str | None] = {"title": marked(title, search, left)}
        left = max(0, left - len(title))
        marks["excerpt"] = marked(excerpt, search, left)
        left = max(0, left - len(excerpt))
        content = bodies[row.id][:left]
        marks["content"] = snippet(without_markup(content), search)
        left -= len(content)
        found[row.id] = marks
    return found


def _dressed(item: str, fields: str | None, highlights: dict[str, Any] | None) -> str:
    article = json.loads(item)
    if fields:
        article = {key: article[key] for key in fields.split(",")}
    if highlights is not None:
        article["highlights"] = highlights
    return json.dumps(article, ensure_ascii=False, separators=(",", ":"))
