"""What a search box offers: names with a word that begins so, most articles first, then titles."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World

pytestmark = pytest.mark.usefixtures("small_ranges")


def suggested(
    client: TestClient, q: str, headers: dict[str, str] | None = None, **parameters: Any
) -> list[dict[str, Any]]:
    pairs = urlencode({"q": q, **parameters}, doseq=True)
    items: list[dict[str, Any]] = answer(client, f"/suggest?{pairs}", headers)["items"]
    for item in items:
        # Each link leads to what it promises.
        linked = answer(client, item["url"], headers)
        assert linked["id"] == item["value"] if item["field"] == "title" else linked["total"] == item["count"]
    return items


def names(items: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return [(item["field"], item["name"], item["count"]) for item in items]


@pytest.fixture
def news(world: World) -> Iterator[TestClient]:
    """The articles of a small site that describes one of its topics and one of its providers."""
    world.write(
        "ai.md", "taxonomy: topic\n_id: artificial-intelligence\nname: AI\nshortname: Thinking machines"
    )
    world.write("photo.md", "taxonomy: topic\nname: Artistic photography")
    world.write(
        "org.md", "taxonomy: organization\nname: Arts Weekly\ndomain: weekly.example\notherNames: [AW]"
    )
    weekly, artists = "provider: {domain: weekly.example}", "provider: {domain: dev.artists.example}"
    people = "tags: [Artists]\nauthors: [Art Garfunkel]"
    world.write("1.md", f"title: Art of war\ntopics: [AI, Art]\n{weekly}\ndate: 2020-01-01")
    world.write("2.md", f"title: Machines that art\ntopics: [ai]\n{people}\ndate: 2020-01-03")
    world.write("3.md", f"title: Nothing\ntopics: [Thinking Machines]\n{artists}\ndate: 2020-01-02")
    hidden = "provider: {domain: weekly.example, name: Artillery Weekly}\ntags: [Artists]\nauthors: [Arthur]"
    world.write("4.md", f"title: Artful secret\ntopics: [Artillery, AI]\n{hidden}\npublished: false")
    world.write("5.md", "title: Café 日本\nprovider: {name: 'Rock, Paper'}\ntags: [C++, C#, C]")
    world.import_()
    with service_of(world) as client:
        yield client


def test_names_come_by_their_articles_and_titles_after_them(news: TestClient) -> None:
    items = suggested(news, "art")
    assert names(items) == [
        ("topic", "AI", 3),
        ("topic", "Art", 1),
        ("provider", "dev.artists.example", 1),
        ("provider", "Arts Weekly", 1),
        ("author", "Art Garfunkel", 1),
        ("tag", "Artists", 1),
        ("title", "Machines that art", 1),
        ("title", "Art of war", 1),
    ]
    assert items[0] == {
        "field": "topic",
        "value": "artificial-intelligence",
        "name": "AI",
        "count": 3,
        "url": "/articles?topic=artificial-intelligence",
    }
    assert items[-1]["url"] == f"/articles/{items[-1]['value']}"


def test_editors_are_offered_what_is_not_published_and_nobody_else(news: TestClient) -> None:
    assert names(suggested(news, "arti", published="any", headers=EDITOR)) == [
        ("topic", "AI", 4),
        ("provider", "Arts Weekly", 2),
        ("tag", "Artists", 2),
        ("topic", "Artillery", 1),
        ("provider", "dev.artists.example", 1),
    ]
    assert names(suggested(news, "art", published="false", headers=EDITOR)) == [
        ("topic", "Artillery", 1),
        ("topic", "AI", 1),
        ("provider", "Arts Weekly", 1),
        ("author", "Arthur", 1),
        ("tag", "Artists", 1),
        ("title", "Artful secret", 1),
    ]
    for q in ("artillery", "arthur", "artful", "secret", "artillery weekly"):
        assert names(suggested(news, q)) == [], q
    assert news.get("/suggest?q=art&published=any").status_code == 401


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("artificial", ["AI"]),  # the id that its document gives
        ("thinking mach", ["AI"]),
        ("mach thinking", []),  # whole words but the last
        ("machines think", ["AI"]),
        ("THINK", ["AI"]),
        ("artistic", []),  # a topic without articles leads nowhere
        ("aw", ["Arts Weekly"]),
        ("weekly", ["Arts Weekly"]),
        ("paper ro", ["Rock, Paper"]),
        ("cafe", ["Café 日本"]),
        ("日", ["Café 日本"]),
        ("c++", ["C++"]),
        ("c", ["C", "C#", "C++", "Café 日本"]),
        ("dev.art", ["dev.artists.example"]),
        ("!!!", []),
        ("   ", []),
        ("zebra", []),
    ],
)
def test_every_word_counts_and_the_last_may_go_on(news: TestClient, q: str, expected: list[str]) -> None:
    assert [item["name"] for item in suggested(news, q)] == expected


def test_fields_and_how_many_may_be_chosen(news: TestClient) -> None:
    assert names(suggested(news, "art", field=["title", "tag"], limit=2)) == [
        ("tag", "Artists", 1),
        ("title", "Machines that art", 1),
    ]
    assert names(suggested(news, "art", limit=1)) == [("topic", "AI", 3)]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "q"),
        ("q=" + "a" * 501, "q"),
        ("q=a&field=type", "field"),
        ("q=a&limit=51", "limit"),
        ("q=a&limit=0", "limit"),
        ("q=a&topic=AI", "topic"),
        ("q=a&q=b", "q"),
    ],
)
def test_what_cannot_be_meant_is_refused(news: TestClient, query: str, parameter: str) -> None:
    refused = news.get(f"/suggest?{query}")
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, parameter)


def test_a_provider_without_a_domain_is_told_from_those_of_its_name(world: World) -> None:
    world.write("1.md", "title: A\nprovider: {name: Daily News}")
    world.write("2.md", "title: B\nprovider: {name: Daily News, domain: news.example}")
    world.import_()
    with service_of(world) as client:
        assert sorted((item["value"], item["count"]) for item in suggested(client, "dai")) == [
            ("Daily News", 1),
            ("news.example", 1),
        ]


@pytest.mark.parametrize("most_names", [0, 3, 3_000])
@pytest.mark.parametrize("most_title_words", [1, 3, 1_000])
def test_either_way_of_reading_gives_what_plain_python_does(
    world: World, monkeypatch: pytest.MonkeyPatch, most_names: int, most_title_words: int
) -> None:
    for limit in ("FEW_NAMES", "MAX_NAMES_SORTED"):
        monkeypatch.setattr(f"app.catalog.suggestions.{limit}", most_names)
    for limit in ("FEW_WORDS", "MAX_WORDS"):
        monkeypatch.setattr(f"app.catalog.index.titles.{limit}", most_title_words)
    choose = random.Random(5)  # noqa: S311
    words = [first + second for first in ("al", "am", "be", "bo", "c") for second in ("", "pha", "ta", "x")]
    articles = []
    for number in range(60):
        article: dict[str, Any] = {
            "title": " ".join(choose.choices(words, k=3)),
            "tags": [" ".join(choose.choices(words, k=2)) for _ in range(choose.randrange(3))],
            "authors": [choose.choice(words)],
            "published": choose.random() < 0.7,
        }
        articles.append(article)
        world.write(
            f"{number:02}.md",
            f"title: {article['title']}\ntags: {article['tags']}\nauthors: {article['authors']}\n"
            f"published: {article['published']}\npublishedDateTime: 2020-01-01T00:{number:02}:00Z",
        )
    world.import_()
    with service_of(world, remembered_bytes=0) as client:
        for published, visible in (
            ("true", [article for article in articles if article["published"]]),
            ("any", articles),
        ):
            for q in ("a", "al", "alpha", "b", "beta", "c", "cx", "alpha b", "be am", "al al", "z"):
                *whole, beginning = q.split()

                def is_typed(text: str, whole: list[str] = whole, beginning: str = beginning) -> bool:
                    there = text.split()
                    return set(whole) <= set(there) and any(word.startswith(beginning) for word in there)

                counts = Counter(
                    (field, name)
                    for article in visible
                    for field, of_field in (("author", article["authors"]), ("tag", article["tags"]))
                    for name in set(of_field)
                    if is_typed(name)
                )
                titles = [article["title"] for article in reversed(visible) if is_typed(article["title"])]
                found = answer(
                    client, "/suggest?" + urlencode({"q": q, "published": published, "limit": 50}), EDITOR
                )["items"]
                terms = [item for item in found if item["field"] != "title"]
                assert [item["count"] for item in terms] == sorted(counts.values(), reverse=True)[:50]
                assert all(counts[item["field"], item["name"]] == item["count"] for item in terms)
                assert len({(item["field"], item["name"]) for item in terms}) == len(terms)
                assert [item["name"] for item in found[len(terms) :]] == titles[: 50 - len(terms)]
