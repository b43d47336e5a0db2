"""How many articles of a query were published when, by day, week, month or year in UTC."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, get_args

from sqlalchemy import Connection

from app.catalog.filters import Selection
from app.catalog.index.find import counts_by_day

Interval = Literal["day", "week", "month", "year"]

# A chart has no more points than this; three years by day are as many.
MAX_BUCKETS: Final = 1_000

_DECEMBER: Final = 12


class TooManyBuckets(Exception):
    """`coarser` is the finest interval that gives few enough, None where not even years do."""

    def __init__(self, coarser: Interval | None) -> None:
        super().__init__(coarser)
        self.coarser = coarser


@dataclass(frozen=True, slots=True)
class Bucket:
    """From `start` to the day before `end`, which is None after the last day there is."""

    start: date
    end: date | None
    count: int


@dataclass(frozen=True, slots=True)
class TimelineCounts:
    total: int
    undated: int
    buckets: tuple[Bucket, ...]


def count_timeline(connection: Connection, selection: Selection, interval: Interval) -> TimelineCounts:
    """From the first bucket with an article to the last, without gaps. Raises TooManyBuckets."""
    articles = selection.articles()
    days = counts_by_day(connection, articles)
    buckets = _buckets(days, interval) if days else ()
    return TimelineCounts(len(articles), len(articles) - sum(days.values()), buckets)


def count_timeline_within(
    connection: Connection, selection: Selection, max_buckets: int
) -> tuple[Interval, TimelineCounts]:
    """By the finest interval that gives no more buckets.

    Where not even years are so few, the first bucket has all the years before the others.
    """
    articles = selection.articles()
    days = counts_by_day(connection, articles)
    if not days:
        return "day", TimelineCounts(len(articles), len(articles), ())
    first, last = min(days), max(days)
    interval = _finest(first, last, get_args(Interval), max_buckets) or "year"
    first_year = max(first.year, last.year - max_buckets + 1) if interval == "year" else first.year
    shown = {day: count for day, count in days.items() if day.year >= first_year}
    buckets = _buckets(shown, interval)
    if len(shown) < len(days):
        earlier = sum(days.values()) - sum(shown.values())
        first_bucket = buckets[0]
        buckets = (Bucket(first, first_bucket.end, first_bucket.count + earlier), *buckets[1:])
    return interval, TimelineCounts(len(articles), len(articles) - sum(days.values()), buckets)


def _buckets(days: Mapping[date, int], interval: Interval) -> tuple[Bucket, ...]:
    first, last = min(days), max(days)
    if _number(first, last, interval) > MAX_BUCKETS:
        coarser = get_args(Interval)[get_args(Interval).index(interval) + 1 :]
        raise TooManyBuckets(_finest(first, last, coarser, MAX_BUCKETS))
    counts: dict[date, int] = {}
    for day, count in days.items():
        start = start_of(day, interval)
        counts[start] = counts.get(start, 0) + count
    buckets: list[Bucket] = []
    following: date | None = start_of(first, interval)
    while following is not None and following <= last:
        start, following = following, next_start(following, interval)
        buckets.append(Bucket(start, following, counts.get(start, 0)))
    return tuple(buckets)


def _finest(first: date, last: date, intervals: Iterable[Interval], max_buckets: int) -> Interval | None:
    """The first of the intervals that gives no more buckets, None if none does."""
    few_enough = (interval for interval in intervals if _number(first, last, interval) <= max_buckets)
    return next(few_enough, None)


def _number(first: date, last: date, interval: Interval) -> int:
    """How many buckets there are from the first day to the last."""
    years = last.year - first.year
    match interval:
        case "day":
            return (last - first).days + 1
        case "week":
            return (start_of(last, interval) - start_of(first, interval)).days // 7 + 1
        case "month":
            return years * _DECEMBER + last.month - first.month + 1
        case "year":
            return years + 1


def start_of(day: date, interval: Interval) -> date:
    match interval:
        case "day":
            return day
        case "week":
            return date.fromordinal(max(1, day.toordinal() - day.weekday()))
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)


def next_start(start: date, interval: Interval) -> date | None:
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
