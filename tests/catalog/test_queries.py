"""Random questions about random documents: both databases answer as plain Python does."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import current_thread
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.catalog.index.find import find
from tests.oracles.queries import (
    MOST_BUCKETS,
    TOPIC_DOCUMENTS,
    TOPICS,
    Clause,
    Oracle,
    Question,
    random_documents,
)
from tests.support.databases import drop_postgresql
from tests.support.random_examples import examples
from tests.support.services import EDITOR, answer, service_of
from tests.support.templates import new_postgresql_catalogue, new_sqlite_catalogue
from tests.support.worlds import World, new_world

pytestmark = pytest.mark.usefixtures("small_ranges")

TEXTS = {
    "topic": [*TOPICS, *(name for names, _, _ in TOPICS.values() for name in names), "ａi", "nothing"],
    "provider": ["ONE.example", "www.two.example", "One", "one inc.", "two.example", "Rock, Paper, Shotgun",
                 "www.three.example", "three.example", "example.org", "nobody"],
    "type": ["VIDEO", "article", "x"],
    "category": ["a,b", "-NEWS", "*", 'say "hi"', "a"],
    "tag": ["x", "x  Y", "100%", "' or 1=1 --", "%"],
    "locale": ["NO", "en-us"],
    "source": ["news", "News", "NEWS"],
}  # fmt: skip
MOMENTS = [
    "2020-06-11",
    "2020-06-11 00:07",
    "2020-06-11T02:06:59+02:00",
    "1970-01-01",
    "1969-12-31T23:59:59Z",
]
BOUNDS = ["0", "-1", "7", "2147483647", "-2147483648"]
URLS = ["https://example.org/p", "//www.example.org/p/", "http://two.example/p", "https://example.org/", "p"]
OTHERS: dict[str, list[str]] = {
    **dict.fromkeys(("publishedFrom", "publishedBefore", "updatedFrom", "updatedBefore"), MOMENTS),
    **dict.fromkeys(("minQuality", "maxQuality", "minHeat", "maxHeat"), BOUNDS),
    "hasImage": ["true", "false"],
    "hasRelated": ["true", "false"],
    "descendants": ["true"],
    "url": URLS,
    "published": ["true", "false", "any", "any"],
    "sort": [
        minus + key
        for key in ("publishedDateTime", "updatedDateTime", "quality", "heat", "title")
        for minus in ("", "-")
    ],
}

clauses = st.one_of(
    [
        st.builds(
            Clause, st.just(field), st.lists(st.sampled_from(texts), max_size=3).map(tuple), st.booleans()
        )
        for field, texts in TEXTS.items()
    ]
)
others = st.one_of([st.tuples(st.just(name), st.sampled_from(values)) for name, values in OTHERS.items()])
questions = st.builds(
    Question,
    st.lists(clauses, max_size=3).map(tuple),
    st.lists(others, max_size=4, unique_by=lambda pair: pair[0]).map(tuple),
)


class Both:
    """One set of documents in either database."""

    def __init__(self, clients: list[TestClient]) -> None:
        self.clients = clients
        self.documents = random_documents(150)
        items = answer(clients[0], "/articles?published=any&limit=200", EDITOR)["items"]
        ids = {(item["source"], item["path"]): item["id"] for item in items}
        for each in self.documents:
            each["id"] = ids[each["source"], each["path"]]
        self.oracle = Oracle(self.documents)


def tell(world: World) -> None:
    for source in ("news", "News"):
        told = World(world.root / source, world.engine)
        for each in random_documents(150):
            if each["source"] == source:
                told.write(
                    each["path"], json.dumps({**each, "source": None, "path": None}, ensure_ascii=False)
                )
        if source == "news":
            for number, topic in enumerate(TOPIC_DOCUMENTS):
                told.write(f"topics/{number}.md", topic)
        assert told.import_(source).rejected == 0


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder: Path = tmp_path_factory.mktemp("queries")
    postgresql = new_postgresql_catalogue()
    with ExitStack() as stack:
        clients = []
        for number, url in enumerate((new_sqlite_catalogue(folder), postgresql)):
            (folder / str(number)).mkdir()
            world = new_world(folder / str(number), url)
            tell(world)
            # A remembered answer would hide how an equal question is answered another way.
            clients.append(stack.enter_context(service_of(world, remembered_bytes=0)))
            world.engine.dispose()
        yield Both(clients)
    drop_postgresql(postgresql)


@examples()
@given(question=questions)
def test_any_question_has_the_same_answer_as_the_documents_give(both: Both, question: Question) -> None:
    expected = [each["id"] for each in both.oracle.answer(question)]
    for client in both.clients:
        page = answer(client, "/articles?" + urlencode([*question.pairs(), ("limit", "200")]), EDITOR)
        assert ([item["id"] for item in page["items"]], page["total"]) == (expected, len(expected))


@examples(0.5)
@given(question=questions, limit=st.sampled_from((1, 3, 20)), way=st.sampled_from(("sorted", "sifted")))
def test_its_pages_are_all_of_it_there_and_back_however_they_are_read(
    both: Both, question: Question, limit: int, way: str
) -> None:
    expected = [each["id"] for each in both.oracle.answer(question)]
    first: str | None = "/articles?" + urlencode([*question.pairs(), ("limit", str(limit))])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.catalog.index.walk.SKIPPED_FOR_ONE_SORTED", 0 if way == "sifted" else 1_000_000)
        patch.setattr("app.catalog.index.walk._MIN_MISSES", 1)
        for client in both.clients:
            there: list[str] = []
            back: list[str] = []
            turn = None
            url = first
            while url and len(there) < 20 * limit:
                page = answer(client, url, EDITOR)
                there += [item["id"] for item in page["items"]]
                url, turn = page["next"], page["prev"]
            assert there == expected[: len(there)] and (url or len(there) == len(expected))
            while turn:
                page = answer(client, turn, EDITOR)
                back = [item["id"] for item in page["items"]] + back
                turn = page["prev"]
            assert there[: len(back)] == back and len(there) - len(back) <= limit


@examples(0.5)
@given(question=questions)
@example(Question((), (("published", "any"),)))
@example(Question((Clause("provider", ("One",), False),), ()))  # a name of two providers
@example(Question((Clause("topic", ("nothing",), False),), ()))
def test_the_event_loop_reads_nothing_but_index_ranges(both: Both, question: Question) -> None:
    """Sets of articles are found on reading threads alone, so that nobody else waits for them."""
    threads: list[str] = []

    def find_and_tell(*arguments: Any) -> Any:
        threads.append(current_thread().name)
        return find(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.catalog.filters.find", find_and_tell)
        answer(both.clients[0], "/articles?" + urlencode(question.pairs()), EDITOR)
    assert all(thread.startswith("reading") for thread in threads), threads


@examples(0.1)
@given(data=st.data())
def test_clauses_by_id_too(both: Both, data: Any) -> None:
    ids = data.draw(st.lists(st.sampled_from([each["id"] for each in both.documents]), max_size=3))
    question = Question((Clause("id", tuple(ids), data.draw(st.booleans())),), (("published", "any"),))
    expected = [each["id"] for each in both.oracle.answer(question)]
    for client in both.clients:
        page = answer(client, "/articles?" + urlencode([*question.pairs(), ("limit", "200")]), EDITOR)
        assert [item["id"] for item in page["items"]] == expected


FIELDS = ["topic", "provider", "type", "category", "tag", "locale", "source"]


@examples(0.6)
@given(
    question=questions,
    size=st.sampled_from((1, 2, 3, 1000)),
    way=st.sampled_from(("article by article", "set by set")),
    data=st.data(),
)
def test_any_facet_counts_what_the_documents_have_and_links_to_as_many(
    both: Both, question: Question, size: int, way: str, data: st.DataObject
) -> None:
    total = len(both.oracle.answer(question))
    counted = {field: both.oracle.facet(question, field, size) for field in FIELDS}
    for client in both.clients:
        with pytest.MonkeyPatch.context() as patch:
            if way == "set by set":
                patch.setattr("app.catalog.index.term_counts.MAX_COUNTED_ONE_BY_ONE", 0)
                # Most questions go on to others with no more terms read at first than are shown.
                patch.setattr("app.catalog.index.term_counts._READ_FOR_ONE_SHOWN", 1)
            found = answer(client, "/facets?" + urlencode([*question.pairs(), ("size", str(size))]), EDITOR)
        assert found["total"] == total
        for field in FIELDS:
            facet, expected = found["facets"][field], counted[field]
            values = [(value["value"], value["name"], value["count"]) for value in facet["values"]]
            assert values == expected.values, field
            assert (facet["otherCount"], facet["missing"]) == (expected.other_count, expected.missing), field
        # A name without a domain that is another one's domain means that one, so no link leads to it alone.
        linked = [
            each
            for facet in found["facets"].values()
            for each in facet["values"]
            if (each["value"], each["name"]) != ("two.example", "two.example")
        ]
        if linked:
            one = data.draw(st.sampled_from(linked))
            assert answer(client, one["url"], EDITOR)["total"] == one["count"], one


@examples(0.3)
@given(question=questions, interval=st.sampled_from(("day", "week", "month", "year")), data=st.data())
def test_any_timeline_counts_what_was_published_when_and_links_to_as_many(
    both: Both, question: Question, interval: str, data: st.DataObject
) -> None:
    expected = both.oracle.timeline(question, interval)
    asked = "/timeline?" + urlencode([*question.pairs(), ("interval", interval)])
    for client in both.clients:
        if len(expected.buckets) > MOST_BUCKETS:
            refused = client.get(asked, headers=EDITOR)
            assert (refused.status_code, "interval=" in refused.text) == (422, True)
            continue
        found = answer(client, asked, EDITOR)
        buckets = [(bucket["start"], bucket["count"]) for bucket in found["buckets"]]
        assert (found["total"], found["undated"], buckets) == (
            expected.total,
            expected.undated,
            expected.buckets,
        )
        if found["buckets"]:
            bucket = data.draw(st.sampled_from(found["buckets"]))
            assert answer(client, bucket["url"], EDITOR)["total"] == bucket["count"], bucket
