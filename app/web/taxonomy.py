"""/topics and /providers: what articles are filed under, and who published them."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from app.catalog import taxonomy
from app.catalog.query import Query as AnyQuery
from app.web.http.problems import EVERYWHERE, not_found, problems
from app.web.http.routes import QueryRoute
from app.web.pages import Paged, page_answer, page_of, resumed
from app.web.representations import Provider, ProviderPage, Topic, TopicPage
from app.web.view import reading

router = APIRouter(route_class=QueryRoute, responses=EVERYWHERE)


class ListQuery(Paged):
    """`published` says of which articles the counts and names are."""


@router.get("/topics", response_model=TopicPage, responses=problems(403), tags=["topics"])
def list_topics(request: Request, query: Annotated[ListQuery, Query()]) -> Response:
    """Topics, those with most articles first."""
    query, cursor = resumed(query, "/topics")
    with reading(request, query) as now:
        page = page_of(now, query, cursor, taxonomy.topic_list(query.published))
        items = taxonomy.topic_items(now.connection, page.rows, query.published)
        total = taxonomy.count_visible(now.connection, "topic", query.published)
        return page_answer(now, query, "/topics", page, _texts(items), total)


@router.get("/topics/{topic:path}", response_model=Topic, responses=problems(403, 404), tags=["topics"])
def get_topic(request: Request, topic: str, query: Annotated[AnyQuery, Query()]) -> Response:
    """A topic by its id or any of its names."""
    with reading(request, query) as now:
        found = taxonomy.find_topic(now.connection, topic, query.published)
        if found is None:
            raise not_found("There is no topic with this id or name; /topics lists those there are.")
        [item] = taxonomy.topic_items(now.connection, [found], query.published)
        return now.json(_text(item).encode())


@router.get("/providers", response_model=ProviderPage, responses=problems(403), tags=["providers"])
def list_providers(request: Request, query: Annotated[ListQuery, Query()]) -> Response:
    """Providers, those with most articles first."""
    query, cursor = resumed(query, "/providers")
    with reading(request, query) as now:
        page = page_of(now, query, cursor, taxonomy.provider_list(query.published))
        items = taxonomy.provider_items(now.connection, page.rows, query.published)
        total = taxonomy.count_visible(now.connection, "provider", query.published)
        return page_answer(now, query, "/providers", page, _texts(items), total)


@router.get(
    "/providers/{provider:path}", response_model=Provider, responses=problems(403, 404), tags=["providers"]
)
def get_provider(request: Request, provider: str, query: Annotated[AnyQuery, Query()]) -> Response:
    """A provider by its domain or any of its names."""
    with reading(request, query) as now:
        found = taxonomy.find_provider(now.connection, provider, query.published)
        if found is None:
            raise not_found(
                "There is no provider with this domain or name; /providers lists those there are."
            )
        [item] = taxonomy.provider_items(now.connection, [found], query.published)
        return now.json(_text(item).encode())


def _texts(items: Sequence[dict[str, Any]]) -> list[str]:
    return [_text(item) for item in items]


def _text(item: dict[str, Any]) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"))
