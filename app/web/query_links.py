"""Links to many queries that differ in one or two parameters. The text of all others is made once."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Final
from urllib.parse import quote_plus, urlencode

from app.catalog.facets import ValueCount
from app.catalog.query import ArticleQuery, Moment, Query, parameter_text
from app.catalog.timeline import Bucket
from app.web.paging import PRESENTATION

_DATES_OF_A_BUCKET: Final = frozenset({"published_from", "published_before"})


class QueryLinks:
    """Links to a query with parameters of its own for each, which come after those of the field `after`."""

    def __init__(self, path: str, query: Query, *, after: str, without: frozenset[str] = frozenset()) -> None:
        names = tuple(type(query).model_fields)
        place = names.index(after) + 1
        first, last = _text(query, without.union(names[place:])), _text(query, without.union(names[:place]))
        self._before = f"{path}?{first}&" if first else f"{path}?"
        self._after = f"&{last}" if last else ""

    def link(self, parameters: str) -> str:
        """`parameters` is the text of at least one, quoted for a URL."""
        return self._before + parameters + self._after


def value_links(path: str, query: ArticleQuery, field: str, values: Sequence[ValueCount]) -> list[str]:
    """The query narrowed to each value of a field: its total is the value's count."""
    links = QueryLinks(path, query, after=field)
    return [
        links.link("&".join(f"{field}={quote_plus(str(clause))}" for clause in value.clauses()))
        for value in values
    ]


def bucket_links(path: str, query: ArticleQuery, buckets: Sequence[Bucket]) -> list[str]:
    """The query narrowed to each bucket of a timeline.

    A query's own dates may lie within the first or the last one: these links are narrowed to them.
    """
    if not buckets:
        return []
    links = QueryLinks(path, query, after="published_before", without=_DATES_OF_A_BUCKET)
    first, end = buckets[0].start, buckets[-1].end
    bounds: list[str | None] = [bucket.start.isoformat() for bucket in buckets]
    bounds.append(end.isoformat() if end else None)
    since, until = query.published_from, query.published_before
    if since and since.at >= _midnight(first):
        bounds[0] = _quoted(since)
    if until and (end is None or until.at <= _midnight(end)):
        bounds[-1] = _quoted(until)
    return [links.link(_dates(*dates)) for dates in pairwise(bounds)]


def _text(query: Query, leave_out: frozenset[str]) -> str:
    return urlencode(query.parameters(leave_out=leave_out | PRESENTATION, keep_durations=True))


def _dates(since: str | None, until: str | None) -> str:
    return f"publishedFrom={since}&publishedBefore={until}" if until else f"publishedFrom={since}"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _quoted(moment: Moment) -> str:
    return quote_plus(parameter_text(moment, keep_durations=True))
