"""What was found wrong in one document, by key path, while it was read. Knows neither files nor lines."""

from dataclasses import dataclass, field

from app.documents.problem import shown

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
