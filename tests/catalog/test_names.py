"""What `q` finds by the names that articles are filed under: of topics, providers, authors and tags."""

from urllib.parse import urlencode

from sqlalchemy import delete, select, update

from app.catalog.tables import catalogue, name_words
from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World


def found(world: World, q: str, **parameters: str) -> list[str]:
    with service_of(world) as client:
        page = answer(client, "/articles?" + urlencode({"q": q, **parameters}), EDITOR)
        return [item["title"] for item in page["items"]]


AI = "taxonomy: topic\n_id: artificial-intelligence\nname: AI\nshortname: Thinking Machines"


FOUND = [
    ("artificial intelligence", ["One", "Two"]),
    ('"artificial intelligence"', ["One", "Two"]),
    ('"intelligence artificial"', []),
    ("thinking-machines", ["One", "Two"]),
    ("machine", ["One", "Two"]),
    ("machi*", ["One", "Two"]),
    ("thinking-mach*", ["One", "Two"]),
    ("ai ballooning", ["One"]),
    ("machines -zeppelin", ["Two"]),
    ("-ai", ["Three"]),
    ("zeppelin OR lovelace", ["One", "Three"]),
    ("weekly", ["Three"]),
    ("quarterly", ["Three"]),
    ("press", ["Two"]),
    ("weekly.example", []),  # a domain is no name
    ("video", []),
    ("news", []),
    ("ai one", ["One"]),
    ("three lovelace", ["Three"]),
]


def test_articles_are_found_by_the_names_they_are_filed_under(world: World) -> None:
    world.write("ai.md", AI)
    world.write(
        "org.md", "taxonomy: organization\nname: A Weekly\ndomain: weekly.example\notherNames: [A Quarterly]"
    )
    world.write("1.md", "title: One\ntopics: [AI]\ntags: [Zeppelins, Ballooning]\ntype: video")
    world.write("2.md", "title: Two\ntopics: [Thinking machines]\nprovider: {name: The Press}")
    world.write("3.md", "title: Three\nauthors: [Ada Lovelace]\nprovider: {domain: weekly.example}")
    world.import_()
    with service_of(world) as client:
        for q, titles in FOUND:
            items = answer(client, "/articles?" + urlencode({"q": q, "sort": "title"}))["items"]
            assert sorted(item["title"] for item in items) == sorted(titles), q


def test_a_name_counts_as_an_excerpt_does(world: World) -> None:
    world.write("1.md", "title: In the body", "About Mars.")
    world.write("2.md", "title: By name\ntags: [Mars]\ndate: 2020-01-01")
    world.write("3.md", "title: In the excerpt\nexcerpt: About Mars\ndate: 2020-01-02")
    world.write("4.md", "title: Mars")
    world.import_()
    assert found(world, "mars") == ["Mars", "In the excerpt", "By name", "In the body"]


def test_names_that_hidden_articles_alone_give_find_nothing_for_the_public(world: World) -> None:
    world.write("1.md", "title: Shown\nprovider: {domain: one.example, name: One}\ntopics: [Finance]")
    world.write(
        "2.md",
        "title: Hidden\nprovider: {domain: one.example, name: The Merger Herald}\n"
        "topics: [Finance, Takeover]\ntags: [Zeppelin]\nauthors: [Ada Lovelace]\npublished: false",
    )
    world.import_()
    for q in ("merger", '"merger herald"', "herald*", "takeover", "zeppelin", "lovelace"):
        assert found(world, q) == [], q
    assert found(world, "one -merger") == ["Shown"]
    assert sorted(found(world, "merger", published="any")) == ["Hidden", "Shown"]
    assert found(world, "merger", published="false") == ["Hidden"]
    world.write("2.md", "title: Hidden\nprovider: {domain: one.example, name: The Merger Herald}")
    world.import_()
    assert sorted(found(world, "merger")) == ["Hidden", "Shown"]


def test_names_follow_their_topic_when_documents_say_otherwise(world: World) -> None:
    world.write("1.md", "title: One\ntopics: [Robots]")
    world.write("2.md", "title: Two\ntopics: [Automata]")
    world.import_()
    assert found(world, "automata") == ["Two"]
    world.write("topic.md", "taxonomy: topic\nname: Robots\nshortname: Automata")
    world.import_()
    assert sorted(found(world, "automata")) == sorted(found(world, "robot")) == ["One", "Two"]
    world.write("topic.md", "taxonomy: topic\nname: Robots\nshortname: Machines")
    world.import_()
    assert (found(world, "automata"), found(world, "machine")) == (["Two"], ["One"])


def test_the_first_import_after_an_upgrade_keeps_the_words_of_all_names(world: World) -> None:
    world.write("ai.md", AI)
    world.write("1.md", "title: One\ntopics: [AI]\nauthors: [Ada Lovelace]\nprovider: {domain: one.example}")
    world.import_()
    with world.engine.begin() as connection:
        rows = connection.execute(select(name_words)).all()
        connection.execute(delete(name_words))
        connection.execute(update(catalogue).values(derivation_version=None))
    assert found(world, "lovelace") == []
    world.import_()
    assert found(world, "lovelace thinking") == ["One"]
    with world.engine.connect() as connection:
        assert sorted(connection.execute(select(name_words)).all()) == sorted(rows)


def test_a_name_of_thousands_of_tags_is_found_in_time(world: World) -> None:
    for number in range(20):
        tags = [f"power {number}x{place}" for place in range(300)]
        world.write(f"{number}.md", f"title: T{number}\ntags: {tags}")
    world.import_()
    with service_of(world) as client:
        for q in ("power", "pow*", '"power 3x7"', "x* OR power"):
            assert answer(client, "/articles?" + urlencode({"q": q}))["total"] == (1 if "3x7" in q else 20)
