"""What a tree says of itself in clippings.yaml at its root. Knows no option of a command."""

import hashlib
import re
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from app.documents import scalars
from app.documents.article import KEYS, YamlValue, read_article
from app.documents.fields import is_unknown, near_miss, wrong_kind
from app.documents.files import SETTINGS_FILE, read_file
from app.documents.front_matter import all_front_matter
from app.documents.ignore import MAX_PATTERNS, IgnoreRules
from app.documents.problems import Finding, Findings, KeyPath, Problem, WrongValue, key_text
from app.documents.tree_keys import NO_TREE_KEYS, TreeKeys
from app.documents.yaml_tree import SyntaxProblem, YamlTree, read_tree

# It stands in URLs, in a column of exports and in the names of folders.
SOURCE_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
SOURCE_NAME_IN_WORDS: Final = "1 to 100 letters, digits, '.', '_' or '-'"

_SETTINGS: Final = ("source", "baseUrl", "keys", "defaults", "ignore")


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """A tree without the file has none of them."""

    source: str | None = None
    base_url: str | None = None
    keys: TreeKeys = NO_TREE_KEYS
    ignore: IgnoreRules = field(default_factory=IgnoreRules)


def has_settings(root: Path) -> bool:
    return (root / SETTINGS_FILE).is_file()


def read_settings(root: Path) -> TreeSettings | tuple[Problem, ...]:
    """All that is wrong with the file is said at once."""
    if not has_settings(root):
        return TreeSettings()
    content = read_file(root, SETTINGS_FILE)
    if isinstance(content, Problem):
        return (content,)
    front_matter = all_front_matter(content)
    if isinstance(front_matter, SyntaxProblem):
        return (_unreadable(front_matter),)
    tree = read_tree(front_matter.text)
    if isinstance(tree, SyntaxProblem):
        return (_unreadable(tree),)
    findings = Findings()
    settings = _settings({} if tree.value is None else tree.value, content, findings)
    return tuple(_problem(tree, finding) for finding in findings.problems) or settings


def _settings(values: Any, content: bytes, findings: Findings) -> TreeSettings:
    if not isinstance(values, dict):
        findings.problem((), wrong_kind(values, "a mapping such as `source: news`"))
        return TreeSettings()
    for key in values:
        if key not in _SETTINGS:
            near_key = near_miss(key, frozenset(_SETTINGS))
            advice = (
                f"Write {near_key}." if near_key else f"Only these are read: {', '.join(sorted(_SETTINGS))}."
            )
            findings.problem((key,), WrongValue("is not a setting of a tree", advice))
    base_url = _base_url(values.get("baseUrl"), findings)
    names = _own_names(values.get("keys"), findings)
    defaults = _defaults(values.get("defaults"), base_url, findings)
    digest = hashlib.sha256(content).digest() if names or defaults else b""
    return TreeSettings(
        _source(values.get("source"), findings),
        base_url,
        TreeKeys(names, defaults, digest),
        _ignore(values.get("ignore"), findings),
    )


def _source(value: YamlValue, findings: Findings) -> str | None:
    name = _text(value, ("source",), findings)
    if name is None or SOURCE_NAME.fullmatch(name):
        return name
    findings.problem(("source",), WrongValue("cannot name a source", f"Use {SOURCE_NAME_IN_WORDS}."))
    return None


def _base_url(value: YamlValue, findings: Findings) -> str | None:
    text = _text(value, ("baseUrl",), findings)
    url = text and scalars.url(text, None)
    if isinstance(url, WrongValue):
        advice = "Write an absolute URL, such as https://example.org/news/."
        findings.problem(("baseUrl",), WrongValue(url.reason, advice))
        return None
    return url or None


def _own_names(value: YamlValue, findings: Findings) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for key, own in _articles_keys(value, "keys", "title: headline", findings).items():
        elements = own if isinstance(own, list) else [own]
        if any(not isinstance(name, str) or is_unknown(name) for name in elements):
            expected = f"the tree's own name for {key}, or a list of names,"
            findings.problem(
                ("keys", key), WrongValue(f"has something else where {expected} belongs", "Write a key.")
            )
        names[key] = tuple(name for name in elements if isinstance(name, str))
    return names


def _defaults(value: YamlValue, base_url: str | None, findings: Findings) -> dict[str, YamlValue]:
    """A default is read as a document's value would be, so that its problem is said once, where it stands."""
    defaults = _articles_keys(value, "defaults", "locale: en-us", findings)
    read = Findings()
    read_article("", {"title": "A title", **deepcopy(defaults)}, "", base_url, read)
    for finding in read.problems:
        findings.problem(("defaults", *finding.key_path), WrongValue(finding.reason, finding.advice))
    return defaults


def _articles_keys(value: YamlValue, setting: str, example: str, findings: Findings) -> dict[str, YamlValue]:
    """The setting's mapping, whose keys are those of an article."""
    if is_unknown(value):
        return {}
    if not isinstance(value, dict):
        findings.problem((setting,), wrong_kind(value, f"a mapping such as `{example}`"))
        return {}
    for key in value.keys() - KEYS.keys():
        near_key = near_miss(key, frozenset(KEYS))
        advice = f"Write {near_key}." if near_key else "`clippings schema` names those that are."
        findings.problem((setting, key), WrongValue("is not a key of an article", advice))
    return {key: own for key, own in value.items() if key in KEYS and not is_unknown(own)}


def _ignore(value: YamlValue, findings: Findings) -> IgnoreRules:
    if is_unknown(value):
        return IgnoreRules()
    elements = value if isinstance(value, list) else [value]
    lines: list[str] = []
    for index, element in enumerate(elements):
        if isinstance(element, str):
            lines += element.split("\n")
        elif element is not None:
            findings.problem(("ignore", index), wrong_kind(element, "a pattern such as `drafts/`"))
    if len(lines) > MAX_PATTERNS:
        findings.problem(("ignore",), WrongValue(f"has more than {MAX_PATTERNS:,} patterns", "Use fewer."))
    return IgnoreRules(tuple(lines))


def _text(value: YamlValue, key_path: KeyPath, findings: Findings) -> str | None:
    if is_unknown(value):
        return None
    if not isinstance(value, str):
        findings.problem(key_path, wrong_kind(value, "a text"))
        return None
    return value.strip()


def _problem(tree: YamlTree, finding: Finding) -> Problem:
    line, column = tree.position(finding.key_path) or (1, 1)
    key = key_text(finding.key_path) or None
    return Problem(SETTINGS_FILE, line, column, key, finding.reason, finding.advice)


def _unreadable(problem: SyntaxProblem) -> Problem:
    return Problem(SETTINGS_FILE, problem.line, problem.column, None, problem.reason, problem.advice)
