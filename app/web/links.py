"""/links: where a URL occurs, however it is spelled."""

import json
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.filters import matching
from app.catalog.paging import read_page
from app.catalog.query import ArticleQuery
from app.catalog.related import count_mentions, mentions
from app.web.http.problems import COMMON_PROBLEMS, problems
from app.web.http.routes import QueryRoute
from app.web.paging import MAX_PAGE_SIZE, Paged, page_json, page_of, with_cursor
from app.web.representations import LinkOccurrences
from app.web.view import open_view

router = APIRouter(route_class=QueryRoute, tags=["links"], responses=COMMON_PROBLEMS)


class LinkQuery(Paged):
    url: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Required, but beside a cursor", examples=["http://www.nasa.gov/?utm_source=feed"]
    )

    @model_validator(mode="after")
    def _require_url(self) -> Self:
        if self.url is None and self.cursor is None:
            raise PydanticCustomError("missing", "is required", {"parameter": "url"})
        return self


@router.get("/links", response_model=LinkOccurrences, responses=problems(403))
def find_link(request: Request, query: Annotated[LinkQuery, Query()]) -> Response:
    """The articles that have a URL, at most 200, and a page of those that mention it."""
    query, cursor = with_cursor(query, "/links")
    url = query.url or ""
    with open_view(request, query, cursor.told) as view:
        selection = matching(view.connection, ArticleQuery(url=url, published=query.published))
        articles = read_page(view.connection, selection.listing(), MAX_PAGE_SIZE)
        items = b",".join([row.item.encode() for row in articles.rows])
        page = page_of(view, query, cursor, mentions(url, query.published))
        mention_items = [
            json.dumps(
                {
                    "articleId": row.public_id,
                    "title": json.loads(row.item)["title"],
                    "position": row.position,
                },
                ensure_ascii=False,
                separators=(",", ":"),
            )
            for row in page.rows
        ]
        total = count_mentions(view.connection, url, query.published)
        body, links = page_json(view, query, "/links", page, mention_items, total)
        url_json = json.dumps(url, ensure_ascii=False).encode()
        return view.json(b'{"url":%b,"articles":[%b],"mentionedBy":%b}' % (url_json, items, body), links)
