"""A query narrowed to one of the values or times that were counted: its total is the count. Knows no HTTP."""

from datetime import UTC, date, datetime

from app.catalog.clauses import MAX_VALUES, Clause
from app.catalog.facets import ValueCount
from app.catalog.query import ArticleQuery, Moment
from app.catalog.timeline import Bucket


def clauses_of_value(value: ValueCount) -> tuple[Clause, ...]:
    """The value itself, and none of the domains that its name finds too."""
    domains = value.other_domains
    return (
        Clause((value.value,), anything=False, none_of=False),
        *(
            Clause(domains[start : start + MAX_VALUES], anything=False, none_of=True)
            for start in range(0, len(domains), MAX_VALUES)
        ),
    )


def narrowed_to_bucket(query: ArticleQuery, bucket: Bucket) -> ArticleQuery:
    """Within the query's own dates, which may begin or end within the bucket."""
    since, until = query.published_from, query.published_before
    start = _midnight(bucket.start)
    end = _midnight(bucket.end) if bucket.end else None
    return query.model_copy(
        update={
            "published_from": max(since, start, key=_instant) if since else start,
            "published_before": min(until, end, key=_instant) if until and end else until or end,
        }
    )


def _midnight(day: date) -> Moment:
    return Moment(datetime(day.year, day.month, day.day, tzinfo=UTC), duration=None)


def _instant(moment: Moment) -> datetime:
    return moment.at
