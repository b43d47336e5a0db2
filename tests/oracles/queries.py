"""The contract's query in plain Python over documents: what the service must answer. Knows no database."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import app.names
from app.urls import canonical


@lru_cache(maxsize=10_000)
def fold(name: str) -> str:
    """The same few texts are folded again and again."""
    return app.names.fold(name)


Document = Mapping[str, Any]


@dataclass(frozen=True)
class Clause:
    field: str
    values: tuple[str, ...]  # none: anything
    none_of: bool = False

    def __str__(self) -> str:
        quoted = ('"' + value.replace('"', '""') + '"' for value in self.values)
        return ("-" if self.none_of else "") + (",".join(quoted) or "*")


@dataclass(frozen=True)
class Facet:
    """`values` are value, name and count."""

    values: list[tuple[str, str, int]]
    other_count: int
    missing: int


@dataclass(frozen=True)
class Timeline:
    total: int
    undated: int
    buckets: list[tuple[str, int]]


@dataclass(frozen=True)
class Question:
    clauses: tuple[Clause, ...] = ()
    others: tuple[tuple[str, str], ...] = ()

    def pairs(self) -> list[tuple[str, str]]:
        return [*((clause.field, str(clause)) for clause in self.clauses), *self.others]


# Ids and names of topics, and the topic above. The undescribed have no more than the name they are called.
TOPICS: dict[str, tuple[tuple[str, ...], str | None, bool]] = {
    "tech": (("Technology", "tech"), None, True),
    "artificial-intelligence": (("Artificial Intelligence", "AI"), "tech", True),
    "machine-learning": (("Machine Learning", "ML"), "artificial-intelligence", True),
    "c": (("C",), None, False),
    "c++": (("C++",), None, False),
    "c#": (("C#",), None, False),
    "web-apps": (("Web Apps",), None, False),  # which only hidden articles have
    "web-apps-499079": (("web-apps",), None, False),
}
TOPIC_DOCUMENTS = (
    "taxonomy: topic\n_id: tech\nname: Technology",
    "taxonomy: topic\nname: Artificial Intelligence\nshortname: AI\nparent: Technology",
    "taxonomy: topic\nname: Machine Learning\nshortname: ML\nparent: ai",
)
PROVIDERS: tuple[dict[str, str], ...] = (
    {"name": "One", "domain": "www.One.example"},
    {"name": "One Inc.", "domain": "one.example"},
    {"domain": "two.example"},
    {"name": "One"},
    {"name": "Rock, Paper, Shotgun"},
    {"name": "www.three.example"},
    {"name": "two.example "},
    {},
)
_TOPIC_OF = {fold(name): topic for topic, (called, _, _) in TOPICS.items() for name in called}
DATES = (
    *("2020-06-11T00:07:00Z", "2020-06-11", "2020-06-10T23:59:59Z", "1969-12-31T23:59:59Z", None),
    *("2020-12-31T23:59:59Z", "2021-01-03T23:59:59Z", "2021-01-04", "2020-02-29T12:00:00Z"),
)
MOST_BUCKETS = 1_000


def random_documents(number: int, seed: int = 7) -> list[dict[str, Any]]:
    choose = random.Random(seed)  # noqa: S311
    names = [name for names, _, _ in TOPICS.values() for name in names]
    documents = []
    for index in range(number):
        published = choose.random() < 0.7
        usable = [name for name in names if not published or name != "Web Apps"]
        host = choose.choice(("https://example.org/", "http://www.example.org/", "https://two.example/"))
        document = {
            "path": f"{choose.choice('abÄ')}/{index:03}.md",
            "source": choose.choice(("news", "News")),
            "title": choose.choice(
                ("b", "B", "a c", "A", "Äpfel", "z\U0001f600", "z\ufffd", "ﬁn", 'Zoo, "x"')
            ),
            "published": published,
            "quality": choose.choice((None, 0, -1, 7, 2**31 - 1, -(2**31))),
            "heat": choose.choice((None, 1, 2)),
            "publishedDateTime": choose.choice(DATES),
            "updatedDateTime": choose.choice(DATES),
            "type": choose.choice((None, "video", "Video", "article")),
            "category": choose.choice((None, "a,b", "-news", "*", 'say "hi"')),
            "locale": choose.choice((None, "no", "en-US")),
            "topics": choose.sample(usable, choose.choice((0, 1, 1, 2, 3))),
            "tags": choose.sample(("x", "X", "ｘ y", "100%", "' OR 1=1 --"), choose.choice((0, 1, 2))),
            "provider": choose.choice(PROVIDERS),
            "webUrl": choose.choice((None, f"{host}{choose.choice('pq')}", f"{host}p?utm_source=x#y")),
            "ampWebUrl": choose.choice((None, None, "https://two.example/p")),
            "images": choose.choice(([], [{"url": "https://example.org/i.png"}])),
            "related": choose.choice(([], [{"title": "R"}])),
        }
        documents.append(document)
    return documents


class Oracle:
    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents

    def answer(self, question: Question) -> list[Document]:
        others = dict(question.others)
        published = others.get("published", "true")
        audience = [each for each in self.documents if published in ("any", str(each["published"]).lower())]
        asked = [(clause, _asked(clause, audience, "descendants" in others)) for clause in question.clauses]
        found = [
            each
            for each in audience
            if all(_matches(each, clause, terms) for clause, terms in asked)
            and all(_holds(each, name, value) for name, value in question.others)
        ]
        return sorted(found, key=lambda each: _place(each, others))

    def facet(self, question: Question, field: str, size: int) -> Facet:
        """The most frequent first; those without a domain after those with, then by key."""
        others = dict(question.others)
        found = self.answer(question)
        published = others.get("published", "true")
        seen = (
            self.documents if published != "true" else [each for each in self.documents if each["published"]]
        )
        counts = Counter(
            term
            for each in found
            for term in (
                {above for below in _terms(each, field) for above in _upwards(below)}
                if field == "topic" and "descendants" in others
                else _terms(each, field)
            )
        )

        def place(term: str) -> tuple[int, bool, str]:
            return -counts[term], field == "provider" and not term.startswith("@"), term.removeprefix("@")

        ordered = sorted(counts, key=place)
        names = [_shown(field, term, seen) for term in ordered]
        values = [
            (term.removeprefix("@") if field == "topic" or term.startswith("@") else name, name, counts[term])
            for term, name in zip(ordered, names, strict=True)
        ]
        return Facet(
            values[:size],
            sum(count for _, _, count in values[size:]),
            sum(not _terms(each, field) for each in found),
        )

    def timeline(self, question: Question, interval: str) -> Timeline:
        found = self.answer(question)
        days = [_moment(each["publishedDateTime"]).date() for each in found if each["publishedDateTime"]]
        starts = Counter(_first_day(day, interval) for day in days)
        buckets: list[tuple[str, int]] = []
        if starts:
            day = min(starts)
            while day <= max(starts):
                if _first_day(day, interval) == day:
                    buckets.append((day.isoformat(), starts[day]))
                day += timedelta(days=1)
        return Timeline(len(found), len(found) - len(days), buckets)


def _asked(clause: Clause, audience: Sequence[Document], descend: bool) -> set[str]:
    asked = {term for value in clause.values for term in _named(clause.field, value, audience)}
    if descend and clause.field == "topic":
        return {topic for topic in TOPICS if asked & set(_upwards(topic))}
    return asked


def _matches(each: Document, clause: Clause, asked: set[str]) -> bool:
    has = _terms(each, clause.field)
    return bool(has & asked if clause.values else has) is not clause.none_of


def _named(field: str, value: str, audience: Sequence[Document]) -> set[str]:
    """The terms that a value means, of those that the audience can see."""
    folded = fold(value)
    if field == "topic":
        seen = {topic for each in audience for topic in _terms(each, "topic")}
        visible = {topic: names for topic, (names, _, told) in TOPICS.items() if told or topic in seen}
        return {folded} if folded in visible else {t for t in visible if folded in map(fold, visible[t])}
    if field == "provider":
        providers = {term: each["provider"].get("name") for each in audience for term in _terms(each, field)}
        if (domain := "@" + folded.removeprefix("www.")) in providers:
            return {domain}
        called = [each for each in audience if fold(each["provider"].get("name") or "") == folded]
        return {term for each in called for term in _terms(each, field)}
    return {value} if field in ("source", "id") else {folded}


def _terms(each: Document, field: str) -> set[str]:
    if field == "topic":
        return {_TOPIC_OF[fold(name)] for name in each["topics"]}
    if field == "provider":
        domain = each["provider"].get("domain") or [*(each["webUrl"] or "").split("/"), "", ""][2]
        name = each["provider"].get("name")
        return {"@" + domain.lower().removeprefix("www.")} if domain else {fold(name)} if name else set()
    if field == "tag":
        return set(map(fold, each["tags"]))
    if field in ("source", "id"):
        return {each[field]}
    return {fold(each[field])} if each[field] else set()


def _shown(field: str, term: str, seen: Sequence[Document]) -> str:
    """A topic as its document names it, all else as most of the articles do that the asker may see."""
    if field == "topic":
        return TOPICS[term][0][0]
    spellings = Counter(
        spelling
        for each in seen
        for spelling in _spellings(each, field)
        if (term in _terms(each, field) if field in ("provider", "source") else fold(spelling) == term)
    )
    return min(spellings, key=lambda name: (-spellings[name], name), default=term.removeprefix("@"))


def _spellings(each: Document, field: str) -> list[str]:
    if field == "provider":
        named = each["provider"].get("name")
        return [named.strip()] if named else []
    if field == "tag":
        # The first of one tag's two spellings counts.
        return list({fold(tag): tag for tag in reversed(each["tags"])}.values())
    return [each[field]] if each[field] else []


def _first_day(day: date, interval: str) -> date:
    match interval:
        case "week":
            return day - timedelta(days=day.isoweekday() - 1)
        case "month":
            return date(day.year, day.month, 1)
        case "year":
            return date(day.year, 1, 1)
        case _:
            return day


def _upwards(topic: str | None) -> Iterable[str]:
    while topic:
        yield topic
        topic = TOPICS[topic][1]


def _holds(each: Document, name: str, value: str) -> bool:  # noqa: PLR0911  a rule a line
    match name:
        case "publishedFrom" | "updatedFrom":
            at = each[name.removesuffix("From") + "DateTime"]
            return bool(at) and _moment(at) >= _moment(value)
        case "publishedBefore" | "updatedBefore":
            at = each[name.removesuffix("Before") + "DateTime"]
            return bool(at) and _moment(at) < _moment(value)
        case "minQuality" | "minHeat":
            known = each[name[3:].lower()]
            return known is not None and known >= int(value)
        case "maxQuality" | "maxHeat":
            known = each[name[3:].lower()]
            return known is not None and known <= int(value)
        case "hasImage":
            return bool(each["images"]) is (value == "true")
        case "hasRelated":
            return bool(each["related"]) is (value == "true")
        case "url":
            return canonical(value) in {canonical(url) for url in _urls(each)}
        case _:
            return True


def _urls(each: Document) -> list[str]:
    return [url for url in (each["webUrl"], each["ampWebUrl"]) if url]


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _place(each: Document, others: Mapping[str, str]) -> tuple[Any, ...]:
    exact = others.get("url") in _urls(each) if "url" in others else True
    sort = others.get("sort", "-publishedDateTime")
    return (not exact, *sort_key(each, sort), each["path"].encode(), each["source"])


def sort_key(each: Document, sort: str) -> tuple[Any, ...]:
    name, turned = sort.removeprefix("-"), -1 if sort.startswith("-") else 1
    value = each[name]
    if name == "title":
        points = [ord(character) for character in fold(value)], [ord(character) for character in value]
        # Descending, a title goes before its own beginning.
        return tuple((*(turned * point for point in part), turned * -1) for part in points)
    if name.endswith("DateTime"):
        value = _moment(value).timestamp() if value else None
    return value is None, turned * (value or 0)
