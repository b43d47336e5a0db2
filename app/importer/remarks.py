"""What is remarked of documents beside the findings of their reading, by `check` and by imports alike."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from app.documents.article import ARTICLE_KEYS, CONTAINERS, KEYS
from app.documents.files import read_file
from app.documents.problems import Problem, key_text
from app.documents.reading import KeyPlaces, key_places
from app.importer.read import Request
from app.moments import rfc3339
from app.printable import printable

# Midnight on an island in the Pacific is a day ahead of UTC's other side.
MAX_TIME_AHEAD: Final = timedelta(days=1)
ADVICE: Final = {
    "publishedDateTime": "Correct the date, unless it is meant to be in the future.",
    "topics": "Correct the name, or describe the topic.",
    "items": "Correct the path, which counts from the root of the source, or remove it.",
}

# A message stays one line.
MAX_SHOWN_PATH: Final = 200

# These hold the unread keys of what they list, or of the provider, in `extra`.
_LISTS: Final = frozenset({"images", "related"})


def latest_date(now: datetime) -> str:
    """The date as documents have it: RFC 3339 in UTC, which sorts as text."""
    return rfc3339(now + MAX_TIME_AHEAD)


def date_ahead(date_time: str | None) -> str:
    return f"is {date_time}, more than a day ahead"


def missing_item(path: str) -> str:
    return f"lists “{printable(path, MAX_SHOWN_PATH)}”, where no article is"


def undescribed_topic(name: str, others: int = 0) -> str:
    too = f", and {others:,} more {'article has' if others == 1 else 'articles have'} it" if others else ""
    return f"no document describes the topic “{name}”{too}"


class Locator:
    """Finds the lines of remarks. It keeps the file it read last: a file's remarks come together."""

    def __init__(self) -> None:
        self._file: tuple[Path, str] | None = None
        self._places: KeyPlaces | None = None

    def located(self, request: Request, problem: Problem, key: str, *places: int) -> Problem:
        """The problem with the line and the column of its key, by whichever name the file has it."""
        if self._file != (request.root, problem.path):
            content = read_file(request.root, problem.path)
            self._places = None if isinstance(content, Problem) else key_places(problem.path, content)
            self._file = request.root, problem.path
        names = (key, *request.settings.keys.names.get(key, ()), *KEYS[key].other_names)
        place = self._places and self._places.find(names, *places)
        if not place:
            return problem
        key_path, line, column = place
        return replace(problem, line=line, column=column, key=key_text(key_path))


def unread_keys(extra: Mapping[str, Any]) -> set[str]:
    """The keys of a document that nobody reads, each once:  layout, images.focus, related.provider.note."""
    return {key for key in _unread_keys(extra, "") if key not in ARTICLE_KEYS}


def _unread_keys(extra: Mapping[str, Any], above: str) -> Iterator[str]:
    for key, value in extra.items():
        if key in _LISTS and isinstance(value, dict):
            for of_an_element in value.values():
                yield from _unread_keys(of_an_element, f"{above}{key}.")
        elif key in CONTAINERS and isinstance(value, dict):
            # They count as if their keys stood outside.
            yield from _unread_keys(value, above)
        elif key == "provider" and isinstance(value, dict):
            yield from _unread_keys(value, f"{above}{key}.")
        elif key == "authors" and isinstance(value, list) and not above:
            for person in value:
                yield from (
                    (f"authors.{name}" for name in person if name != "name")
                    if isinstance(person, dict)
                    else ()
                )
        else:
            yield f"{above}{key}"
