"""Dates as exports write them -> dates as documents have them. Knows no key."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from app.moments import moment, rfc3339

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BASIC_DATE: Final = re.compile(r"(?:19|20)[0-9]{6}")
_NUMBER: Final = re.compile(r"(-?[0-9]{9,17})(?:\.[0-9]{0,9})?")
_UTC_IN_WORDS: Final = re.compile(r"\s*(?:UTC|GMT)$")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds since 1970 have at most eleven digits until the year 5138, milliseconds fourteen.
_SECONDS_BELOW: Final = 10**11
_MILLISECONDS_BELOW: Final = 10**14
_PARTS_OF_A_DATE: Final = 3


def date_text(value: Any) -> str | None:
    """RFC 3339 in UTC, or the date alone where no more is said; None if the value is no date.

    It may be a number of seconds, milliseconds or microseconds since 1970, RFC 3339, ISO 8601, RFC 822, or
    CSL's date-parts: [[2020, 6]] is the first of June.
    """
    text = ""
    try:
        match value:
            case str(written) | {"raw": str(written)} | {"literal": str(written)}:
                text = written.strip()
            case int() | float():
                text = f"{value:.0f}"
            case {"date-parts": [[*parts], *_]} if parts:
                year, month, day = [*map(int, parts[:_PARTS_OF_A_DATE]), 1, 1][:_PARTS_OF_A_DATE]
                text = datetime(year, month, day, tzinfo=UTC).isoformat()[: len("2020-06-11")]
        return _of_text(text)
    except (ValueError, OverflowError, TypeError):
        return None


def _of_text(text: str) -> str | None:
    if number := _NUMBER.fullmatch(text):
        return rfc3339(_of_number(int(number[1])))
    if _BASIC_DATE.fullmatch(text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    when = moment(text)
    if when is not None:
        return text if _DATE.fullmatch(text) else rfc3339(when)
    return rfc3339(_of_words(text))


def _of_number(number: int) -> datetime:
    if abs(number) < _SECONDS_BELOW:
        return _EPOCH + timedelta(seconds=number)
    if abs(number) < _MILLISECONDS_BELOW:
        return _EPOCH + timedelta(seconds=number // 1_000)
    return _EPOCH + timedelta(seconds=number // 1_000_000)


def _of_words(text: str) -> datetime:
    """Other forms of ISO 8601 (`20200611T000700Z`, `… UTC`), else RFC 822 (`Thu, 11 Jun 2020 00:07 EST`)."""
    try:
        when = datetime.fromisoformat(_UTC_IN_WORDS.sub("", text))
    except ValueError:
        when = parsedate_to_datetime(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
