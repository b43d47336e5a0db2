"""/articles: pages of them, single ones, and what they link to."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field
from sqlalchemy import Row, Select, select
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.filters import matching
from app.catalog.query import ArticleQuery, Boolean
from app.catalog.tables import articles, contents, links, related_links
from app.catalog.words import marked, snippet, without_markup
from app.web.pages import Paged, page_answer, page_of, resumed
from app.web.problems import EVERYWHERE, not_found, problems
from app.web.reading import Reading, reading
from app.web.representations import (
    Article,
    ArticleItem,
    ArticlePage,
    FoundPage,
    RelatedLinkPage,
    SomeKeysPage,
)
from app.web.routing import QueryRoute

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
def list_articles(request: Request, query: Annotated[ArticleListQuery, Query()]) -> Response:
    """Articles that match, the newest first or as `sort` says."""
    query, cursor = resumed(query, "/articles")
    with reading(request, query) as now:
        selection = matching(now.connection, query)
        statement = selection.statement(articles.c.id, articles.c.item)
        page = page_of(now, query, cursor, statement, selection.order)
        items = [row.item for row in page.rows]
        found = _highlights(now, query, page.rows)
        if query.fields or found:
            items = [_dressed(row.item, query.fields, found.get(row.id)) for row in page.rows]
        return page_answer(now, query, "/articles", page, items, selection.total(now.connection))


@router.get("/articles/{article_id}", response_model=Article, responses=problems(404))
def get_article(request: Request, article_id: str) -> Response:
    """One article with its related links, its content and all its details."""
    with reading(request) as now:
        found = _find(now, article_id)
        parts = now.connection.execute(
            select(contents.c.content, contents.c.details).where(contents.c.article_id == found.id)
        ).one()
        rows = now.connection.execute(_related(found.id).order_by(related_links.c.position))
        related = ",".join(_link_item(now, row) for row in rows)
        content = json.dumps(parts.content, ensure_ascii=False)
        body = f'{found.item[:-1]},"related":[{related}],"content":{content},"details":{parts.details}}}'
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
        page = page_of(now, query, cursor, _related(found.id), [related_links.c.position])
        items = [_link_item(now, row) for row in page.rows]
        return page_answer(now, query, of, page, items, found.related_count)


def _find(now: Reading, article_id: str) -> Row[int, str, int]:
    """To those who may not see it a hidden article is as one that never was."""
    query = select(articles.c.id, articles.c.item, articles.c.related_count).where(
        articles.c.public_id == article_id
    )
    if not now.asker.may_see_unpublished:
        query = query.where(articles.c.published == 1)
    found = now.connection.execute(query).one_or_none()
    if found is None:
        raise not_found("There is no article with this id; /articles lists those there are.")
    return found


def _related(article_id: int) -> Select[Any]:
    return (
        select(related_links.c.position, links.c.item, articles.c.public_id, articles.c.published)
        .join(links, links.c.id == related_links.c.link_id)
        .outerjoin(articles, articles.c.id == links.c.target_article_id)
        .where(related_links.c.article_id == article_id)
    )


def _link_item(now: Reading, row: Row[Any]) -> str:
    may_see = row.published == 1 or (row.published == 0 and now.asker.may_see_unpublished)
    target = f'"{row.public_id}"' if may_see else "null"
    return f'{{"position":{row.position},{row.item[1:-1]},"articleId":{target}}}'


def _highlights(now: Reading, query: ArticleListQuery, rows: Sequence[Row[Any]]) -> dict[int, dict[str, Any]]:
    search = query.search
    if not query.highlight or search is None:
        return {}
    kept = contents.c.content
    of_rows = select(contents.c.article_id, kept).where(contents.c.article_id.in_([row.id for row in rows]))
    bodies = {row.article_id: row.content for row in now.connection.execute(of_rows)}
    found = {}
    for row in rows:
        article = json.loads(row.item)
        found[row.id] = {
            "title": marked(article["title"], search),
            "excerpt": marked(article["excerpt"] or "", search),
            "content": snippet(without_markup(bodies[row.id]), search),
        }
    return found


def _dressed(item: str, fields: str | None, highlights: dict[str, Any] | None) -> str:
    article = json.loads(item)
    if fields:
        article = {key: article[key] for key in fields.split(",")}
    if highlights is not None:
        article["highlights"] = highlights
    return json.dumps(article, ensure_ascii=False, separators=(",", ":"))
