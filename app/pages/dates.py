"""Dates as people read them. Pure: knows no clock, so that a page stays true while it is kept."""

from datetime import date
from typing import Final

from app.catalog.timeline import Interval

MONTHS: Final = (
    "January February March April May June July August September October November December".split()
)


def day_in_words(text: str) -> str:
    """ "2020-06-11T00:07:00Z" -> "11 June 2020"."""
    return f"{int(text[8:10])} {MONTHS[int(text[5:7]) - 1]} {int(text[:4])}"


def moment_in_words(text: str) -> str:
    """ "2020-06-11T00:07:00Z" -> "11 June 2020, 00:07 UTC"; midnight says nothing more than the day."""
    time = text[11:16]
    return day_in_words(text) + (f", {time} UTC" if time != "00:00" else "")


def span_in_words(first: str, last: str) -> str:
    """ "11 June 2020 to 14 June 2020"; one day alone if both are of it."""
    days = dict.fromkeys((day_in_words(first), day_in_words(last)))
    return " to ".join(days)


def bucket_in_words(start: date, interval: Interval) -> str:
    match interval:
        case "year":
            return str(start.year)
        case "month":
            return f"{MONTHS[start.month - 1]} {start.year}"
        case "week":
            return f"Week of {start.day} {MONTHS[start.month - 1]} {start.year}"
        case "day":
            return f"{start.day} {MONTHS[start.month - 1]} {start.year}"


def bucket_label(start: date, interval: Interval) -> str:
    """A label that is short enough to stand below a bar."""
    match interval:
        case "year":
            return str(start.year)
        case "month":
            return MONTHS[start.month - 1][:3] if start.month > 1 else str(start.year)
        case "week" | "day":
            return f"{start.day} {MONTHS[start.month - 1][:3]}"
