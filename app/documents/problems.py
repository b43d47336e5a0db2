"""What is wrong with a document: findings by key while it is read, problems as the report has them."""

from dataclasses import dataclass, field

# Enough to recognise the value; a report line must stay a line.
MOST_CHARACTERS_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` and `column` count from 1; `key` is a path such as `related[2].quality`, list places from 0."""

    path: str
    line: int | None
    column: int | None
    key: str | None
    reason: str
    advice: str


def shown(text: str) -> str:
    r"""The text as a report may print it: cut, and with `\x1b` for what a terminal would obey."""
    if len(text) > MOST_CHARACTERS_SHOWN:
        text = text[: MOST_CHARACTERS_SHOWN - 1] + "…"
    return escaped(text)


def escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


# Where a value stands:  ("related", 2, "quality") is `related[2].quality`.
Place = tuple[str | int, ...]


# A list of 10,000 bad images is one mistake; the report must stay readable and small.
MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a value cannot be what its key says; the reason reads on after the key and repeats no secret."""

    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Finding:
    place: Place
    reason: str
    advice: str


@dataclass(slots=True)
class Findings:
    problems: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    told: int = 0  # of both, those left out included

    def problem(self, place: Place, unfit: Unfit) -> None:
        self.told += 1
        if len(self.problems) < MOST_FINDINGS:
            self.problems.append(Finding(place, unfit.reason, unfit.advice))

    def warning(self, place: Place, reason: str, advice: str) -> None:
        self.told += 1
        if len(self.warnings) < MOST_FINDINGS:
            self.warnings.append(Finding(place, reason, advice))


def key_path(place: Place) -> str:
    path = ""
    for part in place:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{shown(part)}" if path else shown(part)
    return path
