"""The sort keys of an article: never null and all ascending, so that a place in any list is one row value."""

from datetime import datetime
from typing import Final

from app.names import fold

# This is greater than every number, so what is unknown comes last in both directions.
UNKNOWN = 2**62
# PostgreSQL's index rows hold 2,704 bytes. Titles that are equal so far are sorted by their paths.
MAX_TITLE_BYTES = 1_000

NEWEST: Final = "newest"
# The values of the sort parameter, except `relevance`, and the column of sort keys that ascends in each. Each
# column has an index.
SORT_COLUMN: Final = {
    "-publishedDateTime": NEWEST,
    "publishedDateTime": "oldest",
    "-updatedDateTime": "newest_updated",
    "updatedDateTime": "oldest_updated",
    "-addedDateTime": "newest_added",
    "addedDateTime": "oldest_added",
    "-quality": "best",
    "quality": "worst",
    "-heat": "hottest",
    "heat": "coolest",
    "title": "first_title",
    "-title": "last_title",
}

_INVERTED = bytes(255 - byte for byte in range(256))


def sort_keys(
    title: str,
    published_date_time: str | None,
    updated_date_time: str | None,
    added_date_time: str | None,
    quality: int | None,
    heat: int | None,
) -> dict[str, int | bytes]:
    """The keys by column, for each column of SORT_COLUMN. Date-times are RFC 3339, as in documents."""
    published, updated = seconds(published_date_time), seconds(updated_date_time)
    added = seconds(added_date_time)
    first_title = f"{fold(title)}\0{title}".encode()[:MAX_TITLE_BYTES]
    return {
        "newest": descending(published),
        "oldest": ascending(published),
        "newest_updated": descending(updated),
        "oldest_updated": ascending(updated),
        "newest_added": descending(added),
        "oldest_added": ascending(added),
        "best": descending(quality),
        "worst": ascending(quality),
        "hottest": descending(heat),
        "coolest": ascending(heat),
        "first_title": first_title,
        # FF ends the key, so that of two titles the one that goes on comes first, as descending order wants.
        "last_title": first_title.translate(_INVERTED) + b"\xff",
    }


def seconds(date_time: str | None) -> int | None:
    return int(datetime.fromisoformat(date_time).timestamp()) if date_time else None


def ascending(value: int | None) -> int:
    return UNKNOWN if value is None else value


def descending(value: int | None) -> int:
    return UNKNOWN if value is None else -value
