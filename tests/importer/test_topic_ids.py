"""The ids of an item's topics: those of the topics that its names mean now, whatever describes them."""

import random

import pytest
from starlette.testclient import TestClient

from app.names import fold
from tests.support.random_examples import EXAMPLES
from tests.support.services import EDITOR, answer, service_of, walk
from tests.support.worlds import World
from tests.web.test_sync import Copy

NAMES = ("AI", "ai", "Artificial Intelligence", "ML", "Machine Learning", "C", "C++", "…", "Web Apps", "日本")


def test_an_item_has_the_id_of_each_of_its_topics(world: World) -> None:
    world.write("a.md", 'title: A\ntopics: [C++, "Artificial Intelligence", Web Apps, ai]')
    world.write("b.md", "title: B")
    world.write("ai.md", "taxonomy: topic\n_id: machines\nname: Artificial Intelligence\nshortname: AI")
    world.import_()
    [first, second] = world.items()
    assert first["topics"] == ["C++", "Artificial Intelligence", "Web Apps"]
    assert first["topicIds"] == ["c++", "machines", "web-apps"]
    assert second["topicIds"] == []
    assert list(first).index("topicIds") == list(first).index("topics") + 1


def test_a_description_that_joins_topics_changes_the_items_that_name_them(world: World) -> None:
    world.write("a.md", "title: A\ntopics: [AI, Artificial Intelligence, C]")
    world.write("b.md", "title: B\ntopics: [C]")
    world.import_()
    with service_of(world) as client:
        since = answer(client, "/changes")["next"]
        world.write("ai.md", "taxonomy: topic\n_id: machines\nname: Artificial Intelligence\nshortname: AI")
        world.import_()
        joined = answer(client, since)
        world.delete("ai.md")
        world.import_(prune=True)
        parted = answer(client, joined["next"])
        caught_up = answer(client, parted["next"])
    [change] = joined["items"]
    assert (change["article"]["topics"], change["article"]["topicIds"]) == (
        ["AI", "C"],
        ["artificial-intelligence", "c"],
    )
    [change] = parted["items"]
    assert change["article"]["topics"] == ["AI", "Artificial Intelligence", "C"]
    assert change["article"]["topicIds"] == ["ai", "artificial-intelligence", "c"]
    assert caught_up["items"] == []


def test_an_article_is_a_change_where_only_the_ids_of_its_topics_are_others(world: World) -> None:
    """Its document changes too, but in nothing that answers show."""
    world.write("a.md", "title: A\ntopics: [AI, Artificial Intelligence]\nsecured: one")
    world.import_()
    with service_of(world) as client:
        since = answer(client, "/changes")["next"]
        world.write("a.md", "title: A\ntopics: [AI, Artificial Intelligence]\nsecured: two")
        world.import_()
        unchanged = answer(client, since)
        world.write("a.md", "title: A\ntopics: [AI, Artificial Intelligence]\nsecured: three")
        world.write("ai.md", "taxonomy: topic\nname: Artificial Intelligence\nshortname: AI")
        world.import_()
        changed = answer(client, since)
    assert unchanged["items"] == []
    assert [change["article"]["topics"] for change in changed["items"]] == [["AI"]]


@pytest.mark.parametrize("seed", range(max(3, EXAMPLES // 100)))
def test_ids_of_topics_are_right_over_any_history(world: World, seed: int) -> None:
    """Articles and topic documents come, go, change and are renamed; copies follow the changes."""
    choose = random.Random(seed)  # noqa: S311
    with service_of(world) as client:
        copies = [Copy(client, published, choose, 3) for published in ("true", "any")]
        for _ in range(8):
            for number in choose.sample(range(8), 3):
                change_article(world, f"{number}.md", choose)
            for number in choose.sample(range(4), 2):
                change_topic(world, f"topics/{number}.md", choose)
            world.import_(prune=choose.random() < 0.7, force=True)
            revision = answer(client, "/changes")["revision"]
            for copy in copies:
                copy.follow()
                assert copy.articles == copy.listed()
                check_topic_ids(client, copy.published)
            world.import_()
            assert answer(client, "/changes")["revision"] == revision


def change_article(world: World, path: str, choose: random.Random) -> None:
    if choose.random() < 0.2:
        (world.root / path).unlink(missing_ok=True)
        return
    names = ", ".join(f'"{name}"' for name in choose.sample(NAMES, choose.randrange(5)))
    published, secured = choose.choice(("yes", "yes", "no")), choose.randrange(2)
    world.write(path, f"title: T\ntopics: [{names}]\npublished: {published}\nsecured: '{secured}'")


def change_topic(world: World, path: str, choose: random.Random) -> None:
    if choose.random() < 0.4:
        (world.root / path).unlink(missing_ok=True)
        return
    name, shortname = choose.sample(NAMES, 2)
    lines = ["taxonomy: topic", f'name: "{name}"']
    if choose.random() < 0.6:
        lines.append(f'shortname: "{shortname}"')
    if choose.random() < 0.5:
        lines.append(f"_id: {choose.choice(('ai', 'machines', 'c', 'web-apps'))}")
    world.write(path, "\n".join(lines))


def check_topic_ids(client: TestClient, published: str) -> None:
    headers = EDITOR if published == "any" else {}
    items = [
        item for page in walk(client, f"/articles?published={published}", headers) for item in page["items"]
    ]
    topics = answer(client, f"/topics?limit=200&published={published}", headers)["items"]
    names = {topic["id"]: {fold(name["name"]) for name in topic["names"]} for topic in topics}
    for item in items:
        assert len(item["topics"]) == len(item["topicIds"]) == len(set(item["topicIds"]))
        for name, topic_id in zip(item["topics"], item["topicIds"], strict=True):
            assert fold(name) in names[topic_id]
    facets = answer(client, f"/facets?field=topic&size=100&published={published}", headers)
    counts = {value["value"]: value["count"] for value in facets["facets"]["topic"]["values"]}
    for topic in topics:
        having = {item["id"] for item in items if topic["id"] in item["topicIds"]}
        parameters = {"topic": f'"{topic["id"]}"', "published": published, "limit": "200"}
        listed = client.get("/articles", params=parameters, headers=headers).json()["items"]
        assert {item["id"] for item in listed} == having
        assert topic["articleCount"] == counts.get(topic["id"], 0) == len(having)
