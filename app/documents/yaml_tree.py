"""YAML text -> text, None, lists and mappings, within limits. Knows no key of ours, no number and no date."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import yaml
from yaml._yaml import CParser
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent

from app.documents.problems import Place, shown

# The largest real document has some 4,000. Each costs 3 µs, and by aliases a few can stand for millions.
MOST_NODES: Final = 30_000
# Real documents nest 7 deep. libyaml's composer recurses in C, where no `except` helps: 32,000 brackets end
# the process.
MOST_NESTED: Final = 30
# No real document has any; ten lists of ten aliases of each other are 10,000,000,000 values.
MOST_ALIASES: Final = 20

# What the composer may be given unwatched: a hundred times shallower than its stack can bear.
MOST_BRACKETS_UNWATCHED: Final = 40
_DEEP_START: Final = re.compile(r"[ \t?:-]{41}")
_DEEP_LINE: Final = re.compile("\n" + _DEEP_START.pattern)

_STR, _SEQ, _MAP, _MERGE = ("tag:yaml.org,2002:" + name for name in ("str", "seq", "map", "merge"))
_SCALAR: Any = yaml.ScalarNode
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
# YAML 1.2's other plain scalars that are not text (true, 1, -.5, .inf) begin with one of these.
_MAY_BE_PLAIN: Final = frozenset("tTfF+-.0123456789")

# PostgreSQL takes no NUL, XML none of these; a surrogate is no character at all.
NOT_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Plain(str):
    """A text that stood without quotes and begins as a boolean or number may; all others are `str`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a text cannot be read; `line` and `column` count from 1."""

    line: int | None
    column: int | None
    reason: str
    advice: str


class _Refused(Exception):
    def __init__(self, node: Any, reason: str, advice: str) -> None:
        super().__init__(reason)
        mark = node.start_mark
        self.flaw = Flaw(mark.line + 1, mark.column + 1, reason, advice)


class _Nodes(CParser):
    """libyaml's node graph with nothing resolved: a node's tag is the one that was written, or None."""

    def resolve(self, kind: object, value: object, implicit: object) -> None: ...

    def descend_resolver(self, parent: object, index: object) -> None: ...

    def ascend_resolver(self) -> None: ...


@dataclass(frozen=True)
class YamlTree:
    """`value` is None for an empty text; `text` is what it was read from, which knows its lines.

    `nodes` are those inside of it, keys and values.
    """

    value: Any
    text: str
    nodes: int = 0

    @cached_property
    def root(self) -> Any:
        """Composed again where it is asked for: few documents have anything to be told of."""
        return _Nodes(self.text).get_single_node()


def read_tree(text: str, depth: int = 1, *, watched: bool = False) -> YamlTree | Flaw:
    """`depth` is where the text stands in a document that it is a piece of; that may have been `watched`."""
    try:
        if not watched and needs_watching(text):
            _watch(text)
        root = _Nodes(text).get_single_node()
        builder = _Builder(may_escape="\\" in text)
        value = None if root is None else builder.build(root, depth)
        return YamlTree(value, text, builder.nodes)
    except _Refused as refused:
        return refused.flaw
    except yaml.MarkedYAMLError as error:
        return _syntax_flaw(error)


def position_of(tree: YamlTree, place: Place) -> tuple[int, int] | None:
    """Line and column of a key or an element, from 1, else of the innermost part on the way to it."""
    node, position = tree.root, None
    for part in place:
        found = _child(node, part)
        if found is None:
            break
        at, node = found
        position = at.start_mark.line + 1, at.start_mark.column + 1
    return position


def needs_watching(text: str) -> bool:
    """Whether a text could break a limit, judged from above by a look at some of its characters.

    A collection is opened by a bracket, or at a column that only indentation and `-?:` precede. A node needs
    one of `-?:,[{` before it, and none of them brings more than two.
    """
    return (
        text.count("[") + text.count("{") > MOST_BRACKETS_UNWATCHED
        or (2 * len(text) >= MOST_NODES and 2 * sum(map(text.count, "-?:,[{")) >= MOST_NODES)
        or (text.count("*") > MOST_ALIASES and "&" in text)
        or _DEEP_LINE.search(text) is not None
        or _DEEP_START.match(text) is not None
        or "\u2028" in text  # ends a line in YAML 1.1, as the next one does
        or "\u2029" in text
    )


def _watch(text: str) -> None:
    """Refuses what breaks a limit by libyaml's events, which do not recurse."""
    depth = nodes = aliases = 0
    events = _Nodes(text)
    while (event := events.get_event()) is not None:
        if isinstance(event, NodeEvent):
            nodes += 1
            if nodes >= MOST_NODES:
                raise _too_many(event)
            if isinstance(event, CollectionStartEvent):
                depth += 1
                if depth >= MOST_NESTED:
                    raise _too_deep(event)
            elif isinstance(event, AliasEvent):
                aliases += 1
                if aliases > MOST_ALIASES:
                    raise _Refused(event, f"has more than {MOST_ALIASES} aliases", "Write the values out.")
        elif isinstance(event, CollectionEndEvent):
            depth -= 1


def _too_many(at: Any) -> _Refused:
    return _Refused(at, f"has {MOST_NODES} values or more, aliases written out", "Split the document.")


def _too_deep(at: Any) -> _Refused:
    reason = f"nests {MOST_NESTED} deep or more, or an alias holds itself"
    return _Refused(at, reason, "Flatten it, or write the alias out.")


class _Builder:
    """Node graph -> tree. Aliased parts are built again at each place, so that they count there."""

    __slots__ = ("may_escape", "nodes")

    def __init__(self, *, may_escape: bool) -> None:
        self.may_escape = may_escape
        self.nodes = 0

    def build(self, node: Any, depth: int) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if depth >= MOST_NESTED:
            raise _too_deep(node)
        self.nodes += len(node.value)
        if self.nodes + 1 >= MOST_NODES:
            raise _too_many(node)
        if isinstance(node, yaml.SequenceNode):
            if node.tag is not None and node.tag != _SEQ:
                raise _tagged(node)
            return [
                self._scalar(item) if item.__class__ is _SCALAR else self.build(item, depth + 1)
                for item in node.value
            ]
        if node.tag is not None and node.tag != _MAP:
            raise _tagged(node)
        return self._mapping(node, depth)

    def _mapping(self, node: Any, depth: int) -> dict[str, Any]:
        self.nodes += len(node.value)
        mapping: dict[str, Any] = {}
        merged = None
        for key_node, value_node in node.value:
            # Nearly every key: the call would cost more than the rest of this loop.
            ordinary = key_node.__class__ is _SCALAR and key_node.tag is None and not self.may_escape
            key: str = key_node.value if ordinary else self._key(key_node)
            if key == "<<" and not key_node.style and key_node.tag in (None, _MERGE):
                if merged is not None:
                    raise _duplicate(key_node, key)
                merged = value_node
            elif key in mapping:
                raise _duplicate(key_node, key)
            elif value_node.__class__ is _SCALAR:
                mapping[key] = self._scalar(value_node)
            else:
                mapping[key] = self.build(value_node, depth + 1)
        if merged is not None:
            self._merge(mapping, merged, depth)
        return mapping

    def _merge(self, mapping: dict[str, Any], merged: Any, depth: int) -> None:
        """YAML 1.1's `<<`: a key of the mapping's own wins, then the first merged mapping to have it."""
        others = merged.value if isinstance(merged, yaml.SequenceNode) else [merged]
        for other in others:
            if not isinstance(other, yaml.MappingNode):
                raise _Refused(merged, "merges by << what is no mapping", "Name one, or a list of them.")
            for key, value in self.build(other, depth + 1).items():
                mapping.setdefault(key, value)

    def _key(self, node: Any) -> str:
        if node.__class__ is not _SCALAR:
            raise _Refused(node, "has a list or a mapping as a key", "Write each key as a text.")
        if node.tag is not None and node.tag not in (_STR, _MERGE):
            raise _tagged(node)
        return self._text(node) if self.may_escape else str(node.value)

    def _scalar(self, node: Any) -> str | None:
        if node.tag is not None:
            if node.tag != _STR:
                raise _tagged(node)
        elif not node.style:
            value: str = node.value
            if value in _NULLS:
                return None
            return Plain(value) if value[0] in _MAY_BE_PLAIN else value
        return self._text(node) if self.may_escape else str(node.value)

    def _text(self, node: Any) -> str:
        value: str = node.value
        if node.style == '"':
            found = NOT_TEXT.search(value)
            if found:
                reason = f"holds {named(found.group())}, which is not text"
                raise _Refused(node, reason, "Remove the character.")
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        return value


def named(character: str) -> str:
    return f"the character U+{ord(character):04X}"


def _tagged(node: Any) -> _Refused:
    tag = "!!" + node.tag.removeprefix("tag:yaml.org,2002:") if node.tag.startswith("tag:") else node.tag
    reason = f"has the tag {shown(tag)}, which is not read here"
    return _Refused(node, reason, "Remove it; only !!str, !!map and !!seq may stay.")


def _duplicate(node: Any, key: str) -> _Refused:
    return _Refused(node, f"has the key {shown(key)} twice", "Keep one of them.")


def _syntax_flaw(error: yaml.MarkedYAMLError) -> Flaw:
    mark = error.problem_mark or error.context_mark
    reason = ", ".join(str(part) for part in (error.context, error.problem) if part)
    return Flaw(
        mark.line + 1 if mark else None,
        mark.column + 1 if mark else None,
        f"is not YAML: {reason}",
        "Correct this line or one before it; a value that holds `: ` or begins with * & ! % @ needs quotes.",
    )


def _child(node: Any, part: str | int) -> tuple[Any, Any] | None:
    """Where a part begins, and the node that it is."""
    if isinstance(part, int):
        return (node.value[part], node.value[part]) if isinstance(node, yaml.SequenceNode) else None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        if key.value == part:
            return key, value
    for key, value in node.value:
        if key.value == "<<":
            others = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for other in others:
                found = _child(other, part)
                if found:
                    return found
    return None
