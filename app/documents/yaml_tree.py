"""YAML text -> text, None, lists and mappings, within limits. Knows no key of ours, no number and no date."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import yaml
from yaml._yaml import CParser
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent

from app.documents.problems import KeyPath, printable_value

# The largest real document has some 4,000 nodes. A node costs 3 µs, and a few aliases can stand for millions.
MAX_NODES: Final = 30_000
# Real documents nest 7 deep. libyaml's composer recurses in C, where no `except` helps: 32,000 brackets end
# the process.
MAX_DEPTH: Final = 30
# No real document has an alias; ten lists of ten aliases of each other are 10,000,000,000 values.
MAX_ALIASES: Final = 20
# The composer's stack bears a hundred times as many brackets, so these need no check before it runs.
MAX_BRACKETS_UNCHECKED: Final = 40

_DEEP_START: Final = re.compile(r"[ \t?:-]{41}")
_DEEP_LINE: Final = re.compile("\n" + _DEEP_START.pattern)
_STR, _SEQ, _MAP, _MERGE = ("tag:yaml.org,2002:" + name for name in "str seq map merge".split())
_SCALAR: Any = yaml.ScalarNode
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
# YAML 1.2's plain scalars that are neither text nor null (true, 1, -.5, .inf) begin with one of these.
_FIRST_OF_OTHER_SCALARS: Final = frozenset("tTfF+-.0123456789")
# libyaml ends a line at these, as YAML 1.1 says; editors and YAML 1.2 do not.
_OTHER_LINE_ENDS: Final = re.compile("[\u0085\u2028\u2029]")
# White space and invisible characters that look like a space, or like nothing, and are no space to YAML.
_FALSE_SPACES: Final = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"
_FALSE_SPACE: Final = re.compile(
    rf"^[ \t]*+(?:-[ ]++)?+(?:[^\s:#'\"\[\]{{}}]++:)?+[ \t]*+([{_FALSE_SPACES}])", re.MULTILINE
)
_TAB_INDENTATION: Final = re.compile(r"^[ ]*+(?:-[ ]*+)?+(\t)[ \t]*+[^\s#]", re.MULTILINE)
# PostgreSQL stores no NUL, XML has no way to write the other controls, and a surrogate is no character.
NOT_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class PlainScalar(str):
    """A text without quotes that begins as a boolean or a number may; every other text is a `str`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Why a file cannot be read as front matter or as YAML; `line` and `column` count from 1."""

    line: int | None
    column: int | None
    reason: str
    advice: str


class _Rejection(Exception):
    """Carries what is wrong out of the depth of a tree; `read_tree` makes a SyntaxProblem of it."""

    def __init__(self, node: Any, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.mark, self.reason, self.advice = node.start_mark, reason, advice


class _Nodes(CParser):
    """libyaml's node graph without resolved tags: a node's tag is the one that stands in the text, or None.

    CParser is private to PyYAML. No public class leaves tags alone, and with its resolver composing takes 1.6
    times as long. tests/test_pyyaml.py fails if a new PyYAML changes what is used here.
    """

    def resolve(self, kind: object, value: object, implicit: object) -> None: ...

    def descend_resolver(self, parent: object, index: object) -> None: ...

    def ascend_resolver(self) -> None: ...


@dataclass(frozen=True)
class YamlTree:
    """`value` is what `text` says, None for an empty one; `nodes` counts its keys and values."""

    value: Any
    text: str
    nodes: int = 0

    @cached_property
    def root(self) -> Any:
        """The node graph, which knows lines. Composed again when asked for: few documents have findings."""
        return _Nodes(self.text).get_single_node()

    def position(self, key_path: KeyPath) -> tuple[int, int] | None:
        """Line and column, from 1, of a key or an element; if absent, of the innermost part above it."""
        node, mark = self.root, None
        for part in key_path:
            child = _child(node, part)
            if child is None:
                break
            beginning, node = child
            mark = beginning.start_mark
        if mark is None:
            return None
        return _place(mark, self.text) if self._has_other_line_ends else (mark.line + 1, mark.column + 1)

    @cached_property
    def _has_other_line_ends(self) -> bool:
        """Looking for one takes a millisecond in a large text, which may have thousands of findings."""
        return _OTHER_LINE_ENDS.search(self.text) is not None


def read_tree(text: str, depth: int = 1, *, is_checked: bool = False) -> YamlTree | SyntaxProblem:
    """`depth` is how deep the text stands in the document it is a piece of.

    `is_checked` says that `might_exceed_limits` was asked before, and answered no.
    """
    try:
        if not is_checked and might_exceed_limits(text):
            _check_limits(text)
        root = _Nodes(text).get_single_node()
        builder = _Builder(has_escapes="\\" in text)
        value = None if root is None else builder.build(root, depth)
        return YamlTree(value, text, builder.nodes)
    except _Rejection as rejection:
        return SyntaxProblem(*_place(rejection.mark, text), rejection.reason, rejection.advice)
    except yaml.MarkedYAMLError as error:
        return invisible_fault(text) or _not_yaml(error, text)


def might_exceed_limits(text: str) -> bool:
    """False only for a text that certainly keeps the limits, judged by counting some of its characters.

    A collection begins with a bracket, or at a column that only indentation and `-?:` precede. A node needs
    one of `-?:,[{` before it, and none of them brings more than two nodes. Nearly all documents pass, and so
    need no second pass over their events, which takes a third of a parse.
    """
    return (
        text.count("[") + text.count("{") > MAX_BRACKETS_UNCHECKED
        or (2 * len(text) >= MAX_NODES and 2 * sum(map(text.count, "-?:,[{")) >= MAX_NODES)
        or (text.count("*") > MAX_ALIASES and "&" in text)
        or _DEEP_LINE.search(text) is not None
        or _DEEP_START.match(text) is not None
        # Both end a line in YAML 1.1, where the patterns above do not look for one.
        or "\u2028" in text
        or "\u2029" in text
    )


def _check_limits(text: str) -> None:
    """Raises for a text that breaks a limit. It reads libyaml's events, which do not recurse."""
    depth = nodes = aliases = 0
    events = _Nodes(text)
    while (event := events.get_event()) is not None:
        if isinstance(event, NodeEvent):
            nodes += 1
            if nodes >= MAX_NODES:
                raise _too_many_nodes(event)
            if isinstance(event, CollectionStartEvent):
                depth += 1
                if depth >= MAX_DEPTH:
                    raise _nested_too_deep(event)
            elif isinstance(event, AliasEvent):
                aliases += 1
                if aliases > MAX_ALIASES:
                    raise _Rejection(
                        event,
                        f"has more than {MAX_ALIASES} aliases",
                        "Write the values in place of the aliases.",
                    )
        elif isinstance(event, CollectionEndEvent):
            depth -= 1


def _too_many_nodes(node: Any) -> _Rejection:
    return _Rejection(node, f"has {MAX_NODES:,} values or more, aliases written out", "Split the document.")


def _nested_too_deep(node: Any) -> _Rejection:
    reason = f"nests {MAX_DEPTH} deep or more, or has an alias that holds itself"
    return _Rejection(node, reason, "Use fewer levels, or write the value in place of the alias.")


class _Builder:
    """Builds values from a node graph. An alias is built again at each place, so that it counts there."""

    __slots__ = ("has_escapes", "nodes")

    def __init__(self, *, has_escapes: bool) -> None:
        self.has_escapes = has_escapes
        self.nodes = 0

    def build(self, node: Any, depth: int) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if depth >= MAX_DEPTH:
            raise _nested_too_deep(node)
        self.nodes += len(node.value)
        if self.nodes + 1 >= MAX_NODES:
            raise _too_many_nodes(node)
        if isinstance(node, yaml.SequenceNode):
            if node.tag is not None and node.tag != _SEQ:
                raise _unknown_tag(node)
            return [
                self._scalar(item) if item.__class__ is _SCALAR else self.build(item, depth + 1)
                for item in node.value
            ]
        if node.tag is not None and node.tag != _MAP:
            raise _unknown_tag(node)
        return self._mapping(node, depth)

    def _mapping(self, node: Any, depth: int) -> dict[str, Any]:
        self.nodes += len(node.value)
        mapping: dict[str, Any] = {}
        merged = None
        for key_node, value_node in node.value:
            # Nearly every key is ordinary, and a call for it would cost more than the rest of this loop.
            is_ordinary = key_node.__class__ is _SCALAR and key_node.tag is None and not self.has_escapes
            key: str = key_node.value if is_ordinary else self._key(key_node)
            if key == "<<" and not key_node.style and key_node.tag in (None, _MERGE):
                if merged is not None:
                    raise _duplicate_key(key_node, key)
                merged = value_node
            elif key in mapping:
                raise _duplicate_key(key_node, key)
            elif value_node.__class__ is _SCALAR:
                mapping[key] = self._scalar(value_node)
            else:
                mapping[key] = self.build(value_node, depth + 1)
        if merged is not None:
            self._merge(mapping, merged, depth)
        return mapping

    def _merge(self, mapping: dict[str, Any], merged: Any, depth: int) -> None:
        """YAML 1.1's `<<`: a key of the mapping's own wins, then the first merged mapping to have it."""
        mapping_nodes = merged.value if isinstance(merged, yaml.SequenceNode) else [merged]
        for node in mapping_nodes:
            if not isinstance(node, yaml.MappingNode):
                reason = "merges by << what is no mapping"
                raise _Rejection(merged, reason, "Write the alias of a mapping after <<, or a list of them.")
            for key, value in self.build(node, depth + 1).items():
                mapping.setdefault(key, value)

    def _key(self, node: Any) -> str:
        if node.__class__ is not _SCALAR:
            raise _Rejection(node, "has a list or a mapping as a key", "Write each key as a text.")
        if node.tag is not None and node.tag not in (_STR, _MERGE):
            raise _unknown_tag(node)
        return self._text(node) if self.has_escapes else str(node.value)

    def _scalar(self, node: Any) -> str | None:
        if node.tag is not None:
            if node.tag != _STR:
                raise _unknown_tag(node)
        elif not node.style:
            value: str = node.value
            if value in _NULLS:
                return None
            return PlainScalar(value) if value[0] in _FIRST_OF_OTHER_SCALARS else value
        return self._text(node) if self.has_escapes else str(node.value)

    def _text(self, node: Any) -> str:
        value: str = node.value
        if node.style == '"':
            match = NOT_TEXT.search(value)
            if match:
                reason = f"holds {character_name(match.group())}, which is not text"
                raise _Rejection(node, reason, "Remove the character.")
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        return value


def character_name(character: str) -> str:
    return f"the character U+{ord(character):04X}"


def _unknown_tag(node: Any) -> _Rejection:
    tag = "!!" + node.tag.removeprefix("tag:yaml.org,2002:") if node.tag.startswith("tag:") else node.tag
    reason = f"has the tag {printable_value(tag)}, which is not read here"
    return _Rejection(node, reason, "Remove it; only !!str, !!map and !!seq may stay.")


def _duplicate_key(node: Any, key: str) -> _Rejection:
    return _Rejection(node, f"has the key {printable_value(key)} twice", "Keep one of them.")


def invisible_fault(text: str) -> SyntaxProblem | None:
    """The first character that is not what it looks like, in a text that is not the YAML it seems to be."""
    faults = [
        (match.start(match.re.groups), reason, advice)
        for pattern, reason, advice in (
            (_FALSE_SPACE, "which is no space to YAML", "Replace the character by a space."),
            (
                _OTHER_LINE_ENDS,
                "at which YAML ends the line",
                "Remove the character, or put the value in quotes.",
            ),
            (_TAB_INDENTATION, "", "Replace the tab by spaces."),
        )
        if (match := pattern.search(text))
    ]
    if not faults:
        return None
    index, reason, advice = min(faults)
    line, column = text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
    if text[index] == "\t":
        return SyntaxProblem(line, column, "has a tab where YAML wants spaces", advice)
    return SyntaxProblem(line, column, f"holds {character_name(text[index])}, {reason}", advice)


def _not_yaml(error: yaml.MarkedYAMLError, text: str) -> SyntaxProblem:
    mark = error.problem_mark or error.context_mark
    reason = ", ".join(str(part) for part in (error.context, error.problem) if part)
    line, column = _place(mark, text) if mark else (None, None)
    return SyntaxProblem(
        line,
        column,
        f"is not YAML: {reason}",
        "Correct this line or one before it; a value that holds `: ` or begins with * & ! % @ needs quotes.",
    )


def _place(mark: Any, text: str) -> tuple[int, int]:
    """Line and column, from 1, as editors count them: libyaml's lines end at more characters."""
    if _OTHER_LINE_ENDS.search(text) is None:
        return mark.line + 1, mark.column + 1
    return text.count("\n", 0, mark.index) + 1, mark.index - text.rfind("\n", 0, mark.index)


def _child(node: Any, part: str | int) -> tuple[Any, Any] | None:
    """The node that a part of a key path begins with, and the node of its value."""
    if isinstance(part, int):
        # Hexo's categories are read as one list, which may be longer than the list in the file.
        has_element = isinstance(node, yaml.SequenceNode) and part < len(node.value)
        return (node.value[part], node.value[part]) if has_element else None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        if key.value == part:
            return key, value
    for key, value in node.value:
        if key.value == "<<":
            mapping_nodes = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for mapping_node in mapping_nodes:
                child = _child(mapping_node, part)
                if child:
                    return child
    return None
