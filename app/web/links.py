"""/links: where a URL occurs, in whatever disguise."""

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
from app.web.http.problems import EVERYWHERE, problems
from app.web.http.routes import QueryRoute
from app.web.pages import MOST_ON_A_PAGE, Paged, page_json, page_of, resumed
from app.web.representations import LinkOccurrences
from app.web.view import reading

router = APIRouter(route_class=QueryRoute, tags=["links"], responses=EVERYWHERE)


class LinkQuery(Paged):
    url: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Required, but beside a cursor", examples=["http://www.nasa.gov/?utm_source=feed"]
    )

    @model_validator(mode="after")
    def _of_some_url(self) -> Self:
        if self.url is None and self.cursor is None:
            raise PydanticCustomError("missing", "is required", {"parameter": "url"})
        return self


@router.get("/links", response_model=LinkOccurrences, responses=problems(403))
def find_link(request: Request, query: Annotated[LinkQuery, Query()]) -> Response:
    """The articles that have a URL, at most 200, and a page of those that mention it."""
    query, cursor = resumed(query, "/links")
    url = query.url or ""
    with reading(request, query) as now:
        having = matching(now.connection, ArticleQuery(url=url, published=query.published))
        found = read_page(now.connection, having.listing(), MOST_ON_A_PAGE)
        items = b",".join([row.item.encode() for row in found.rows])
        page = page_of(now, query, cursor, mentions(url, query.published))
        mentioned = [
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
        total = count_mentions(now.connection, url, query.published)
        body, links = page_json(now, query, "/links", page, mentioned, total)
        given = json.dumps(url, ensure_ascii=False).encode()
        return now.json(b'{"url":%b,"articles":[%b],"mentionedBy":%b}' % (given, items, body), links)
