"""Feeds as independent readers and the specifications see them, whatever a title holds."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser
import pytest
from starlette.testclient import TestClient

from app.web.feeds import MAX_FEED_BYTES
from tests.support.services import EDITOR, service_of
from tests.support.templates import new_sqlite_catalogue
from tests.support.worlds import World, new_world

ATOM = "{http://www.w3.org/2005/Atom}"
PUBLIC = "https://example.org/news"
TITLES = [
    "]]> & <![CDATA[ ]]>",
    "<script>alert('x')</script>",
    "&amp; &#x0; &lt;b&gt; &nosuch;",
    "emoji 👩‍👩‍👧‍👦 🏳️‍🌈 \U0001f1e9\U0001f1ea",
    "שלום \u202eright to left\u202c العربية",
    "a\u2028b\u2029c",
    "zero\u200bwidth\ufeff\u00ad\u2060",
    "private \ue000 \U000f0000 \U0010fffd, unassigned \u0378",
    "no characters \ufdd0 \U0001ffff \U0010ffff",
    "tab\tand  spaces",
    "e\u0301" + "\u0301" * 50,
    "<?xml version='1.0'?><!DOCTYPE x>",
    "--> <!-- comment",
    "x" * 5_000,
    "日本語" * 1_000,
    "\\u0000 \\x1b %00 {{7*7}} ${x}",
]
DATES = ["2020-01-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59+05:30", ""]
QUERIES = [
    "",
    "?limit=5",
    "?topic=%22%5D%5D%3E+%26+%3Cb%3E%22",
    "?q=%3Cscript%3E+%22a%22&sort=title",
    "?type=-%2A",
]


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("feeds")
    world = new_world(folder, new_sqlite_catalogue(folder))
    for number, title in enumerate(TITLES):
        name = json.dumps(title[:400], ensure_ascii=False)
        text = json.dumps(title, ensure_ascii=False)
        world.write(
            f"{number:02}.md",
            f"title: {text}\nexcerpt: {text}\ntopics: ['C&A <i>', ']]> & <b>']\ntags: [{name}]\n"
            f"provider: {{name: {name}}}\npublishedDateTime: {DATES[number % len(DATES)]}\n"
            f"updatedDateTime: {DATES[number % 3]}\n"
            "images: ['https://images.example.org/a.png?x=1&y=(2)', 'b.jpg']\n"
            + ("webUrl: 'https://example.org/ü?a=1&b=(2)'" if number % 2 else ""),
        )
    world.write("bare.md", "title: Bare")
    world.write("hidden.md", "title: Hidden\npublished: false")
    assert world.import_().problems == []
    with service_of(world, public_url=PUBLIC) as client:
        yield client
    world.engine.dispose()


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("ending", ["rss", "atom", "json"])
def test_a_feed_is_what_its_specification_says(awkward: TestClient, ending: str, query: str) -> None:
    url = f"/feeds/articles.{ending}{query}"
    found = awkward.get(url, headers={"Host": "evil.example"})
    assert found.status_code == 200
    assert "evil.example" not in found.text
    assert "Hidden" not in found.text
    again = awkward.get(url, headers={"If-None-Match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    titles = [item["title"] for item in awkward.get(f"/articles{query}").json()["items"]]
    if ending == "json":
        own = check_json_feed(found.json(), titles)
    else:
        parsed = feedparser.parse(found.content)
        assert not parsed.bozo, parsed.bozo_exception
        assert len(parsed.entries) == len(titles)
        root = ElementTree.fromstring(found.content)  # noqa: S314  our own
        own = check_rss(root, titles) if ending == "rss" else check_atom(root, titles)
    assert urlsplit(own)[:3] == ("https", "example.org", f"/news/feeds/articles.{ending}")
    assert awkward.get(own.removeprefix(PUBLIC)).content == found.content, "its own URL answers with it"


def shown(title: str) -> str:
    """As XML can hold it."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", title)


def check_rss(root: ElementTree.Element, titles: list[str]) -> str:
    """RSS 2.0, and the best practices of the RSS Advisory Board."""
    assert (root.tag, root.get("version"), len(root)) == ("rss", "2.0", 1)
    channel = root[0]
    for required in ("title", "link", "description"):
        assert len(channel.findall(required)) == 1
        assert channel.findtext(required)
    for date in (*channel.iter("pubDate"), *channel.iter("lastBuildDate")):
        assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", date.text or "")
        assert parsedate_to_datetime(date.text or "").strftime("%a") == (date.text or "")[:3]
    items = channel.findall("item")
    assert [item.findtext("title") for item in items] == [shown(title) for title in titles]
    guids = [item.findtext("guid") for item in items]
    assert len(set(guids)) == len(items)
    for item in items:
        assert [guid.get("isPermaLink") for guid in item.findall("guid")] == ["false"]
        assert urlsplit(item.findtext("link") or "").scheme == "https"
        for single in ("title", "link", "description", "pubDate", "guid", "enclosure"):
            assert len(item.findall(single)) <= 1
        for enclosure in item.findall("enclosure"):
            assert set(enclosure.keys()) == {"url", "type", "length"}
            assert (enclosure.get("type"), enclosure.get("length", "").isdecimal()) == ("image/png", True)
    [own] = channel.findall(f"{ATOM}link[@rel='self']")
    return own.get("href", "")


def check_atom(root: ElementTree.Element, titles: list[str]) -> str:
    """RFC 4287, 4.1."""
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [shown(title) for title in titles]
    for each in (root, *entries):
        for required in ("id", "title", "updated"):
            assert len(each.findall(f"{ATOM}{required}")) == 1
        assert len(each.findall(f"{ATOM}link[@rel='alternate']")) == 1
        for date in (*each.findall(f"{ATOM}updated"), *each.findall(f"{ATOM}published")):
            check_rfc3339(date.text or "")
        for author in each.findall(f"{ATOM}author"):
            assert author.findtext(f"{ATOM}name")
        for enclosure in each.findall(f"{ATOM}link[@rel='enclosure']"):
            assert enclosure.get("href", "").startswith("https://images.example.org/")
            assert enclosure.get("type") == "image/png"
        assert all(category.get("term") for category in each.findall(f"{ATOM}category"))
    assert root.find(f"{ATOM}author") is not None, "for entries without one"
    ids = [each.findtext(f"{ATOM}id") or "" for each in (root, *entries)]
    assert len(set(ids)) == len(ids)
    assert all(urlsplit(one).scheme for one in ids)
    [own] = root.findall(f"{ATOM}link[@rel='self']")
    return own.get("href", "")


def check_json_feed(feed: dict[str, Any], titles: list[str]) -> str:
    """JSON Feed 1.1: what is required, and the type of all that there is."""
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert set(feed) <= {"version", "title", "home_page_url", "feed_url", "description", "items", "next_url"}
    assert feed["title"]
    assert urlsplit(feed["home_page_url"])[:3] == ("https", "example.org", "/news/")
    assert [item["title"] for item in feed["items"]] == titles
    assert len({item["id"] for item in feed["items"]}) == len(titles)
    kinds: dict[str, type[Any]] = {
        **dict.fromkeys(("id", "url", "title", "content_html", "content_text", "summary"), str),
        **dict.fromkeys(("image", "language"), str),
        "_publisher": dict,
        **dict.fromkeys(("date_published", "date_modified"), str),
        **dict.fromkeys(("authors", "tags", "attachments"), list),
    }
    for item in feed["items"]:
        assert ("content_text" in item) != ("content_html" in item), "one of the two is required"
        for key, value in item.items():
            assert isinstance(value, kinds[key]), key
            assert value not in ("", [])
        for key in ("url", "image"):
            assert urlsplit(item.get(key, "https://")).scheme == "https"
        for key in ("date_published", "date_modified"):
            if key in item:
                check_rfc3339(item[key])
        assert all(isinstance(tag, str) and tag for tag in item.get("tags", ()))
        assert all(set(author) & {"name", "url", "avatar"} for author in item.get("authors", ()))
        assert all({"url", "mime_type"} <= set(each) for each in item.get("attachments", ()))
    return str(feed["feed_url"])


def check_rfc3339(text: str) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
    assert datetime.fromisoformat(text).utcoffset() == timedelta(0)


def test_a_feed_of_nothing_is_a_feed(world: World) -> None:
    world.write("hidden.md", "title: Hidden\npublished: false")
    world.import_()
    with service_of(world, public_url=PUBLIC) as client:
        for ending in ("rss", "atom"):
            parsed = feedparser.parse(client.get(f"/feeds/articles.{ending}?topic=none").content)
            assert (bool(parsed.bozo), parsed.entries, parsed.feed.title) == (
                False,
                [],
                "Articles about none – Clippings",
            )
            titled = client.get(f"/feeds/articles.{ending}?topic=AI+%26+Co&publishedFrom=2020-01-01")
            title = feedparser.parse(titled.content).feed.title
            assert title == "Articles about AI & Co from 2020-01-01 – Clippings"
        assert client.get("/feeds/articles.json").json()["items"] == []
        mine = client.get("/feeds/articles.json?published=any", headers=EDITOR)
        assert [item["title"] for item in mine.json()["items"]] == ["Hidden"]
        assert mine.json()["feed_url"] == f"{PUBLIC}/feeds/articles.json?published=any"
        assert mine.headers["cache-control"].startswith("private")


TEXTS = [
    "vector<bool>",
    "a &lt; b",
    "AT&T",
    "R&D; x",
    "<script>alert(1)</script>",
    "a&nbsp;b",
    "]]> & <![CDATA[ ]]>",
    "<b>not bold</b>",
    "x <y> z</y>",
    "&amp;lt; &#60; &nosuch;",
    'a "quoted" <img src=x onerror=alert(1)>',
]


def test_a_text_that_looks_like_markup_reads_as_it_is_written(world: World) -> None:
    for number, text in enumerate(TEXTS):
        said = json.dumps(text)
        world.write(
            f"{number:02}.md", f"title: {said}\nexcerpt: {said}\nprovider: {{name: {said}}}\ntags: [{said}]"
        )
    world.import_()
    with service_of(world, public_url=PUBLIC) as client:
        rss, atom, feed = (client.get(f"/feeds/articles.{ending}") for ending in ("rss", "atom", "json"))
        about = client.get("/feeds/articles.rss?type=vector%3Cbool%3E")
    items = ElementTree.fromstring(rss.content).findall("channel/item")  # noqa: S314  our own
    # Descriptions are HTML, titles are not.
    assert [unescape(item.findtext("description") or "") for item in items] == TEXTS
    assert not any("<" in (item.findtext("description") or "") for item in items)
    for tag in ("title", "category", "{http://purl.org/dc/elements/1.1/}creator"):
        assert [item.findtext(tag) for item in items] == TEXTS
    entries = feedparser.parse(rss.content).entries
    assert [(unescape(entry.summary), entry.summary_detail.type) for entry in entries] == [
        (text, "text/html") for text in TEXTS
    ]
    channel = feedparser.parse(about.content).feed
    assert channel.title == unescape(channel.description) == "Articles of type vector<bool> – Clippings"
    for entry, text in zip(feedparser.parse(atom.content).entries, TEXTS, strict=True):
        assert (entry.title, entry.summary, entry.author, entry.tags[0].term) == (text, text, text, text)
        assert {entry.title_detail.type, entry.summary_detail.type} == {"text/plain"}
    assert [
        (
            item["title"],
            unescape(item["content_html"]),
            item["summary"],
            item["authors"][0]["name"],
            item["tags"][0],
        )
        for item in feed.json()["items"]
    ] == [(text,) * 5 for text in TEXTS]
    assert [unescape(entry.content[0].value) for entry in entries] == TEXTS
    for entry in feedparser.parse(atom.content).entries:
        assert entry.content[0].type == "text/html"


WHOLE = """title: Flags in vector<bool>
excerpt: Packed vector<bool>, & why
authors: [Ada Lovelace, Grace Hopper]
provider: {name: NASA, domain: nasa.gov}
topics: [C++, AI]
tags: [AI, http]
publishedDateTime: 2020-01-02
updatedDateTime: 2020-03-04
images:
  - {url: 'https://i.example/a.webp?x=1', width: 640, height: 360, title: Flags, attribution: Jo}
"""
BODY = "A `vector<bool>` *packs* [flags](/flags). <script>alert(1)</script>"
HTML = '<code>vector&lt;bool&gt;</code> <em>packs</em> <a href="https://base.example/flags"'


@pytest.fixture
def service(world: World) -> Iterator[TestClient]:
    world.write("1-whole.md", WHOLE, BODY)
    world.write("2-undated.md", "title: Undated\nprovider: {domain: ada.example}")
    world.write(
        "3-old.md",
        "title: Old\nexcerpt: 'a <b>'\npublishedDateTime: 1999-01-01\naddedDateTime: 2026-11-20\n"
        "webUrl: https://old.example/",
    )
    world.import_(base_url="https://base.example/")
    with service_of(world, public_url=PUBLIC, site_name="Ada’s", site_description="All <b> of it") as client:
        yield client


@pytest.mark.parametrize("ending", ["rss", "atom", "json"])
def test_an_entry_has_the_whole_article(service: TestClient, ending: str) -> None:
    """As feedparser reads XML; a JSON Feed is read for what it is."""
    answer = service.get(f"/feeds/articles.{ending}")
    types = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
    assert answer.headers["content-type"] == f"{types[ending]}; charset=utf-8"
    id_ = service.get("/articles?q=flags").json()["items"][0]["id"]
    if ending == "json":
        feed = answer.json()
        assert (feed["title"], feed["description"]) == ("Articles – Ada’s", "All <b> of it")
        item = feed["items"][0]
        assert HTML in item["content_html"]
        assert "script" not in item["content_html"]
        assert (item["image"], item["url"]) == (
            "https://i.example/a.webp?x=1",
            f"{PUBLIC}/view/articles/{id_}",
        )
        assert item["authors"] == [{"name": "Ada Lovelace"}, {"name": "Grace Hopper"}]
        assert (item["tags"], item["_publisher"]) == (["C++", "AI", "http"], {"name": "NASA"})
        assert item["date_published"] == "2020-01-02T00:00:00Z"
        assert item["date_modified"] == "2020-03-04T00:00:00Z"
        assert [author["name"] for author in feed["items"][2]["authors"]] == ["ada.example"]
        return
    parsed = feedparser.parse(answer.content)
    assert (parsed.feed.title, unescape(parsed.feed.subtitle)) == ("Articles – Ada’s", "All <b> of it")
    entry = parsed.entries[0]
    assert HTML in entry.content[0].value
    assert "script" not in entry.content[0].value
    # newsboat shows no picture but those in a text.
    assert entry.content[0].value.startswith('<p><img alt="Flags" src="https://i.example/a.webp?x=1" /></p>')
    assert unescape(entry.summary) == "Packed vector<bool>, & why"
    assert [author.name for author in entry.authors] == ["Ada Lovelace", "Grace Hopper"]
    assert entry.publisher == "NASA"
    assert [tag.term for tag in entry.tags] == ["C++", "AI", "http"]
    [enclosure] = entry.enclosures
    assert (enclosure.href, enclosure.type) == ("https://i.example/a.webp?x=1", "image/webp")
    [media] = entry.media_content
    assert (media["url"], media["width"], media["medium"]) == (enclosure.href, "640", "image")
    assert entry.media_thumbnail[0]["url"] == enclosure.href
    assert entry.media_credit[0]["content"] == "Jo"
    assert entry.link == f"{PUBLIC}/view/articles/{id_}"
    assert entry.published_parsed[:3] == (2020, 1, 2)
    assert parsed.entries[1].link == "https://old.example/"
    assert parsed.entries[1].content[0].value == "a &lt;b&gt;"
    assert parsed.entries[2].author == "ada.example"


@pytest.mark.parametrize("ending", ["rss", "atom", "json"])
def test_what_was_added_last_can_be_followed(world: World, service: TestClient, ending: str) -> None:
    """An old article and an undated one that are filed today are news, and dated so."""
    url = f"/feeds/articles.{ending}?sort=-addedDateTime&limit=2"
    first = service.get(url)
    assert titles_of(first, ending)[0] == "Old"
    world.write("4-late.md", "title: Late")
    world.import_(clock=lambda: datetime(2026, 11, 26, 8, tzinfo=UTC), base_url="https://base.example/")
    second = service.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (second.status_code, titles_of(second, ending)) == (200, ["Late", "Old"])
    assert "1970" not in second.text
    if ending == "json":
        assert second.json()["items"][0]["date_published"] == "2026-11-26T08:00:00Z"
        return
    parsed = feedparser.parse(second.content)
    assert parsed.entries[0].published_parsed[:4] == (2026, 11, 26, 8)
    assert parsed.feed.updated_parsed[:4] == (2026, 11, 26, 8)
    assert parsed.entries[1].published_parsed[0] == 1999


def titles_of(answer: Any, ending: str) -> list[str]:
    if ending == "json":
        return [item["title"] for item in answer.json()["items"]]
    return [entry.title for entry in feedparser.parse(answer.content).entries]


def next_of(answer: Any, ending: str) -> str | None:
    if ending == "json":
        url = answer.json().get("next_url")
    else:
        links = feedparser.parse(answer.content).feed.links
        url = next((link.href for link in links if link.rel == "next"), None)
    if url is None:
        return None
    assert f'<{urlsplit(url).path}?{urlsplit(url).query}>; rel="next"' == answer.headers["link"]
    return str(url).removeprefix(PUBLIC)


@pytest.mark.parametrize("ending", ["rss", "atom", "json"])
def test_a_feed_goes_on_to_its_end(world: World, service: TestClient, ending: str) -> None:
    """RFC 5005: every page is the same feed under its own address, and durations stay durations."""
    for number in range(7):
        world.write(f"n{number}.md", f"title: N{number}\npublishedDateTime: 2020-01-0{number + 1}")
    world.import_()
    for query in ("sort=title", "publishedFrom=P90Y&topic=-C%2B%2B", "q=n*&sort=title"):
        url: str | None = f"/feeds/articles.{ending}?limit=3&{query}"
        whole = service.get(f"/feeds/articles.{ending}?limit=200&{query}")
        titles: list[str] = []
        ids = set()
        while url:
            page = service.get(url)
            assert page.status_code == 200, page.text
            assert service.get(url, headers={"If-None-Match": page.headers["etag"]}).status_code == 304
            titles += titles_of(page, ending)
            ids.add(
                page.json()["title"] if ending == "json" else feedparser.parse(page.content).feed.get("id")
            )
            url = next_of(page, ending)
        assert titles == titles_of(whole, ending)
        assert len(ids) == 1


def test_a_feed_of_a_search_stays_while_its_entries_do(world: World, service: TestClient) -> None:
    """A place in the order of relevance is bound to a revision, and so leads on in a header alone."""
    for number in range(3):
        world.write(f"n{number}.md", f"title: mars {number}")
    world.import_()
    first = service.get("/feeds/articles.rss?q=mars&limit=2")
    assert next_of(first, "rss") is None
    [link] = re.findall(r'^</news(/feeds/articles\.rss\?.*)>; rel="next"$', first.headers["link"])
    assert len(titles_of(service.get(link), "rss")) == 1
    world.write("other.md", "title: Venus")
    world.import_()
    again = service.get(
        "/feeds/articles.rss?q=mars&limit=2", headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304
    restart = service.get(link)
    assert restart.status_code == 410
    assert restart.json()["first"] == "/news/feeds/articles.rss?q=mars&limit=2"


def test_a_feed_is_bounded(world: World) -> None:
    """By its bytes, of which each `&` takes five, and by the Markdown that is read for it."""
    for number in range(26):
        world.write(f"b{number:02}.md", f"title: B{number:02}", "& " * 60_000)
    for number in range(4):
        world.write(f"c{number:02}.md", f"title: C{number:02}", "words " * 16_000)
    world.write("a.md", "title: A\ntags:\n" + "\n".join(f"- tag {number}" for number in range(20_000)))
    world.import_()
    with service_of(world, public_url=PUBLIC) as client:
        pages = []
        url: str | None = "/feeds/articles.json?limit=200&sort=title"
        while url:
            page = client.get(url)
            assert len(page.content) <= MAX_FEED_BYTES + 10_000
            pages.append(titles_of(page, "json"))
            url = next_of(page, "json")
    assert [title for titles in pages for title in titles] == [
        "A",
        *(f"B{number:02}" for number in range(26)),
        *("C00", "C01", "C02", "C03"),
    ]
    assert 3 <= len(pages) <= 4


@pytest.mark.parametrize("query", ["", "topic=C%2B%2B&publishedFrom=P90Y", "sort=title&limit=1"])
def test_a_list_names_its_feeds(service: TestClient, query: str) -> None:
    links = service.get(f"/articles?{query}").headers["link"]
    feeds = re.findall(r'<(/news/feeds/[^>]*)>; rel="alternate"; type="([^"]+)"', links)
    assert [type_ for _, type_ in feeds] == [
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
    ]
    listed = [
        item["title"]
        for item in service.get(f"/articles?{query}&limit=200".replace("&limit=1&", "&")).json()["items"]
    ]
    for (url, _), ending in zip(feeds, ("rss", "atom", "json"), strict=True):
        feed = service.get(url.removeprefix("/news"))
        assert titles_of(feed, ending) == listed
    assert ("P90Y" in links) is ("P90Y" in query)
    assert 'rel="alternate"' not in service.get("/articles?topic=" + "a," * 600 + "a").headers.get("link", "")
