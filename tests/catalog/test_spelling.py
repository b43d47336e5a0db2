"""Misspelt searches, and the searches that their pages propose."""

from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import Connection

from app.database.snapshots import _set_deadline
from tests.support.patience import QUERY_SECONDS
from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World

# Articles by their titles, what is asked, and what the page proposes; `...` where it proposes nothing.
PROPOSALS: list[tuple[tuple[str, ...], str, object]] = [
    (("Machine learning",), "machine lerning", "machine learning"),
    (("Machine learning",), "Machine", ...),
    (("Machine learning",), "machines", ...),  # found by its stem
    (("Machine learning",), "mahcine", "machine"),
    (("Machine learning",), "machinne", "machine"),
    (("Machine learning",), "nachine", "machine"),
    (("Machine learning",), "machina learnimg", "machine learning"),
    (("Machine learning",), "xyzzy", None),
    (("Machine learning", "Weather"), "machine wether", None),  # no article has both
    (("Machine learning",), '"machine lerning"', '"machine learning"'),
    (("Machine learning",), '"learning machine"', ...),  # words that are known, elsewhere
    (("Machine learning",), "mahcine*", "machine*"),
    (("Machine learning",), "Lerning, MACHINE!", "learning, MACHINE!"),
    (("Machine learning", "Mars"), "machine -lerning mars", None),
    (("Machine", "Machine learning"), "machine -lerning", "machine -learning"),
    (("Mars",), "mars OR vennus", None),
    (("Mars", "Venus"), "mars OR vennus", "mars OR venus"),
    # The word of most articles, and of words in as many the one that is reached by the more usual slip.
    (("Former", "Farmer", "Farmer"), "fermer", "farmer"),
    (("Trial", "Trail"), "trrail", "trail"),
    (("Trial", "Trail"), "tirail", "trail"),
    # Short words have too many beside them, and many unknown words are no misspelling.
    (("An ox",), "ex", None),
    (("One two three four",), "onne twwo threee fourr", None),
    # Other scripts.
    (("Машинное обучение",), "обучние", "обучение"),
    (("Μηχανική μάθηση",), "μαθησσι", None),
    (("Μηχανική μάθηση",), "μάθησσ", "μαθηση"),
    (("Μηχανική μάθηση",), "μαθηση μηχανκη", "μαθηση μηχανικη"),
    (("기계 학습",), "기게", "기계"),
    (("تعلم الآلة",), "تعللم", "تعلم"),
    (("Café crème",), "crèmme brûlée", None),
    (("Café crème",), "Crémmé", "creme"),
    (("日本語",), "日木語", None),
    (("Version 2024",), "20244", "2024"),
]


@pytest.mark.parametrize("titles", dict.fromkeys(titles for titles, _, _ in PROPOSALS), ids=", ".join)
def test_a_page_proposes_what_was_meant(world: World, titles: tuple[str, ...]) -> None:
    for number, title in enumerate(titles):
        world.write(f"{number}.md", f"title: {title}")
    world.import_()
    with service_of(world) as client:
        for q, proposal in [(q, proposal) for those, q, proposal in PROPOSALS if those == titles]:
            page = answer(client, "/articles?" + urlencode({"q": q}))
            assert page.get("didYouMean", ...) == proposal, q
            if isinstance(proposal, str):
                assert answer(client, "/articles?" + urlencode({"q": proposal}))["total"] > 0


def test_only_words_that_the_asker_may_see_are_known_and_proposed(world: World) -> None:
    world.write("a.md", "title: Merger\npublished: false")
    world.write("b.md", "title: Verger\ntags: [Herders]")
    world.write("c.md", "title: Weather\npublished: false\ntags: [Zeppelin]\nauthors: [Ada Lovelace]")
    world.import_()
    proposals = {
        # A hidden word is as unknown as one that nobody ever wrote, and does not weigh.
        "merger": ("verger", ...),
        "nerger": ("verger", "merger"),
        "weather": (None, ...),
        "wether": (None, "weather"),
        "zeppelin": (None, ...),
        "zepelin": (None, "zeppelin"),
        "lovelave": (None, "lovelace"),
        "verger": (..., ...),
    }
    with service_of(world) as client:
        for q, (to_public, to_editors) in proposals.items():
            page = answer(client, f"/articles?q={q}")
            assert page.get("didYouMean", ...) == to_public, q
            page = answer(client, f"/articles?q={q}&published=any", EDITOR)
            assert page.get("didYouMean", ...) == to_editors, q
        page = answer(client, "/articles?q=vergre&published=false", EDITOR)
        assert page["didYouMean"] is None


def test_what_is_proposed_finds_something_with_all_filters_of_the_query(world: World) -> None:
    world.write("a.md", "title: Farmer\ntype: video")
    world.write("b.md", "title: Farmer\ntype: video")
    world.write("c.md", "title: Former\ntype: article")
    world.import_()
    with service_of(world) as client:
        for filters, proposal in (
            ("", "farmer"),
            ("&type=video", "farmer"),
            ("&type=article", "former"),
            ("&type=course", None),
            ("&limit=1&fields=id", "farmer"),
        ):
            assert answer(client, f"/articles?q=fermer{filters}")["didYouMean"] == proposal
        page = answer(client, "/articles?q=fermer OR farmer&limit=1")
        assert answer(client, page["next"])["didYouMean"] == page["didYouMean"] == "farmer OR farmer"


def test_names_of_what_articles_are_filed_under_are_proposed(world: World) -> None:
    world.write("a.md", "title: One\ntopics: [AI]\ntags: [Zeppelin]\nauthors: [Ada Lovelace]")
    world.write("topic.md", "taxonomy: topic\nname: Artificial Intelligence\nshortname: AI")
    world.write("unused.md", "taxonomy: topic\nname: Photography")
    world.import_()
    with service_of(world) as client:
        for q, proposal in (
            ("artifical inteligence", "artificial intelligence"),
            ("lovelase", "lovelace"),
            ("zepelin", "zeppelin"),
            ("fotography", None),  # nothing is filed under it
        ):
            assert answer(client, f"/articles?q={q}")["didYouMean"] == proposal


def test_a_guess_takes_no_longer_than_a_page_and_never_costs_it(world: World) -> None:
    world.write("a.md", "title: Mars")
    world.import_()
    with service_of(world) as client:
        for q in ("\u0915\u0916\u0917" * 13 + " x" * 200, "abc " * 120, "м" * 40 + " " + "ж" * 40, "z" * 500):
            assert answer(client, "/articles?" + urlencode({"q": q}))["didYouMean"] is None


def test_a_proposal_that_takes_too_long_costs_the_page_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", "title: lorem ipsum")
    world.import_()
    slow = {
        "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(3)",
    }

    def count_slowly(connection: Connection, *_: object) -> dict[str, int]:
        driver_connection: Any = connection.connection.driver_connection
        driver_connection.execute(slow[connection.dialect.name]).fetchall()
        return {}

    monkeypatch.setattr("app.catalog.spelling.count_articles_named", count_slowly)
    # The other tests have more patience than the service.
    monkeypatch.setattr("app.database.engines.QUERY_SECONDS", QUERY_SECONDS)
    monkeypatch.setattr(_set_deadline, "__kwdefaults__", {"seconds": QUERY_SECONDS})
    with service_of(world) as client:
        assert answer(client, "/articles?q=lorme")["didYouMean"] is None
    monkeypatch.undo()
    with service_of(world) as client:
        assert answer(client, "/articles?q=lorme&limit=5")["didYouMean"] == "lorem"
