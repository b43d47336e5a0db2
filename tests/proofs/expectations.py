"""A tree that a curator changes, and what each revision of its catalogue must answer, in plain Python.

It knows documents and answers, and shares no code with the service. An answer is right if it is what the
revision that it names says, to the last item, count and total.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from tests.support.worlds import write_document

# No word is another one with an English ending, and none is part of a topic's name, which is searched too.
WORDS: Final = (
    "amber",
    "birch",
    "cobalt",
    "dahlia",
    "ember",
    "fjord",
    "garnet",
    "heron",
    "indigo",
    "juniper",
)
TOPICS: Final = ("Rivers", "Bridges", "Harbours", "Islands")
TYPES: Final = ("article", "video", "course")

Audience = str
Place = tuple[Any, ...]
PUBLIC: Final = "true"
EDITORS: Final = "any"


@dataclass(frozen=True, slots=True)
class Article:
    path: str
    number: int
    edition: int
    published: bool
    topics: tuple[str, ...]
    type: str
    quality: int
    date: str
    words: frozenset[str]

    @property
    def title(self) -> str:
        return f"Number {self.number} in edition {self.edition}"

    def front_matter(self) -> str:
        # Without a date of its own an article that comes back would differ by when it was filed.
        return (
            f"title: {self.title}\ntype: {self.type}\nquality: {self.quality}\n"
            f"published: {'yes' if self.published else 'no'}\ntopics: [{', '.join(self.topics)}]\n"
            f"publishedDateTime: {self.date}\naddedDateTime: 2020-02-01"
        )

    def body(self) -> str:
        return " ".join(sorted(self.words))

    def item(self) -> tuple[Any, ...]:
        """What an answer must say of it; `item_of` has the same of an answer."""
        return self.path, self.title, self.type, self.quality, self.published, self.topics, self.date


def item_of(item: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        item["path"],
        item["title"],
        item["type"],
        item["quality"],
        item["published"],
        tuple(item["topics"]),
        item["publishedDateTime"],
    )


@dataclass(frozen=True, slots=True)
class Question:
    """A query of `/articles`, and which articles are its answer."""

    word: str | None = None
    topic: str | None = None
    type: str | None = None
    order: str = "-publishedDateTime"

    def parameters(self) -> dict[str, str]:
        named = {"q": self.word, "topic": self.topic, "type": self.type, "sort": self.order}
        return {name: value for name, value in named.items() if value}

    def matches(self, article: Article) -> bool:
        return (
            (self.word is None or self.word in article.words)
            and (self.topic is None or self.topic in article.topics)
            and (self.type is None or self.type == article.type)
        )

    def place(self, article: Article) -> Place:
        """Ascends in the order of the list."""
        if self.order == "quality":
            return article.quality, article.path
        assert self.order == "-publishedDateTime"
        # Digits that descend where dates ascend.
        return tuple(-ord(character) for character in article.date), article.path


class Contents:
    """The articles of a revision."""

    def __init__(self, articles: Mapping[str, Article]) -> None:
        self.articles = articles
        self._lists: dict[tuple[Audience, Question], list[Article]] = {}

    def answer(self, audience: Audience, question: Question) -> list[Article]:
        key = (audience, question)
        if key not in self._lists:
            articles = [
                article
                for article in self.articles.values()
                if question.matches(article) and (audience == EDITORS or article.published)
            ]
            self._lists[key] = sorted(articles, key=question.place)
        return self._lists[key]

    def page(self, audience: Audience, question: Question, after: Place | None, limit: int) -> list[Article]:
        answer = self.answer(audience, question)
        return [article for article in answer if after is None or question.place(article) > after][:limit]


@dataclass(slots=True)
class Tree:
    """Documents on disk, and the catalogues that revisions had or may have.

    A revision has several where a failover lost an import that was done: the next one makes its number again.
    """

    root: Path
    random: random.Random
    articles: dict[str, Article] = field(default_factory=dict)
    edition: int = 0
    contents_of: dict[int, list[Contents]] = field(default_factory=dict)
    _next_number: int = 0

    def begin(self, number: int) -> None:
        for _ in range(number):
            self._add()

    def change(self, changes: int) -> None:
        """Articles come, go, are hidden and shown, and are edited, so that they move in lists too."""
        self.edition += 1
        paths = self.random.sample(sorted(self.articles), changes)
        for place, path in enumerate(paths):
            match place % 4:
                case 0:
                    del self.articles[path]
                    (self.root / path).unlink()
                    self._add()
                case 1:
                    self._write(replace(self.articles[path], published=not self.articles[path].published))
                case 2:
                    self._write(replace(self.articles[path], edition=self.edition))
                case _:
                    self._write(self._article(self.articles[path].number, path))

    def _add(self) -> None:
        number = self._next_number
        self._next_number += 1
        self._write(self._article(number, f"{number % 7}/{number}.md"))

    def _article(self, number: int, path: str) -> Article:
        choose = self.random
        return Article(
            path=path,
            number=number,
            edition=self.edition,
            published=choose.random() < 0.8,
            topics=tuple(choose.sample(TOPICS, choose.randint(0, 2))),
            type=choose.choice(TYPES),
            quality=choose.randint(0, 9),
            # Ties are common in what curators have.
            date=f"2020-01-{choose.randint(1, 28):02}T00:00:00Z",
            words=frozenset(choose.sample(WORDS, 3)),
        )

    def _write(self, article: Article) -> None:
        self.articles[article.path] = article
        write_document(self.root, article.path, article.front_matter(), article.body())

    def expect(self, revision: int) -> None:
        """An import of what is there now may make this revision."""
        self.contents_of.setdefault(revision, []).append(Contents(dict(self.articles)))

    def contents(self, revision: int) -> Sequence[Contents]:
        return self.contents_of.get(revision, [])
