"""What app/documents/yaml_tree.py uses of PyYAML's private C parser. A failure means: PyYAML has changed.

Look at PyYAML's `yaml/_yaml.pyx` of the new version, mend `_Nodes` there, or pin the version of before.
"""

import inspect

import pytest
import yaml
from yaml._yaml import CParser

from app.documents.yaml_tree import _Nodes, read_tree

CHANGED = (
    "PyYAML's private yaml._yaml.CParser has changed: see tests/test_pyyaml.py and _Nodes in yaml_tree.py"
)
# They do nothing in `_Nodes`, and CParser must call them with just these arguments.
OVERRIDDEN = {
    "resolve": ["self", "kind", "value", "implicit"],
    "descend_resolver": ["self", "parent", "index"],
    "ascend_resolver": ["self"],
}


def test_the_private_parser_is_there_and_has_what_is_used() -> None:
    missing = [name for name in ("get_event", "get_single_node") if not hasattr(CParser, name)]
    assert not missing, f"{CHANGED}; it has no {missing}"
    assert {
        name: list(inspect.signature(getattr(_Nodes, name)).parameters) for name in OVERRIDDEN
    } == OVERRIDDEN


def test_the_parser_calls_the_resolver_that_is_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(_Nodes, "resolve", lambda *arguments: calls.append("resolve"))
    monkeypatch.setattr(_Nodes, "descend_resolver", lambda *arguments: calls.append("descend"))
    monkeypatch.setattr(_Nodes, "ascend_resolver", lambda *arguments: calls.append("ascend"))
    _Nodes("key: value").get_single_node()
    assert {"resolve", "descend", "ascend"} <= set(calls), CHANGED


def test_a_node_has_its_tag_as_written_its_style_and_its_place() -> None:
    root = _Nodes("a: 5\nb: !!str 'x'\nc: [!own y]\n").get_single_node()
    assert isinstance(root, yaml.MappingNode), CHANGED
    (_, five), (_, text), (_, items) = root.value
    assert ([root.tag, five.tag], five.value, five.style) == ([None, None], "5", ""), CHANGED
    assert (text.tag, text.style) == ("tag:yaml.org,2002:str", "'"), CHANGED
    assert isinstance(items, yaml.SequenceNode), CHANGED
    assert items.value[0].tag == "!own", CHANGED
    assert (text.start_mark.line, text.start_mark.column, text.start_mark.index) == (1, 3, 8), CHANGED


def test_events_come_one_by_one_and_end_with_none() -> None:
    parser, events = _Nodes("a: [*b]"), []
    while (event := parser.get_event()) is not None:
        events.append(type(event).__name__)
    assert "AliasEvent" in events, CHANGED
    assert events.count("SequenceStartEvent") == events.count("SequenceEndEvent") == 1, CHANGED


def test_a_tree_knows_where_its_keys_stand() -> None:
    tree = read_tree("a: x\nb:\n- c: y\n")
    assert not hasattr(tree, "reason"), CHANGED
    assert tree.position(("b", 0, "c")) == (3, 3), CHANGED
