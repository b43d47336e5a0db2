"""What is wrong with a document: findings by key while it is read, problems as the report has them."""

from dataclasses import dataclass, field

from app.printable import printable

# A value of 80 characters can be recognised, and its line in a report stays a line.
MAX_CHARACTERS_SHOWN = 80
# A list of 10,000 bad images is one mistake; the report must stay readable and small.
MAX_FINDINGS = 20

# The place of a value in a document:  ("related", 2, "quality") is `related[2].quality`.
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` and `column` count from 1; `key` is a path such as `related[2].quality`, list places from 0."""

    path: str
    line: int | None
    column: int | None
    key: str | None
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class WrongValue:
    """Why a value cannot be what its key says; the reason reads on after the key and repeats no secret."""

    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A wrong value, or a warning, and the key it was found at."""

    key_path: KeyPath
    reason: str
    advice: str


@dataclass(slots=True)
class Findings:
    """`count` is the number of all findings, those above MAX_FINDINGS included, which are not kept."""

    problems: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    count: int = 0

    def problem(self, key_path: KeyPath, wrong_value: WrongValue) -> None:
        self.count += 1
        if len(self.problems) < MAX_FINDINGS:
            self.problems.append(Finding(key_path, wrong_value.reason, wrong_value.advice))

    def warning(self, key_path: KeyPath, reason: str, advice: str) -> None:
        self.count += 1
        if len(self.warnings) < MAX_FINDINGS:
            self.warnings.append(Finding(key_path, reason, advice))


def key_text(key_path: KeyPath) -> str:
    """The path as curators write it:  `related[2].quality`."""
    text = ""
    for part in key_path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{printable_value(part)}" if text else printable_value(part)
    return text


def printable_value(text: str) -> str:
    """A text of a document as a report repeats it."""
    return printable(text, MAX_CHARACTERS_SHOWN)
