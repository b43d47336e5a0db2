"""What a tree calls our keys, and what its documents say where they are silent. Knows no file."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from app.documents.article import CONTAINERS, KEYS, YamlValue, is_date
from app.documents.fields import is_unknown
from app.documents.problems import Finding


class Origins(NamedTuple):
    """Where values of a document come from: `names` has the tree's own name by key."""

    names: Mapping[str, str]
    defaults: frozenset[str]

    def is_of_document(self, finding: Finding) -> bool:
        """A default is looked at once, where it stands; no document can mend it."""
        return not finding.key_path or finding.key_path[0] not in self.defaults

    def as_written(self, finding: Finding) -> Finding:
        """The finding under the name that the curator sees."""
        first, *rest = finding.key_path or ("",)
        own_name = self.names.get(str(first))
        return Finding((own_name, *rest), finding.reason, finding.advice) if own_name else finding


@dataclass(frozen=True, slots=True)
class TreeKeys:
    """`names` are the tree's own by our key; `digest` changes when the file that says them does."""

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: Mapping[str, YamlValue] = field(default_factory=dict)
    digest: bytes = b""

    def rename(self, values: dict[str, YamlValue]) -> dict[str, str]:
        """Moves values to our keys where those say nothing. Returns the tree's own names by key."""
        names: dict[str, str] = {}
        mappings = _mappings(values)
        for key, own_names in self.names.items():
            if _is_said(key, mappings):
                continue
            own_name = next((name for name in own_names if _is_said(name, mappings)), None)
            if own_name:
                holder = next(mapping for mapping in mappings if not is_unknown(mapping.get(own_name)))
                values[key] = holder.pop(own_name)
                names[key] = own_name
        return names

    def add_defaults(self, values: dict[str, YamlValue]) -> frozenset[str]:
        """Adds the defaults of keys of which the document says nothing by any name. Returns these keys."""
        mappings = _mappings(values)
        # A date in `published` is the date of publication.
        dated = {"publishedDateTime"} if is_date(values.get("published")) else set()
        keys = frozenset(
            key
            for key in self.defaults
            if key not in dated
            and not any(_is_said(name, mappings) for name in (key, *KEYS[key].other_names))
        )
        # Reading uses a value up, so each document gets its own.
        values.update({key: deepcopy(self.defaults[key]) for key in keys})
        return keys


def _mappings(values: dict[str, YamlValue]) -> list[dict[str, YamlValue]]:
    """The document's own, and those within it whose keys count as if they stood outside."""
    inner = (values.get(name) for name in CONTAINERS)
    return [values, *(mapping for mapping in inner if isinstance(mapping, dict))]


def _is_said(name: str, mappings: Iterable[dict[str, YamlValue]]) -> bool:
    return any(not is_unknown(mapping.get(name)) for mapping in mappings)


NO_TREE_KEYS = TreeKeys()
