"""One file's bytes -> a document, a reason to skip it, or its problems. Never raises, whatever the bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.documents.article import ARTICLE_KEYS, ArticleDocument, Tree, read_article
from app.documents.fields import is_unknown, says_nothing
from app.documents.front_matter import FrontMatter, all_front_matter, split
from app.documents.problems import Finding, Findings, Place, Problem, key_path, shown
from app.documents.repeated_links import read_tree_with_repeated
from app.documents.taxonomy import OrganizationDocument, TopicDocument, read_organization, read_topic
from app.documents.yaml_tree import Flaw, YamlTree, position_of

# Raised whenever the same bytes would be read differently, so that unchanged files are read again.
READER_VERSION: Final = 2

_NO_TAXONOMY: Final = "YAML without taxonomy"
_YAML_EXTENSIONS: Final = (".yaml", ".yml")
# Of a file that a disk lost, some file systems leave its length in NULs.
_BLANK: Final = b"\xef\xbb\xbf\x00 \t\r\n"


@dataclass(frozen=True, slots=True)
class Reading:
    """Exactly one of `document`, `skipped` (why) and `problems` is there; warnings come beside them.

    A skipped file with a `damage` does not say what it is: if it was a document before, that is a problem.
    One without says that it is something else, such as a person or a forum.
    """

    document: ArticleDocument | TopicDocument | OrganizationDocument | None
    skipped: str | None
    damage: str | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def read_document(path: str, content: bytes, base_url: str | None) -> Reading:
    """`base_url` is where relative URLs are resolved; None leaves those of images, and refuses the others."""
    is_yaml = path.lower().endswith(_YAML_EXTENSIONS)
    # Trees hold configuration files, some with tags of their own: what cannot be ours is not parsed.
    if is_yaml and b"taxonomy" not in content.replace(b"\x00", b""):
        return _skipped(_NO_TAXONOMY, _damage(content, "has no taxonomy"))
    front_matter = all_front_matter(content) if is_yaml else split(content)
    if front_matter is None:
        return _skipped("a text without front matter", _damage(content, "does not begin with front matter"))
    if isinstance(front_matter, Flaw):
        return _flawed(path, front_matter)
    tree = read_tree_with_repeated(front_matter.yaml, says_nothing)
    if isinstance(tree, Flaw):
        return _flawed(path, tree, front_matter.lines_before)
    return _skip(tree.value, is_yaml=is_yaml) or _read(path, tree, front_matter, base_url)


def _skip(tree: Tree, *, is_yaml: bool) -> Reading | None:
    taxonomy = tree.get("taxonomy") if isinstance(tree, dict) else None
    if not is_unknown(taxonomy):
        name = taxonomy.strip() if isinstance(taxonomy, str) else "that is no text"
        return None if name in _TAXONOMIES else _skipped(f"the taxonomy {shown(name)}", None)
    if is_yaml:
        return _skipped(_NO_TAXONOMY, "has no taxonomy")
    if not isinstance(tree, dict):
        without_keys = "front matter without keys"
        return _skipped(f"a {without_keys}", f"has {without_keys}") if tree is None else None
    if is_unknown(tree.get("title")) and not is_unknown(tree.get("name")):
        return _skipped("a name and no title", None)
    if ARTICLE_KEYS.isdisjoint(tree):
        no_key = "front matter without any key of an article"
        return _skipped(f"a {no_key}", f"has {no_key}")
    return None


def _damage(content: bytes, otherwise: str) -> str:
    return otherwise if content.strip(_BLANK) else "is empty"


def _read(path: str, tree: YamlTree, front_matter: FrontMatter, base_url: str | None) -> Reading:
    keys = tree.value
    if not isinstance(keys, dict):
        return _flawed(path, Flaw(2, 1, "has front matter without keys", "Write its lines as `key: value`."))
    findings = Findings()
    document: ArticleDocument | TopicDocument | OrganizationDocument | None
    if is_unknown(keys.get("taxonomy")):
        document = read_article(path, keys, front_matter.body, base_url, findings)
    else:
        document = _TAXONOMIES[keys["taxonomy"].strip()](path, keys, base_url, findings)

    def located(found: Sequence[Finding]) -> tuple[Problem, ...]:
        return tuple(_problem(path, finding, tree, front_matter.lines_before) for finding in found)

    return Reading(document, None, None, located(findings.problems), located(findings.warnings))


def locate(path: str, content: bytes, place: Place) -> tuple[int, int] | None:
    """Line and column in a file that was read without a problem."""
    is_yaml = path.lower().endswith(_YAML_EXTENSIONS)
    front_matter = all_front_matter(content) if is_yaml else split(content)
    if front_matter is None or isinstance(front_matter, Flaw):
        return None
    position = position_of(YamlTree(None, front_matter.yaml), place)
    return position and (position[0] + front_matter.lines_before, position[1])


def _problem(path: str, finding: Finding, tree: YamlTree, lines_before: int) -> Problem:
    position = position_of(tree, finding.place)
    return Problem(
        path=path,
        line=position and position[0] + lines_before,
        column=position and position[1],
        key=key_path(finding.place),
        reason=finding.reason,
        advice=finding.advice,
    )


_TAXONOMIES: Final = {
    "topic": read_topic,
    "organization": read_organization,
    "provider": read_organization,  # its older name
}


def _skipped(reason: str, damage: str | None) -> Reading:
    return Reading(None, reason, damage, (), ())


def _flawed(path: str, flaw: Flaw, lines_before: int = 0) -> Reading:
    line = flaw.line and flaw.line + lines_before
    return Reading(None, None, None, (Problem(path, line, flaw.column, None, flaw.reason, flaw.advice),), ())
