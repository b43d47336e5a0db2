"""JSON text -> text, None, lists and mappings, within the limits of YAML. Knows no key of ours."""

import json
from typing import Any

import yaml

from app.documents.plain_values import PlainValues
from app.documents.problems import KeyPath, printable_value
from app.documents.yaml_tree import PlainScalar, SyntaxProblem, YamlTree


class JsonTree(YamlTree):
    """YAML reads nearly all JSON, so the positions of keys are those of a YAML tree."""

    def position(self, key_path: KeyPath) -> tuple[int, int] | None:
        try:
            return super().position(key_path)
        # YAML has no surrogates, and no key of over 1,024 characters.
        except yaml.YAMLError:
            return None


class _DuplicateKey(Exception):
    """Carries a key that a JSON object has twice out of the parser."""


def read_json(text: str) -> JsonTree | SyntaxProblem:
    """The text is one object, whose brackets were counted: they are within the limits."""
    try:
        document = json.loads(
            text,
            parse_int=PlainScalar,
            parse_float=PlainScalar,
            parse_constant=PlainScalar,
            object_pairs_hook=_mapping,
        )
    except json.JSONDecodeError as error:
        reason = f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return SyntaxProblem(error.lineno, error.colno, reason, "Correct this line or one before it.")
    except _DuplicateKey as duplicate:
        key = str(duplicate)
        line, column = _second_place(text, key)
        return SyntaxProblem(line, column, f"has the key {printable_value(key)} twice", "Keep one of them.")
    value = PlainValues(_as_text, JsonTree(None, text).position).build(document)
    return value if isinstance(value, SyntaxProblem) else JsonTree(value, text)


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKey(key)
            seen.add(key)
    return mapping


def _second_place(text: str, key: str) -> tuple[int | None, int | None]:
    written = json.dumps(key, ensure_ascii=False)
    index = text.find(written, text.find(written) + 1)
    if index < 0:
        return None, None
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return PlainScalar("true" if value else "false")
    return str(value) if type(value) is str else value
