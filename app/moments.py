"""Points in time as people write them: a date, a date and time, a duration back from now."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?"
)
_DURATION: Final = re.compile(
    r"P(?=.)(?:([0-9]{1,6})Y)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?"
    r"(?:T(?=.)(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?)?"
)
_MONTHS_OF_A_YEAR: Final = 12
# The parts of a duration, in their order.
_UNITS: Final = ("year", "month", "week", "day", "hour", "minute", "second")


def moment(text: str) -> datetime | None:
    """`2020-06-11`, or that, `T` or a space, `hh:mm[:ss[.f]]`, and nothing (UTC), `Z` or `±hh:mm`.

    The moment is in UTC, to the second. None if the text has another form; ValueError if there is no such
    moment.
    """
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)).replace(
            microsecond=0
        )
    except OverflowError as error:
        raise ValueError(text) from error


def before(now: datetime, duration: str) -> datetime | None:
    """`now` less an ISO 8601 duration such as `P7D`, `P1Y6M`, `P2W` or `PT36H`. Months are calendar months.

    None if the text is no duration; ValueError if it leads out of the years 1 to 9999.
    """
    match = _DURATION.fullmatch(duration)
    if not match:
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    month = now.year * _MONTHS_OF_A_YEAR + now.month - 1 - years * _MONTHS_OF_A_YEAR - months
    try:
        first = now.replace(year=month // _MONTHS_OF_A_YEAR, month=month % _MONTHS_OF_A_YEAR + 1, day=1)
        # One month before the 31st of March is the last day of February.
        next_month = (first + timedelta(days=31)).replace(day=1)
        day = min(now.day, (next_month - timedelta(days=1)).day)
        return first.replace(day=day) - timedelta(
            weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds
        )
    except OverflowError as error:
        raise ValueError(duration) from error


def duration_in_words(duration: str) -> str:
    """A duration that `before` reads, as people say it:  "P1Y6M" -> "1 year, 6 months"."""
    match = _DURATION.fullmatch(duration)
    amounts = zip(match.groups() if match else (), _UNITS, strict=False)
    counted = [(int(amount), unit) for amount, unit in amounts if amount and int(amount)]
    return ", ".join(f"{amount} {unit}{'' if amount == 1 else 's'}" for amount, unit in counted) or "0 days"


def rfc3339(when: datetime) -> str:
    """`2020-06-11T00:07:00Z`, for a moment in UTC."""
    return when.isoformat()[: len("2020-06-11T00:07:00")] + "Z"
