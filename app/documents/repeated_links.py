"""Related links that stand word for word in many documents are read once. Knows no key but `related`.

In one real tree 161,223 related links are 4,172 different ones. A front matter is cut at its list of them.
Each piece must be YAML by itself, or the whole is read as one: a quotation or a bracket that reaches over a
cut is closed on neither side of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from app.documents.yaml_tree import MOST_NODES, Flaw, YamlTree, needs_watching, read_tree

# Some 2 kB each, read. Trees repeat their latest news, so what was not seen for long will not come again.
MOST_REMEMBERED: Final = 10_000


# Fewer are read as quickly in one go.
_FEWEST: Final = 3


# How deep the list lies in a document, for the limit on nesting.
_DEPTH_OF_LIST: Final = 2


# The key `related` and its value, and the one with which the count begins.
_NODES_OF_LIST: Final = 3


_LIST: Final = re.compile(r"^related:[ ]*\n((?:(?:[ ]|-[ ]).*\n|\n)+)", re.MULTILINE)


_FIRST: Final = re.compile(r"[ ]*- ")


# Another YAML document, a directive, an anchor or alias would tie the pieces together, and a bracket at the
# margin may go on with what stands before it. A byte order mark is passed over where a piece begins with it.
# Looked for one by one, which is 16 times as fast as a pattern.
_TIES: Final = ("&", "*", "\ufeff", "\n---", "\n...", "\n%", "\n{", "\n[")


_TIES_AT_THE_BEGINNING: Final = ("---", "...", "%", "{", "[")


# Keys further in would be another mapping's, cut off by a comment or wrong.
_AT_THE_MARGIN: Final = re.compile(r"(?:[ ]*(?:#.*)?\n)*(?:[^ #\n]|\Z)")


@dataclass(slots=True)
class Repeated:
    """One mapping of the list. `readings` holds what was made of it, by base URL."""

    text: str
    _mapping: dict[str, Any] | None
    readings: dict[str | None, Any] = field(default_factory=dict)

    def take(self) -> dict[str, Any]:
        """The mapping, for its reader to use up. Few are read twice; those are parsed again."""
        mapping, self._mapping = self._mapping or _only_mapping(_parsed(self.text, _DEPTH_OF_LIST)), None
        return mapping or {}


@dataclass(frozen=True, slots=True)
class _Piece:
    """`nodes` is what it counts for in the limit on those of a document."""

    value: Any
    nodes: int


_remembered: dict[str, _Piece] = {}


def read_tree_with_repeated(text: str, says_nothing: Callable[[Any], bool]) -> YamlTree | Flaw:
    """As read_tree, but mappings in `related` may stand there as Repeated, unless they say nothing."""
    return _by_pieces(text, says_nothing) or read_tree(text)


def _by_pieces(text: str, says_nothing: Callable[[Any], bool]) -> YamlTree | None:
    found = _LIST.search(text)
    first = _FIRST.match(found[1]) if found else None
    # The list would end before a last line without an end, whose keys would become the document's own.
    if not found or not first or not text.endswith("\n"):
        return None
    # Lines that begin as the first does begin an item; the others go on with one.
    begin = first.group()
    texts = [begin + item for item in ("\n" + found[1]).split("\n" + begin)[1:]]
    if len(texts) < _FEWEST:
        return None
    head, tail = (_mapping(part) for part in (text[: found.start()], text[found.end() :]))
    if head is None or tail is None:
        return None
    if not head.value.keys().isdisjoint(tail.value) or "related" in (*head.value, *tail.value):
        return None
    items = []
    nodes = head.nodes + tail.nodes + _NODES_OF_LIST
    for item in texts:
        piece = _remembered.get(item) or _item(item, says_nothing)
        nodes += piece.nodes if piece else MOST_NODES
        # What follows need not be read twice.
        if piece is None or nodes >= MOST_NODES:
            return None
        items.append(piece.value)
    return YamlTree({**head.value, "related": items, **tail.value}, text)


def _is_tied(text: str) -> bool:
    return text.startswith(_TIES_AT_THE_BEGINNING) or any(tie in text for tie in _TIES)


def _mapping(text: str) -> _Piece | None:
    """The keys before or after the list; None where there is something else."""
    tree = _parsed(text, 1) if _AT_THE_MARGIN.match(text) else None
    if tree is None:
        return None
    if tree.value is None:
        # A `null` on a line of its own is no end of a mapping.
        return _Piece({}, 0) if tree.root is None else None
    return _Piece(tree.value, tree.nodes) if isinstance(tree.value, dict) else None


def _item(text: str, says_nothing: Callable[[Any], bool]) -> _Piece | None:
    tree = _parsed(text, _DEPTH_OF_LIST)
    mapping = _only_mapping(tree)
    if tree is None or mapping is None:
        return None
    if len(_remembered) >= MOST_REMEMBERED:
        _remembered.clear()
    value = mapping if says_nothing(mapping) else Repeated(text, mapping)
    _remembered[text] = piece = _Piece(value, tree.nodes)
    return piece


def _parsed(text: str, depth: int) -> YamlTree | None:
    """A piece that is YAML by itself, and tied to no other; None for any other one."""
    if _is_tied(text) or needs_watching(text):
        return None
    tree = read_tree(text, depth, watched=True)
    return None if isinstance(tree, Flaw) else tree


def _only_mapping(tree: YamlTree | None) -> dict[str, Any] | None:
    if tree is None or not isinstance(tree.value, list) or len(tree.value) != 1:
        return None
    [mapping] = tree.value
    return mapping if isinstance(mapping, dict) else None
