"""/facets and /timeline: how many articles of a query there are of each kind, and of each time."""

import json
from datetime import UTC, date, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog import clauses
from app.catalog.clauses import Clause
from app.catalog.facets import ValueCount, count_facets
from app.catalog.fields import FIELDS, FieldName
from app.catalog.filters import matching
from app.catalog.query import ArticleQuery, Moment
from app.catalog.timeline import MAX_BUCKETS, Bucket, Interval, TooManyBuckets, count_timeline
from app.web.http.problems import COMMON_PROBLEMS, ParameterError, problems, unprocessable
from app.web.http.routes import QueryRoute
from app.web.representations import Facets, Timeline
from app.web.view import View, open_view

router = APIRouter(route_class=QueryRoute, tags=["counts"], responses=COMMON_PROBLEMS)

MAX_VALUES = 1_000


class FacetQuery(ArticleQuery):
    field: tuple[FieldName, ...] = Field(
        FIELDS,
        description="What to count by, again for each; by default all of them",
        examples=[["topic", "provider"]],
    )
    size: Annotated[int, Field(ge=1, le=MAX_VALUES)] = Field(20, description="So many values of each field")


class TimelineQuery(ArticleQuery):
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
        body = {
            "total": total,
            "facets": {
                field: {
                    "values": [_value(view, article_query, field, value) for value in facet.values],
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
            coarser_advice = f"ask for interval={error.coarser}, or " if error.coarser else ""
            advice = f"gives more than {MAX_BUCKETS:,} buckets; {coarser_advice}narrow the dates"
            raise unprocessable(ParameterError("interval", query.interval, advice)) from None
        body = {
            "interval": query.interval,
            "total": timeline.total,
            "undated": timeline.undated,
            "buckets": [_bucket(view, article_query, bucket) for bucket in timeline.buckets],
        }
        return view.json(_json(body))


def _articles_only(query: ArticleQuery) -> ArticleQuery:
    if query.collapse:
        advice = "cannot be given here: counts are of articles; leave it out"
        raise unprocessable(ParameterError("collapse", query.collapse, advice))
    return ArticleQuery.model_construct(**{name: getattr(query, name) for name in ArticleQuery.model_fields})


def _value(view: View, query: ArticleQuery, field: str, value: ValueCount) -> dict[str, object]:
    added = [Clause((value.value,), anything=False, none_of=False)]
    for start in range(0, len(value.other_domains), clauses.MAX_VALUES):
        domains = value.other_domains[start : start + clauses.MAX_VALUES]
        added.append(Clause(domains, anything=False, none_of=True))
    value_query = query.model_copy(update={field: (*getattr(query, field), *added)})
    return {"value": value.value, "name": value.name, "count": value.count, "url": _link(view, value_query)}


def _bucket(view: View, query: ArticleQuery, bucket: Bucket) -> dict[str, object]:
    """The link is narrowed to the query's own dates, which may begin or end within the bucket."""
    since, until = query.published_from, query.published_before
    start = _midnight(bucket.start)
    end = _midnight(bucket.end) if bucket.end else None
    bucket_query = query.model_copy(
        update={
            "published_from": max(since, start, key=_instant) if since else start,
            "published_before": min(until, end, key=_instant) if until and end else until or end,
        }
    )
    return {"start": bucket.start.isoformat(), "count": bucket.count, "url": _link(view, bucket_query)}


def _midnight(day: date) -> Moment:
    return Moment(datetime(day.year, day.month, day.day, tzinfo=UTC), duration=None)


def _instant(moment: Moment) -> datetime:
    return moment.at


def _link(view: View, query: ArticleQuery) -> str:
    return view.path("/articles") + "?" + urlencode(query.parameters(keep_durations=True))


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
