"""Reads related links once that stand word for word in many documents. Knows no key but `related`.

In one real tree 161,223 related links are 4,172 different ones. A front matter is cut at its list of related
links. Each piece must be YAML by itself, or the whole is read in one go: a quotation or a bracket that
reaches over a cut is closed on neither side of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from app.documents.yaml_tree import MAX_NODES, SyntaxProblem, YamlTree, might_exceed_limits, read_tree

# A link takes some 2 kB in memory. Trees repeat their latest news, so a link that was not seen for long will
# not come again.
MAX_CACHED_LINKS: Final = 10_000
# Splitting does not pay for fewer links.
_MIN_LINKS: Final = 3
# The list lies this deep in a document; the limit on nesting counts from there.
_DEPTH_OF_LIST: Final = 2
# Three nodes count besides the links: the document's mapping, the key `related`, its list.
_NODES_OF_LIST: Final = 3

_LIST: Final = re.compile(r"^related:[ ]*\n((?:(?:[ ]|-[ ]).*\n|\n)+)", re.MULTILINE)
_FIRST: Final = re.compile(r"[ ]*- ")
# A text with one of these may mean something else without the rest of its document: another YAML document, a
# directive, an anchor and an alias reach over a cut, and a bracket at the margin may go on with what stands
# before it. libyaml skips a byte order mark where a text begins with it. Looking for one mark after the other
# is 16 times as fast as a pattern.
_CONTEXT_MARKS: Final = ("&", "*", "\ufeff", "\n---", "\n...", "\n%", "\n{", "\n[")
_CONTEXT_MARKS_AT_START: Final = ("---", "...", "%", "{", "[")
# A key that is indented after the list would belong to another mapping: a comment cut it off, or it is wrong.
_AT_THE_MARGIN: Final = re.compile(r"(?:[ ]*(?:#.*)?\n)*(?:[^ #\n]|\Z)")


@dataclass(slots=True)
class RepeatedLink:
    """One mapping of the list. `readings` holds what was read from it, by base URL."""

    text: str
    _mapping: dict[str, Any] | None
    readings: dict[str | None, Any] = field(default_factory=dict)

    def take(self) -> dict[str, Any]:
        """Returns the mapping, which its reader uses up. Few links are read twice; those are parsed again."""
        mapping, self._mapping = self._mapping or _only_mapping(_parsed(self.text, _DEPTH_OF_LIST)), None
        return mapping or {}


@dataclass(frozen=True, slots=True)
class _Piece:
    """`nodes` counts for the limit on the nodes of a document."""

    value: Any
    nodes: int


_cache: dict[str, _Piece] = {}


def read_tree_with_repeated_links(text: str, is_blank: Callable[[Any], bool]) -> YamlTree | SyntaxProblem:
    """Like read_tree, but mappings in `related` that are not blank may be RepeatedLinks."""
    return _read_in_pieces(text, is_blank) or read_tree(text)


def _read_in_pieces(text: str, is_blank: Callable[[Any], bool]) -> YamlTree | None:
    link_list = _LIST.search(text)
    first_dash = _FIRST.match(link_list[1]) if link_list else None
    # The list's pattern ends before a last line without a line end, whose keys would become the document's
    # own.
    if not link_list or not first_dash or not text.endswith("\n"):
        return None
    # A line that begins like the first one begins a link; every other line goes on with one.
    dash = first_dash.group()
    texts = [dash + link for link in ("\n" + link_list[1]).split("\n" + dash)[1:]]
    if len(texts) < _MIN_LINKS:
        return None
    head, tail = (_mapping(part) for part in (text[: link_list.start()], text[link_list.end() :]))
    if head is None or tail is None:
        return None
    if not head.value.keys().isdisjoint(tail.value) or "related" in (*head.value, *tail.value):
        return None
    links = []
    nodes = head.nodes + tail.nodes + _NODES_OF_LIST
    for link_text in texts:
        piece = _cache.get(link_text) or _link(link_text, is_blank)
        nodes += piece.nodes if piece else MAX_NODES
        # The whole is read in one go now, so the pieces after this one need not be read.
        if piece is None or nodes >= MAX_NODES:
            return None
        links.append(piece.value)
    return YamlTree({**head.value, "related": links, **tail.value}, text)


def _depends_on_context(text: str) -> bool:
    return text.startswith(_CONTEXT_MARKS_AT_START) or any(mark in text for mark in _CONTEXT_MARKS)


def _mapping(text: str) -> _Piece | None:
    """The keys before or after the list; None where there is something else."""
    tree = _parsed(text, 1) if _AT_THE_MARGIN.match(text) else None
    if tree is None:
        return None
    if tree.value is None:
        # An empty text has no root. A `null` on a line of its own has one, and cannot follow a mapping's
        # keys.
        return _Piece({}, 0) if tree.root is None else None
    return _Piece(tree.value, tree.nodes) if isinstance(tree.value, dict) else None


def _link(text: str, is_blank: Callable[[Any], bool]) -> _Piece | None:
    tree = _parsed(text, _DEPTH_OF_LIST)
    mapping = _only_mapping(tree)
    if tree is None or mapping is None:
        return None
    if len(_cache) >= MAX_CACHED_LINKS:
        _cache.clear()
    value = mapping if is_blank(mapping) else RepeatedLink(text, mapping)
    _cache[text] = piece = _Piece(value, tree.nodes)
    return piece


def _parsed(text: str, depth: int) -> YamlTree | None:
    """The tree of a piece that is YAML by itself and means the same anywhere; else None."""
    if _depends_on_context(text) or might_exceed_limits(text):
        return None
    tree = read_tree(text, depth, is_checked=True)
    return None if isinstance(tree, SyntaxProblem) else tree


def _only_mapping(tree: YamlTree | None) -> dict[str, Any] | None:
    if tree is None or not isinstance(tree.value, list) or len(tree.value) != 1:
        return None
    [mapping] = tree.value
    return mapping if isinstance(mapping, dict) else None
