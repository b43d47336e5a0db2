"""Clients that remember what they were told: they walk, search and keep copies, and judge every answer.

An answer is older if its revision is less than one that its client was told and speaks of, be it by
`Minimum-Revision`, by a cursor or by a token of `/changes`. It is a mixture if it is not what the revision
that it names says.
"""

import http.client
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from tests.proofs.expectations import (
    EDITORS,
    PUBLIC,
    TOPICS,
    TYPES,
    WORDS,
    Audience,
    Contents,
    Place,
    Question,
    Tree,
    item_of,
)

Address = tuple[str, int]

TOKEN: Final = "a-token-of-an-editor"
# A client that has waited for so long has lost the service for good.
MAX_WAIT_SECONDS: Final = 120.0
# Answers say `Retry-After: 1` and more; whoever asks sooner sees how long it really took.
PAUSE_SECONDS: Final = 0.1
# Clients without a pause would leave imports no processor, and would see few of them.
THINKING_SECONDS: Final = 0.08
TIMEOUT_SECONDS: Final = 10
MAX_FAULTS: Final = 20
_ON_A_PAGE: Final = 25
_ON_A_LIST: Final = 50
_CHANGES: Final = 40
# Nothing that lists this many articles is meant by a search.
_QUESTIONS: Final = (
    Question(),
    Question(order="quality"),
    Question(type="video"),
    Question(topic="Rivers", order="quality"),
)


@dataclass(slots=True)
class Sightings:
    """What all clients together have seen. Threads add to it under its lock."""

    operations: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    # The words of a 503, without its numbers.
    reasons: Counter[str] = field(default_factory=Counter)
    older: int = 0
    mixtures: int = 0
    longest: float = 0.0
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def requests(self) -> int:
        return self.statuses.total()

    @property
    def work_done(self) -> int:
        return sum(self.operations[kind] for kind in ("walks", "searches", "syncs"))

    def older_answer(self, fault: str) -> None:
        with self.lock:
            self.older += 1
        self.fault(fault)

    def mixture(self, fault: str) -> None:
        with self.lock:
            self.mixtures += 1
        self.fault(fault)

    def fault(self, fault: str) -> None:
        with self.lock:
            if len(self.faults) < MAX_FAULTS:
                self.faults.append(fault)

    def answered(self, status: str, reason: str | None = None) -> None:
        with self.lock:
            self.statuses[status] += 1
            if reason:
                self.reasons[reason] += 1

    def waited(self, seconds: float) -> None:
        with self.lock:
            self.longest = max(self.longest, seconds)

    def did(self, what: str) -> None:
        with self.lock:
            self.operations[what] += 1


@dataclass(slots=True)
class Answer:
    status: int
    revision: int
    body: Any


class Ended(Exception):
    """The proof is over while a client waits."""


@dataclass(slots=True)
class Witness:
    """One client. It asks whichever address is next, as a balancer would have it."""

    addresses: Sequence[Address]
    tree: Tree
    sightings: Sightings
    ended: threading.Event
    prefix: str
    audience: Audience
    # Whether it says with each request what it was told; else its cursors and tokens alone say it.
    says_revision: bool
    # The revision of the last import that was reported as done.
    reported: Callable[[], int]
    random: random.Random
    told: int = 0
    _connections: dict[Address, http.client.HTTPConnection] = field(default_factory=dict)
    _turn: int = 0
    _copy: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    _copied: int = 0
    _changes: str = ""

    def work(self) -> None:
        try:
            while not self.ended.wait(THINKING_SECONDS):
                if self.says_revision and self.random.random() < 0.3:
                    # An import's report tells the revision too, as to a build that looks at what it has made.
                    self.told = max(self.told, self.reported())
                kinds = (self.walk, self.search, self.count, self.sync)
                self.random.choices(kinds, (30, 35, 15, 20))[0]()
        except Ended:
            pass
        finally:
            for connection in self._connections.values():
                connection.close()

    def walk(self) -> None:
        """The walk goes from the first page to the last, over the imports that come meanwhile."""
        question = self.random.choice(_QUESTIONS)
        path: str | None = self._path("/articles", question, limit=_ON_A_PAGE)
        place: Place | None = None
        floor, revisions, met = 0, [], Counter[str]()
        while path:
            answer = self._ask(path, floor)
            if answer.status == 410:
                # The cursor tells of a revision that was lost.
                return
            floor = answer.revision
            revisions.append(answer.revision)
            contents = self._judged(
                path, answer, partial(_is_page, self.audience, question, place, _ON_A_PAGE)
            )
            if contents is None:
                return
            page = contents.page(self.audience, question, place, _ON_A_PAGE)
            if page:
                place = question.place(page[-1])
            met.update(article.path for article in page)
            path = answer.body["next"]
            # Whoever reads meets an import between two pages.
            self.ended.wait(THINKING_SECONDS)
        self._judge_walk(question, revisions, met)
        self.sightings.did("walks")
        if len(set(revisions)) > 1:
            self.sightings.did("walks over an import")

    def _judge_walk(self, question: Question, revisions: list[int], met: Counter[str]) -> None:
        """An article that stayed at one place of the list was met once."""
        places: dict[str, set[Any]] = {}
        all_contents = [
            contents
            for revision in range(min(revisions), max(revisions) + 1)
            for contents in self.tree.contents(revision)
        ]
        for contents in all_contents:
            of_contents = {a.path: question.place(a) for a in contents.answer(self.audience, question)}
            for path in places.keys() | of_contents.keys():
                places.setdefault(path, set()).add(of_contents.get(path))
        # An article that is not in the first of them was never noted as absent from it.
        in_first = {a.path for a in all_contents[0].answer(self.audience, question)}
        for path, seen in places.items():
            if len(seen) == 1 and path in in_first and met[path] != 1:
                self.sightings.mixture(f"a walk of {question} met {path}, which stayed, {met[path]} times")

    def search(self) -> None:
        """A list that fits on a page, or now and then the same as a file."""
        question = Question(
            word=self.random.choice(WORDS),
            topic=self.random.choice((None, *TOPICS)),
            type=self.random.choice((None, *TYPES)),
            order="-publishedDateTime",
        )
        path = self._path("/articles", question, limit=_ON_A_LIST)
        answer = self._ask(path)
        self._judged(path, answer, partial(_is_page, self.audience, question, None, _ON_A_LIST))
        self.sightings.did("searches")

    def count(self) -> None:
        question = Question(word=self.random.choice((None, *WORDS)))
        named = {"q": question.word} if question.word else {}
        path = self._path("/facets", None, field="topic", size=50, **named)
        answer = self._ask(path)
        self._judged(path, answer, partial(_is_count, self.audience, question))
        self.sightings.did("searches")

    def sync(self) -> None:
        """Brings the copy up to date; one that has lost its place begins again."""
        while True:
            path = self._changes or self._path("/changes", None, limit=_CHANGES, since="0")
            answer = self._ask(path, self._copied)
            if answer.status == 410:
                self._copy.clear()
                self._changes, self._copied = "", 0
                continue
            if answer.body["revision"] != answer.revision:
                self.sightings.mixture(f"{path}: a body of {answer.body['revision']}, not {answer.revision}")
            self._changes, self._copied = answer.body["next"], answer.revision
            for change in answer.body["items"]:
                if change["change"] == "delete":
                    self._copy.pop(change["id"], None)
                else:
                    self._copy[change["id"]] = item_of(change["article"])
            self._judged(path, answer, partial(_has_changes, self.audience))
            if not answer.body["items"]:
                break
        self._judge_copy()
        self.sightings.did("syncs")

    def _judge_copy(self) -> None:
        """A copy that has caught up is the catalogue."""
        copy = set(self._copy.values())
        for contents in self.tree.contents(self._copied):
            if copy == {article.item() for article in contents.answer(self.audience, Question())}:
                return
        self.sightings.mixture(f"a copy of {len(copy)} articles is not the catalogue of {self._copied}")

    def _judged(
        self, path: str, answer: Answer, is_right: Callable[[Any, Contents], bool]
    ) -> Contents | None:
        """The catalogue that it is an answer of, or None if it is a mixture, which is noted."""
        for contents in self.tree.contents(answer.revision):
            if is_right(answer.body, contents):
                return contents
        self.sightings.mixture(f"{path}: is not what {answer.revision} says")
        return None

    def _path(self, path: str, question: Question | None, **parameters: str | int) -> str:
        named: dict[str, str | int] = {**(question.parameters() if question else {}), **parameters}
        if self.audience != PUBLIC:
            named["published"] = self.audience
        return f"{self.prefix}{path}?{urlencode(named)}"

    def _ask(self, path: str, floor: int = 0) -> Answer:
        """Asks until there is a 200, or a 410, which is one too: the place is gone. Raises Ended."""
        headers = {"Authorization": f"Bearer {TOKEN}"} if self.audience == EDITORS else {}
        if self.says_revision and self.told:
            headers["Minimum-Revision"] = str(self.told)
            floor = max(floor, self.told)
        began = time.monotonic()
        while True:
            if self.ended.is_set():
                self.sightings.waited(time.monotonic() - began)
                raise Ended
            answer = self._asked_once(path, headers)
            if answer and answer.status in (200, 410):
                self.sightings.waited(time.monotonic() - began)
                if answer.status == 200 and answer.revision < floor:
                    self.sightings.older_answer(f"{path}: revision {answer.revision} after {floor}")
                self.told = max(self.told, answer.revision)
                return answer
            if time.monotonic() - began > MAX_WAIT_SECONDS:
                self.sightings.waited(time.monotonic() - began)
                self.sightings.fault(f"{path}: no 200 for {MAX_WAIT_SECONDS:g} s")
                raise Ended
            time.sleep(PAUSE_SECONDS)

    def _asked_once(self, path: str, headers: dict[str, str]) -> Answer | None:
        """None where no whole answer came."""
        self._turn += 1
        address = self.addresses[self._turn % len(self.addresses)]
        connection = self._connections.get(address)
        if connection is None:
            connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_SECONDS)
            self._connections[address] = connection
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self.sightings.answered("none")
            return None
        is_problem = response.getheader("Content-Type") == "application/problem+json"
        reason = re.sub("[0-9]+", "N", json.loads(body)["detail"]) if is_problem else None
        self.sightings.answered(str(response.status), reason)
        if response.status == 503 and not response.getheader("Retry-After"):
            self.sightings.fault(f"{path}: a 503 without Retry-After")
        if response.status not in (200, 410, 502, 503, 504):
            self.sightings.fault(f"{path}: status {response.status}: {body[:200]!r}")
        is_json = response.status == 200
        return Answer(
            response.status,
            int(response.getheader("Catalogue-Revision") or 0),
            json.loads(body) if is_json else None,
        )


def _is_page(
    audience: Audience, question: Question, place: Place | None, limit: int, body: Any, contents: Contents
) -> bool:
    """Whether these are the articles after a place, with the right total and whether more follow."""
    page = contents.page(audience, question, place, limit)
    is_last = not page or page[-1] == contents.answer(audience, question)[-1]
    return (
        [item_of(item) for item in body["items"]] == [article.item() for article in page]
        and body["total"] == len(contents.answer(audience, question))
        and (body["next"] is None) == is_last
    )


def _is_count(audience: Audience, question: Question, body: Any, contents: Contents) -> bool:
    counts = {value["name"]: value["count"] for value in body["facets"]["topic"]["values"]}
    answer = contents.answer(audience, question)
    return bool(
        body["total"] == len(answer)
        and counts == Counter(topic for article in answer for topic in article.topics)
    )


def _has_changes(audience: Audience, body: Any, contents: Contents) -> bool:
    upserts = {item_of(change["article"]) for change in body["items"] if change["change"] == "upsert"}
    return upserts <= {article.item() for article in contents.answer(audience, Question())}


def witnesses(
    number: int,
    addresses: Sequence[Address],
    prefix: str,
    tree: Tree,
    sightings: Sightings,
    ended: threading.Event,
    reported: Callable[[], int],
) -> Iterable[Witness]:
    """Half of them editors, half of each saying what they were told."""
    for place in range(number):
        yield Witness(
            addresses=addresses,
            prefix=prefix,
            tree=tree,
            sightings=sightings,
            ended=ended,
            audience=EDITORS if place % 2 else PUBLIC,
            says_revision=place % 4 < 2,
            reported=reported,
            random=random.Random(place),  # noqa: S311  to be repeated
        )
