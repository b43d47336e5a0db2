"""What the service answers over seeds/, and to whom."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.catalog.paging import StatementPages
from app.database.engines import writing_engine
from tests.support.databases import drop_postgresql
from tests.support.services import EDITOR, answer, service_of, walk
from tests.support.templates import new_postgresql_catalogue, new_sqlite_catalogue
from tests.support.worlds import World

SEEDS = Path(__file__).parents[2] / "seeds"
SEED = "news/2020-06-11-amazon-bars-police-from-using-its-facial-recognition-technology.md"
SECRET = "c2VlZC1kb2N1bWVudC1zZWNyZXQ"


@pytest.fixture(scope="module")
def seeds(shared_world: World) -> Iterator[TestClient]:
    World(SEEDS, shared_world.engine).import_("seeds")
    with service_of(shared_world) as client:
        yield client


PATHS = (
    "/articles?limit=200",
    "/articles?sort=title&limit=200",
    "/articles?q=facial+recognition&highlight=true",
    "/topics?limit=200",
    "/providers?limit=200",
    "/facets?size=1000",
    "/timeline?interval=year",
    "/changes?limit=1000",
    "/links?url=https://www.bbc.co.uk/",
    "/feeds/articles.rss?limit=200",
    "/feeds/articles.atom?limit=200",
    "/feeds/articles.json?limit=200",
    "/exports/articles.csv",
    "/exports/articles.ndjson",
    "/openapi.json",
)


def test_an_unpublished_article_is_seen_with_the_token_and_nowhere_else(
    seeds: TestClient, shared_world: World
) -> None:
    mine = answer(seeds, "/articles?published=any&limit=200", EDITOR)
    [seed] = [item for item in mine["items"] if item["path"] == SEED]
    assert (seed["published"], mine["total"]) == (False, 68)
    assert seeds.get(f"/articles/{seed['id']}", headers=EDITOR).json()["related"]
    assert answer(seeds, "/articles?published=false&limit=200", EDITOR)["total"] == 5

    assert seeds.get(f"/articles/{seed['id']}").status_code == 404
    assert seeds.get(f"/articles/{seed['id']}").json() == seeds.get("/articles/neverthere").json()
    assert seeds.get("/articles?published=any").status_code == 401
    assert seeds.get("/articles?published=any").headers["WWW-Authenticate"] == "Bearer"
    for path in PATHS:
        assert seed["id"] not in seeds.get(path).text, path
        assert "amazon-bars-police" not in seeds.get(path).text, path
    with service_of(shared_world, show_unpublished=True, editor_token=None) as shown:
        assert answer(shown, f"/articles/{seed['id']}")["title"] == seed["title"]
        assert answer(shown, "/articles")["total"] == 63, "published stays the default"


def test_what_is_secured_is_nowhere_at_all(seeds: TestClient) -> None:
    ids = [item["id"] for item in answer(seeds, "/articles?published=any&limit=200", EDITOR)["items"]]
    for path in (*PATHS, *(f"/articles/{one}" for one in ids), f"/articles?q={SECRET}"):
        assert f"{SECRET}=" not in seeds.get(path, headers=EDITOR).text
    assert answer(seeds, f"/articles?published=any&q={SECRET}", EDITOR)["total"] == 0


def test_every_count_is_the_total_of_its_link(seeds: TestClient) -> None:
    audiences: list[tuple[dict[str, str], str]] = [({}, "true"), (EDITOR, "any")]
    for headers, published in audiences:
        for kind, parameter in (("topics", "id"), ("providers", "domain")):
            for item in answer(seeds, f"/{kind}?limit=200&published={published}", headers)["items"]:
                clause = {kind[:-1]: f'"{item[parameter] or item["name"]}"', "published": published}
                found = seeds.get("/articles", params=clause, headers=headers).json()
                assert found["total"] == item["articleCount"], item
        for query in ("", "&q=open", "&topic=AI&descendants=true", "&type=-video&publishedFrom=2020-01-01"):
            facets = answer(seeds, f"/facets?size=1000&published={published}{query}", headers)
            for field, facet in facets["facets"].items():
                for value in facet["values"]:
                    assert answer(seeds, value["url"], headers)["total"] == value["count"], (field, value)
            timeline = answer(seeds, f"/timeline?interval=month&published={published}{query}", headers)
            assert timeline["total"] == facets["total"]
            assert (
                sum(bucket["count"] for bucket in timeline["buckets"]) + timeline["undated"]
                == facets["total"]
            )
            for bucket in timeline["buckets"]:
                assert answer(seeds, bucket["url"], headers)["total"] == bucket["count"]


@pytest.mark.parametrize(
    ("url", "status", "advice"),
    [
        ("/articles?topc=AI", 422, "did you mean topic?"),
        ("/articles?publishedFrom=yesterday", 422, "must be a date"),
        ("/articles?limit=0", 422, "must be a whole number from 1 to 200"),
        ("/articles?limit=5&limit=6", 422, "given twice"),
        ("/articles?topic=", 422, "must not have an empty value"),
        ("/articles?sort=relevance", 422, "without q"),
        ("/articles?page=501", 422, "follow `next`"),
        ("/articles?fields=id,nope", 422, "must not name nope"),
        ("/articles/never", 404, "/articles lists"),
        ("/articles/never?x=1", 422, "takes no parameters"),
        ("/topics/never", 404, "/topics lists"),
        ("/changes?since=17", 422, "must be 0"),
        ("/links", 422, "is required"),
        ("/timeline", 422, "is required"),
    ],
)
def test_an_error_says_what_to_do(seeds: TestClient, url: str, status: int, advice: str) -> None:
    found = seeds.get(url)
    assert (found.status_code, found.headers["content-type"]) == (status, "application/problem+json")
    assert advice in found.text


def test_half_a_cursor_is_refused_and_a_whole_one_may_repeat_its_query(seeds: TestClient) -> None:
    following = answer(seeds, "/articles?topic=AI&descendants=true&limit=2&publishedFrom=P40Y")["next"]
    cursor = following.partition("cursor=")[2]
    assert seeds.get(f"/articles?cursor={cursor[:-9]}").status_code == 422
    assert seeds.get(f"/articles?cursor={cursor}&topic=Space").status_code == 422
    assert seeds.get(f"/topics?cursor={cursor}").status_code == 422
    assert seeds.get(f"/articles?cursor={cursor}&page=2").status_code == 422
    plain = answer(seeds, f"/articles?cursor={cursor}&limit=2")
    assert plain == answer(seeds, f"/articles?topic=AI&publishedFrom=P40Y&limit=2&cursor={cursor}")


def test_a_relevance_cursor_ends_with_its_revision(world: World) -> None:
    for name in "abc":
        world.write(f"{name}.md", f"title: Open {name}")
    world.import_()
    with service_of(world) as client:
        following = answer(client, "/articles?q=open&limit=1")["next"]
        assert len(walk(client, following)) == 2
        world.write("d.md", "title: Open d")
        world.import_()
        found = client.get(following)
        assert (found.status_code, found.json()["first"]) == (410, "/articles?q=open&limit=1")


SEARCHES = [
    ("announcement", ["Announcements"]),
    ("CAFE", ["Café au lait"]),
    ("c++", ["C++ 23"]),
    ("c#", ["C# 13"]),
    ("日本", ["日本語の記事"]),
    ('"au lait"', ["Café au lait"]),
    ('"lait au"', []),
    ("anno*", ["Announcements"]),
    ("lait OR 23", ["C++ 23", "Café au lait"]),
    ("-c++ -c# -lait", ["Announcements", "日本語の記事"]),
    ("hidden", []),
    ("!!!", []),
    ('NEAR( "', []),
    ("title:c#", []),
]


def test_search(world: World) -> None:
    for number, title in enumerate(
        ["Announcements", "Cafe\u0301 au lait", "C++ 23", "C# 13", "日本語の記事"]
    ):
        world.write(f"{number}.md", f'title: "{title}"')
    world.write("hidden.md", "title: Hidden\npublished: false")
    world.import_()
    with service_of(world) as client:
        for words, titles in SEARCHES:
            found = client.get("/articles", params={"q": words, "sort": "title"}).json()
            assert sorted(item["title"].replace("e\u0301", "é") for item in found["items"]) == titles, words


def test_highlights_are_escaped(world: World) -> None:
    world.write("a.md", "title: <b>Mars & Moon</b>", "<p>To the moon, and <script>alert(1)</script> on.</p>")
    world.import_()
    with service_of(world) as client:
        [item] = answer(client, "/articles?q=moon&highlight=true")["items"]
    assert item["highlights"] == {
        "title": "&lt;b&gt;Mars &amp; <mark>Moon</mark>&lt;/b&gt;",
        "excerpt": None,
        "content": "To the <mark>moon</mark>, and on.",
    }


def test_a_copy_that_follows_changes_is_what_the_service_lists(world: World) -> None:
    public: dict[str, object] = {}
    editors: dict[str, object] = {}
    steps = [
        {"a": "title: A", "b": "title: B\npublished: false", "c": "title: C"},
        {"a": "title: A\npublished: false", "b": "title: B", "c": "title: C"},
        {"a": "title: A2", "b": "title: B\nremoved: true", "d": "title: D"},
        {"d": "title: D", "a": "title: A2"},
    ]
    with service_of(world) as client:
        at = "/changes?since=0&limit=1", "/changes?since=0&limit=1&published=any"
        for documents in steps:
            for path in world.root.glob("*.md"):
                path.unlink()
            for name, text in documents.items():
                world.write(f"{name}.md", text)
            world.import_(prune=True, force=True)
            at = _follow(client, at[0], public, {}), _follow(client, at[1], editors, EDITOR)
            for copy, published, headers in ((public, "true", {}), (editors, "any", EDITOR)):
                listed = answer(client, f"/articles?published={published}", headers)["items"]
                assert copy == {item["id"]: item for item in listed}
        assert client.get(at[1]).status_code == 401
        assert client.get(at[1].replace("&published=any", "")).status_code == 410


def _follow(client: TestClient, url: str, copy: dict[str, object], headers: dict[str, str]) -> str:
    while (page := answer(client, url, headers))["items"]:
        for change in page["items"]:
            if change["change"] == "upsert":
                copy[change["id"]] = change["article"]
            else:
                copy.pop(change["id"], None)
        url = page["next"]
    return url


def test_an_import_of_an_unchanged_tree_keeps_every_etag(seeds: TestClient, shared_world: World) -> None:
    before = {path: seeds.get(path).headers.get("etag") for path in PATHS}
    World(SEEDS, shared_world.engine).import_("seeds")
    for path, etag in before.items():
        if etag:
            assert seeds.get(path, headers={"If-None-Match": etag}).status_code == 304, path


def test_an_unmigrated_database_is_a_503_that_tells_nothing(world_without_catalogue: World) -> None:
    with service_of(world_without_catalogue) as client:
        for path in ("/articles", "/health/ready"):
            found = client.get(path)
            assert (found.status_code, found.headers["retry-after"]) == (503, "5")
            assert "select" not in found.text.lower()
        assert client.get("/health/live").status_code == 200


def test_both_databases_answer_byte_for_byte_the_same(tmp_path: Path) -> None:
    answers = []
    postgresql = new_postgresql_catalogue()
    for url in (new_sqlite_catalogue(tmp_path), postgresql):
        world = World(SEEDS, writing_engine(url))
        world.import_("seeds")
        with service_of(world) as client:
            ids = [item["id"] for item in answer(client, "/articles?limit=200")["items"]]
            # A place in the changes names the catalogue it is of.
            paths = [path for path in PATHS if not path.startswith("/changes")]
            answers.append(
                [client.get(path).content for path in (*paths, *(f"/articles/{one}" for one in ids))]
            )
        world.engine.dispose()
    drop_postgresql(postgresql)
    assert answers[0] == answers[1]
    assert json.loads(answers[0][0])["total"] == 63


def test_a_query_as_long_as_any_may_be_has_a_next_page(world: World) -> None:
    for name in "abc":
        world.write(f"{name}.md", f"title: {name}")
    world.import_()
    quotes = "&".join(f'topic=-"{number}{"é" * 40}"""' for number in range(20))
    with service_of(world) as client:
        pages = walk(client, f"/articles?limit=1&{quotes}")
    assert [page["items"][0]["title"] for page in pages] == ["a", "b", "c"]


def test_a_large_article_is_answered_whole(world: World) -> None:
    links = "".join(f"- title: Link {number}\n" for number in range(300))
    world.write("links.md", f"title: Links\nrelated:\n{links}")
    world.write("long.md", "title: Long", "é" * 1_000_000)
    world.import_()
    with service_of(world) as client:
        long, linked = (
            answer(client, f"/articles/{item['id']}")
            for item in answer(client, "/articles?sort=-title")["items"]
        )
    assert long["content"] == "é" * 1_000_000
    assert [link["title"] for link in linked["related"]] == [f"Link {number}" for number in range(300)]


def test_a_page_of_large_articles_is_read_on_a_thread(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop stops at the first 200,000 characters, so that nobody else waits for the rest."""
    tags = ", ".join(f"a long tag with the number {number}" for number in range(4_000))
    for number in range(4):
        world.write(f"{number}.md", f"title: Large\ntopics: [AI]\ntags: [{tags}]")
    world.write("small.md", "title: Small\ntopics: [Space]")
    world.import_()
    threads: list[str] = []
    read_page = StatementPages.read

    def read_and_tell(pages: StatementPages, *arguments: Any) -> Any:
        rows = read_page(pages, *arguments)
        threads.append(threading.current_thread().name)
        return rows

    monkeypatch.setattr(StatementPages, "read", read_and_tell)
    with service_of(world) as client:
        assert len(answer(client, "/articles?topic=AI")["items"]) == 4
        assert [thread.startswith("reading") for thread in threads] == [True]
        threads.clear()
        assert len(answer(client, "/articles?topic=Space")["items"]) == 1
        is_local = world.engine.dialect.name == "sqlite"
        assert [thread.startswith("reading") for thread in threads] == [not is_local]
