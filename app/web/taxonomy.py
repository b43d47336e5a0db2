"""/topics and /providers: what articles are filed under, and who published them."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from app.catalog import taxonomy
from app.catalog.query import Query as AnyQuery
from app.web.http.problems import COMMON_PROBLEMS, not_found, problems
from app.web.http.routes import QueryRoute
from app.web.paging import Paged, page_of, page_response, with_cursor
from app.web.representations import Provider, ProviderPage, Topic, TopicPage
from app.web.view import open_view

router = APIRouter(route_class=QueryRoute, responses=COMMON_PROBLEMS)


class ListQuery(Paged):
    """`published` selects the articles that counts and names come from."""


@router.get("/topics", response_model=TopicPage, responses=problems(403), tags=["topics"])
def list_topics(request: Request, query: Annotated[ListQuery, Query()]) -> Response:
    """Topics, those with most articles first."""
    query, cursor = with_cursor(query, "/topics")
    with open_view(request, query, cursor.told) as view:
        page = page_of(view, query, cursor, taxonomy.topic_list(query.published))
        items = taxonomy.topic_items(view.connection, page.rows, query.published)
        total = taxonomy.count_visible(view.connection, "topic", query.published)
        return page_response(view, query, "/topics", page, _texts(items), total)


@router.get("/topics/{topic:path}", response_model=Topic, responses=problems(403, 404), tags=["topics"])
def get_topic(request: Request, topic: str, query: Annotated[AnyQuery, Query()]) -> Response:
    """A topic by its id or any of its names."""
    with open_view(request, query) as view:
        row = taxonomy.find_topic(view.connection, topic, query.published)
        if row is None:
            raise not_found("There is no topic with this id or name; /topics lists those there are.")
        [item] = taxonomy.topic_items(view.connection, [row], query.published)
        return view.json(_text(item).encode())


@router.get("/providers", response_model=ProviderPage, responses=problems(403), tags=["providers"])
def list_providers(request: Request, query: Annotated[ListQuery, Query()]) -> Response:
    """Providers, those with most articles first."""
    query, cursor = with_cursor(query, "/providers")
    with open_view(request, query, cursor.told) as view:
        page = page_of(view, query, cursor, taxonomy.provider_list(query.published))
        items = taxonomy.provider_items(view.connection, page.rows, query.published)
        total = taxonomy.count_visible(view.connection, "provider", query.published)
        return page_response(view, query, "/providers", page, _texts(items), total)


@router.get(
    "/providers/{provider:path}", response_model=Provider, responses=problems(403, 404), tags=["providers"]
)
def get_provider(request: Request, provider: str, query: Annotated[AnyQuery, Query()]) -> Response:
    """A provider by its domain or any of its names."""
    with open_view(request, query) as view:
        row = taxonomy.find_provider(view.connection, provider, query.published)
        if row is None:
            raise not_found(
                "There is no provider with this domain or name; /providers lists those there are."
            )
        [item] = taxonomy.provider_items(view.connection, [row], query.published)
        return view.json(_text(item).encode())


def _texts(items: Sequence[dict[str, Any]]) -> list[str]:
    return [_text(item) for item in items]


def _text(item: dict[str, Any]) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"))
