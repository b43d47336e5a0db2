"""/facets and /timeline: how many articles of a query there are of each kind, and of each time."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Annotated, Final
from urllib.parse import quote_plus

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.facets import FacetCounts, count_facets
from app.catalog.fields import FIELDS, FieldName
from app.catalog.filters import matching
from app.catalog.query import ArticleQuery, Moment, parameter_text
from app.catalog.timeline import MAX_BUCKETS, Bucket, Interval, TooManyBuckets, count_timeline
from app.web.http.problems import COMMON_PROBLEMS, ParameterError, problems, unprocessable
from app.web.http.routes import QueryRoute
from app.web.query_links import QueryLinks
from app.web.representations import Facets, Timeline
from app.web.view import open_view

router = APIRouter(route_class=QueryRoute, tags=["counts"], responses=COMMON_PROBLEMS)

MAX_VALUES = 1_000
_QUOTED_MIDNIGHT: Final = "T00%3A00%3A00Z"
_DATES_OF_A_BUCKET: Final = frozenset({"published_from", "published_before"})


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
        path = view.path("/articles")
        body = {
            "total": total,
            "facets": {
                field: {
                    "values": _values(QueryLinks(path, article_query, after=field), field, facet),
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
        links = QueryLinks(
            view.path("/articles"), article_query, after="published_before", without=_DATES_OF_A_BUCKET
        )
        body = {
            "interval": query.interval,
            "total": timeline.total,
            "undated": timeline.undated,
            "buckets": _buckets(links, query, timeline.buckets),
        }
        return view.json(_json(body))


def _articles_only(query: ArticleQuery) -> ArticleQuery:
    if query.collapse:
        advice = "cannot be given here: counts are of articles; leave it out"
        raise unprocessable(ParameterError("collapse", query.collapse, advice))
    names = query.model_fields_set & ArticleQuery.model_fields.keys()
    return ArticleQuery.model_construct(**{name: getattr(query, name) for name in names})


def _values(links: QueryLinks, field: str, facet: FacetCounts) -> list[dict[str, object]]:
    return [
        {
            "value": value.value,
            "name": value.name,
            "count": value.count,
            "url": links.link("&".join(f"{field}={quote_plus(str(clause))}" for clause in value.clauses())),
        }
        for value in facet.values
    ]


def _buckets(links: QueryLinks, query: ArticleQuery, buckets: Sequence[Bucket]) -> list[dict[str, object]]:
    """A query's own dates may lie within its first or its last bucket: these links are narrowed to them."""
    if not buckets:
        return []
    starts = [bucket.start.isoformat() for bucket in buckets]
    bounds: list[str | None] = [f"{start}{_QUOTED_MIDNIGHT}" for start in starts]
    first, end = buckets[0].start, buckets[-1].end
    bounds.append(f"{end.isoformat()}{_QUOTED_MIDNIGHT}" if end else None)
    since, until = query.published_from, query.published_before
    if since and since.at >= _midnight(first):
        bounds[0] = _quoted(since)
    if until and (end is None or until.at <= _midnight(end)):
        bounds[-1] = _quoted(until)
    return [
        {"start": start, "count": bucket.article_count, "url": links.link(_dates(*dates))}
        for start, bucket, dates in zip(starts, buckets, pairwise(bounds), strict=True)
    ]


def _dates(since: str | None, until: str | None) -> str:
    return f"publishedFrom={since}&publishedBefore={until}" if until else f"publishedFrom={since}"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _quoted(moment: Moment) -> str:
    # A colon is all that has to be quoted in a date and in a duration.
    return parameter_text(moment, keep_durations=True).replace(":", "%3A")


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
