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
from app.web.http.problems import EVERYWHERE, ParameterError, problems, unprocessable
from app.web.http.routes import QueryRoute
from app.web.representations import Facets, Timeline
from app.web.view import Reading, reading

router = APIRouter(route_class=QueryRoute, tags=["counts"], responses=EVERYWHERE)

MOST_VALUES = 1_000


class FacetQuery(ArticleQuery):
    field: tuple[FieldName, ...] = Field(
        FIELDS,
        description="What to count by, again for each; by default all of them",
        examples=[["topic", "provider"]],
    )
    size: Annotated[int, Field(ge=1, le=MOST_VALUES)] = Field(20, description="So many values of each field")


class TimelineQuery(ArticleQuery):
    interval: Interval = Field(description="Weeks are those of ISO 8601, from Monday")


@router.get("/facets", response_model=Facets, responses=problems(403))
def get_facets(request: Request, query: Annotated[FacetQuery, Query()]) -> Response:
    """Counts of the query's articles by the values of one or more fields, each with a link to just those."""
    asked = _articles_only(query)
    with reading(request, query) as now:
        fields = tuple(dict.fromkeys(query.field))
        total, facets = count_facets(
            now.connection, query, matching(now.connection, query), fields, query.size
        )
        body = {
            "total": total,
            "facets": {
                field: {
                    "values": [_value(now, asked, field, value) for value in facet.values],
                    "otherCount": facet.other_count,
                    "missing": facet.missing,
                }
                for field, facet in facets.items()
            },
        }
        return now.json(_json(body))


@router.get("/timeline", response_model=Timeline, responses=problems(403))
def get_timeline(request: Request, query: Annotated[TimelineQuery, Query()]) -> Response:
    """Counts of the query's articles by when they were published, without gaps."""
    asked = _articles_only(query)
    with reading(request, query) as now:
        try:
            timeline = count_timeline(now.connection, matching(now.connection, query), query.interval)
        except TooManyBuckets as many:
            coarser = f"ask for interval={many.coarser}, or " if many.coarser else ""
            advice = f"gives more than {MAX_BUCKETS:,} buckets; {coarser}narrow the dates"
            raise unprocessable(ParameterError("interval", query.interval, advice)) from None
        body = {
            "interval": query.interval,
            "total": timeline.total,
            "undated": timeline.undated,
            "buckets": [_bucket(now, asked, bucket) for bucket in timeline.buckets],
        }
        return now.json(_json(body))


def _articles_only(query: ArticleQuery) -> ArticleQuery:
    return ArticleQuery.model_construct(**{name: getattr(query, name) for name in ArticleQuery.model_fields})


def _value(now: Reading, query: ArticleQuery, field: str, value: ValueCount) -> dict[str, object]:
    narrowing = [Clause((value.value,), anything=False, none_of=False)]
    for start in range(0, len(value.other_domains), clauses.MAX_VALUES):
        some = value.other_domains[start : start + clauses.MAX_VALUES]
        narrowing.append(Clause(some, anything=False, none_of=True))
    narrowed = query.model_copy(update={field: (*getattr(query, field), *narrowing)})
    return {"value": value.value, "name": value.name, "count": value.count, "url": _link(now, narrowed)}


def _bucket(now: Reading, query: ArticleQuery, bucket: Bucket) -> dict[str, object]:
    """What was asked for may begin or end within the bucket."""
    since, until = query.published_from, query.published_before
    start = _midnight(bucket.start)
    end = _midnight(bucket.end) if bucket.end else None
    narrowed = query.model_copy(
        update={
            "published_from": max(since, start, key=_when) if since else start,
            "published_before": min(until, end, key=_when) if until and end else until or end,
        }
    )
    return {"start": bucket.start.isoformat(), "count": bucket.count, "url": _link(now, narrowed)}


def _midnight(day: date) -> Moment:
    return Moment(datetime(day.year, day.month, day.day, tzinfo=UTC), duration=None)


def _when(moment: Moment) -> datetime:
    return moment.at


def _link(now: Reading, query: ArticleQuery) -> str:
    return now.path("/articles") + "?" + urlencode(query.parameters(keep_durations=True))


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
