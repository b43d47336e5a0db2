"""What TOML and JSON parsers return -> the values that YAML would have had, within the same limits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.documents.problems import KeyPath
from app.documents.yaml_tree import MAX_DEPTH, MAX_NODES, NOT_TEXT, SyntaxProblem, character_name


class _Refusal(Exception):
    """Carries what is wrong, and where, out of the depth of a tree."""

    def __init__(self, key_path: KeyPath, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.key_path, self.reason, self.advice = key_path, reason, advice


@dataclass(slots=True)
class PlainValues:
    """`as_text` makes the text of a scalar, and `position` knows the line and column of a key."""

    as_text: Callable[[Any], str]
    position: Callable[[KeyPath], tuple[int, int] | None]
    nodes: int = 0

    def build(self, document: Any) -> Any:
        try:
            return self._value(document, ())
        except _Refusal as refusal:
            line, column = self.position(refusal.key_path) or (None, None)
            return SyntaxProblem(line, column, refusal.reason, refusal.advice)

    def _value(self, value: Any, key_path: KeyPath) -> Any:
        self.nodes += 1
        if self.nodes >= MAX_NODES:
            raise _Refusal(key_path, f"has {MAX_NODES:,} values or more", "Split the document.")
        if value is None:
            return None
        if not isinstance(value, dict | list):
            return self._text(self.as_text(value), key_path)
        if len(key_path) + 1 >= MAX_DEPTH:
            raise _Refusal(key_path, f"nests {MAX_DEPTH} deep or more", "Use fewer levels.")
        if isinstance(value, list):
            return [self._value(element, (*key_path, index)) for index, element in enumerate(value)]
        self.nodes += len(value)
        return {
            self._text(key, key_path): self._value(element, (*key_path, key))
            for key, element in value.items()
        }

    def _text(self, text: str, key_path: KeyPath) -> str:
        match = NOT_TEXT.search(text)
        if match:
            reason = f"holds {character_name(match.group())}, which is not text"
            raise _Refusal(key_path, reason, "Remove the character.")
        if "\r" in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
        return text
