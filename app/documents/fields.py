"""One mapping of a document, read key by key. What is taken is gone; what is left is the curator's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from app.documents import scalars
from app.documents.problems import Findings, Place, Unfit
from app.names import fold_of_document as fold

T = TypeVar("T")


# A key of two letters is nearly everything; the longest known one has seventeen letters.
SHORTEST_NEAR_MISS = 3


LONGEST_NEAR_MISS = 20


def is_unknown(value: Any) -> bool:
    return not value or (isinstance(value, str) and value.isspace())


@dataclass(slots=True)
class Keys:
    """`written` says under which older name a key stood, so that findings speak of what the curator sees."""

    values: dict[str, Any]
    place: Place
    findings: Findings
    base_url: str | None
    written: dict[str, str] = field(default_factory=dict)

    def rename(self, older_names: Mapping[str, str]) -> "Keys":
        """Today's name wins where both say something; the other's value stays, for the export."""
        if older_names.keys().isdisjoint(self.values):
            return self
        for older, key in older_names.items():
            if is_unknown(self.values.get(key)) and not is_unknown(self.values.get(older)):
                self.values[key] = self.values.pop(older)
                self.written[key] = older
        return self

    def take(self, key: str) -> Any:
        value = self.values.pop(key, None)
        return None if value is None or is_unknown(value) else value

    def text(self, key: str) -> str | None:
        value = self.values.pop(key, None)
        if value is None:
            return None
        if isinstance(value, str):
            return value.strip() or None
        if value:
            self.problem(wrong_kind(value, "a text"), key)
        return None

    def line(self, key: str) -> str | None:
        """A title: a text of one line."""
        text = self.shown_text(key)
        return text and text.replace("\n", " ")

    def shown_text(self, key: str) -> str | None:
        return self.converted(scalars.shown_text, key)

    def label(self, key: str) -> str | None:
        return self.converted(scalars.label, key)

    def name(self, key: str) -> str | None:
        return self.converted(scalars.name, key)

    def domain(self, key: str) -> str | None:
        domain = self.name(key)
        return domain and (without_www(domain.lower()) or None)

    def url(self, key: str) -> str | None:
        return self.converted(scalars.url, key, self.base_url)

    def converted(self, convert: Callable[..., T | Unfit], key: str, *context: str | None) -> T | None:
        # Most keys are not there: asking here saves a call for each, a tenth of the whole reading.
        text = self.text(key) if key in self.values else None
        if text is None:
            return None
        value = convert(text, *context)
        if isinstance(value, Unfit):
            self.problem(value, key)
            return None
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of names, or one name."""
        if key not in self.values:
            return ()
        if isinstance(self.values[key], str):
            one = self.name(key)
            return () if one is None else (one,)
        names = []
        for index, element in self.elements(key):
            if not isinstance(element, str):
                self.problem(wrong_kind(element, "a text"), key, index)
                continue
            name = scalars.name(element.strip())
            if isinstance(name, Unfit):
                self.problem(name, key, index)
            else:
                names.append(name)
        return tuple(names)

    def names(self, key: str) -> tuple[str, ...]:
        """As `texts`, and of those that fold to one only the first."""
        names = self.texts(key)
        if len(names) <= 1:
            return names
        first: dict[str, str] = {}
        for name in names:
            first.setdefault(fold(name), name)
        return tuple(first.values())

    def mapping(self, key: str) -> "Keys":
        value = self.take(key)
        if value is not None and not isinstance(value, dict):
            self.problem(wrong_kind(value, "a mapping"), key)
            value = None
        return Keys(value or {}, (*self.place, key), self.findings, self.base_url)

    def elements(self, key: str) -> list[tuple[int, Any]]:
        """Those that say something, each with its place in the document."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(wrong_kind(value, "a list"), key)
            return []
        kept = []
        for index, element in enumerate(value):
            if says_nothing(element):
                self.drop(key, index)
            else:
                kept.append((index, element))
        return kept

    def drop(self, key: str, index: int, reason: str = "is empty and left out") -> None:
        advice = "Remove it or complete it; a text that begins with # needs quotes."
        self.findings.warning((*self.place, key, index), reason, advice)

    def rest(self, known: frozenset[str]) -> dict[str, Any]:
        """What nobody took, for the export; a key that is nearly one of ours gets a warning."""
        if not self.values:
            return {}
        for key in self.values:
            near = near_miss(key, known)
            if near:
                reason = f"is not a key that is read; {near} is"
                self.findings.warning((*self.place, key), reason, f"Write {near}.")
        return {key: scalars.as_written(value) for key, value in self.values.items()}

    def problem(self, unfit: Unfit, key: str, *parts: int) -> None:
        self.findings.problem((*self.place, self.written.get(key, key), *parts), unfit)


def says_nothing(element: Any) -> bool:
    return is_unknown(element) or (isinstance(element, dict) and all(map(is_unknown, element.values())))


def without_www(domain: str) -> str:
    return domain.removeprefix("www.")


def near_miss(key: str, known: frozenset[str]) -> str | None:
    """The known key that differs in case, `-` and `_`, or one letter: wrong, missing, added or moved."""
    if key in known or not SHORTEST_NEAR_MISS <= len(key) <= LONGEST_NEAR_MISS:
        return None
    neighbours = _neighbours(known)
    return next((neighbours[less] for less in _with_a_letter_less(key) if less in neighbours), None)


@cache
def _neighbours(known: frozenset[str]) -> dict[str, str]:
    return {less: key for key in sorted(known) for less in _with_a_letter_less(key)}


def _with_a_letter_less(key: str) -> list[str]:
    plain = key.casefold().replace("_", "").replace("-", "").replace(" ", "")
    return [plain, *(plain[:at] + plain[at + 1 :] for at in range(len(plain)))]


def wrong_kind(value: Any, wanted: str) -> Unfit:
    """Names what is there by its kind alone: the value may be a secret."""
    kind = "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a text"
    return Unfit(f"is {kind} where {wanted} belongs", f"Write {wanted}.")
