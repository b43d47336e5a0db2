"""Stories, versions and collections: what the service says of random trees, beside plain Python."""

import json
import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.catalog import crowded_urls, story_groups, story_lists
from app.importer.serialise import public_id
from app.urls import canonical
from tests.oracles.index import repeats_by_rows, stored_repeats
from tests.oracles.stories import DAY, Article, Link, stories
from tests.support.random_examples import EXAMPLES
from tests.support.services import EDITOR, answer, service_of, walk
from tests.support.statements import recording
from tests.support.worlds import World

pytestmark = pytest.mark.usefixtures("small_ranges")

# The middle of all dates; most are within a few days of it, some weeks away.
NOON = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())
PAGES = [f"https://{site}.example/{number}" for site in ("one", "two", "three") for number in range(5)]
AUDIENCES = ("true", "any")
WORDS = ("amber", "basalt", "copper", "dolomite", "emerald", "flint", "garnet", "hematite", "iron", "jade")

# Amber and Copper are one topic while a description says so.
COLOURS = {"amber": "Amber", "copper": "Copper", "jade": "Green", "emerald": "Green"}
FILTERS = ("", "&minQuality=2", "&topic=amber", "&topic=-amber", "&source=news")
DESCRIPTION = "taxonomy: topic\nname: Amber\nshortname: Copper"


def random_article(choose: random.Random, path: str) -> Article:
    urls = choose.sample(PAGES, choose.choice((0, 1, 1, 1, 2)))
    related = tuple(
        Link(tuple(choose.sample(PAGES, choose.choice((1, 1, 1, 2)))), random_time(choose))
        for _ in range(choose.choice((0, 0, 1, 1, 2, 3)))
    )
    return Article(
        path,
        public_id("news", path),
        random_time(choose),
        choose.choice((None, 1, 2, 3)),
        choose.random() < 0.7,
        tuple(urls),
        related,
    )


def random_time(choose: random.Random) -> int | None:
    days = choose.choice((None, choose.randint(-4, 4), choose.randint(-4, 4), choose.randint(-40, 40)))
    return None if days is None else NOON + days * DAY


def front_matter(article: Article) -> str:
    """As JSON, which is YAML too."""
    words = random.Random(repr(article)).sample(WORDS, 4)  # noqa: S311  examples
    keys: dict[str, Any] = {"title": f"Title of {article.path}", "published": article.published}
    keys["excerpt"] = " ".join(words)
    keys["topics"] = [COLOURS[word] for word in words if word in COLOURS]
    if article.quality is not None:
        keys["quality"] = article.quality
    keys |= said_of_page(article.urls, article.time)
    keys["related"] = [
        {"title": f"Link {number}", **said_of_page(link.urls, link.time)}
        for number, link in enumerate(article.related)
    ]
    return json.dumps(keys)


def said_of_page(urls: tuple[str, ...], time: int | None) -> dict[str, Any]:
    said: dict[str, Any] = dict(zip(("webUrl", "ampWebUrl"), urls, strict=False))
    if time is not None:
        said["publishedDateTime"] = datetime.fromtimestamp(time, UTC).isoformat()
    return said


def choose_limits(choose: random.Random, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """How many members a story has, how many articles may be at a URL, how many links of an article count.

    Some twenty articles of three links never reach any of them.
    """
    most, most_at_url = choose.choice((60, 60, 4)), choose.choice((200, 3, 6))
    most_links = choose.choice((1_000, 1_000, 1, 2))
    monkeypatch.setattr(story_groups, "MAX_LINKS", most_links)
    monkeypatch.setattr(story_groups, "MAX_MEMBERS", most)
    monkeypatch.setattr(crowded_urls, "MAX_ARTICLES_AT_URL", most_at_url)
    # Stories of a query are looked for in one way or the other, or in one way after the other.
    monkeypatch.setattr(story_lists, "MIN_LARGE_SET", choose.choice((0, 5, 5_000)))
    monkeypatch.setattr(story_lists, "MAX_STORIES_LOOKED_AT", choose.choice((1, 8, 2_000)))
    return most, most_at_url, most_links


def write(world: World, article: Article) -> None:
    world.write(article.path, front_matter(article))


def listed(client: TestClient, published: str, query: str = "") -> list[Any]:
    headers = EDITOR if published == "any" else {}
    pages = walk(client, f"/articles?limit=7&published={published}{query}", headers)
    return [item for page in pages for item in page["items"]]


def story_sizes(items: list[Any]) -> dict[str, tuple[list[str], int]]:
    found: dict[str, tuple[list[str], int]] = {}
    for item in items:
        if item["story"]:
            ids, size = found.setdefault(item["story"]["id"], ([], item["story"]["size"]))
            assert size == item["story"]["size"]
            ids.append(item["id"])
    return {id_: (sorted(ids), size) for id_, (ids, size) in found.items()}


@pytest.mark.parametrize("seed", range(max(3, EXAMPLES // 30)))
def test_stories_are_those_of_plain_python(world: World, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = random.Random(seed)  # noqa: S311  examples
    limits = choose_limits(choose, monkeypatch)
    tree: dict[str, Article] = {}
    with service_of(world) as client:
        for _ in range(6):
            changed = [f"{number:02}.md" for number in choose.sample(range(20), choose.choice((1, 2, 12)))]
            for path in changed:
                if path in tree and choose.random() < 0.4:
                    del tree[path]
                    world.delete(path)
                else:
                    tree[path] = random_article(choose, path)
                    write(world, tree[path])
            world.write("amber.md", choose.choice((DESCRIPTION, "taxonomy: topic\nname: Amber")))
            world.import_(prune=True, force=True)
            with world.engine.connect() as connection:
                assert stored_repeats(connection) == repeats_by_rows(connection)
            for published in AUDIENCES:
                seen = [article for article in tree.values() if article.published or published == "any"]
                expected = stories(seen, *limits)
                items = listed(client, published)
                assert story_sizes(items) == {
                    id_: (story["articles"], story["size"]) for id_, story in expected.items()
                }
                check_stories(client, published, expected, items)
                check_clauses(client, published, expected, seen)
                check_collapsing(client, published, seen, expected, choose)


@pytest.mark.parametrize("seed", range(max(1, EXAMPLES // 100)))
def test_folded_walks_under_imports_have_each_group_that_stays_once(world: World, seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311  examples
    tree = {path: random_article(choose, path) for path in (f"{number:02}.md" for number in range(20))}
    for article in tree.values():
        write(world, article)
    world.import_(workers=1)
    by = choose.choice(("story", "url"))
    sort = choose.choice(("publishedDateTime", "-publishedDateTime", "-quality", "title"))
    first_page = f"/articles?limit={choose.randint(1, 3)}&published=any&sort={sort}&collapse={by}"
    with service_of(world) as client:
        for way in ("next", "prev"):
            groups: list[dict[str, frozenset[Article]]] = []
            shown: list[str] = []
            address = first_page
            if way == "prev":
                # The last page has no `next`, so its address is that of the page before.
                pages = walk(client, first_page, EDITOR)
                address = pages[-2]["next"] if len(pages) > 1 else first_page
            while address:
                groups.append(groups_of([*tree.values()], by))
                page = answer(client, address, EDITOR)
                shown += [item["id"] for item in page["items"]]
                address = page[way]
                path = choose.choice(sorted(tree))
                tree[path] = random_article(choose, path)
                write(world, tree[path])
                world.import_(workers=1)
            stayed = {group for id_, group in groups[0].items() if all(at.get(id_) == group for at in groups)}
            firsts = Counter(group for id_ in shown if (group := groups[0].get(id_)) in stayed)
            assert firsts == Counter(stayed), (by, sort, way)


def groups_of(articles: list[Article], by: str) -> dict[str, frozenset[Article]]:
    """The articles that a list folds into one, for each of them."""
    if by == "url":
        key_of = {
            article.id: canonical(article.urls[0]) if article.urls else article.id for article in articles
        }
    else:
        key_of = {article.id: article.id for article in articles}
        for lead, story in stories(articles).items():
            key_of |= dict.fromkeys(story["articles"], lead)
    return {
        id_: frozenset(article for article in articles if key_of[article.id] == key)
        for id_, key in key_of.items()
    }


def check_stories(client: TestClient, published: str, expected: Any, items: list[Any]) -> None:
    headers = EDITOR if published == "any" else {}
    pages = walk(client, f"/stories?limit=2&published={published}", headers)
    found = [story for page in pages for story in page["items"]]
    assert {page["total"] for page in pages} == {len(expected)}
    assert sorted(story["id"] for story in found) == sorted(expected)
    dates = [story["lastDateTime"] or "" for story in found]
    assert dates == sorted(dates, reverse=True)
    items = listed(client, published)
    for story in found:
        whole = answer(client, f"/stories/{story['id']}?published={published}", headers)
        articles, links = whole.pop("articles"), whole.pop("links")
        assert whole == story
        assert story["lead"]["id"] == story["id"]
        assert story["lead"]["title"] == story["title"]
        assert sorted(article["id"] for article in articles) == expected[story["id"]]["articles"]
        assert all(article in items for article in articles)
        assert (story["articleCount"], story["linkCount"]) == (len(articles), len(links))
        pages_of_links = [
            {canonical(url) for url in (link["webUrl"], link["ampWebUrl"]) if url} for link in links
        ]
        for page in expected[story["id"]]["links"]:
            assert sum(bool(page & urls) for urls in pages_of_links) == 1
    for query in FILTERS[1:]:
        pages = walk(client, f"/stories?limit=2&published={published}{query}", headers)
        having = {item["story"]["id"] for item in listed(client, published, query) if item["story"]}
        assert [story["id"] for page in pages for story in page["items"]] == [
            story["id"] for story in found if story["id"] in having
        ]
        assert {page["total"] for page in pages} == {len(having)}
        second = answer(client, f"/stories?limit=2&page=2&published={published}{query}", headers)
        assert second["items"] == (pages[1]["items"] if len(pages) > 1 else [])


def check_clauses(client: TestClient, published: str, expected: Any, seen: list[Article]) -> None:
    in_any = sorted(id_ for story in expected.values() for id_ in story["articles"])
    assert sorted(item["id"] for item in listed(client, published, "&story=*")) == in_any
    for story in expected.values():
        items = listed(client, published, f"&story={story['articles'][-1]}")
        assert sorted(item["id"] for item in items) == story["articles"]


def check_collapsing(
    client: TestClient, published: str, seen: list[Article], expected: Any, choose: random.Random
) -> None:
    headers = EDITOR if published == "any" else {}
    story_of = {id_: lead for lead, story in expected.items() for id_ in story["articles"]}
    page_of = {article.id: canonical(article.urls[0]) for article in seen if article.urls}
    for by, groups in (("story", story_of), ("url", page_of)):
        sort = choose.choice(("publishedDateTime", "-publishedDateTime", "-quality", "title"))
        query = choose.choice((*FILTERS, "&q=title&sort=relevance", f"&url={PAGES[0]}"))
        if "relevance" not in query:
            query += f"&sort={sort}"
        whole = [item["id"] for item in listed(client, published, query)]
        firsts: list[str] = []
        for id_ in whole:
            group = groups.get(id_, id_)
            if all(groups.get(other, other) != group for other in firsts):
                firsts.append(id_)
        limit = choose.randint(1, 5)
        first_page = f"/articles?limit={limit}&published={published}{query}&collapse={by}"
        pages = walk(client, first_page, headers)
        assert [item["id"] for page in pages for item in page["items"]] == firsts, (by, query)
        assert {page["total"] for page in pages} == {len(firsts)}
        back = walk(client, pages[-1]["prev"], headers, "prev")
        ids = [item["id"] for page in reversed([pages[-1], *back]) for item in page["items"]]
        assert ids == firsts


def news(day: int, url: str, related: str = "", more: str = "") -> str:
    links = f"\nrelated: [{related}]" if related else ""
    return f"title: Day {day}\npublishedDateTime: 2026-03-{day:02}\nwebUrl: {url}{links}\n{more}"


def upserts(client: TestClient, since: str, published: str = "true") -> tuple[list[str], str]:
    headers = EDITOR if published == "any" else {}
    page = answer(client, since, headers)
    return sorted(change["article"]["title"] for change in page["items"]), page["next"]


def test_whoever_keeps_a_copy_learns_of_another_story(world: World) -> None:
    world.write("1.md", news(1, "https://a.example/"))
    world.write("9.md", news(9, "https://z.example/"))
    world.import_()
    with service_of(world) as client:
        _, next_public = upserts(client, "/changes?since=0")
        _, next_editors = upserts(client, "/changes?since=0&published=any", "any")
    world.write("2.md", news(2, "https://b.example/", "https://a.example/", "published: false"))
    world.import_()
    with service_of(world) as client:
        found, next_public = upserts(client, next_public)
        assert found == []
        found, _ = upserts(client, next_editors, "any")
        assert found == ["Day 1", "Day 2"]
    world.write("3.md", news(3, "https://c.example/", "https://a.example/"))
    world.import_()
    with service_of(world) as client:
        found, _ = upserts(client, next_public)
        assert found == ["Day 1", "Day 3"]


def test_editors_find_the_story_that_an_article_names(world: World) -> None:
    """Its lead is a draft, so for the public it is another story; a parameter asks for that one."""
    world.write("1.md", news(1, "https://a.example/"))
    world.write("2.md", news(2, "https://b.example/", "https://a.example/"))
    world.write("3.md", news(3, "https://c.example/", "https://a.example/", "published: false\nquality: 9"))
    world.import_()
    of_public, draft = public_id("news", "1.md"), public_id("news", "3.md")
    with service_of(world) as client:
        assert answer(client, f"/articles/{of_public}", EDITOR)["story"] == {"id": draft, "size": 3}
        for id_ in (draft, of_public):
            story = answer(client, f"/stories/{id_}", EDITOR)
            assert (story["id"], story["size"]) == (draft, 3)
        assert answer(client, f"/stories/{of_public}?published=true", EDITOR)["size"] == 2
        assert answer(client, f"/stories/{of_public}")["size"] == 2
        assert client.get(f"/stories/{draft}").status_code == 404
        headers = {**EDITOR, "Accept": "text/html"}
        assert "Day 3" in client.get(f"/view/stories/{of_public}", headers=headers).text
        assert "Day 3" not in client.get(f"/view/stories/{of_public}?published=true", headers=headers).text


def test_what_lasts_longer_than_three_weeks_is_no_story(world: World) -> None:
    """Each day's article mentions that of the day before."""
    for day in range(1, 29):
        world.write(
            f"{day:02}.md",
            news(day, f"https://a.example/{day}", f"https://a.example/{day - 1}", f"quality: {day}"),
        )
    world.import_()
    with service_of(world) as client:
        found = answer(client, "/stories")["items"]
        # Pairs of neighbours are all equally close, so the earliest are joined first.
        assert [(story["title"], story["articleCount"]) for story in found] == [("Day 28", 6), ("Day 22", 22)]


def test_a_story_has_sixty_members_at_most(world: World) -> None:
    """Each hour's article mentions that of the hour before."""
    for number in range(61):
        moment = f"2026-03-0{1 + number // 24}T{number % 24:02}:30:00Z"
        before = f"related: [https://a.example/{number - 1}]" if number else ""
        world.write(
            f"{number:02}.md",
            f"title: Number {number}\npublishedDateTime: {moment}\nwebUrl: https://a.example/{number}\n{before}",
        )
    world.import_(workers=1)
    with service_of(world) as client:
        [story] = answer(client, "/stories")["items"]
        assert (story["size"], story["lastDateTime"]) == (60, "2026-03-03T11:30:00Z")
        assert answer(client, "/articles?story=-*&fields=title")["items"] == [{"title": "Number 60"}]


def test_an_event_ends_for_links_too(world: World) -> None:
    """The articles lie 21 days apart, so what came a day later is no part of it."""
    later = "{webUrl: 'https://l.example/later', publishedDateTime: 2026-03-23}"
    world.write("01.md", news(1, "https://a.example/1", "https://l.example/undated"))
    world.write("08.md", news(8, "https://a.example/8", "https://a.example/1"))
    world.write("15.md", news(15, "https://a.example/15", "https://a.example/8"))
    world.write("22.md", news(22, "https://a.example/22", f"https://a.example/15, {later}"))
    world.import_()
    with service_of(world) as client:
        [story] = answer(client, "/stories")["items"]
        assert (story["articleCount"], story["linkCount"]) == (4, 1)
        assert story["firstDateTime"] == "2026-03-01T00:00:00Z"
        assert story["lastDateTime"] == "2026-03-22T00:00:00Z"


def test_an_article_with_many_links_has_a_story_of_the_nearest(world: World) -> None:
    links = [
        {"title": str(number), **said_of_page((f"https://l.example/{number}",), NOON + number * 3_600)}
        for number in range(75)
    ]
    keys = {"title": "Round-up", **said_of_page(("https://a.example/",), NOON), "related": links[::-1]}
    world.write("round-up.md", json.dumps(keys))
    world.import_()
    with service_of(world) as client:
        [story] = answer(client, "/stories")["items"]
        assert (story["size"], story["linkCount"]) == (60, 59)
        whole = answer(client, f"/stories/{story['id']}")
        assert [link["title"] for link in whole["links"]] == [str(number) for number in range(59)]


def test_what_too_many_mention_is_no_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft is one article too many for editors, and the public learns nothing of it."""
    monkeypatch.setattr(crowded_urls, "MAX_ARTICLES_AT_URL", 3)
    for day in (1, 2, 3):
        world.write(f"{day}.md", news(day, f"https://{day}.example/", "https://home.example/"))
    world.write("draft.md", news(4, "https://4.example/", "https://home.example/", "published: false"))
    world.import_()

    def sizes() -> list[list[int]]:
        """Sizes for the public and for editors, as `/stories/{id}` has them: it counts links by itself."""
        found = []
        with service_of(world) as client:
            for published, headers in (("true", {}), ("any", EDITOR)):
                listed = answer(client, f"/stories?published={published}", headers)["items"]
                stories = [
                    answer(client, f"/stories/{story['id']}?published={published}", headers)
                    for story in listed
                ]
                found.append([len(story["articles"]) + len(story["links"]) for story in stories])
        return found

    assert sizes() == [[4], []]
    world.write("draft.md", news(4, "https://4.example/", "https://home.example/"))
    world.import_()
    assert sizes() == [[], []]
    world.write("home.md", news(9, "https://home.example/"))
    for path in ("1.md", "draft.md"):
        world.delete(path)
    world.import_(prune=True, force=True)
    assert sizes() == [[3], [3]]


def test_many_crowded_urls_take_no_more_questions_than_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowded_urls, "MAX_ARTICLES_AT_URL", 2)
    for count in (1, 30):
        links = ", ".join([f"https://crowd{count}.example/{number}" for number in range(count)])
        for day in (1, 2, 3):
            world.write(f"{count}/{day}.md", news(day, f"https://{count}.example/{day}", links))
    world.import_()
    questions = []
    with recording() as statements, service_of(world) as client:
        for count in (1, 30):
            statements.clear()
            answer(client, f"/articles/{public_id('news', f'{count}/1.md')}/similar")
            questions.append(len(statements))
    # The first answer of a process asks for the state, too.
    assert questions[1] <= questions[0]


def test_an_article_with_many_links_is_compared_with_those_of_the_first(world: World) -> None:
    urls = [f"https://page.example/{number}" for number in range(201)]
    world.write("digest.md", news(1, "https://digest.example/", ", ".join(urls)))
    world.write("first.md", f"title: Alpha\nwebUrl: {urls[7]}")
    world.write("last.md", f"title: Omega\nwebUrl: {urls[-1]}")
    world.import_()
    with service_of(world) as client:
        similar = answer(client, f"/articles/{public_id('news', 'digest.md')}/similar")
    assert [(found["article"]["title"], found["isLinked"]) for found in similar["items"]] == [("Alpha", True)]


def test_a_single_word_in_common_is_chance_unless_both_titles_have_it(world: World) -> None:
    world.write("1.md", "title: Attention is what you need\nexcerpt: Transformers")
    world.write("2.md", "title: A course of cookery\nexcerpt: Where you bake")
    world.write("3.md", "title: Attention and sleep\nexcerpt: Doctors tell their patients more about naps")
    for number in range(10, 17):
        world.write(f"{number}.md", f"title: Item {number}\nexcerpt: Something")
    world.import_()
    with service_of(world) as client:
        similar = answer(client, f"/articles/{public_id('news', '1.md')}/similar")["items"]
    assert [(found["article"]["title"], found["words"]) for found in similar] == [
        ("Attention and sleep", ["attention"])
    ]


def test_a_first_import_counts_links_for_the_planner_of_postgresql(world: World) -> None:
    world.write("1.md", news(1, "https://a.example/", "https://b.example/, https://c.example/"))
    world.import_()
    if world.engine.dialect.name == "postgresql":
        assert world.query("SELECT reltuples FROM pg_class WHERE relname = 'link_urls'") == [(2,)]


def test_lists_feeds_and_files_fold_and_counts_refuse(world: World) -> None:
    world.write("1.md", news(1, "https://a.example/"))
    world.write("2.md", news(2, "https://b.example/", "https://a.example/"))
    world.write("3.md", news(3, "https://c.example/"))
    world.import_()
    with service_of(world) as client:
        assert answer(client, "/articles?collapse=story")["total"] == 2
        lines = client.get("/exports/articles.ndjson?collapse=story&sort=title").text.splitlines()
        assert [json.loads(line)["title"] for line in lines] == ["Day 1", "Day 3"]
        feed = answer(client, "/feeds/articles.json?collapse=story")
        assert [item["title"] for item in feed["items"]] == ["Day 3", "Day 2"]
        for path in (
            "/facets?collapse=story",
            "/timeline?interval=day&collapse=story",
            "/stories?collapse=url",
        ):
            problem = client.get(path)
            assert problem.status_code == 422
            assert problem.json()["errors"][0]["parameter"] == "collapse"
        assert client.get("/stories?sort=title").status_code == 422
        assert client.get("/stories/nobody").status_code == 404
