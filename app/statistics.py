"""`clippings stats`: how many articles the catalogue has of each topic, provider, type and month."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any, Final

import click

from app.catalog.facets import FacetCounts, count_facets
from app.catalog.fields import FieldName
from app.catalog.filters import matching
from app.catalog.query import ArticleQuery
from app.catalog.state import read_state
from app.catalog.timeline import Bucket, TooManyBuckets, count_timeline
from app.database.snapshots import Reader, restart_clock
from app.migrate import require_current
from app.printable import counted, escaped
from app.settings import Settings

_FIELDS: Final[tuple[FieldName, ...]] = ("topic", "provider", "type")
# A terminal shows the most frequent values and the last two years; --json has 1,000 values and all months.
_MAX_VALUES, _MAX_MONTHS, _MAX_JSON_VALUES = 10, 24, 1_000
_NAME_WIDTH, _BAR_WIDTH = 40, 30


@dataclass(frozen=True, slots=True)
class Statistics:
    """All articles count, published or not. `interval` is month, or year where there are too many months."""

    revision: int
    articles: int
    unpublished: int
    facets: dict[str, FacetCounts]
    interval: str
    buckets: tuple[Bucket, ...]
    undated: int

    def as_json(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "articles": self.articles,
            "unpublished": self.unpublished,
            "facets": {
                field: {
                    "values": [
                        {"value": value.value, "name": value.name, "count": value.count}
                        for value in facet.values
                    ],
                    "otherCount": facet.other_count,
                    "missing": facet.missing,
                }
                for field, facet in self.facets.items()
            },
            "timeline": {
                "interval": self.interval,
                "undated": self.undated,
                "buckets": [
                    {"start": str(bucket.start), "count": bucket.article_count} for bucket in self.buckets
                ],
            },
        }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def stats(*, as_json: bool) -> None:
    """Print what the catalogue holds: articles by topic, provider, type and month, published or not."""
    statistics = _read(Settings.read().database_url)
    if as_json:
        click.echo(json.dumps(statistics.as_json(), indent=2, ensure_ascii=False))
    else:
        _print(statistics)


def _read(database_url: str) -> Statistics:
    with Reader(database_url) as reader, reader.snapshot() as connection:
        require_current(connection)
        everything = ArticleQuery(published="any")
        selection = matching(connection, everything)
        total, facets = count_facets(connection, everything, selection, _FIELDS, _MAX_JSON_VALUES)
        restart_clock(connection)
        interval = "month"
        try:
            timeline = count_timeline(connection, selection, "month")
        except TooManyBuckets:
            interval = "year"
            timeline = count_timeline(connection, selection, "year")
        restart_clock(connection)
        unpublished = matching(connection, ArticleQuery(published="false")).total()
        revision = read_state(connection).revision
    return Statistics(revision, total, unpublished, facets, interval, timeline.buckets, timeline.undated)


def _print(statistics: Statistics) -> None:
    click.echo(
        f"{counted(statistics.articles, 'article')}, {statistics.unpublished:,} of them not published, "
        f"at revision {statistics.revision}"
    )
    for field, facet in statistics.facets.items():
        values = facet.values[:_MAX_VALUES]
        others = facet.other_count + sum(value.count for value in facet.values[_MAX_VALUES:])
        _print_bars(field, [(value.name, value.count) for value in values], others=others, none=facet.missing)
    months = [
        (_bucket_name(bucket, statistics.interval), bucket.article_count) for bucket in statistics.buckets
    ]
    earlier = sum(count for _, count in months[:-_MAX_MONTHS])
    shown = list(dropwhile(lambda row: not row[1], months[-_MAX_MONTHS:]))
    _print_bars(statistics.interval, shown, earlier=earlier, undated=statistics.undated)


def _bucket_name(bucket: Bucket, interval: str) -> str:
    return str(bucket.start)[: len("2020-06")] if interval == "month" else str(bucket.start)[: len("2020")]


def _print_bars(heading: str, rows: Sequence[tuple[str, int]], **rest: int) -> None:
    """One line for each name, and for what is left if anything is. The longest bar is _BAR_WIDTH wide."""
    if not rows and not any(rest.values()):
        return
    greatest = max((count for _, count in rows), default=1) or 1
    click.echo(f"\n{heading}")
    for name, count in rows:
        shown = escaped(name)
        shown = shown if len(shown) <= _NAME_WIDTH else shown[: _NAME_WIDTH - 1] + "…"
        bar = "█" * round(count / greatest * _BAR_WIDTH)
        click.echo(f"  {shown:<{_NAME_WIDTH}} {count:>9,} {bar}".rstrip())
    for name, count in rest.items():
        if count:
            click.echo(f"  {f'({name})':<{_NAME_WIDTH}} {count:>9,}")
