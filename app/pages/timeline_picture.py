"""The timeline as bars: where each stands and how high it is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import MAXYEAR
from typing import Final

from app.catalog.timeline import Bucket, Interval
from app.pages.dates import bucket_in_words, bucket_label

# A finger needs 24 px (WCAG 2.2, 2.5.8), and the column of the list is 752 px wide. A month has 31 days.
MAX_BARS: Final = 31
_BAR_WIDTH: Final = 24
_HEIGHT: Final = 60
_GAP: Final = 0.2
# A bar of one article beside one of ten thousand is still seen.
_MIN_HEIGHT: Final = 2
# A label is as wide as three of the narrowest bars.
_MAX_LABELS: Final = 8


@dataclass(frozen=True, slots=True)
class TimelineBar:
    """`hit_left` to `width` are per cent of the picture, `top` and `height` are pixels.

    The place that can be hit is as wide as the step from bar to bar, and the bar leaves a gap.
    """

    hit_left: str
    hit_width: str
    left: str
    width: str
    middle: str
    top: int
    height: int
    count: int
    words: str
    label: str | None
    href: str


@dataclass(frozen=True, slots=True)
class TimelinePicture:
    bars: tuple[TimelineBar, ...]
    min_width: int
    undated: int
    interval: Interval


def timeline_picture(
    buckets: Sequence[Bucket], hrefs: Sequence[str], interval: Interval, undated: int
) -> TimelinePicture | None:
    """None where one bar or none would say nothing."""
    if len(buckets) <= 1:
        return None
    highest = max(bucket.article_count for bucket in buckets)
    step = 100 / len(buckets)
    labelled = max(1, -(-len(buckets) // _MAX_LABELS))
    bars = []
    for number, (bucket, href) in enumerate(zip(buckets, hrefs, strict=True)):
        height = (
            max(_MIN_HEIGHT, round(bucket.article_count / highest * _HEIGHT)) if bucket.article_count else 0
        )
        # The newest is always labelled, and the others in equal steps from there.
        has_label = (len(buckets) - 1 - number) % labelled == 0
        last_year = bucket.end.year - 1 if bucket.end else MAXYEAR
        label = bucket_label(bucket.start, interval)
        words = bucket_in_words(bucket.start, interval)
        if interval == "year" and last_year > bucket.start.year:
            label = f"{bucket.start.year}–" if number else f"–{last_year}"
            words = f"{bucket.start.year} to {last_year}"
        bars.append(
            TimelineBar(
                hit_left=_per_cent(number * step),
                hit_width=_per_cent(step),
                left=_per_cent((number + _GAP / 2) * step),
                width=_per_cent(step * (1 - _GAP)),
                middle=_per_cent((number + 0.5) * step),
                top=_HEIGHT - height,
                height=height,
                count=bucket.article_count,
                words=words,
                label=label if has_label else None,
                href=href,
            )
        )
    return TimelinePicture(tuple(bars), len(buckets) * _BAR_WIDTH, undated, interval)


def _per_cent(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"
