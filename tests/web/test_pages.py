"""What people see in a browser: lists, articles, topics, providers, problems; and what editors see."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.database.engines import writing_engine
from app.importer.read import Request
from app.importer.run import Options, import_trees
from app.importer.serialise import public_id
from tests.conftest import empty_catalogue
from tests.support.databases import sqlite_url
from tests.support.pages import BROWSER, Element, entry_titles, links_of, page
from tests.support.services import TOKEN, answer, id_of, service_of
from tests.support.worlds import World, new_world

ROOT = Path(__file__).parents[2]
MARS = """\
title: A helicopter on Mars
excerpt: It flew.
type: article
locale: en-us
published: true
publishedDateTime: 2021-04-19
webUrl: https://www.nasa.gov/mars
provider: {name: NASA, domain: nasa.gov}
authors: [Ada Lovelace]
topics: [Space, Robots]
tags: [mars]
quality: 5
images: [{url: https://images.example.org/mars.jpg, width: 1200, height: 800, title: A shadow}]
related: [{title: How it was built, webUrl: https://jpl.example.org/how}, {title: The rover, webUrl: https://nasa.gov/rover}]"""
ROVER = """\
title: The rover
publishedDateTime: 2020-07-30
webUrl: https://nasa.gov/rover
provider: {name: NASA, domain: nasa.gov}
topics: [Space]"""
HIDDEN = """\
title: A draft about Venus
published: false
publishedDateTime: 2022-01-01
provider: {domain: venus.example}
topics: [Venus]"""
ARABIC = """\
title: مقال عن الفضاء
locale: ar
topics: [Space]
type: video"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("pages")
    with empty_catalogue(request.param, folder) as url:
        world = new_world(folder, url)
        world.write("mars.md", MARS, "The **blades** turned.\n\n![](https://images.example.org/in.png)")
        world.write("rover.md", ROVER)
        world.write("venus.md", HIDDEN)
        world.write("arabic.md", ARABIC)
        world.write("topics/space.md", "taxonomy: topic\nname: Space\nkeywords: [orbit]")
        world.write("topics/robots.md", "taxonomy: topic\nname: Robots\nparent: Space")
        world.write("nasa.md", "taxonomy: organization\nname: NASA\ndomain: nasa.gov\ndescription: It flies.")
        world.import_()
        yield world
        world.engine.dispose()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    with service_of(world, public_url="https://news.example/c") as client:
        yield client


def test_home_says_what_is_new_and_when_it_was_brought_up_to_date(client: TestClient) -> None:
    home = page(client, "/")
    assert home.one("h1").text == "What is new"
    assert "3 articles by 1 provider on 2 topics" in home.one("p", class_="lead").text
    assert home.one("p", class_="lead").one("time").text == "1 November 2026, 12:30 UTC"
    assert entry_titles(home) == ["A helicopter on Mars", "The rover", "مقال عن الفضاء"]
    assert [link.text for link in home.one("p", class_="busy").all("a")] == ["Space", "Robots"]


def test_a_search_shows_what_matched_and_keeps_its_filters(client: TestClient) -> None:
    shown = page(client, "/?q=rover&topic=Space")
    assert [mark.text for mark in shown.all("mark")] == ["rover"]
    form = shown.one("form", role="search")
    fields = {element.attributes["name"]: element.attributes["value"] for element in form.all("input")}
    assert fields == {"topic": "Space", "q": "rover"}
    assert [chip.text for chip in shown.one("ul", class_="chips").all("a")] == [
        "Remove “rover” ×",
        "Remove Topic: Space ×",
        "Remove all",
    ]
    assert links_of(shown.one("ul", class_="chips")) == ["/c/?topic=Space", "/c/?q=rover", "/c/"]


@pytest.mark.parametrize(
    ("query", "chip", "without"),
    [
        ("q=mars&sort=relevance", "“mars”", "/c/"),
        ("provider=nasa.gov,bbc.co.uk", "Provider: NASA or bbc.co.uk", "/c/"),
        ("topic=-space", "Topic: not Space", "/c/"),
        ("author=*", "Any author", "/c/"),
        ("tag=-*&type=article", "No tag", "/c/?type=article"),
        ("publishedFrom=2021-01-01&publishedBefore=2022-01-01", "2021", "/c/"),
        ("publishedFrom=2021-04-01&publishedBefore=2021-05-01", "April 2021", "/c/"),
        ("publishedFrom=2021-04-19&publishedBefore=2021-04-20", "19 April 2021", "/c/"),
        ("publishedFrom=P3Y", "From 3 years ago", "/c/"),
        ("updatedBefore=2021-04-19T10:30:00Z", "Updated before 19 April 2021, 10:30 UTC", "/c/"),
        ("addedFrom=2021-04-19", "Filed from 19 April 2021", "/c/"),
        ("minQuality=3&hasImage=false", "Of quality 3 or more", "/c/?hasImage=false"),
        ("hasImage=false", "Without images", "/c/"),
        ("topic=space&descendants=true", "And the topics below", "/c/?topic=space"),
        ("topic=space&descendants=true&type=video", "Topic: Space", "/c/?type=video"),
        ("topic=space&topic=ai&descendants=true", "Topic: ai", "/c/?topic=space&descendants=true"),
        ("url=https://nasa.gov/rover", "At https://nasa.gov/rover", "/c/"),
    ],
)
def test_each_filter_is_a_chip_that_can_be_taken_away(
    client: TestClient, query: str, chip: str, without: str
) -> None:
    links = page(client, f"/?{query}").one("ul", class_="chips").all("a")
    by_text = {
        link.text.removeprefix("Remove ").removesuffix(" ×"): link.attributes["href"] for link in links
    }
    assert by_text[chip] == without


def test_facets_narrow_and_widen(client: TestClient) -> None:
    facets = page(client, "/").one("aside", class_="facets")
    topics = {
        link.text: link.attributes["href"] for link in facets.all("a") if "topic=" in link.attributes["href"]
    }
    assert topics == {"Space3": "/c/?topic=space", "Robots1": "/c/?topic=robots"}
    narrowed = page(client, "/?topic=space").one("aside", class_="facets")
    assert narrowed.one("a", class_="current").attributes["href"] == "/c/"
    assert "/c/?topic=space&topic=robots" in links_of(narrowed)


def test_one_value_of_several_is_taken_away_alone(client: TestClient) -> None:
    facets = page(client, "/?type=video,article&topic=Space,robots").one("aside", class_="facets")
    assert {link.text: link.attributes["href"] for link in facets.all("a", class_="current")} == {
        "Without Space×": "/c/?topic=robots&type=video%2Carticle",
        "Without Robots×": "/c/?topic=Space&type=video%2Carticle",
        "Without article×": "/c/?topic=Space%2Crobots&type=video",
        "Without video×": "/c/?topic=Space%2Crobots&type=article",
    }


def test_the_count_beside_a_link_is_the_total_behind_it(client: TestClient) -> None:
    home = page(client, "/")
    links = [*home.one("aside", class_="facets").all("li"), *home.one("table").all("tr")[1:]]
    counted = 0
    for row in links:
        if link := next(iter(row.all("a")), None):
            [count] = [cell.text for cell in (*link.all("span"), *row.all("td"))]
            assert page(client, link.attributes["href"]).one("p", class_="lead").text.startswith(count)
            counted += 1
    assert counted >= 8


def test_the_bars_of_the_timeline_are_links_and_a_table_has_the_same(client: TestClient) -> None:
    figure = page(client, "/").one("figure", class_="timeline")
    bars = {bar.attributes["aria-label"]: bar.attributes["href"] for bar in figure.all("svg")[1].all("a")}
    assert bars == {
        "July 2020: 1": "/c/?publishedFrom=2020-07-01&publishedBefore=2020-08-01",
        "April 2021: 1": "/c/?publishedFrom=2021-04-01&publishedBefore=2021-05-01",
    }
    assert links_of(figure.one("table")) == list(bars.values())
    assert figure.one("table").all("tr")[-1].text == "Without a date1"


@pytest.mark.parametrize(
    ("days", "interval", "bars"),
    [
        (["2020-01-01", "2020-01-31"], "day", ["1 January 2020: 1", "31 January 2020: 1"]),
        (
            ["2020-01-01", "2020-02-15"],
            "week",
            ["Week of 30 December 2019: 1", "Week of 10 February 2020: 1"],
        ),
        # They are few enough for weeks in whole months, and in days they are not.
        (
            ["2020-01-01", "2020-05-20", "2020-08-28"],
            "month",
            ["January 2020: 1", "May 2020: 1", "August 2020: 1"],
        ),
        (["2018-03-04", "2020-03-04", "2020-03-05"], "month", ["March 2018: 1", "March 2020: 2"]),
        (["2000-02-29", "2020-03-04"], "year", ["2000: 1", "2020: 1"]),
        (["0001-01-01", "1600-02-29", "1995-01-01", "2025-01-01"], "year", ["1 to 1995: 3", "2025: 1"]),
        # A date far ahead or far back does not take the others away.
        (["2024-03-01", "2024-04-01", "2240-01-01"], "year", ["2024: 2", "2025 to 2240: 1"]),
        (["1024-03-01", "2023-04-01", "2024-04-01"], "year", ["1024 to 2022: 1", "2023: 1", "2024: 1"]),
        (
            ["1024-03-01", "2024-04-01", "2024-05-01", "9999-01-01"],
            "year",
            ["1024 to 2023: 1", "2024: 2", "2025 to 9999: 1"],
        ),
        (["9999-12-31", "9999-12-01"], "day", ["1 December 9999: 1", "31 December 9999: 1"]),
    ],
)
def test_a_timeline_has_the_finest_bars_that_a_finger_can_hit(
    tmp_path: Path, days: list[str], interval: str, bars: list[str]
) -> None:
    with empty_catalogue("sqlite", tmp_path) as url:
        world = new_world(tmp_path, url)
        for number, day in enumerate(days):
            world.write(f"{number}.md", f"title: On {day}\npublishedDateTime: {day}")
        world.import_()
        with service_of(world) as client:
            figure = page(client, "/").one("figure", class_="timeline")
            picture = figure.all("svg")[1]
            assert picture.attributes["aria-label"] == f"Articles by {interval}"
            labels = [bar.attributes["aria-label"] for bar in picture.all("a")]
            assert labels == bars
            for bar in picture.all("a"):
                behind = page(client, bar.attributes["href"]).one("p", class_="lead").text
                assert behind.split()[0] == bar.attributes["aria-label"].rpartition(" ")[2]
        world.engine.dispose()


def test_home_tells_what_came_in_the_week_before_the_newest_import(tmp_path: Path) -> None:
    with empty_catalogue("sqlite", tmp_path) as url:
        world = new_world(tmp_path, url)
        for number in range(3):
            world.write(f"{number}.md", "title: Old\ntopics: [Old]\naddedDateTime: 2020-01-01")
        world.write("new.md", "title: New\ntopics: [New]")
        world.import_()
        with service_of(world) as client:
            busy = page(client, "/").one("p", class_="busy")
            assert [link.text for link in busy.all("a")] == ["1 new this week", "New"]
            assert page(client, links_of(busy)[0]).one("p", class_="lead").text == "1 article"
        world.engine.dispose()


def test_a_page_is_the_same_while_nothing_on_it_changes(tmp_path: Path) -> None:
    with empty_catalogue("sqlite", tmp_path) as url:
        world = new_world(tmp_path, url)
        world.write("a.md", "title: A\ntopics: [AI]")
        world.import_()
        with service_of(world) as client:
            kept = client.get("/view/topics/ai", headers=BROWSER).headers["ETag"]
            world.write("b.md", "title: B\ntopics: [Space]")
            world.import_()
            again = client.get("/view/topics/ai", headers={**BROWSER, "If-None-Match": kept})
            assert (again.status_code, again.headers["Catalogue-Revision"]) == (304, "2")
        world.engine.dispose()


def test_a_search_that_finds_nothing_proposes_another(client: TestClient) -> None:
    proposal = page(client, "/?q=helicoptr&topic=Space").all("p", class_="notice")[0].one("a")
    assert (proposal.text, proposal.attributes["href"]) == ("helicopter", "/c/?topic=Space&q=helicopter")


def test_a_page_leads_to_the_next_and_back(client: TestClient) -> None:
    first = page(client, "/?limit=2")
    second = page(client, first.one("a", rel="next").attributes["href"])
    assert entry_titles(second) == ["مقال عن الفضاء"]
    back = page(client, second.one("a", rel="prev").attributes["href"])
    assert entry_titles(back) == entry_titles(first) == ["A helicopter on Mars", "The rover"]
    assert first.one("link", rel="next").attributes["href"] == first.one("a", rel="next").attributes["href"]
    assert entry_titles(page(client, "/?limit=2&page=2")) == entry_titles(second)
    beyond = page(client, "/?page=5")
    assert links_of(beyond.one("p", class_="notice")) == ["/c/"]


def test_the_request_behind_a_page_answers_the_same(client: TestClient) -> None:
    shown = page(client, "/?topic=Space&sort=title&limit=2")
    request = shown.one("section", class_="request")
    command = request.one("code").text
    assert command == "curl 'https://news.example/c/articles?topic=Space&sort=title&limit=2'"
    by_name = {link.text: link.attributes["href"] for link in request.all("a")}
    assert [item["title"] for item in answer(client, by_name["JSON"])["items"]] == entry_titles(shown)
    for name, kind in (
        ("RSS", "application/rss+xml"),
        ("Atom", "application/atom+xml"),
        ("JSON Feed", "application/feed+json"),
        ("CSV", "text/csv"),
        ("NDJSON", "application/x-ndjson"),
        ("XLSX", "application/vnd.openxmlformats"),
    ):
        assert by_name[name].endswith("?topic=Space&sort=title")
        assert client.get(by_name[name]).headers["Content-Type"].startswith(kind)
    feeds = [link.attributes["href"] for link in shown.all("link", rel="alternate")]
    assert feeds == [by_name["RSS"], by_name["Atom"], by_name["JSON Feed"]]
    # The same cursor goes on in both.
    following = page(client, shown.one("a", rel="next").attributes["href"])
    json_link = following.one("section", class_="request").all("a")[0].attributes["href"]
    assert [item["title"] for item in answer(client, json_link)["items"]] == entry_titles(following)


def test_an_article_has_its_content_its_picture_and_its_coverage(client: TestClient) -> None:
    address = f"/view/articles/{id_of(client, 'A helicopter on Mars')}"
    shown = page(client, address)
    assert shown.one("h1").text == "A helicopter on Mars"
    assert shown.one("div", class_="content").one("strong").text == "blades"
    picture, in_content = shown.one("main").all("img")
    assert picture.attributes["alt"] == "A shadow"
    assert (picture.attributes["width"], picture.attributes["height"]) == ("1200", "800")
    assert in_content.attributes["loading"] == "lazy"
    assert in_content.attributes["alt"] == ""
    rover = f"/c/view/articles/{id_of(client, 'The rover')}"
    assert links_of(shown.one("ol", class_="related")) == ["https://jpl.example.org/how", rover]
    assert shown.one("a", class_="button").attributes["href"] == "https://www.nasa.gov/mars"
    assert shown.one("link", rel="canonical").attributes["href"] == f"https://news.example/c{address}"
    assert "/c/?author=Ada+Lovelace" in links_of(shown)


def test_a_topic_has_its_tree_and_what_is_new(client: TestClient) -> None:
    space = page(client, "/view/topics/SPACE")
    assert space.one("h1").text == "Space"
    assert [link.text for link in space.one("ul", class_="counts").all("li")] == ["Robots 1"]
    newest, *_ = space.one("ol", class_="entries").all("h3")
    assert newest.text == "A helicopter on Mars"
    robots = page(client, "/view/topics/robots")
    assert links_of(robots.one("nav", class_="path")) == ["/c/view/topics", "/c/view/topics/space"]
    assert "/c/?topic=robots" in links_of(robots)


def test_a_provider_says_who_it_is(client: TestClient) -> None:
    nasa = page(client, "/view/providers/nasa.gov")
    assert nasa.one("p", class_="lead").text == "It flies."
    assert "https://nasa.gov/" in links_of(nasa)


def test_lists_of_topics_providers_and_values_count(client: TestClient) -> None:
    for address, rows in (
        ("/view/topics", ["Space 3", "Robots 1"]),
        ("/view/providers", ["NASA 2"]),
        ("/view/facets/type?topic=space", ["article 1", "video 1"]),
    ):
        assert [row.text for row in page(client, address).one("ul", class_="counts").all("li")] == rows
    assert len(page(client, "/view/topics?limit=1").all("a", rel="next")) == 1


def test_texts_have_the_language_and_direction_of_their_article(client: TestClient) -> None:
    entries = page(client, "/").one("ol", class_="entries").all("article")
    assert [(entry.attributes.get("lang"), entry.one("h2").attributes["dir"]) for entry in entries] == [
        ("en-us", "auto"),
        (None, "auto"),
        ("ar", "rtl"),
    ]


def test_a_picture_without_an_address_is_its_words(tmp_path: Path) -> None:
    with empty_catalogue("sqlite", tmp_path) as url:
        world = new_world(tmp_path, url)
        body = (
            '<img src="map.png" alt="A &lt;b&gt;map &amp; &quot;key&quot;">\n\n![](dot.png)\n\n'
            "![Sea](https://images.example.org/sea.png)"
        )
        world.write("a.md", "title: A", body)
        world.import_()
        with service_of(world) as client:
            content = page(client, f"/view/articles/{id_of(client, 'A')}").one("div", class_="content")
            assert [image.attributes["alt"] for image in content.all("img")] == ["Sea"]
            assert content.text == 'A <b>map & "key"'
            assert content.all("b") == []
        world.engine.dispose()


def _texts_not_isolated(element: Element) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, str):
            yield child
        elif child.tag != "bdi" and "dir" not in child.attributes:
            yield from _texts_not_isolated(child)


def test_no_text_turns_what_stands_beside_it(tmp_path: Path) -> None:
    """U+202E turns all after it, until the element that isolates it ends."""
    turn = "\u202e"
    with empty_catalogue("sqlite", tmp_path) as url:
        world = new_world(tmp_path, url)
        world.write(
            "a.md",
            f"""\
title: "T{turn}"
excerpt: "E{turn}"
type: "K{turn}"
category: "C{turn}"
provider: {{name: "P{turn}"}}
authors: ["A{turn}", "B{turn}"]
topics: ["S{turn}"]
tags: ["G{turn}"]
images: [{{url: https://images.example.org/a.jpg, title: "I{turn}", attribution: "J{turn}"}}]
related: [{{title: "R{turn}", webUrl: https://r.example/, provider: {{name: "Q{turn}"}}}}]""",
        )
        world.write(
            "s.md", f"taxonomy: topic\nname: S{turn}\nkeywords: ['W{turn}', 'V{turn}']\nparent: 'O{turn}'"
        )
        world.import_()
        with service_of(world) as client:
            item = answer(client, "/articles")["items"][0]
            for address, status in (
                ("/?q=T", 200),
                (f"/?topic={turn}x&type=K{turn}", 200),
                (f"/?topic=S{turn}", 200),
                (f"/view/articles/{item['id']}", 200),
                (f"/view/topics/{item['topicIds'][0]}", 200),
                ("/view/topics", 200),
                ("/view/facets/author", 200),
                (f"/?limit={turn}", 422),
            ):
                shown = page(client, address, status).one("body")
                assert [text for text in _texts_not_isolated(shown) if turn in text] == [], address
                # Problems write such marks as codes.
                assert status != 200 or turn in shown.text
        world.engine.dispose()


@pytest.mark.parametrize(
    ("address", "status", "heading", "way"),
    [
        ("/nowhere", 404, "There is nothing here", "/c/"),
        ("/view/articles/nope", 404, "There is nothing here", "/c/"),
        ("/articles/nope", 404, "There is nothing here", "/c/"),
        ("/?toppic=x&limit=5", 422, "This cannot be asked", "/c/?limit=5"),
        ("/?published=any", 401, "This is for editors", "/c/view/sign-in"),
        ("/view/facets/moons", 404, "There is nothing here", "/c/"),
    ],
)
def test_a_browser_meets_a_problem_as_a_page_with_a_way_on(
    client: TestClient, address: str, status: int, heading: str, way: str
) -> None:
    shown = page(client, address, status)
    assert shown.one("h1").text == heading
    assert links_of(shown.one("p", class_="ways"))[0] == way
    assert shown.one("form", role="search")
    others = ("*/*", "application/json", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2")
    for accept in others:
        if status != 406:
            problem = client.get(address, headers={"Accept": accept})
            assert problem.headers["Content-Type"] == "application/problem+json", accept
            assert problem.status_code in (status, 406)


def test_a_cursor_whose_order_is_gone_leads_to_the_first_page(tmp_path: Path) -> None:
    with empty_catalogue("sqlite", tmp_path) as url:
        world = new_world(tmp_path, url)
        for number in range(3):
            world.write(f"{number}.md", f"title: Mars {number}")
        world.import_()
        with service_of(world) as client:
            following = page(client, "/?q=mars&limit=2").one("a", rel="next").attributes["href"]
            world.write("new.md", "title: Mars again")
            world.import_()
            gone = page(client, following, 410)
            assert links_of(gone.one("p", class_="ways"))[0] == "/?q=mars&limit=2"
        world.engine.dispose()


def test_an_empty_catalogue_says_how_to_fill_it(tmp_path: Path) -> None:
    world = new_world(tmp_path, sqlite_url(tmp_path))
    with service_of(world) as client:
        missing = page(client, "/", 503)
        assert "import" in missing.one("p", class_="lead").text
        style = missing.one("link", rel="stylesheet").attributes["href"]
        assert client.get(style).status_code == 200
    world.import_()
    with service_of(world) as client:
        assert "clippings import" in page(client, "/").one("main").text
    world.engine.dispose()


def test_pictures_can_be_left_out(world: World) -> None:
    with service_of(world, show_images=False) as client:
        for address in ("/", f"/view/articles/{id_of(client, 'A helicopter on Mars')}"):
            assert page(client, address).one("main").all("img") == []
            policy = client.get(address, headers=BROWSER).headers["Content-Security-Policy"]
            assert "img-src 'self';" in policy


def test_the_policy_lets_nothing_run(client: TestClient) -> None:
    policy = client.get("/", headers=BROWSER).headers["Content-Security-Policy"]
    assert policy == (
        "default-src 'none'; style-src 'self'; img-src 'self' https: http:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    for address in ("/", "/view/topics", "/view/sign-in", "/nowhere"):
        shown = page(client, address, 404 if address == "/nowhere" else 200)
        assert {script.attributes["type"] for script in shown.all("script")} <= {"application/ld+json"}
        assert not [element for element in shown.all() if "style" in element.attributes]


def test_a_page_is_compressed_and_kept(client: TestClient) -> None:
    first = client.get("/", headers={**BROWSER, "Accept-Encoding": "br"})
    assert first.headers["Content-Encoding"] == "br"
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert set(first.headers["Vary"].split(", ")) == {
        "Accept-Encoding",
        "Authorization",
        "Cookie",
        "Minimum-Revision",
    }
    again = {**BROWSER, "Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]}
    assert client.get("/", headers=again).status_code == 304
    style = page(client, "/").one("link", rel="stylesheet").attributes["href"]
    assert "immutable" in client.get(style).headers["Cache-Control"]
    name, _, ending = style.rpartition("/")[2].partition(".")
    old = client.get(f"/view/static/{name}.00000000.{ending.partition('.')[2]}")
    assert old.headers["Cache-Control"] == "public, no-cache"
    assert client.get("/view/static/nothing.css").status_code == 404


def test_search_engines_and_browsers_find_their_way(client: TestClient) -> None:
    assert "Sitemap: https://news.example/c/sitemap.xml" in client.get("/robots.txt").text
    sitemap = client.get("/sitemap.xml").text
    assert "<loc>https://news.example/c/view/topics/space</loc>" in sitemap
    assert "<loc>https://news.example/c/view/providers/nasa.gov</loc>" in sitemap
    assert "venus" not in sitemap
    search = client.get("/opensearch.xml")
    assert search.headers["Content-Type"] == "application/opensearchdescription+xml"
    assert 'template="https://news.example/c/?q={searchTerms}"' in search.text
    home = page(client, "/")
    data = json.loads("".join(str(child) for child in home.one("script").children))
    assert data["@type"] == "CollectionPage"
    assert data["mainEntity"]["itemListElement"][0]["url"] == "https://www.nasa.gov/mars"
    titles = {
        meta.attributes.get("property"): meta.attributes["content"]
        for meta in home.all("meta")
        if "content" in meta.attributes
    }
    assert titles["og:title"] == "Clippings"


@pytest.mark.parametrize(
    ("most", "topics", "providers"), [(100, 4, 3), (10, 3, 3), (8, 2, 2), (5, 1, 0), (4, 0, 0)]
)
def test_a_sitemap_that_is_full_has_topics_and_providers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, topics: int, providers: int
) -> None:
    monkeypatch.setattr("app.web.people.discovery.MAX_SITEMAP_URLS", most)
    with empty_catalogue("sqlite", tmp_path) as url:
        world = new_world(tmp_path, url)
        for number in range(4):
            provider = f"provider: {{domain: p{min(number, 2)}.example}}"
            world.write(f"{number}.md", f"title: A\ntopics: [T{number}]\n{provider}")
        world.import_()
        with service_of(world) as client:
            sitemap = client.get("/sitemap.xml").text
            assert sitemap.count("/view/topics/t") == topics
            assert sitemap.count("/view/providers/p") == providers
            assert sitemap.count("<loc>") <= most
        world.engine.dispose()


def _sign_in(client: TestClient, token: str = TOKEN, **headers: str) -> str:
    """The cookie, or nothing."""
    given = client.post(
        "/view/sign-in", data={"token": token}, headers={**BROWSER, **headers}, follow_redirects=False
    )
    return given.headers.get("Set-Cookie", "").partition(";")[0]


def test_an_editor_signs_in_with_the_token_and_out_again(client: TestClient) -> None:
    signed = client.post("/view/sign-in", data={"token": TOKEN}, headers=BROWSER, follow_redirects=False)
    assert (signed.status_code, signed.headers["Location"]) == (303, "/c/?published=any")
    cookie, *attributes = signed.headers["Set-Cookie"].split("; ")
    assert {"Path=/c", "HttpOnly", "SameSite=Strict", "Secure"} <= set(attributes)
    assert TOKEN not in cookie
    editor = {"Cookie": cookie}
    client.cookies.clear()

    shown = page(client, "/?published=any", headers=editor)
    assert entry_titles(shown)[0] == "A draft about Venus"
    assert [mark.text for mark in shown.all("span", class_="mark")] == ["Not published"]
    states = [link.text for link in shown.one("nav", aria_label="Published").all("a")]
    assert states == ["Published", "Not published", "Both"]
    hidden = f"/view/articles/{id_of(client, 'A draft about Venus')}"
    assert page(client, hidden, headers=editor).one("span", class_="mark")
    # Links lead to terms by their name alone, also to those that only unpublished articles have.
    for suffix in ("", "?published=any"):
        assert page(client, f"/view/topics/venus{suffix}", headers=editor)
    # Nothing of it is for others, nor for a cache that they share.
    assert page(client, hidden, 404)
    assert page(client, "/view/topics/venus", 404)
    assert entry_titles(page(client, "/")) == entry_titles(page(client, "/", headers=editor))
    kept = client.get("/?published=any", headers={**BROWSER, **editor})
    assert kept.headers["Cache-Control"] == "private, no-cache"
    assert page(client, "/?published=any", 401)
    # An answer of the API does not vary by a cookie.
    assert client.get("/articles?published=any", headers=editor).status_code == 401

    out = client.post("/view/sign-out", headers={**BROWSER, **editor}, follow_redirects=False)
    assert (out.status_code, out.headers["Location"]) == (303, "/c/")
    assert "Max-Age=0" in out.headers["Set-Cookie"]


@pytest.mark.parametrize("address", ["/view/articles/nope", "/?limit=x", "/nowhere"])
def test_an_editor_stays_one_on_a_problem(client: TestClient, address: str) -> None:
    editor = {**BROWSER, "Cookie": _sign_in(client)}
    client.cookies.clear()
    problem = client.get(address, headers=editor)
    assert "You are signed in as an editor." in problem.text
    assert "For editors" not in problem.text
    assert problem.headers["Cache-Control"] == "no-store"
    assert "signed in" not in client.get(address, headers=BROWSER).text


def test_a_browser_says_where_our_forms_come_from(client: TestClient) -> None:
    """With the API's `no-referrer` it would say `Origin: null`, and be refused as another site."""
    for path in ("/", "/view/sign-in"):
        assert client.get(path, headers=BROWSER).headers.get_list("Referrer-Policy") == ["same-origin"]
    assert client.get("/articles").headers.get_list("Referrer-Policy") == ["no-referrer"]


def test_a_value_that_is_chosen_leads_to_the_list_without_it(client: TestClient) -> None:
    """Its count is not that of the link."""
    shown = page(client, "/view/facets/topic?topic=Space")
    [chosen] = shown.all("a", class_="current")
    assert (chosen.attributes["href"], chosen.text) == ("/c/", "Without Space ×")
    assert not any("current" in link.attributes.get("class", "") for link in shown.all("a") if link != chosen)


def test_only_forms_take_a_post(client: TestClient) -> None:
    allowed = {path: client.put(path).headers["Allow"] for path in ("/", "/view/sign-in")}
    assert allowed == {"/": "GET, HEAD, OPTIONS", "/view/sign-in": "GET, HEAD, OPTIONS, POST"}
    assert {path: client.options(path).headers["Allow"] for path in allowed} == allowed


@pytest.mark.parametrize("path", ["/c", "/c/", "/"])
def test_the_public_url_is_home(client: TestClient, path: str) -> None:
    assert page(client, path).one("h1").text == page(client, "/").one("h1").text


def test_a_command_has_the_token_where_the_api_wants_it(client: TestClient, world: World) -> None:
    editor = {"Cookie": _sign_in(client)}
    client.cookies.clear()
    shown = page(client, "/?published=any", headers=editor)
    command = shown.one("section", class_="request").one("code").text
    assert command.startswith('curl -H "Authorization: Bearer $CLIPPINGS_EDITOR_TOKEN" ')
    assert shown.all("link", rel="alternate") == []
    with service_of(world, show_unpublished=True) as open_to_all:
        everybody = page(open_to_all, "/?published=any")
        assert everybody.one("section", class_="request").one("code").text.startswith("curl '/articles")
        assert len(everybody.all("link", rel="alternate")) == 3


def test_what_an_editor_was_shown_is_not_remembered_for_others(client: TestClient) -> None:
    editor = {"Cookie": _sign_in(client)}
    client.cookies.clear()
    hidden = f"/view/articles/{id_of(client, 'A draft about Venus')}"
    for _ in range(3):
        page(client, hidden, headers=editor)
        page(client, hidden, 404)
        assert "signed in" in page(client, "/", headers=editor).one("body").text
        assert "signed in" not in page(client, "/").one("body").text


@pytest.mark.parametrize(
    "cookie", ["", "1.2", "99999999999.abc", "x", "clippings_editor", "9" * 5_000 + ".00", "é.ü", ".", "-1."]
)
def test_a_cookie_of_others_is_no_cookie(client: TestClient, cookie: str) -> None:
    headers = {"Cookie": f"a=b; clippings_editor={cookie}; c"}
    raw = {name.encode(): value.encode("latin-1") for name, value in {**BROWSER, **headers}.items()}
    assert client.get("/?published=any", headers=raw).status_code == 401


def test_a_cookie_is_of_this_service_and_ends(
    world: World, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = {"Cookie": _sign_in(client)}
    client.cookies.clear()
    assert page(client, "/?published=any", headers=editor)
    for settings in (
        {"public_url": "https://other.example"},
        {"public_url": "https://news.example/c", "editor_token": "new"},
    ):
        with service_of(world, **settings) as other:
            assert page(other, "/?published=any", 401, headers=editor)
    now = time.time()
    monkeypatch.setattr("app.web.http.audience.time.time", lambda: now + 31 * 86_400)
    assert page(client, "/?published=any", 401, headers=editor)


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://news.example"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://news.example"}, True),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_another_site_signs_nobody_in(client: TestClient, headers: dict[str, str], is_ours: bool) -> None:
    assert bool(_sign_in(client, **headers)) == is_ours
    client.cookies.clear()


def test_a_wrong_token_is_said_so(client: TestClient) -> None:
    wrong = client.post("/view/sign-in", data={"token": "wrong"}, headers=BROWSER)
    assert wrong.status_code == 403
    assert "Set-Cookie" not in wrong.headers
    assert wrong.headers["Cache-Control"] == "no-store"


def test_only_the_two_forms_post_and_they_are_bounded(client: TestClient) -> None:
    assert client.post("/view/sign-in", content=b"token=" + b"x" * 5_000).status_code == 413
    assert client.post("/view/sign-in", content=b"&" * 4_000).status_code in (403, 422)
    for path in ("/", "/articles", "/view/topics", "/view/sign-in/x", "/nowhere"):
        refused = client.post(path)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert client.put("/view/sign-in").status_code == 405


def test_twenty_articles_with_facets_and_a_timeline_fit_into_14_kb(tmp_path: Path) -> None:
    """With the style sheet, in every encoding: a first round trip of TCP carries so much."""
    with empty_catalogue("sqlite", tmp_path) as url:
        engine = writing_engine(url)
        import_trees(engine, [Request(ROOT / "seeds", "seeds")], Options())
        with service_of(World(ROOT / "seeds", engine)) as client:
            home = page(client, "/")
            assert len(home.one("ol", class_="entries").all("article")) == 20
            style = home.one("link", rel="stylesheet").attributes["href"]
            assert_small(client, "/", style)
            assert_small(client, "/?collapse=story", style)
        engine.dispose()


def test_twenty_stories_or_members_fit_into_14_kb_too(tmp_path: Path) -> None:
    """Texts as long as those of news, in words that are drawn from 400."""
    draw = random.Random(1)  # noqa: S311  examples
    words = ["".join(draw.choices("abcdefghijklmnoprstuvwy", k=draw.randint(2, 9))) for _ in range(400)]

    def text(count: int) -> str:
        return " ".join(draw.choices(words, k=count))

    with empty_catalogue("sqlite", tmp_path) as url:
        world = new_world(tmp_path, url)
        for number in range(20):
            world.write(
                f"{number:02}.md",
                f"title: {text(9)}\nexcerpt: {text(25)}\npublishedDateTime: 2026-01-{number + 1:02}\n"
                f"webUrl: https://{text(1)}.example/{number}\ntopics: [{text(1)}, {text(1)}]\n"
                f"images: [https://pictures.example/{number}.jpg]\n"
                f"related: [{{title: {text(9)}, webUrl: https://{text(1)}.example/of/{number}}}]",
            )
        links = ", ".join(
            f"{{title: {text(9)}, webUrl: https://{text(1)}.example/{number}}}" for number in range(19)
        )
        world.write("news.md", f"title: {text(9)}\npublishedDateTime: 2025-12-01\nrelated: [{links}]")
        listed = [f"{number:02}.md" for number in range(20)]
        world.write("list.md", f"title: {text(9)}\ntype: collection\nitems: {listed}")
        world.import_()
        with service_of(world) as client:
            stories = page(client, "/view/stories")
            assert len(stories.one("ol", class_="entries").all("article")) == 20
            style = stories.one("link", rel="stylesheet").attributes["href"]
            story, members = f"/view/stories/{id_at('news.md')}", f"/view/articles/{id_at('list.md')}"
            for address in (story, members):
                assert len(page(client, address).all("ol", class_="related")[0].all("li")) == 20
            for address in ("/view/stories", "/?collapse=story", story, members):
                assert_small(client, address, style)
        world.engine.dispose()


def assert_small(client: TestClient, address: str, style: str) -> None:
    for encoding in ("gzip", "br", "zstd"):
        headers = {**BROWSER, "Accept-Encoding": encoding}
        sizes = [
            int(client.head(path, headers=headers).headers["Content-Length"]) for path in (address, style)
        ]
        assert sum(sizes) < 14_000, (address, encoding)


def id_at(path: str) -> str:
    return public_id("news", path)
