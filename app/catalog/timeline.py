"""How many articles of a query were published when, by day, week, month or year in UTC."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from sqlalchemy import Connection, func

from app.catalog.filters import Selection
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import articles

Interval = Literal["day", "week", "month", "year"]

# A chart has no more points; a day each for three years is one.
MOST_BUCKETS: Final = 1_000
COARSER: Final[dict[str, Interval]] = {"day": "week", "week": "month", "month": "year"}

# From the year 1 on: so the division never meets a negative number, which databases round differently.
_SECONDS_TO_1970: Final = 62_135_596_800
_DAY_SECONDS: Final = 86_400
_DECEMBER: Final = 12


class TooManyBuckets(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Bucket:
    """From `start` to the day before `end`, which is None after the last day there is."""

    start: date
    end: date | None
    count: int


@dataclass(frozen=True, slots=True)
class Timeline:
    total: int
    undated: int
    buckets: tuple[Bucket, ...]


def count_timeline(connection: Connection, selection: Selection, interval: Interval) -> Timeline:
    """From the first bucket with an article to the last, without gaps. Raises TooManyBuckets."""
    day = (_SECONDS_TO_1970 - articles.c.newest) // _DAY_SECONDS
    dated = selection.statement(day.label("day"), func.count().label("articles"))
    dated = dated.where(articles.c.newest < UNKNOWN).group_by(day)
    counts: dict[date, int] = {}
    for row in connection.execute(dated):
        start = _start(date.fromordinal(row.day + 1), interval)
        counts[start] = counts.get(start, 0) + row.articles
    undated = selection.statement(func.count()).where(articles.c.newest == UNKNOWN)
    without_date = int(connection.scalars(undated).one())
    buckets: list[Bucket] = []
    begins: date | None = min(counts, default=None)
    while begins is not None and begins <= max(counts):
        if len(buckets) == MOST_BUCKETS:
            raise TooManyBuckets
        ends = _next(begins, interval)
        buckets.append(Bucket(begins, ends, counts.get(begins, 0)))
        begins = ends
    return Timeline(sum(counts.values()) + without_date, without_date, tuple(buckets))


def _start(day: date, interval: Interval) -> date:
    match interval:
        case "day":
            return day
        case "week":
            return date.fromordinal(max(1, day.toordinal() - day.weekday()))
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)


def _next(start: date, interval: Interval) -> date | None:
    try:
        match interval:
            case "day":
                return start + timedelta(days=1)
            case "week":
                return start + timedelta(days=7)
            case "month" if start.month < _DECEMBER:
                return start.replace(month=start.month + 1)
            case "month" | "year":
                return start.replace(year=start.year + 1, month=1)
    except (ValueError, OverflowError):
        return None
