"""What an import did, for people and for programs. Knows neither how it is printed nor what is stored."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from app.documents.files import Skipped
from app.documents.problems import Problem


@dataclass(slots=True)
class Report:
    """Counts of articles, but for `topics` and `providers`. The first seven sum to the files read."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: int = 0
    topics: int = 0
    providers: int = 0
    missing: int = 0
    removed: int = 0
    unpublished: int = 0
    revision: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    skipped_files: list[Skipped] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def as_json(self) -> dict[str, Any]:
        return {
            **{each.name: getattr(self, each.name) for each in fields(self) if each.type is int},
            "problems": [asdict(problem) for problem in self.problems],
            "warnings": [asdict(warning) for warning in self.warnings],
            "skippedFiles": [asdict(skipped) for skipped in self.skipped_files],
        }
