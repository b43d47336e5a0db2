"""Which names are one topic, and what its id is: a pure function of what documents say and ids given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.documents.problems import Problem
from app.documents.taxonomy import OrganizationDocument, TopicDocument
from app.names import fold, slug, slug_with_digest

D = TypeVar("D", TopicDocument, OrganizationDocument)


@dataclass(frozen=True, slots=True)
class Described(Generic[D]):
    """A description with where it stands; of several the first by source, then path, counts."""

    source: str
    document_id: int
    document: D


@dataclass(frozen=True, slots=True)
class Warned:
    source: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Topics:
    """`ids` has the topic's id for every folded name; `parents` the id of the topic above, by id."""

    ids: dict[str, str]
    described: dict[str, Described[TopicDocument]]
    parents: dict[str, str]
    warnings: tuple[Warned, ...]


def group_topics(
    descriptions: Sequence[Described[TopicDocument]], names: Iterable[str], given: Mapping[str, str]
) -> Topics:
    """`names` are the folded names in use; `given` the id each folded name had so far, which stays.

    Descriptions come ordered. One that shares a name with an earlier one is left out, with a warning.
    """
    groups: dict[str, Described[TopicDocument] | None] = {}  # by the name that stands for the group
    leader: dict[str, str] = {}
    warnings = []
    for described in descriptions:
        own = [fold(name) for name in _names(described.document)]
        earlier = next((groups[leader[name]] for name in own if name in leader), None)
        if earlier:
            warnings.append(_second(described, earlier, "topic"))
            continue
        groups[own[0]] = described
        leader |= dict.fromkeys(own, own[0])
    parents_named = [fold(d.document.parent) for d in groups.values() if d and d.document.parent]
    for name in sorted({*names, *parents_named} - leader.keys()):
        groups[name] = None
        leader[name] = name
    ids = _ids(groups, leader, given)
    by_id = {ids[name]: group for name, group in groups.items() if group}
    id_of = {name: ids[first] for name, first in leader.items()}
    parents, more = _parents(by_id, id_of)
    return Topics(id_of, by_id, parents, (*warnings, *more))


def _names(document: TopicDocument) -> list[str]:
    return [name for name in (document.topic_id, document.name, document.shortname) if name]


def _ids(
    groups: Mapping[str, Described[TopicDocument] | None], leader: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    members: dict[str, list[str]] = {}
    for name, first in leader.items():
        members.setdefault(first, []).append(name)
    wanted = {name: _wanted(name, group) for name, group in groups.items()}
    ids: dict[str, str] = {}
    taken: set[str] = set()
    # The part of a split group that would be called so by itself goes on with the id.
    for would_choose_it in (True, False):
        for name in groups:
            for member in members[name]:
                one = given.get(member)
                if (
                    one
                    and name not in ids
                    and one not in taken
                    and (one == wanted[name] or not would_choose_it)
                ):
                    ids[name] = one
                    taken.add(one)
    for name, group in groups.items():
        if name not in ids:
            one = wanted[name]
            if one in ("", ".", "..") or one in taken:
                one = slug_with_digest(group.document.name or name if group else name)
            ids[name] = one
            taken.add(one)
    return ids


def _wanted(name: str, group: Described[TopicDocument] | None) -> str:
    if group:
        return group.document.topic_id or slug(group.document.name or name)
    return slug(name)


def _parents(
    described: Mapping[str, Described[TopicDocument]], id_of: Mapping[str, str]
) -> tuple[dict[str, str], list[Warned]]:
    parents: dict[str, str] = {}
    warnings = []
    for topic, group in described.items():
        name = group.document.parent
        if not name:
            continue
        parent = id_of[fold(name)]
        above: str | None = parent
        while above and above != topic:
            above = parents.get(above)
        if above == topic:
            warnings.append(
                _warned(
                    group,
                    "parent",
                    f"“{name}” is this topic or one below it",
                    "Name a topic above this one; the parent is left out until then.",
                )
            )
            continue
        parents[topic] = parent
        if parent not in described:
            warnings.append(
                _warned(
                    group,
                    "parent",
                    f"no document describes the topic “{name}”",
                    "Correct the name, or describe the topic; it stands as a topic without description.",
                )
            )
    return parents, warnings


def first_of_each_domain(
    descriptions: Sequence[Described[OrganizationDocument]],
) -> tuple[dict[tuple[int, str], Described[OrganizationDocument]], tuple[Warned, ...]]:
    """Organizations by (0, domain), or by (1, folded name) where they have no domain."""
    first: dict[tuple[int, str], Described[OrganizationDocument]] = {}
    warnings = []
    for described in descriptions:
        document = described.document
        key = (0, document.domain) if document.domain else (1, fold(document.name or ""))
        if key in first:
            warnings.append(_second(described, first[key], "provider"))
        else:
            first[key] = described
    return first, tuple(warnings)


def _second(later: Described[Any], earlier: Described[Any], what: str) -> Warned:
    where = (
        earlier.document.path
        if later.source == earlier.source
        else f"{earlier.source}: {earlier.document.path}"
    )
    return _warned(
        later,
        None,
        f"describes the same {what} as {where}",
        "Keep one of the two; the first by source and path counts.",
    )


def _warned(described: Described[Any], key: str | None, reason: str, advice: str) -> Warned:
    return Warned(described.source, Problem(described.document.path, None, None, key, reason, advice))
