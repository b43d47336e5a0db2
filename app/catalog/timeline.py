"""How many articles of a query were published when, by day, week, month or year in UTC."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple, get_args

from sqlalchemy import Connection

from app.catalog.filters import Selection
from app.catalog.index.find import ArticleSet, counts_by_day, counts_by_month

Interval = Literal["day", "week", "month", "year"]

# A chart has no more points than this; three years by day are as many. Years are never more than 9,999, and a
# timeline by year is what is left to ask for, so it is always answered.
MAX_BUCKETS: Final = 1_000

_DECEMBER: Final = 12


class TooManyBuckets(Exception):
    """`coarser` is the finest interval that is answered."""

    def __init__(self, coarser: Interval) -> None:
        super().__init__(coarser)
        self.coarser = coarser


class Bucket(NamedTuple):
    """The days from `start` to the day before `end`, which is None after the last day there is."""

    start: date
    end: date | None
    article_count: int


@dataclass(frozen=True, slots=True)
class TimelineCounts:
    total: int
    undated: int
    buckets: tuple[Bucket, ...]


def count_timeline(connection: Connection, selection: Selection, interval: Interval) -> TimelineCounts:
    """All buckets from the first with an article to the last, without gaps. Raises TooManyBuckets."""
    articles = selection.articles()
    months = counts_by_month(connection, articles)
    days: Mapping[date, int] = months
    if months and interval in ("day", "week"):
        days = _counts_by_day(connection, articles, min(months), max(months), interval)
    elif months:
        _check_number(min(months), max(months), interval)
    return TimelineCounts(
        len(articles), len(articles) - sum(months.values()), _buckets(days, interval) if days else ()
    )


def _counts_by_day(
    connection: Connection, articles: ArticleSet, first_month: date, last_month: date, interval: Interval
) -> Mapping[date, int]:
    """Reads the days between only if they are not too many."""
    first = min(counts_by_day(connection, articles, first_month, _end_of_month(first_month)))
    last = max(counts_by_day(connection, articles, last_month, _end_of_month(last_month)))
    _check_number(first, last, interval)
    return counts_by_day(connection, articles, first, last)


def _end_of_month(start: date) -> date:
    return date(start.year, start.month, monthrange(start.year, start.month)[1])


def _check_number(first: date, last: date, interval: Interval) -> None:
    if interval == "year" or _number(first, last, interval) <= MAX_BUCKETS:
        return
    coarser = get_args(Interval)[get_args(Interval).index(interval) + 1 :]
    raise TooManyBuckets(_finest(first, last, coarser, MAX_BUCKETS))


def count_timeline_within(
    connection: Connection, selection: Selection, max_buckets: int
) -> tuple[Interval, TimelineCounts]:
    """The timeline by the finest interval that gives no more buckets.

    Where not even years are so few, those with most articles stand alone, and the others before and after
    are merged.
    """
    articles = selection.articles()
    months = counts_by_month(connection, articles)
    days: Mapping[date, int] = months
    if not days:
        return "day", TimelineCounts(len(articles), len(articles), ())
    intervals: tuple[Interval, ...] = ("month", "year")
    # Days are read only where weeks may be few enough, from the end of the first month on.
    if _number(_end_of_month(min(days)), max(days), "week") <= max_buckets:
        days = counts_by_day(connection, articles, min(days), _end_of_month(max(days)))
        intervals = get_args(Interval)
    first, last = min(days), max(days)
    interval = _finest(first, last, intervals, max_buckets)
    if interval == "month":
        days = months
    undated = len(articles) - sum(days.values())
    if _number(first, last, interval) <= max_buckets:
        return interval, TimelineCounts(len(articles), undated, _buckets(days, interval))
    return interval, TimelineCounts(len(articles), undated, _densest_years(days, max_buckets))


def _densest_years(days: Mapping[date, int], max_buckets: int) -> tuple[Bucket, ...]:
    """Years where most articles are. All that is earlier or later is in a bucket of its own if there is room.

    One mistyped date, of 1024 or of 2240, takes no more than one bucket.
    """
    by_year = Counter[int]()
    for day, count in days.items():
        by_year[day.year] += count
    # Some window with most articles ends in a year that has any; the latest is shown of several.
    last_year = max(
        by_year,
        key=lambda end: (sum(by_year[year] for year in range(end - max_buckets + 1, end + 1)), end),
    )
    shown = {day: count for day, count in days.items() if last_year - max_buckets < day.year <= last_year}
    buckets = list(_buckets(shown, "year"))
    earlier = sum(count for year, count in by_year.items() if year <= last_year - max_buckets)
    later = sum(count for year, count in by_year.items() if year > last_year)
    if earlier:
        before = Bucket(min(days), buckets[0].start, earlier)
        buckets[:1] = [before, buckets[0]] if len(buckets) < max_buckets else [_merged(before, buckets[0])]
    if later:
        end = next_start(start_of(max(days), "year"), "year")
        after = Bucket(date(last_year + 1, 1, 1), end, later)
        buckets[-1:] = [buckets[-1], after] if len(buckets) < max_buckets else [_merged(buckets[-1], after)]
    return tuple(buckets)


def _merged(first: Bucket, second: Bucket) -> Bucket:
    return Bucket(first.start, second.end, first.article_count + second.article_count)


def _buckets(days: Mapping[date, int], interval: Interval) -> tuple[Bucket, ...]:
    counts: Mapping[date, int] = days
    if interval != "day":
        counts = Counter[date]()
        for day, count in days.items():
            counts[start_of(day, interval)] += count
    last = max(counts)
    buckets: list[Bucket] = []
    following: date | None = min(counts)
    while following is not None and following <= last:
        start, following = following, next_start(following, interval)
        buckets.append(Bucket(start, following, counts.get(start, 0)))
    return tuple(buckets)


def _finest(first: date, last: date, intervals: Iterable[Interval], max_buckets: int) -> Interval:
    """The first of the intervals that gives no more buckets, years if none does."""
    few_enough = (interval for interval in intervals if _number(first, last, interval) <= max_buckets)
    return next(few_enough, "year")


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
            case "month":
                return date(start.year + start.month // _DECEMBER, start.month % _DECEMBER + 1, 1)
            case "year":
                return date(start.year + 1, 1, 1)
    except (ValueError, OverflowError):
        return None
