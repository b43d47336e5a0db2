"""Collections, versions and similar articles, and that nobody learns by them of what they may not see."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.catalog import collections, crowded_urls
from app.documents import reading, repeated_links
from app.importer.serialise import public_id
from app.importer.stored import MAX_LOCATED
from tests.catalog.test_stories import choose_limits, random_article, random_time, write
from tests.oracles.stories import Article
from tests.support.random_examples import EXAMPLES
from tests.support.services import EDITOR, answer, service_of, walk
from tests.support.templates import new_sqlite_catalogue
from tests.support.worlds import World, new_world

COLLECTION = "title: Five papers\ntype: collection\nitems: [papers/one.md, papers/two, gone, /papers/./three]"


def paper(title: str, more: str = "") -> str:
    return f"title: {title}\n{more}"


def id_of(path: str) -> str:
    return public_id("news", path)


def titles(items: list[Any]) -> list[str | None]:
    return [item["article"] and item["article"]["title"] for item in items]


def test_a_collection_has_its_items_in_its_order_whatever_comes_first(world: World) -> None:
    world.write("collections/five.md", COLLECTION)
    report = world.import_()
    assert [warning.reason for warning in report.warnings if warning.key and "items" in warning.key] == [
        f"lists “{path}”, where no article is"
        for path in ("papers/one.md", "papers/two", "gone", "/papers/./three")
    ]
    # The third is of a path that counts from a folder above the collection.
    for path, title in (("papers/one.md", "One"), ("papers/two.txt", "Two"), ("papers/three.mdx", "Three")):
        world.write(path, paper(title))
    world.import_(workers=1)
    with service_of(world) as client:
        collection = answer(client, f"/articles/{id_of('collections/five.md')}")
        assert titles(collection["items"]) == ["One", "Two", None, "Three"]
        assert collection["details"] == {"items": ["gone"]}
        url = f"/articles/{collection['id']}/items"
        pages = walk(client, f"{url}?limit=3")
        assert [item for page in pages for item in page["items"]] == collection["items"]
        assert [page["total"] for page in pages] == [4, 4]
        items = answer(client, f"/articles?collection={collection['id']}&sort=title")["items"]
        assert [item["title"] for item in items] == ["One", "Three", "Two"]
        one = answer(client, f"/articles/{id_of('papers/one.md')}")
        assert one["collections"] == [{"id": collection["id"], "title": "Five papers"}]
        assert (one["items"], one["versions"]) == ([], [])

    world.delete("papers/one.md")
    world.import_(prune=True, force=True)
    with service_of(world) as client:
        assert titles(answer(client, url)["items"]) == [None, "Two", None, "Three"]


def test_items_count_from_the_folders_above_the_collection_too(world: World) -> None:
    world.write("_learning/collections/all.md", "title: All\nitems: [courses/x]")
    world.write("_learning/courses/x.md", paper("X"))
    assert not world.import_().warnings
    world.write("courses/x.md", paper("X of the root"))
    world.import_()
    with service_of(world) as client:
        items = answer(client, f"/articles/{id_of('_learning/collections/all.md')}")["items"]
    assert titles(items) == ["X of the root"]


def test_items_are_texts_whatever_yaml_would_make_of_them(world: World) -> None:
    for path in ("2020.md", "1.10.md", "true.txt"):
        world.write(path, paper(path))
    world.write("all.md", "title: All\ntype: collection\nitems: [2020, 1.10, ~, true, 2.50]")
    reasons = [warning.reason for warning in world.import_().warnings]
    assert reasons == ["is empty and left out", "lists “2.50”, where no article is"]
    with service_of(world) as client:
        collection = answer(client, f"/articles/{id_of('all.md')}")
    assert titles(collection["items"]) == ["2020.md", "1.10.md", "true.txt", None]
    assert collection["details"] == {"items": ["2.50"]}


def members(world: World) -> list[tuple[str, str | None]]:
    """What the collection of this test lists, and the path of the article that each item has."""
    return [
        (path, member)
        for path, member in world.query(
            "SELECT collection_items.path, articles.path FROM collection_items "
            "LEFT JOIN articles ON articles.id = member_id ORDER BY position"
        )
    ]


def test_an_item_names_one_article_whatever_the_order_of_imports(world: World) -> None:
    """Endings are documents' in any case, and a name may end like a document without its ending."""
    cases = {
        "Up": "Up.MD",
        "Up.MD": "Up.MD",
        "n/b.md": "n/b.md.md",
        "n/notes.txt": "n/notes.txt.Markdown",
        "both": "both.md",
        "near": "near.mDx",
        "deep/../near": "near.mDx",
        "up": None,
        "Up.md": None,
        "n/": None,
        "..": None,
        ".": None,
        "x" * 5_000: None,
    }
    world.write(
        "n/all.md", "title: All\ntype: collection\nitems:\n" + "\n".join(f"- {item}" for item in cases)
    )
    world.import_()
    assert {member for _, member in members(world)} == {None}
    for path in ("Up.MD", "n/b.md.md", "n/notes.txt.Markdown", "both.MD", "both.md", "near.mDx", "n/near.md"):
        world.write(path, paper(path))
    world.write("n.txt", paper("N"))
    world.import_()
    assert members(world) == list((cases | {"n/": "n.txt"}).items())

    world.write("Up.md", paper("Lower"))
    world.write("n/b.md", paper("Itself"))
    for path in ("both.md", "near.mDx", "n/notes.txt.Markdown"):
        world.delete(path)
    world.import_(prune=True, force=True)
    changed = {
        "Up": "Up.md",
        "Up.md": "Up.md",
        "n/b.md": "n/b.md",
        "n/notes.txt": None,
        "both": "both.MD",
        "near": "n/near.md",
        "deep/../near": "n/near.md",
        "n/": "n.txt",
    }
    assert members(world) == list((cases | changed).items())


def test_missing_items_are_located_without_reading_their_file_for_each(world: World) -> None:
    lines = [
        "title: All",
        "type: collection",
        "items:",
        "-",
        *(f"- gone {number}" for number in range(2_000)),
    ]
    world.write("all.md", "\n".join(lines))
    world.import_()
    world.write("new.md", paper("New"))
    parsed = 0
    parse = repeated_links.read_tree_with_repeated_links

    def count(*arguments: Any) -> Any:
        nonlocal parsed
        parsed += 1
        return parse(*arguments)

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(reading, "read_tree_with_repeated_links", count)
        missing = [warning for warning in world.import_().warnings if "lists" in warning.reason]
    # The new document was parsed, and the collection for the lines of its items.
    assert (len(missing), parsed) == (2_000, 2)
    assert [(warning.line, warning.key) for warning in missing[:2]] == [(6, "items[1]"), (7, "items[2]")]
    assert {(warning.line, warning.key) for warning in missing[MAX_LOCATED:]} == {(None, "items")}

    # A file that is broken now keeps its last good state, and no line.
    world.write("all.md", "title: [")
    report = world.import_()
    assert ([problem.path for problem in report.problems], report.warnings[-1].line) == (["all.md"], None)


def test_versions_are_articles_of_one_page_the_newest_first(world: World) -> None:
    for day, url in (
        (1, "http://a.example/live"),
        (2, "https://www.a.example/live/"),
        (3, "https://b.example"),
    ):
        world.write(f"{day}.md", paper(f"Day {day}", f"webUrl: {url}\npublishedDateTime: 2026-03-0{day}"))
    world.write("4.md", paper("Hidden", "webUrl: https://a.example/live\npublished: false"))
    world.import_()
    with service_of(world) as client:
        [version] = answer(client, f"/articles/{id_of('1.md')}")["versions"]
        assert version == {
            "id": id_of("2.md"),
            "title": "Day 2",
            "publishedDateTime": "2026-03-02T00:00:00Z",
        }
        seen = answer(client, f"/articles/{id_of('1.md')}", EDITOR)["versions"]
        assert [version["title"] for version in seen] == ["Day 2", "Hidden"]
        listed = answer(client, "/articles?collapse=url&sort=title")
        assert ([item["title"] for item in listed["items"]], listed["total"]) == (["Day 1", "Day 3"], 2)


def test_of_many_versions_the_nearest_in_time_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    dates = {day: f"publishedDateTime: 2026-03-0{day}" for day in range(1, 8)}
    for day, date in {**dates, 8: ""}.items():
        world.write(f"{day}.md", paper(f"Day {day}", f"webUrl: https://a.example/\n{date}"))
    world.write("hidden.md", paper("Hidden", f"webUrl: https://a.example/\n{dates[5]}\npublished: false"))
    world.import_()
    with service_of(world) as client:
        assert len(answer(client, f"/articles/{id_of('5.md')}")["versions"]) == 7
    monkeypatch.setattr(collections, "MAX_VERSIONS", 3)
    with service_of(world) as client:
        found = answer(client, f"/articles/{id_of('5.md')}")["versions"]
        assert [version["title"] for version in found] == ["Day 6", "Day 4", "Day 3"]
        seen = answer(client, f"/articles/{id_of('5.md')}", EDITOR)["versions"]
        assert [version["title"] for version in seen] == ["Day 6", "Hidden", "Day 4"]
        found = answer(client, f"/articles/{id_of('8.md')}")["versions"]
        assert len(found) == 3


def test_similar_articles_say_why(world: World) -> None:
    world.write(
        "a.md",
        paper(
            "Helicopter Ingenuity flies on Mars",
            "publishedDateTime: 2021-04-19\nwebUrl: https://a.example/\nrelated: [https://b.example/]",
        ),
    )
    flies = "publishedDateTime: 2021-04-20\nwebUrl: https://b.example/"
    world.write("b.md", paper("Ingenuity, the first helicopter of another planet", flies))
    world.write("c.md", paper("Ingenuity of beavers", "publishedDateTime: 2011-04-20"))
    world.write("d.md", paper("Bread"))
    world.write("hidden.md", paper("Helicopter Ingenuity", "published: false"))
    world.import_()
    with service_of(world) as client:
        found = answer(client, f"/articles/{id_of('a.md')}/similar")["items"]
        assert [(each["article"]["title"], each["isLinked"]) for each in found] == [
            ("Ingenuity, the first helicopter of another planet", True),
            # The same word says nothing after ten years.
        ]
        assert found[0]["words"] == ["helicopter", "ingenuity"]
        seen = answer(client, f"/articles/{id_of('a.md')}/similar", EDITOR)["items"]
        assert "Helicopter Ingenuity" in [each["article"]["title"] for each in seen]
        assert client.get(f"/articles/{id_of('hidden.md')}/similar").status_code == 404


def test_a_common_word_makes_nobody_similar_but_a_link_does(world: World) -> None:
    for number in range(12):
        world.write(
            f"{number}.md", paper(f"On plant {'abcdefghijkl'[number] * 3}", "excerpt: It is out there")
        )
    world.write("moon.md", paper("Moon", "webUrl: https://moon.example/\nexcerpt: Nobody is out there"))
    world.write(
        "sun.md", paper("Sunrise above trees", "excerpt: They are up\nrelated: [https://moon.example/]")
    )
    world.write("out.md", paper("Trees", "excerpt: What they were like"))
    world.import_()
    with service_of(world) as client:
        found = answer(client, f"/articles/{id_of('moon.md')}/similar")["items"]
        assert [(each["article"]["title"], each["isLinked"]) for each in found] == [
            ("Sunrise above trees", True)
        ]
        found = answer(client, f"/articles/{id_of('sun.md')}/similar")["items"]
        assert [(each["article"]["title"], each["words"]) for each in found] == [
            ("Trees", ["they", "trees"]),
            ("Moon", []),
        ]
    world.write("moon.md", paper("Moon", "webUrl: https://moon.example/\nexcerpt: They are out there"))
    world.import_()
    with service_of(world) as client:
        found = answer(client, f"/articles/{id_of('sun.md')}/similar")["items"]
        assert [(each["article"]["title"], each["isLinked"]) for each in found] == [
            ("Trees", False),
            ("Moon", True),
        ]


def test_linked_articles_are_neighbours_by_any_of_their_urls(world: World) -> None:
    """Both captures of a page are linked by it, also one that has its URL as another address."""
    world.write(
        "codex.md", paper("Codex of power", "publishedDateTime: 2023-06-01\nrelated: [https://a.example/amp]")
    )
    capture = "publishedDateTime: 2023-06-0{}\nwebUrl: https://a.example/{}\nampWebUrl: https://a.example/amp"
    world.write("1.md", paper("Patch notes", capture.format(2, "")))
    world.write("2.md", paper("Hotfix", capture.format(3, "live")))
    world.write("hidden.md", paper("Draft", capture.format(3, "draft") + "\npublished: false"))
    world.import_()
    with service_of(world) as client:
        found = answer(client, f"/articles/{id_of('codex.md')}/similar")["items"]
        assert sorted((each["article"]["title"], each["isLinked"]) for each in found) == [
            ("Hotfix", True),
            ("Patch notes", True),
        ]
        [back] = answer(client, f"/articles/{id_of('2.md')}/similar")["items"]
        assert (back["article"]["title"], back["isLinked"]) == ("Codex of power", True)
        seen = answer(client, f"/articles/{id_of('codex.md')}/similar", EDITOR)["items"]
        assert sorted(each["article"]["title"] for each in seen) == ["Draft", "Hotfix", "Patch notes"]


def test_a_page_that_too_many_mention_is_a_neighbour_only_by_its_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowded_urls, "MAX_ARTICLES_AT_URL", 3)
    world.write("front.md", paper("Gazette of Amber", "webUrl: https://front.example/"))
    for name in ("amber", "basalt", "copper"):
        world.write(f"{name}.md", paper(f"Quarry {name}", "related: [https://front.example/]"))
    world.import_()
    with service_of(world) as client:
        found = answer(client, f"/articles/{id_of('front.md')}/similar")["items"]
        assert [(each["article"]["title"], each["isLinked"]) for each in found] == [("Quarry amber", True)]


def all_answers(client: TestClient, articles: list[Article]) -> list[Any]:
    """All that the public gets of stories, similar articles, versions and collections."""
    found: list[Any] = []
    for query in ("", "&collapse=story", "&collapse=url", "&story=*", "&story=-*", "&collection=*"):
        found += [page["items"] for page in walk(client, f"/articles?limit=50{query}")]
    for page in walk(client, "/stories?limit=3"):
        found += [page["items"], page["total"]]
        found += [answer(client, f"/stories/{story['id']}") for story in page["items"]]
    for article in articles:
        for what in ("", "/similar", "/items", "/related"):
            reply = client.get(f"/articles/{article.id}{what}")
            found.append((article.id, what, reply.status_code, reply.json()))
        for query in ("story", "collection"):
            found.append(answer(client, f"/articles?{query}={article.id}"))
    return found


def test_a_hidden_article_takes_the_place_of_no_public_one(world: World) -> None:
    world.write("sub/c.md", "title: Two\ntype: collection\nitems: [x, y]")
    world.write("sub/x.md", "title: Public x")
    world.write("y.mdx", "title: Public y")
    for path in ("x.md", "y.md"):
        world.write(path, "title: Draft\npublished: false")
    world.import_()
    with service_of(world) as client:
        assert titles_of_items(client, "true") == ["Public x", "Public y"]
        assert titles_of_items(client, "any") == ["Draft", "Draft"]
        world.write("x.md", "title: Out at last")
        world.import_()
        assert titles_of_items(client, "true") == ["Out at last", "Public y"]
        world.write("x.md", "title: Draft\npublished: false")
        world.delete("y.md")
        world.import_(prune=True)
        assert titles_of_items(client, "true") == ["Public x", "Public y"]
        assert titles_of_items(client, "any") == ["Draft", "Public y"]


def titles_of_items(client: TestClient, published: str) -> list[str | None]:
    """The titles by the collection's own list; the clause has the same articles."""
    [collection] = answer(client, "/articles?type=collection")["items"]
    id_, headers = collection["id"], EDITOR if published == "any" else {}
    listed = answer(client, f"/articles/{id_}/items", headers)["items"]
    titles = [item["article"] and item["article"]["title"] for item in listed]
    found = answer(client, f"/articles?collection={id_}&published={published}", headers)["items"]
    assert sorted(item["title"] for item in found) == sorted(filter(None, titles))
    return titles


@pytest.mark.parametrize("seed", range(max(2, EXAMPLES // 50)))
def test_the_public_learns_nothing_of_what_is_not_published(
    world: World, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = random.Random(seed)  # noqa: S311  examples
    choose_limits(choose, monkeypatch)
    (tmp_path / "other").mkdir()
    other = new_world(tmp_path / "other", new_sqlite_catalogue(tmp_path / "other"))
    tree: dict[str, Article] = {}
    gone = set[str]()
    lists = "title: L\ntype: collection\nitems: [00, 01, 02, 03, 04, 05, 06, 07, no]\npublished: "
    for _ in range(3):
        for number in choose.sample(range(16), 8):
            path = f"{number:02}.md"
            before = tree.pop(path, None)
            if before is None or choose.random() < 0.4:
                tree[path] = random_article(choose, path)
            elif choose.random() < 0.8:
                is_hidden_or_shown = choose.random() < 0.5
                tree[path] = (
                    replace(before, published=not before.published)
                    if is_hidden_or_shown
                    else replace(before, time=random_time(choose))
                )
            else:
                world.delete(path)
                (other.root / path).unlink(missing_ok=True)
                gone.add(path)
        for article in tree.values():
            write(world, article)
            if article.published:
                write(other, article)
            else:
                (other.root / article.path).unlink(missing_ok=True)
        is_shown = choose.random() < 0.5
        world.write("list.md", f"{lists}{is_shown}")
        other.write("list.md", f"{lists}{is_shown}")
        if not is_shown:
            other.delete("list.md")
        world.import_(prune=True, force=True)
        other.import_(prune=True, force=True)
        with service_of(world) as client, service_of(other) as other_client:
            paths = sorted({*tree, *gone, "list.md"})
            articles = [tree.get(path, Article(path, id_of(path))) for path in paths]
            assert all_answers(client, articles) == all_answers(other_client, articles)
    other.engine.dispose()
