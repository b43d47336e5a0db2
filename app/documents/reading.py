"""One file's bytes -> a document, a reason to skip it, or its problems. Never raises, whatever the bytes.

What can be wrong has five names on its way to the report:

    SyntaxProblem   the file is no front matter, or no YAML, TOML or JSON: line, column, reason, advice
    _Rejection      the exception that carries one out of the depth of a YAML tree (yaml_tree alone)
    WrongValue      a value is not what its key says: reason, advice (scalars return it)
    Finding         a WrongValue or a warning, and the key path it was found at (Findings collect them)
    Problem         any of these as the report prints it: path, line, column, key, reason, advice
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.documents.article import (
    ARTICLE_KEYS,
    CONTAINERS,
    KEYS,
    ArticleDocument,
    YamlValue,
    read_article,
)
from app.documents.fields import is_blank, is_unknown
from app.documents.front_matter import FrontMatter, Syntax, all_front_matter, split
from app.documents.json_tree import read_json
from app.documents.problems import Finding, Findings, KeyPath, Problem, key_text, printable_value
from app.documents.repeated_links import read_tree_with_repeated_links
from app.documents.taxonomy import OrganizationDocument, TopicDocument, read_organization, read_topic
from app.documents.toml_tree import TomlTree, read_toml
from app.documents.tree_keys import NO_TREE_KEYS, Origins, TreeKeys
from app.documents.yaml_tree import SyntaxProblem, YamlTree, invisible_fault

Tree = YamlTree | TomlTree

_TEXTS_OF_CURATORS: Final = ("title", "excerpt", "topics", "tags", "authors", "provider")
# Dropbox and Nextcloud, Syncthing, ownCloud, Seafile: all keep both sides of a conflict, in files of these
# names.
_CONFLICT_COPY: Final = re.compile(
    r"""\((?:[^()/]*[ ])?(?:conflicted[ ]copy|case[ ]conflict)\b[^()/]*\)[^/]*\Z
    | \.sync-conflict-[0-9]{8}-[0-9]{6}[^/]*\Z | _conflict-[0-9]{8}-[0-9]{6}[^/]*\Z
    | \(SFConflict[ ][^()/]*\)[^/]*\Z""",
    re.IGNORECASE | re.VERBOSE,
)
# "C# and F #sharp" is cut short by YAML without a word. Behind other keys, such as a quality, a comment is
# likely meant.
_CUT_SHORT: Final = re.compile(
    rf"""^({"|".join(name for key in _TEXTS_OF_CURATORS for name in (key, *KEYS[key].other_names))}):[ \t]+
    (?:[^\s'"\[{{|>&*!\#][^\n]*?[ \t])?\#""",
    re.MULTILINE | re.VERBOSE,
)
_NO_TAXONOMY: Final = "YAML without taxonomy"
_YAML_EXTENSIONS: Final = (".yaml", ".yml")
# Some file systems leave a file that was lost in a crash at its length, full of NULs.
_BLANK: Final = b"\xef\xbb\xbf\x00 \t\r\n"


@dataclass(frozen=True, slots=True)
class Reading:
    """Exactly one of `document`, `skipped` (the reason) and `problems` is there; warnings come beside them.

    `damage` says why a skipped file may be a broken document; if it was a document before, that is a problem.
    It is None if the file says that it is something else, such as a person or a forum.
    """

    document: ArticleDocument | TopicDocument | OrganizationDocument | None
    skipped: str | None
    damage: str | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def read_document(
    path: str, content: bytes, base_url: str | None, tree_keys: TreeKeys = NO_TREE_KEYS
) -> Reading:
    """`base_url` completes relative URLs; without it those of images stay relative, others are problems.

    `tree_keys` are the tree's own names for the keys of an article, and its values for those that are absent.
    """
    if _CONFLICT_COPY.search(path):
        return _skipped("a copy that a synchroniser made of a conflict", None)
    is_yaml = path.lower().endswith(_YAML_EXTENSIONS)
    # Trees hold configuration files, some with tags of their own, so YAML without our key is not parsed.
    if is_yaml and b"taxonomy" not in content.replace(b"\x00", b""):
        return _skipped(_NO_TAXONOMY, _damage(content, "has no taxonomy"))
    front_matter = all_front_matter(content) if is_yaml else split(content)
    if front_matter is None:
        return _skipped("a text without front matter", _damage(content, "does not begin with front matter"))
    if isinstance(front_matter, SyntaxProblem):
        return _unreadable(path, front_matter)
    tree = _READERS[front_matter.syntax](front_matter.text)
    if isinstance(tree, SyntaxProblem):
        return _unreadable(path, tree, front_matter.lines_before)
    is_article = isinstance(tree.value, dict) and is_unknown(tree.value.get("taxonomy"))
    names = tree_keys.rename(tree.value) if is_article else {}
    skipped = _skip(tree.value, is_yaml=is_yaml)
    # Defaults come last: they make no article of what says nothing of one.
    defaults = tree_keys.add_defaults(tree.value) if is_article and not skipped else frozenset[str]()
    return skipped or _read(path, tree, front_matter, base_url, Origins(names, defaults))


def _skip(value: YamlValue, *, is_yaml: bool) -> Reading | None:
    taxonomy = value.get("taxonomy") if isinstance(value, dict) else None
    if not is_unknown(taxonomy):
        name = taxonomy.strip() if isinstance(taxonomy, str) else "that is no text"
        return None if name in _TAXONOMIES else _skipped(f"the taxonomy {printable_value(name)}", None)
    if is_yaml:
        return _skipped(_NO_TAXONOMY, "has no taxonomy")
    if not isinstance(value, dict):
        without_keys = "front matter without keys"
        return _skipped(f"a {without_keys}", f"has {without_keys}") if value is None else None
    if is_unknown(value.get("title")) and not is_unknown(value.get("name")):
        return _skipped("a name and no title", None)
    nested = (value[container] for container in CONTAINERS if isinstance(value.get(container), dict))
    if all(map(ARTICLE_KEYS.isdisjoint, (value, *nested))):
        no_key = "front matter without any key of an article"
        return _skipped(f"a {no_key}", f"has {no_key}")
    return None


def _damage(content: bytes, reason: str) -> str:
    return reason if content.strip(_BLANK) else "is empty"


def _read(
    path: str, tree: Tree, front_matter: FrontMatter, base_url: str | None, origins: Origins
) -> Reading:
    values = tree.value
    if not isinstance(values, dict):
        advice = "Write its lines as `key: value`."
        problem = SyntaxProblem(1, 1, "has front matter without keys", advice)
        return _unreadable(path, invisible_fault(tree.text) or problem, front_matter.lines_before)
    findings = Findings()
    if front_matter.syntax == "YAML" and " #" in front_matter.text:
        for cut in _CUT_SHORT.finditer(front_matter.text):
            advice = "Put the value in quotes, unless what follows is a comment."
            findings.warning((cut[1],), "ends before #, where YAML begins a comment", advice)
    document: ArticleDocument | TopicDocument | OrganizationDocument | None
    if is_unknown(values.get("taxonomy")):
        document = read_article(path, values, front_matter.body, base_url, findings)
    else:
        document = _TAXONOMIES[values["taxonomy"].strip()](path, values, base_url, findings)

    def located(key_findings: Sequence[Finding]) -> tuple[Problem, ...]:
        return tuple(
            _problem(path, origins.as_written(finding), tree, front_matter.lines_before)
            for finding in key_findings
            if origins.is_of_document(finding)
        )

    left_out = front_matter.left_out
    return Reading(
        document,
        None,
        None,
        located(findings.problems),
        (*located(findings.warnings), *((_syntax_problem(path, left_out),) if left_out else ())),
    )


@dataclass(slots=True)
class KeyPlaces:
    """Where a file has its keys. It is made once for a file, which may have thousands of findings."""

    tree: Tree
    lines_before: int
    # The places of elements that say something, by the list's key path.
    _said: dict[KeyPath, list[int]] = field(default_factory=dict)

    def find(self, names: Sequence[str], *places: int) -> tuple[KeyPath, int, int] | None:
        """Key path, line and column of the first of these names that says something.

        `places` count the elements that say something, as the article's lists do; the key path has their
        places in the file.
        """
        values = self.tree.value
        holders: list[tuple[KeyPath, YamlValue]] = [
            ((), values),
            *(((name,), values.get(name)) for name in CONTAINERS),
        ]
        for name in names:
            for above, holder in holders:
                if isinstance(holder, dict) and not is_unknown(holder.get(name)):
                    key_path = (*above, name, *self._places_in_file((*above, name), holder[name], places))
                    position = self.tree.position(key_path)
                    return position and (key_path, position[0] + self.lines_before, position[1])
        return None

    def _places_in_file(self, key_path: KeyPath, value: YamlValue, places: Sequence[int]) -> Iterator[int]:
        """The places as far as there are such elements:  place 1 of [a, null, b] is 2."""
        for place in places:
            if not isinstance(value, list):
                return
            if key_path not in self._said:
                self._said[key_path] = [index for index, element in enumerate(value) if not is_blank(element)]
            if place >= len(self._said[key_path]):
                return
            index = self._said[key_path][place]
            key_path, value = (*key_path, index), value[index]
            # Lists in the list were read as one: its places are no others.
            if isinstance(value, list):
                return
            yield index


def key_places(path: str, content: bytes) -> KeyPlaces | None:
    """None for a file that says nothing by keys: it may be another one since its document was read."""
    front_matter = all_front_matter(content) if path.lower().endswith(_YAML_EXTENSIONS) else split(content)
    if front_matter is None or isinstance(front_matter, SyntaxProblem):
        return None
    tree = _READERS[front_matter.syntax](front_matter.text)
    if isinstance(tree, SyntaxProblem) or not isinstance(tree.value, dict):
        return None
    return KeyPlaces(tree, front_matter.lines_before)


def _problem(path: str, finding: Finding, tree: Tree, lines_before: int) -> Problem:
    position = tree.position(finding.key_path)
    return Problem(
        path=path,
        line=position and position[0] + lines_before,
        column=position and position[1],
        key=key_text(finding.key_path),
        reason=finding.reason,
        advice=finding.advice,
    )


_TAXONOMIES: Final = {
    "topic": read_topic,
    "organization": read_organization,
    "provider": read_organization,  # its other name
}
_READERS: Final[dict[Syntax, Callable[[str], Tree | SyntaxProblem]]] = {
    "YAML": lambda text: read_tree_with_repeated_links(text, is_blank),
    "TOML": read_toml,
    "JSON": read_json,
}


def _skipped(reason: str, damage: str | None) -> Reading:
    return Reading(None, reason, damage, (), ())


def _unreadable(path: str, problem: SyntaxProblem, lines_before: int = 0) -> Reading:
    return Reading(None, None, None, (_syntax_problem(path, problem, lines_before),), ())


def _syntax_problem(path: str, problem: SyntaxProblem, lines_before: int = 0) -> Problem:
    line = problem.line and problem.line + lines_before
    return Problem(path, line, problem.column, None, problem.reason, problem.advice)
