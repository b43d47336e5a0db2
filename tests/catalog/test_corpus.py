"""Two real trees: every URL found in every disguise, every count as their own generator published it."""

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import pytest
from starlette.testclient import TestClient

from app.importer.read import Request
from app.importer.run import Options, import_trees
from app.urls import canonical
from tests.support.corpus import CORPUS, front_matters, needs_corpus
from tests.support.random_examples import EXAMPLES
from tests.support.services import EDITOR, answer, service_of, walk
from tests.support.templates import new_sqlite_catalogue
from tests.support.worlds import new_world

pytestmark = needs_corpus

URL_KEYS = ("webUrl", "originalUrl", "ampWebUrl", "cdnAmpWebUrl")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("corpus")
    world = new_world(folder, new_sqlite_catalogue(folder))
    requests = [Request(CORPUS / f"powerapps-{year}", str(year)) for year in (2021, 2024)]
    assert import_trees(world.engine, requests, Options()).rejected == 0
    with service_of(world) as client:
        yield client
    world.engine.dispose()


def urls_of(front_matter: dict[str, Any]) -> list[str]:
    return [front_matter[key].strip() for key in URL_KEYS if front_matter.get(key)]


def disguises(url: str) -> list[str]:
    """As readers come by it; each names the same page."""
    scheme, authority, path, query, _ = urlsplit(url)
    asked = f"?{query}" if query else ""
    host = authority.removeprefix("www.")
    other = "http" if scheme == "https" else "https"
    found = [
        f"{other}://{authority}{path}{asked}",
        f"//{authority}{path}{asked}",
        f"{scheme}://{authority.upper()}{path}{asked}",
        f"{scheme}://{authority}:{443 if scheme == 'https' else 80}{path}{asked}",
        f"{scheme}://{authority}{path}{asked}#section-2",
        f"{scheme}://{authority}{path}{asked}{'&' if query else '?'}utm_source=news&utm_medium=mail",
        f"{scheme}://{authority}{path.rstrip('/') or '/'}{asked}",
        f"{scheme}://www.{host}{path}{asked}",
        f"{scheme}://m.{host}{path}{asked}",
        f"{scheme}://{authority}{_escaped_once(path)}{asked}",
    ]
    if re.fullmatch(r"[a-z0-9.-]+", host):
        label = host.replace("-", "--").replace(".", "-")
        found += [
            f"https://{label}.cdn.ampproject.org/c/s/{host}{path}{asked}",
            f"https://www.google.com/amp/s/{authority}{path}{asked}",
        ]
    return found


def _escaped_once(path: str) -> str:
    """One letter of the path as its escape."""
    letter = re.search(r"(?<!%)(?<!%[0-9A-Fa-f])[a-z]", path)
    return path if not letter else f"{path[: letter.start()]}%{ord(letter[0]):02x}{path[letter.end() :]}"


def test_every_url_is_found_in_every_disguise(trees: TestClient) -> None:
    pages: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for year in (2021, 2024):
        for path, front_matter in front_matters(year).items():
            # Seven videos were taken down.
            if front_matter.get("title") and front_matter.get("removed") != "true":
                for url in urls_of(front_matter):
                    pages[url].add((str(year), path))
    asked = 0
    assert len(pages) > 1_300
    chosen = sorted(pages)
    if len(chosen) > EXAMPLES:
        chosen = random.Random(5).sample(chosen, EXAMPLES // 5)  # noqa: S311
    for url in chosen:
        expected = pages[url]
        for disguise in (url, *disguises(url)):
            found = answer(
                trees, "/links?" + urlencode({"url": disguise, "published": "any", "limit": 1}), EDITOR
            )
            having = {(item["source"], item["path"]) for item in found["articles"]}
            assert expected <= having, (disguise, url)
            asked += 1
    assert asked > 5 * len(chosen)


def _every_url() -> set[str]:
    urls: set[str] = set()

    def look(value: Any) -> None:
        match value:
            case dict():
                for each in value.values():
                    look(each)
            case list():
                for each in value:
                    look(each)
            case str() if re.match(r"https?://", value.strip()):
                urls.add(value.strip())

    for year in (2021, 2024):
        look(list(front_matters(year).values()))
    return urls


def page_of(url: str) -> tuple[object, ...]:
    """What makes a page, independently of app.urls: host less www. and m., path, what is asked for."""
    _, authority, path, query, fragment = urlsplit(url)
    while copied := re.match(r"/(?:c|amp)/s/([^/]+)(/.*)?$", path):
        if not authority.endswith(("ampproject.org", "google.com")):
            break
        authority, path = copied[1], copied[2] or "/"
    host = re.sub(r"^(?:(?:www|m)\.)+", "", authority.lower())
    pairs = [
        (unquote(name), unquote(value))
        for name, _, value in (part.partition("=") for part in query.split("&") if part)
        if not re.match(
            r"utm_|(?:gclid|fbclid|msclkid|mc_cid|mc_eid|ref_src|wt\.mc_id)$", name, re.IGNORECASE
        )
    ]
    return host, unquote(path).rstrip("/"), tuple(sorted(pairs)), fragment if fragment.startswith("!") else ""


def test_no_two_pages_of_the_trees_are_taken_for_one() -> None:
    """Pairs with equal keys are those within one key; all other pairs have different ones."""
    urls = _every_url()
    by_key: dict[str, list[str]] = defaultdict(list)
    for url in urls:
        by_key[canonical(url)].append(url)
    assert len(urls) > 2_500
    false_hits = [same for same in by_key.values() if len({page_of(url) for url in same}) > 1]
    assert false_hits == []
    by_page: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for url in urls:
        by_page[page_of(url)].add(canonical(url))
    assert [keys for keys in by_page.values() if len(keys) > 1] == [], "nor is one page taken for two"


def published_pages(year: int, below: str = "") -> list[dict[str, Any]]:
    """What the old generator published, newest first. `pageN` are left from before `page/N`."""
    folder = CORPUS / f"powerapps-{year}" / "api" / "news" / below / "page"
    pages = sorted(
        (json.loads(file.read_text(encoding="utf-8-sig")) for file in folder.glob("*/index.json")),
        key=lambda page: int(page["page"]),
    )
    return [article for page in pages for article in page["value"]]


@pytest.mark.parametrize(("year", "published"), [(2021, 132), (2024, 428)])
def test_the_news_are_what_their_generator_published(trees: TestClient, year: int, published: int) -> None:
    theirs = published_pages(year)
    query = f"/articles?source={year}&category=news&limit=200"
    ours = {item["path"]: item for page in walk(trees, query) for item in page["items"]}
    assert len(theirs) == len(ours) == published
    for article in theirs:
        item = ours.pop(article["path"])
        assert moment(item["publishedDateTime"]) == moment(article["publishedDateTime"])
        assert item["title"] == article["title"].strip()
        assert item["excerpt"] == (article["excerpt"] or "").strip().replace("\r\n", "\n") or None
        assert item["topics"] == article["topics"]
        assert item["provider"]["domain"] == article["provider"]["domain"]
        for key in ("type", "heat", "originalUrl", "ampWebUrl", "cdnAmpWebUrl"):
            assert item[key] == article[key], (article["path"], key)
        # The old generator left videos without a webUrl; it now falls back to originalUrl.
        assert item["webUrl"] == article["webUrl"] or article["originalUrl"], article["path"]
    listed = [moment(article["publishedDateTime"]) for article in theirs]
    assert listed == sorted(listed, reverse=True), "theirs is the order of our list"


@pytest.mark.parametrize(
    ("year", "counts"),
    [
        (2021, {"ai-builder": 4, "canvas-apps": 5, "common-data-service": 1, "teams-integration": 13}),
        (2024, {"ai-builder": 5, "canvas-apps": 18, "common-data-service": 1, "teams-integration": 24}),
    ],
)
def test_facets_topics_and_timeline_count_what_their_generator_published(
    trees: TestClient, year: int, counts: dict[str, int]
) -> None:
    query = f"source={year}&category=news"
    facets = answer(trees, f"/facets?field=topic&{query}")["facets"]["topic"]["values"]
    ours = {value["value"]: value["count"] for value in facets}
    names = {topic["id"]: topic["name"] for topic in answer(trees, "/topics?limit=200")["items"]}
    for topic, count in counts.items():
        theirs = {article["path"] for article in published_pages(year, topic)}
        found = answer(trees, f"/articles?{query}&topic={names[topic]}&limit=200")["items"]
        assert {item["path"] for item in found} == theirs
        assert ours[topic] == len(theirs) == count
    # They have pages of no other topic, but for Power Apps, which all are about. Those of model-driven apps
    # and all `pageN` are left from the generator before.
    everything = published_pages(year)
    assert ours == Counter(
        next(topic for topic, name in names.items() if name == named)
        for article in everything
        for named in article["topics"]
    )
    for interval, length in (("day", 10), ("month", 7), ("year", 4)):
        buckets = answer(trees, f"/timeline?interval={interval}&{query}&publishedFrom=2022-01-01")["buckets"]
        days = (moment(article["publishedDateTime"]).isoformat()[:length] for article in everything)
        published = Counter(day for day in days if day >= "2022")
        assert {each["start"][:length]: each["count"] for each in buckets if each["count"]} == published


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
