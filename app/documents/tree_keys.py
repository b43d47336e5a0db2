"""What a tree calls our keys, and what its documents say where they are silent. Knows no file."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from app.documents.article import CONTAINERS, KEYS, YamlValue
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


NO_ORIGINS = Origins({}, frozenset())


@dataclass(frozen=True, slots=True)
class TreeKeys:
    """`names` are the tree's own by our key; `digest` changes when the file that says them does."""

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: Mapping[str, YamlValue] = field(default_factory=dict)
    digest: bytes = b""

    def complete(self, values: dict[str, YamlValue]) -> Origins:
        """Moves values to our keys where those say nothing, then adds the defaults."""
        if not self.digest:
            return NO_ORIGINS
        names: dict[str, str] = {}
        mappings = [values, *(each for name in CONTAINERS if isinstance(each := values.get(name), dict))]

        def is_said(name: str) -> bool:
            return any(not is_unknown(mapping.get(name)) for mapping in mappings)

        for key, own_names in self.names.items():
            own_name = None if is_said(key) else next(filter(is_said, own_names), None)
            if own_name:
                holder = next(each for each in mappings if not is_unknown(each.get(own_name)))
                values[key] = holder.pop(own_name)
                names[key] = own_name
        defaults = frozenset(
            key for key in self.defaults if not any(map(is_said, (key, *KEYS[key].other_names)))
        )
        # Reading uses a value up, so each document gets its own.
        values.update({key: deepcopy(self.defaults[key]) for key in defaults})
        return Origins(names, defaults)


NO_TREE_KEYS = TreeKeys()
