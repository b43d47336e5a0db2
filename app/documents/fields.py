"""One mapping of a document, read key by key. What is taken is gone; what is left is the curator's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from app.documents import scalars
from app.documents.problems import Findings, KeyPath, WrongValue
from app.documents.yaml_tree import MAX_NODES
from app.names import fold_of_document as fold

T = TypeVar("T")

# One letter more or less makes nearly any word of a key of two letters.
MIN_NEAR_MISS_LENGTH = 3
# `created` is no misspelt `related`, and nearly each word of four letters is another one with one changed.
MIN_WRONG_LETTER_LENGTH = 5
# The longest key that we read has seventeen letters.
MAX_NEAR_MISS_LENGTH = 20


# No-break spaces, marks and breaks of width zero, which come in by copying from websites.
_INVISIBLE = "\u00a0\u00ad\u2007\u200b\u200c\u200d\u200e\u200f\u202f\u2060\ufeff"


def is_unknown(value: Any) -> bool:
    """True for what says nothing: null, an empty list or mapping, a text of white space."""
    return not value or (isinstance(value, str) and value.isspace())


def is_blank(element: Any) -> bool:
    """True for an element of a list that says nothing, and for a mapping in which no key says anything."""
    return is_unknown(element) or (isinstance(element, dict) and all(map(is_unknown, element.values())))


@dataclass(slots=True)
class FieldReader:
    """`places` has where a key's value is written, if not under the key: findings name what curators see.

    `lenient` has the keys that were read from another tool's name: what is wrong there is a warning, because
    that tool may mean something else by it. In a mapping that `is_lenient` all keys are of that kind.
    """

    values: dict[str, Any]
    key_path: KeyPath
    findings: Findings
    base_url: str | None
    places: dict[str, KeyPath] = field(default_factory=dict)
    lenient: set[str] = field(default_factory=set)
    is_lenient: bool = False

    def read_nested(self, containers: Sequence[str], keys: frozenset[str]) -> None:
        """Keys of ours in these mappings count as if they stood outside, where those outside say nothing."""
        for container in containers:
            mapping = self.values.get(container)
            if not isinstance(mapping, dict):
                continue
            for key in [key for key in mapping if key in keys]:
                if is_unknown(self.values.get(key)) and not is_unknown(mapping[key]):
                    self.values[key] = mapping.pop(key)
                    self.places[key] = (container, key)
            if not mapping:
                del self.values[container]

    def read_other_names(
        self, keys_by_other_name: Mapping[str, str], fault_of: Callable[[str, str, Any], WrongValue | bool]
    ) -> None:
        """A key of ours wins where it says something; what another name says then stays, for the export.

        `fault_of(other_name, key, value)` tells what keeps a value from being what the key says: False for
        nothing, True for what is not worth a word, such as `source: The Guardian` where a URL would be read.
        """
        if keys_by_other_name.keys().isdisjoint(self.values):
            return
        for other_name, key in keys_by_other_name.items():
            value = self.values.get(other_name)
            if is_unknown(value) or not is_unknown(self.values.get(key)):
                continue
            fault = fault_of(other_name, key, value)
            place = self.places.get(other_name, (other_name,))
            if isinstance(fault, WrongValue):
                reason = f"{fault.reason}, and is not read as {key}"
                self.findings.warning((*self.key_path, *place), reason, fault.advice)
            elif not fault:
                self.values[key] = self.values.pop(other_name)
                self.places[key] = place
                self.lenient.add(key)

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

    def texts(
        self,
        key: str,
        convert: Callable[[str], str | WrongValue] = scalars.name,
        *,
        parted_by: str | None = None,
    ) -> tuple[str, ...]:
        """A list of names, or one text, which is one name or is parted into several."""
        if key not in self.values:
            return ()
        text = self.values[key]
        if isinstance(text, str) and (parted_by is None or parted_by not in text):
            only_name = self.converted(convert, key)
            return () if only_name is None else (only_name,)
        if isinstance(text, str):
            # A list of as many would be beyond the limit on a document's values.
            if text.count(parted_by or "") >= MAX_NODES:
                self.problem(WrongValue(f"parts into {MAX_NODES:,} names or more", "Shorten it."), key)
                return ()
            parts = self.values.pop(key).split(parted_by)
            return tuple(
                [name for part in parts if part.strip() and (name := self._checked(convert, part, key))]
            )
        names = []
        for index, element in self.elements(key):
            if not isinstance(element, str):
                self.problem(wrong_kind(element, "a text"), key, index)
                continue
            name = self._checked(convert, element, key, index)
            if name is not None:
                names.append(name)
        return tuple(names)

    def _checked(
        self, convert: Callable[[str], str | WrongValue], text: str, key: str, *indexes: int
    ) -> str | None:
        name = convert(text.strip())
        if isinstance(name, WrongValue):
            self.problem(name, key, *indexes)
            return None
        return name

    def names(self, key: str, *, parted_by: str | None = None) -> tuple[str, ...]:
        """The texts of a key without repetitions:  [AI, ai, Azure] -> (AI, Azure)."""
        names = self.texts(key, parted_by=parted_by)
        if len(names) <= 1:
            return names
        first_spellings: dict[str, str] = {}
        for name in names:
            first_spellings.setdefault(fold(name), name)
        return tuple(first_spellings.values())

    def provider(self) -> "FieldReader":
        """The mapping `provider`; a text is its name."""
        value = self.take("provider")
        if isinstance(value, str):
            value = {"name": value}
        elif value is not None and not isinstance(value, dict):
            self.problem(wrong_kind(value, "a name or a mapping", "provider: {name: NASA}"), "provider")
            value = None
        return FieldReader(
            value or {}, (*self.key_path, *self.place("provider")), self.findings, self.base_url
        )

    def elements(self, key: str, example: str | None = None) -> list[tuple[int, Any]]:
        """The elements that say something, each with its index in the document; the others get a warning."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(wrong_kind(value, "a list", example), key)
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
        self.findings.warning((*self.key_path, *self.place(key), index), reason, advice)

    def leftovers(
        self, known_keys: frozenset[str], misspelt_keys: frozenset[str] | None = None
    ) -> dict[str, Any]:
        """The keys that nobody took, for the export. A key that is nearly one of ours gets a warning.

        `misspelt_keys` are those of them that a letter more, less or else may be meant for; None means all.
        """
        if not self.values:
            return {}
        for key in self.values:
            plain_key = key.strip(_INVISIBLE)
            if plain_key != key and plain_key in known_keys:
                advice = "Remove it: the key is not read because of it."
                wrong = WrongValue(f"is {plain_key} with an invisible character beside it", advice)
                self.findings.problem((*self.key_path, key), wrong)
                continue
            near_key = near_miss(key, known_keys, misspelt_keys)
            if near_key:
                reason = f"is not a key that is read; {near_key} is"
                self.findings.warning((*self.key_path, key), reason, f"Write {near_key}.")
        return {key: scalars.as_written(value) for key, value in self.values.items()}

    def problem(self, wrong_value: WrongValue, key: str, *indexes: int) -> None:
        key_path = (*self.key_path, *self.place(key), *indexes)
        if self.is_lenient or key in self.lenient:
            self.findings.warning(key_path, f"{wrong_value.reason}, and is left out", wrong_value.advice)
        else:
            self.findings.problem(key_path, wrong_value)

    def place(self, key: str) -> KeyPath:
        """Where the key's value is written, below this mapping."""
        return self.places.get(key, (key,))


def without_www(domain: str) -> str:
    return domain.removeprefix("www.")


def near_miss(
    key: str, known_keys: frozenset[str], misspelt_keys: frozenset[str] | None = None
) -> str | None:
    """The known key that differs in case, `-` and `_`, or one letter: wrong, missing, added or moved."""
    if key in known_keys or not MIN_NEAR_MISS_LENGTH <= len(key) <= MAX_NEAR_MISS_LENGTH:
        return None
    plain, plain_keys = _plain(key), _plain_keys(known_keys)
    if plain in plain_keys:
        return plain_keys[plain]
    neighbours = _neighbours(known_keys if misspelt_keys is None else misspelt_keys)
    for shorter in (plain, *_one_letter_shorter(plain)):
        near_key = neighbours.get(shorter)
        # Hardly anybody mistypes the first letter, and a word that begins otherwise is another word. So is a
        # short one of the same length: head is not heat.
        if near_key and plain[0] == near_key[0].casefold():
            same_length = len(plain) == len(_plain(near_key))
            if not same_length or len(plain) >= MIN_WRONG_LETTER_LENGTH:
                return near_key
    return None


@cache
def _plain_keys(keys: frozenset[str]) -> dict[str, str]:
    return {_plain(key): key for key in sorted(keys)}


@cache
def _neighbours(keys: frozenset[str]) -> dict[str, str]:
    return {
        shorter: key
        for plain, key in _plain_keys(keys).items()
        for shorter in (plain, *_one_letter_shorter(plain))
    }


def _plain(key: str) -> str:
    return key.casefold().replace("_", "").replace("-", "").replace(" ", "")


def _one_letter_shorter(plain: str) -> list[str]:
    """The word less each of its letters:  "tags" -> ags, tgs, tas, tag."""
    return [plain[:index] + plain[index + 1 :] for index in range(len(plain))]


def wrong_kind(value: Any, expected: str, example: str | None = None) -> WrongValue:
    """Names what is there by its kind alone: the value may be a secret."""
    kind = "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a text"
    such_as = f", such as `{example}`" if example else ""
    return WrongValue(f"is {kind} where {expected} belongs", f"Write {expected}{such_as}.")
