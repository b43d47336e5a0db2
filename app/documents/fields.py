"""One mapping of a document, read key by key. What is taken is gone; what is left is the curator's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from app.documents import scalars
from app.documents.problems import Findings, KeyPath, WrongValue
from app.names import fold_of_document as fold

T = TypeVar("T")

# One letter more or less makes nearly any word of a key of two letters.
MIN_NEAR_MISS_LENGTH = 3
# The longest key that we read has seventeen letters.
MAX_NEAR_MISS_LENGTH = 20


def is_unknown(value: Any) -> bool:
    """True for what says nothing: null, an empty list or mapping, a text of white space."""
    return not value or (isinstance(value, str) and value.isspace())


def is_blank(element: Any) -> bool:
    """True for an element of a list that says nothing, and for a mapping in which no key says anything."""
    return is_unknown(element) or (isinstance(element, dict) and all(map(is_unknown, element.values())))


@dataclass(slots=True)
class FieldReader:
    """`older_names` has the names that keys were written under: findings must name what the curator sees."""

    values: dict[str, Any]
    key_path: KeyPath
    findings: Findings
    base_url: str | None
    older_names: dict[str, str] = field(default_factory=dict)

    def rename(self, keys_by_older_name: Mapping[str, str]) -> "FieldReader":
        """Today's name wins where both say something; the other's value stays, for the export."""
        if keys_by_older_name.keys().isdisjoint(self.values):
            return self
        for older_name, key in keys_by_older_name.items():
            if is_unknown(self.values.get(key)) and not is_unknown(self.values.get(older_name)):
                self.values[key] = self.values.pop(older_name)
                self.older_names[key] = older_name
        return self

    def take(self, key: str) -> Any:
        """Removes the key. Returns its value, or None where that says nothing."""
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
        """A text of one line, such as a title."""
        text = self.display_text(key)
        return text and text.replace("\n", " ")

    def display_text(self, key: str) -> str | None:
        """A text as long as lists can show."""
        return self.converted(scalars.display_text, key)

    def label(self, key: str) -> str | None:
        """A text that articles may be filed under: it is short enough for an index."""
        return self.converted(scalars.label, key)

    def name(self, key: str) -> str | None:
        return self.converted(scalars.name, key)

    def domain(self, key: str) -> str | None:
        domain = self.name(key)
        return domain and (without_www(domain.lower()) or None)

    def url(self, key: str) -> str | None:
        return self.converted(scalars.url, key, self.base_url)

    def converted(self, convert: Callable[..., T | WrongValue], key: str, *context: str | None) -> T | None:
        # Most keys are absent. Asking for them here saves a call for each, a tenth of the whole reading.
        text = self.text(key) if key in self.values else None
        if text is None:
            return None
        value = convert(text, *context)
        if isinstance(value, WrongValue):
            self.problem(value, key)
            return None
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of names, or one name."""
        if key not in self.values:
            return ()
        if isinstance(self.values[key], str):
            only_name = self.name(key)
            return () if only_name is None else (only_name,)
        names = []
        for index, element in self.elements(key):
            if not isinstance(element, str):
                self.problem(wrong_kind(element, "a text"), key, index)
                continue
            name = scalars.name(element.strip())
            if isinstance(name, WrongValue):
                self.problem(name, key, index)
            else:
                names.append(name)
        return tuple(names)

    def names(self, key: str) -> tuple[str, ...]:
        """The texts of a key without repetitions:  [AI, ai, Azure] -> (AI, Azure)."""
        names = self.texts(key)
        if len(names) <= 1:
            return names
        first_spellings: dict[str, str] = {}
        for name in names:
            first_spellings.setdefault(fold(name), name)
        return tuple(first_spellings.values())

    def mapping(self, key: str) -> "FieldReader":
        value = self.take(key)
        if value is not None and not isinstance(value, dict):
            self.problem(wrong_kind(value, "a mapping"), key)
            value = None
        return FieldReader(value or {}, (*self.key_path, key), self.findings, self.base_url)

    def elements(self, key: str) -> list[tuple[int, Any]]:
        """The elements that say something, each with its index in the document; the others get a warning."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(wrong_kind(value, "a list"), key)
            return []
        elements = []
        for index, element in enumerate(value):
            if is_blank(element):
                self.drop(key, index)
            else:
                elements.append((index, element))
        return elements

    def drop(self, key: str, index: int, reason: str = "is empty and left out") -> None:
        advice = "Remove it or complete it; a text that begins with # needs quotes."
        self.findings.warning((*self.key_path, key, index), reason, advice)

    def leftovers(self, known_keys: frozenset[str]) -> dict[str, Any]:
        """The keys that nobody took, for the export. A key that is nearly one of ours gets a warning."""
        if not self.values:
            return {}
        for key in self.values:
            near_key = near_miss(key, known_keys)
            if near_key:
                reason = f"is not a key that is read; {near_key} is"
                self.findings.warning((*self.key_path, key), reason, f"Write {near_key}.")
        return {key: scalars.as_written(value) for key, value in self.values.items()}

    def problem(self, wrong_value: WrongValue, key: str, *indexes: int) -> None:
        self.findings.problem((*self.key_path, self.older_names.get(key, key), *indexes), wrong_value)


def without_www(domain: str) -> str:
    return domain.removeprefix("www.")


def near_miss(key: str, known_keys: frozenset[str]) -> str | None:
    """The known key that differs in case, `-` and `_`, or one letter: wrong, missing, added or moved."""
    if key in known_keys or not MIN_NEAR_MISS_LENGTH <= len(key) <= MAX_NEAR_MISS_LENGTH:
        return None
    neighbours = _neighbours(known_keys)
    return next((neighbours[shorter] for shorter in _one_letter_shorter(key) if shorter in neighbours), None)


@cache
def _neighbours(known_keys: frozenset[str]) -> dict[str, str]:
    return {shorter: key for key in sorted(known_keys) for shorter in _one_letter_shorter(key)}


def _one_letter_shorter(key: str) -> list[str]:
    """The key itself in plain letters, and less each of its letters:  "tags" -> tags, ags, tgs, tas, tag."""
    plain = key.casefold().replace("_", "").replace("-", "").replace(" ", "")
    return [plain, *(plain[:index] + plain[index + 1 :] for index in range(len(plain)))]


def wrong_kind(value: Any, expected: str) -> WrongValue:
    """Names what is there by its kind alone: the value may be a secret."""
    kind = "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a text"
    return WrongValue(f"is {kind} where {expected} belongs", f"Write {expected}.")
