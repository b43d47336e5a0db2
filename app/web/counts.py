"""/facets and /timeline: how many articles of a query there are of each kind, and of each time."""

import json
from collections.abc import Sequence
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.facets import FacetCounts, count_facets
from app.catalog.fields import FIELDS, FieldName
from app.catalog.filters import matching
from app.catalog.query import ArticleQuery
from app.catalog.timeline import MAX_BUCKETS, Bucket, Interval, TooManyBuckets, count_timeline
from app.web.http.problems import COMMON_PROBLEMS, ParameterError, problems, unprocessable
from app.web.http.routes import QueryRoute
from app.web.query_links import bucket_links, value_links
from app.web.representations import Facets, Timeline
from app.web.view import open_view

router = APIRouter(route_class=QueryRoute, tags=["counts"], responses=COMMON_PROBLEMS)

MAX_VALUES = 1_000


class FacetQuery(ArticleQuery):
    refused: ClassVar = frozenset({"collapse"})

    field: tuple[FieldName, ...] = Field(
        FIELDS,
        description="What to count by, again for each; by default all of them",
        examples=[["topic", "provider"]],
    )
    size: Annotated[int, Field(ge=1, le=MAX_VALUES)] = Field(20, description="So many values of each field")


class TimelineQuery(ArticleQuery):
    refused: ClassVar = frozenset({"collapse"})

    interval: Interval = Field(description="Weeks are those of ISO 8601, from Monday")


@router.get("/facets", response_model=Facets, responses=problems(403))
def get_facets(request: Request, query: Annotated[FacetQuery, Query()]) -> Response:
    """Counts of the query's articles by the values of one or more fields, each with a link to just those."""
    article_query = _articles_only(query)
    with open_view(request, query) as view:
        fields = tuple(dict.fromkeys(query.field))
        total, facets = count_facets(
            view.connection, query, matching(view.connection, query), fields, query.size
        )
        path = view.path("/articles")
        body = {
            "total": total,
            "facets": {
                field: {
                    "values": _values(path, article_query, field, facet),
                    "otherCount": facet.other_count,
                    "missing": facet.missing,
                }
                for field, facet in facets.items()
            },
        }
        return view.json(_json(body))


@router.get("/timeline", response_model=Timeline, responses=problems(403))
def get_timeline(request: Request, query: Annotated[TimelineQuery, Query()]) -> Response:
    """Counts of the query's articles by when they were published, without gaps."""
    article_query = _articles_only(query)
    with open_view(request, query) as view:
        try:
            timeline = count_timeline(view.connection, matching(view.connection, query), query.interval)
        except TooManyBuckets as error:
            too_many = f"gives more than {MAX_BUCKETS:,} buckets"
            advice = f"{too_many}; ask for interval={error.coarser}, or narrow the dates"
            raise unprocessable(ParameterError("interval", query.interval, advice)) from None
        body = {
            "interval": query.interval,
            "total": timeline.total,
            "undated": timeline.undated,
            "buckets": _buckets(view.path("/articles"), article_query, timeline.buckets),
        }
        return view.json(_json(body))


def _articles_only(query: ArticleQuery) -> ArticleQuery:
    if query.collapse:
        advice = "cannot be given here: counts are of articles; leave it out"
        raise unprocessable(ParameterError("collapse", query.collapse, advice))
    names = query.model_fields_set & ArticleQuery.model_fields.keys()
    return ArticleQuery.model_construct(**{name: getattr(query, name) for name in names})


def _values(path: str, query: ArticleQuery, field: str, facet: FacetCounts) -> list[dict[str, object]]:
    return [
        {"value": value.value, "name": value.name, "count": value.count, "url": url}
        for value, url in zip(facet.values, value_links(path, query, field, facet.values), strict=True)
    ]


def _buckets(path: str, query: ArticleQuery, buckets: Sequence[Bucket]) -> list[dict[str, object]]:
    return [
        {"start": bucket.start.isoformat(), "count": bucket.article_count, "url": url}
        for bucket, url in zip(buckets, bucket_links(path, query, buckets), strict=True)
    ]


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
