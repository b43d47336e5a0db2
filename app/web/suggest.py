"""/suggest: what a search box offers while somebody types."""

from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi import Query as Parameters
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.query import MAX_SEARCH_CHARACTERS, Query
from app.catalog.suggestions import (
    SUGGESTED_FIELDS,
    SuggestedField,
    TermSuggestion,
    TitleSuggestion,
    suggest,
)
from app.printable import compact_json
from app.web.http.problems import COMMON_PROBLEMS, problems
from app.web.http.routes import QueryRoute, run_on_loop_if_local, run_on_thread
from app.web.representations import Suggestions
from app.web.view import View, open_view

router = APIRouter(route_class=QueryRoute, tags=["articles"], responses=COMMON_PROBLEMS)

MAX_SUGGESTIONS = 50


# A search box asks at each key: half a millisecond, and 4 at most, is less than the switch to a busy thread.
_MAX_ON_LOOP = 10


class SuggestQuery(Query):
    q: Annotated[str, Field(max_length=MAX_SEARCH_CHARACTERS)] = Field(
        description="What was typed so far: words, the last of which may go on. Nothing for an empty box",
        examples=["artif"],
        json_schema_extra={"pattern": "^[^\\u0000]*$"},
    )
    field: tuple[SuggestedField, ...] = Field(
        SUGGESTED_FIELDS,
        description="What to suggest, again for each; by default all of them",
        examples=[["topic", "title"]],
    )
    limit: Annotated[int, Field(ge=1, le=MAX_SUGGESTIONS)] = Field(10, description="So many at most")


@router.get("/suggest", response_model=Suggestions, responses=problems(403))
async def get_suggestions(request: Request, query: Annotated[SuggestQuery, Parameters()]) -> Response:
    """Topics, providers, authors, tags and titles with a word that begins so, most articles first."""
    run = run_on_loop_if_local if query.limit <= _MAX_ON_LOOP else run_on_thread
    return await run(request, partial(_suggest, request, query))


def _suggest(request: Request, query: SuggestQuery) -> Response:
    with open_view(request, query) as view:
        suggestions = suggest(view.connection, query.q, query.field, query.published, query.limit)
        items = [_item(view, query, suggestion) for suggestion in suggestions]
        return view.json(compact_json({"items": items}).encode())


def _item(view: View, query: SuggestQuery, suggestion: TermSuggestion | TitleSuggestion) -> dict[str, object]:
    match suggestion:
        case TermSuggestion(field, value):
            published = query.parameters(leave_out=query.model_fields_set - {"published"})
            clauses = [(field, str(clause)) for clause in value.clauses()]
            url = view.path("/articles") + "?" + urlencode([*published, *clauses])
            return {
                "field": field,
                "value": value.value,
                "name": value.name,
                "count": value.count,
                "url": url,
            }
        case TitleSuggestion(article_id, title):
            url = view.path(f"/articles/{article_id}")
            return {"field": "title", "value": article_id, "name": title, "count": 1, "url": url}
