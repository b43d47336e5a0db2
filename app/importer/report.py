"""What an import did, for people and for programs. Knows neither how it is printed nor what is stored."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from app.documents.files import Skipped
from app.documents.problems import Problem
from app.importer.serialise import public_id

# A tree may use texts as keys, each of them once; whoever reads the list looks for the frequent ones.
MAX_UNREAD_KEYS = 1_000


@dataclass(frozen=True, slots=True)
class GoneArticle:
    """An article whose document is gone."""

    source: str
    path: str


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
    missing_articles: list[GoneArticle] = field(default_factory=list)
    removed_articles: list[GoneArticle] = field(default_factory=list)
    # Keys that no reader knows, and how many documents have each; the most frequent first.
    unread_keys: dict[str, int] = field(default_factory=dict)
    # The time of an earlier import, if this machine's clock is far behind that; empty if not.
    time_ahead: str = ""

    def count(self, kind: str, outcome: Literal["created", "updated", "unchanged"]) -> None:
        """A document of the kind was read; of topics and providers the outcome is not told."""
        match kind, outcome:
            case "topic", _:
                self.topics += 1
            case "organization", _:
                self.providers += 1
            case _, "created":
                self.created += 1
            case _, "updated":
                self.updated += 1
            case _, "unchanged":
                self.unchanged += 1

    def reject(self, problems: Iterable[Problem]) -> None:
        self.rejected += 1
        self.problems += problems

    def skip(self, file: Skipped) -> None:
        self.skipped += 1
        self.skipped_files.append(file)

    def add(self, other: "Report") -> None:
        """Sums the counts of two trees, and lists the findings of both."""
        for item in fields(self):
            if item.name != "unread_keys":
                setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))
        self.unread_keys = most_frequent_first(Counter(self.unread_keys) + Counter(other.unread_keys))

    def as_json(self) -> dict[str, Any]:
        return {
            **{item.name: getattr(self, item.name) for item in fields(self) if item.type is int},
            "problems": [asdict(problem) for problem in self.problems],
            "warnings": [asdict(warning) for warning in self.warnings],
            "skippedFiles": [asdict(skipped) for skipped in self.skipped_files],
            "missingArticles": [_gone(article) for article in self.missing_articles],
            "removedArticles": [_gone(article) for article in self.removed_articles],
            "unreadKeys": self.unread_keys,
        }


def most_frequent_first(documents_by_key: Mapping[str, int]) -> dict[str, int]:
    """No more than MAX_UNREAD_KEYS of them."""
    by_count = sorted(documents_by_key.items(), key=lambda entry: (-entry[1], entry[0]))
    return dict(by_count[:MAX_UNREAD_KEYS])


def _gone(article: GoneArticle) -> dict[str, str]:
    """The article has the id here by which the service and its readers know it."""
    return {**asdict(article), "id": public_id(article.source, article.path)}
