"""What people see of stories: the list of them, one in time, and what articles and lists say of theirs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.conftest import empty_catalogue
from tests.support.pages import BROWSER, Element, entry_titles, links_of, page
from tests.support.services import EDITOR, id_of, service_of
from tests.support.worlds import World, new_world

BAN = """\
title: Amazon bars police
excerpt: For a year.
publishedDateTime: 2020-06-11
webUrl: https://bbc.example/ban
provider: {name: BBC, domain: bbc.example}
topics: [Policing]
quality: 9
related:
- title: We pause
  webUrl: https://amazon.example/pause
  publishedDateTime: 2020-06-10
  provider: {name: Amazon, domain: amazon.example}
- {title: Elsewhere, webUrl: https://npr.example/ban}"""
NPR = """\
title: No face recognition <b>for now</b>
publishedDateTime: 2020-06-12
webUrl: https://npr.example/ban
provider: {domain: npr.example}
type: audio
topics: [Policing, Law]"""
DRAFT = """\
title: What the police say
published: false
publishedDateTime: 2020-06-13
webUrl: https://draft.example/police
provider: {domain: draft.example}
related: [{title: Ban, webUrl: https://bbc.example/ban}]"""
MARS = """\
title: A helicopter on Mars
publishedDateTime: 2021-04-19
webUrl: https://nasa.example/mars
related: [{title: How it was built, webUrl: https://jpl.example/how}]
quality: 2"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("stories")
    with empty_catalogue(request.param, folder) as url:
        world = new_world(folder, url)
        for path, document in (("ban.md", BAN), ("npr.md", NPR), ("draft.md", DRAFT), ("mars.md", MARS)):
            world.write(path, document)
        world.write("alone.md", "title: Alone\npublishedDateTime: 2019-01-01")
        world.import_()
        yield world
        world.engine.dispose()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    with service_of(world, public_url="https://news.example/c") as client:
        yield client


def test_stories_are_listed_with_the_newest_coverage_first(client: TestClient) -> None:
    shown = page(client, "/view/stories")
    assert shown.one("p", class_="lead").text.startswith("2 stories ")
    assert entry_titles(shown) == ["A helicopter on Mars", "Amazon bars police"]
    facts = shown.all("article")[1].one("p", class_="facts")
    assert facts.text.replace(" ", "") == "2articles,1link10June2020to12June2020BBC,npr.example"
    assert "/c/view/stories" in links_of(page(client, "/").one("nav", aria_label="Catalogue"))
    assert "<loc>https://news.example/c/view/stories</loc>" in client.get("/sitemap.xml").text


def test_a_list_of_stories_takes_a_query_and_has_pages(client: TestClient) -> None:
    about_law = page(client, "/view/stories?topic=law")
    assert entry_titles(about_law) == ["Amazon bars police"]
    assert links_of(about_law.one("ul", class_="chips")) == ["/c/view/stories"]
    first = page(client, "/view/stories?limit=1")
    second = page(client, first.one("a", rel="next").attributes["href"])
    assert entry_titles(second) == ["Amazon bars police"]
    assert entry_titles(page(client, second.one("a", rel="prev").attributes["href"])) == entry_titles(first)
    beyond = page(client, "/view/stories?page=9")
    assert links_of(beyond.one("p", class_="notice")) == ["/c/view/stories"]
    assert page(client, "/view/stories?topic=nobody").one("p", class_="notice")
    assert page(client, "/view/stories?sort=title", 422)


def test_a_story_has_its_articles_and_links_in_time_and_who_covered_it(client: TestClient) -> None:
    id_ = id_of(client, "Amazon bars police")
    shown = page(client, f"/view/stories/{id_of(client, 'No face recognition <b>for now</b>')}")
    assert (
        shown.one("link", rel="canonical").attributes["href"] == f"https://news.example/c/view/stories/{id_}"
    )
    members = shown.one("ol", class_="related").all("li")
    assert [member.all("a")[0].text for member in members] == [
        "We pause",
        "Amazon bars police",
        "No face recognition <b>for now</b>",
    ]
    assert "linked by Amazon bars police" in members[0].text
    assert "leads the story" in members[1].text
    who = shown.one("ul", class_="counts").all("li")
    assert [row.text for row in who] == ["BBC 1", "npr.example 1"]
    for row in who:
        assert page(client, links_of(row)[0]).one("p", class_="lead").text == "1 article"
    assert "Amazon" in shown.one("p", class_="hint").text


def test_the_request_behind_a_story_answers_it_and_its_articles(client: TestClient) -> None:
    id_ = id_of(client, "Amazon bars police")
    for address, data in (
        ("/view/stories?topic=law", "stories?topic=law"),
        (f"/view/stories/{id_}", f"stories/{id_}"),
    ):
        request = page(client, address).one("section", class_="request")
        assert request.one("code").text == f"curl 'https://news.example/c/{data}'"
        for link in links_of(request):
            assert client.get(link.removeprefix("/c")).status_code == 200, link


def test_editors_see_the_stories_that_the_public_does_not(client: TestClient) -> None:
    id_ = id_of(client, "What the police say")
    assert page(client, f"/view/stories/{id_}", 404)
    assert page(client, "/view/stories?published=any", 401)
    listed = page(client, "/view/stories?published=any", headers=EDITOR)
    [of_police] = [link for link in links_of(listed.one("ol", class_="entries")) if "stories/" in link][1:]
    assert of_police.endswith("?published=any")
    shown = page(client, of_police, headers=EDITOR)
    assert [mark.text for mark in shown.one("ol", class_="related").all("span", class_="mark")] == [
        "Not published"
    ]
    assert (
        "police say" not in client.get(of_police.partition("?")[0].removeprefix("/c"), headers=BROWSER).text
    )


def test_a_story_is_kept_while_it_stays_the_same(client: TestClient) -> None:
    for address in ("/view/stories", f"/view/stories/{id_of(client, 'Amazon bars police')}"):
        kept = client.get(address, headers=BROWSER).headers["ETag"]
        assert client.get(address, headers={**BROWSER, "If-None-Match": kept}).status_code == 304


def test_an_entry_leads_to_the_rest_of_its_story(client: TestClient) -> None:
    entries = page(client, "/").one("ol", class_="entries").all("article")
    stories = {
        entry.one("h2").text: [link for link in entry.all("a") if "/view/stories/" in link.attributes["href"]]
        for entry in entries
    }
    assert {title: [link.text for link in links] for title, links in stories.items()} == {
        "A helicopter on Mars": ["and 1 more in this story"],
        "No face recognition <b>for now</b>": ["and 2 more in this story"],
        "Amazon bars police": ["and 2 more in this story"],
        "Alone": [],
    }
    [link] = stories["Amazon bars police"]
    assert page(client, link.attributes["href"]).one("h1").text == "Amazon bars police"
    article = page(client, f"/view/articles/{id_of(client, 'Amazon bars police')}")
    assert link.attributes["href"] in links_of(article.one("article").one("p", class_="facts"))
    drafts = page(client, "/?published=false", headers=EDITOR)
    assert "and 3 more in this story" in drafts.one("ol", class_="entries").text


def test_a_list_can_be_folded_by_story_and_unfolded(client: TestClient) -> None:
    home = page(client, "/?sort=title")
    every, once, stories = home.one("nav", aria_label="Stories").all("a")
    assert (every.text, every.attributes.get("aria-current")) == ("Every article", "true")
    assert once.attributes["href"] == "/c/?collapse=story&sort=title"
    folded = page(client, once.attributes["href"])
    assert entry_titles(folded) == ["A helicopter on Mars", "Alone", "Amazon bars police"]
    assert folded.one("p", class_="lead").text == "4 articles, folded to 3: one of each story"
    assert links_of(folded.one("ul", class_="chips")) == ["/c/?sort=title"]
    assert folded.one("meta", name="robots")
    assert page(client, "/?topic=nobody").all("nav", aria_label="Stories") == []
    assert stories.attributes["href"] == "/c/view/stories"


def test_a_list_leads_to_the_stories_of_its_articles_and_they_lead_back(client: TestClient) -> None:
    listed = page(client, "/?topic=law&collapse=story&sort=title")
    to_stories = links_of(listed.one("nav", aria_label="Stories"))[2]
    assert to_stories == "/c/view/stories?topic=law"
    nav = page(client, to_stories).one("nav", aria_label="Stories")
    assert [link.text for link in nav.all("a", aria_current="true")] == ["Stories"]
    assert links_of(nav)[:2] == ["/c/?topic=law", "/c/?topic=law&collapse=story"]
    assert entry_titles(page(client, links_of(nav)[0])) == ["No face recognition <b>for now</b>"]


def test_the_count_beside_a_folded_list_is_of_the_articles_behind_it(client: TestClient) -> None:
    folded = page(client, "/?collapse=story")
    counts = {}
    for row in (*folded.one("aside", class_="facets").all("li"), *folded.one("table").all("tr")[1:]):
        [count] = [cell.text for cell in (*row.all("span"), *row.all("td"))]
        counts[row.one("a").attributes["href"]] = count
    assert counts["/c/?topic=policing&collapse=story"] == "2"
    for href, count in counts.items():
        assert page(client, href).one("p", class_="lead").text.startswith(f"{count} article")
    values = page(client, "/view/facets/topic?collapse=story")
    assert values.one("p", class_="lead").text == "4 articles."
    assert (
        client.get(links_of(values.one("section", class_="request"))[0].removeprefix("/c")).status_code == 200
    )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("shelf")
    status = "webUrl: https://py.example/status\nlocale: de"
    with empty_catalogue(request.param, folder) as url:
        world = new_world(folder, url)
        world.write("old.md", f"title: Interpreter versions\npublishedDateTime: 2023-10-02\n{status}")
        world.write("new.md", f"title: Interpreter status\npublishedDateTime: 2024-10-07\n{status}")
        world.write("draft.md", f"title: Interpreter draft\npublished: false\n{status}")
        world.write(
            "guide.md",
            "title: The interpreter explained\npublishedDateTime: 2024-10-08\n"
            "related: [{title: Status, webUrl: https://py.example/status}]",
        )
        world.write(
            "shelf.md",
            "title: A shelf\ntype: collection\nitems: [new.md, draft.md, <i>lost</i>.md, guide.md]",
        )
        world.import_()
        with service_of(world) as client:
            yield client
        world.engine.dispose()


def _neighbours(
    client: TestClient, title: str, section: str, headers: dict[str, str] | None = None
) -> list[str]:
    shown = page(client, f"/view/articles/{id_of(client, title)}", headers=headers)
    found = shown.all("section", aria_labelledby=section)
    rows = found[0].one("ol").all("li") if found else []
    return [" | ".join(part.text for part in (row.all("span")[0], *_facts(row))) for row in rows]


def _facts(row: Element) -> list[Element]:
    return [fact for fact in row.one("span", class_="facts").children if isinstance(fact, Element)]


def test_a_collection_has_its_members_in_its_order(shelf: TestClient) -> None:
    assert _neighbours(shelf, "A shelf", "members") == [
        "Interpreter status | py.example | 7 October 2024",
        "draft.md | not in this catalogue",
        "<i>lost</i>.md | not in this catalogue",
        "The interpreter explained | 8 October 2024",
    ]
    assert (
        _neighbours(shelf, "A shelf", "members", EDITOR)[1]
        == "Interpreter draft | Not published | py.example"
    )
    guide = page(shelf, f"/view/articles/{id_of(shelf, 'The interpreter explained')}")
    assert f"/view/articles/{id_of(shelf, 'A shelf')}" in links_of(guide.one("dl", class_="record"))


def test_a_collection_leads_to_the_list_of_its_articles_with_their_number(shelf: TestClient) -> None:
    id_ = id_of(shelf, "A shelf")
    for headers, words in ((None, "2 articles"), (EDITOR, "3 articles")):
        shown = page(shelf, f"/view/articles/{id_}", headers=headers)
        [link] = [
            link for link in shown.one("p", class_="facts").all("a") if "collection=" in str(link.attributes)
        ]
        assert link.text == words
        href = link.attributes["href"]
        assert href and page(shelf, href, headers=headers).one("p", class_="lead").text == words
    alone = page(shelf, f"/view/articles/{id_of(shelf, 'The interpreter explained')}")
    assert not [link for link in links_of(alone) if link.startswith("/?collection=")]


def test_a_collection_has_feeds_and_files_of_its_articles(shelf: TestClient) -> None:
    id_ = id_of(shelf, "A shelf")
    for headers in (None, EDITOR):
        request = page(shelf, f"/view/articles/{id_}", headers=headers).one("section", class_="request")
        lists = [link for link in links_of(request) if f"collection={id_}" in link]
        assert len(lists) == 6
        assert {shelf.get(link).status_code for link in lists} == {200}
    assert (
        shelf.get(f"/feeds/articles.json?collection={id_}")
        .json()["title"]
        .startswith("Articles in the collection “A shelf”")
    )
    alone = page(shelf, f"/view/articles/{id_of(shelf, 'The interpreter explained')}")
    assert not [link for link in links_of(alone.one("section", class_="request")) if "feeds" in link]


def test_an_article_has_the_other_versions_of_its_page(shelf: TestClient) -> None:
    assert _neighbours(shelf, "Interpreter status", "versions") == [
        "Interpreter versions | py.example | 2 October 2023 | under another title"
    ]
    assert any("Not published" in row for row in _neighbours(shelf, "Interpreter status", "versions", EDITOR))
    assert _neighbours(shelf, "A shelf", "versions") == []


def test_an_article_has_neighbours_and_each_says_why(shelf: TestClient) -> None:
    guide = _neighbours(shelf, "The interpreter explained", "neighbours")
    assert any("a curator joined them, and both say “interpreter”" in row for row in guide)
    assert any(row.endswith("both say “interpreter”") for row in guide)
    assert "draft" not in " ".join(guide)
    # An article that is shown as a version or member already is not shown again.
    assert [row.partition(" | ")[0] for row in _neighbours(shelf, "Interpreter status", "neighbours")] == [
        "The interpreter explained"
    ]
