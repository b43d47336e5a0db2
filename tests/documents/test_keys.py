"""What curators write, and what the API serves of it: every key, from the document to the answer."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.documents.article import ARTICLE_KEYS, IMAGE_KEYS, KEYS, KEYS_OF_RELATED, PROVIDER_KEYS
from app.documents.taxonomy import ORGANIZATION_KEYS, TOPIC_KEYS
from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import IMPORTED_AT, World

README = Path(__file__).parents[2] / "README.md"

# All documents are imported with it.
BASE_URL = "https://site.example/blog/"


def provider(**said: Any) -> dict[str, Any]:
    return {"name": None, "domain": None, "images": []} | said


def image(url: str) -> dict[str, Any]:
    return {"url": url, **dict.fromkeys(("width", "height", "title", "attribution", "isCached"), None)}


NOTHING: dict[str, Any] = {
    **dict.fromkeys(("excerpt", "type", "category", "locale", "quality", "heat"), None),
    **dict.fromkeys(("publishedDateTime", "updatedDateTime"), None),
    **dict.fromkeys(("webUrl", "originalUrl", "ampWebUrl", "cdnAmpWebUrl"), None),
    "addedDateTime": f"{IMPORTED_AT:%Y-%m-%dT%H:%M:%SZ}",
    "published": True,
    "provider": provider(),
    "authors": [],
    "topics": [],
    "topicIds": [],
    "tags": [],
    "images": [],
    "relatedCount": 0,
    "related": [],
    "content": "",
    "contentHtml": "",
    "details": {},
}

# A document says this beside `title: A title`, and then this is served other than NOTHING.
ARTICLES: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("title: '  Another\n\n  title '", {"title": "Another title"}),
    ("title: 1.10", {"title": "1.10"}),
    ("excerpt: In two words.", {"excerpt": "In two words."}),
    ("excerpt: ' '", {}),
    ("abstract: As it was called.", {"excerpt": "As it was called."}),
    ("description: D", {"excerpt": "D"}),
    ("summary: S\ndescription: D", {"excerpt": "D"}),
    ("lang: de", {"locale": "de"}),
    ("language: de", {"locale": "de"}),
    ("abstract: As it was called.\nexcerpt: As it is.", {"excerpt": "As it is."}),
    ("type: Video", {"type": "Video"}),
    ("category: news", {"category": "news"}),
    ("locale: no", {"locale": "no"}),
    ("quality: 80", {"quality": 80}),
    ("quality: '+007'", {"quality": 7}),
    ("heat: -1", {"heat": -1}),
    # Moments
    ("publishedDateTime: 2020-06-11", {"publishedDateTime": "2020-06-11T00:00:00Z"}),
    ("publishedDateTime: 2020-06-11 02:07:09.5+02:00", {"publishedDateTime": "2020-06-11T00:07:09Z"}),
    ("addedDateTime: 2020-06-12", {"addedDateTime": "2020-06-12T00:00:00Z"}),
    ("updatedDateTime: 2020-06-11T00:07", {"updatedDateTime": "2020-06-11T00:07:00Z"}),
    ("publishedDateTime: 2024-03-01 10:00:00 +0200", {"publishedDateTime": "2024-03-01T08:00:00Z"}),
    ("publishedDateTime: 2024-03-01t10:00:00z", {"publishedDateTime": "2024-03-01T10:00:00Z"}),
    ("publishedDateTime: 2024-03-01T10:00-0130", {"publishedDateTime": "2024-03-01T11:30:00Z"}),
    *(
        (f"{name}: 2020-06-11", {"publishedDateTime": "2020-06-11T00:00:00Z"})
        for name in ("date", "pubDate", "pubDatetime", "publishDate")
    ),
    *(
        (f"{name}: 2020-06-11", {"updatedDateTime": "2020-06-11T00:00:00Z"})
        for name in ("lastmod", "updated", "updatedDate", "modDatetime", "last_modified_at")
    ),
    *(
        (f"{name}: 2020-06-11", {"addedDateTime": "2020-06-11T00:00:00Z"})
        for name in ("created", "added", "dateAdded", "date_added", "savedAt")
    ),
    ("pubDate: 2020-06-11\ndate: 2020-06-12", {"publishedDateTime": "2020-06-12T00:00:00Z"}),
    # URLs: a provider that is not named is the host of the first of them
    (
        "webUrl: https://www.Example.org/A?utm_source=b",
        {
            "webUrl": "https://www.Example.org/A?utm_source=b",
            "provider": provider(domain="example.org"),
        },
    ),
    (
        "webUrl: ../about",
        {
            "webUrl": "https://site.example/about",
            "provider": provider(domain="site.example"),
        },
    ),
    (
        "originalUrl: https://a.example/",
        {
            "webUrl": "https://a.example/",
            "originalUrl": "https://a.example/",
            "provider": provider(domain="a.example"),
        },
    ),
    *(
        (
            f"{name}: https://a.example/",
            {"webUrl": "https://a.example/", "provider": provider(domain="a.example")},
        )
        for name in (
            *("sourceUrl", "source", "link", "bookmark-of", "bookmarkOf", "externalUrl", "external-url"),
            *("external_url", "canonical", "url"),
        )
    ),
    (
        "source: The Guardian\nurl: /2024/a-page/\nlink: https://a.example/",
        {"webUrl": "https://a.example/", "provider": provider(domain="a.example")},
    ),
    ("ampWebUrl: https://a.example/amp", {"ampWebUrl": "https://a.example/amp"}),
    ("ampUrl: https://a.example/amp", {"ampWebUrl": "https://a.example/amp"}),
    ("cdnAmpWebUrl: https://a.example/cdn", {"cdnAmpWebUrl": "https://a.example/cdn"}),
    ("cdnAmpUrl: https://a.example/cdn", {"cdnAmpWebUrl": "https://a.example/cdn"}),
    # Providers
    ("provider: {name: ' Example  Post '}", {"provider": provider(name="Example  Post")}),
    ("provider: NASA", {"provider": provider(name="NASA")}),
    ("provider: {domain: WWW.Example.org}", {"provider": provider(domain="example.org")}),
    (
        "provider: {images: [logo.png]}",
        {"provider": provider(images=[image("https://site.example/blog/logo.png")])},
    ),
    ("provider: {authors: [{name: Ada}]}", {"details": {"provider.authors": [{"name": "Ada"}]}}),
    # Topics and tags
    ("topics: [AI, ai, C++]", {"topics": ["AI", "C++"]}),
    ("topics: AI", {"topics": ["AI"]}),
    ("tags: [one, 'two, three', 365]", {"tags": ["one", "two, three", "365"]}),
    ("tags: 'one, two three,, One '", {"tags": ["one", "two three"]}),
    ("topics: AI, Space", {"topics": ["AI", "Space"]}),
    ("categories: [AI, Space]", {"topics": ["AI", "Space"]}),
    ("categories: AI\ntopics: [Space]", {"topics": ["Space"]}),
    ("taxonomies: {tags: [one], categories: [AI]}", {"tags": ["one"], "topics": ["AI"]}),
    ("params: {author: Ada, toc: true}", {"authors": ["Ada"]}),
    ("params: {author: Ada}\nauthor: Alan", {"authors": ["Alan"]}),
    # Images
    (
        "images: [//cdn.example/a.png]",
        {"images": [image("https://cdn.example/a.png")]},
    ),
    (
        "images: [{url: /a.png, width: 3, height: '4', title: T, attribution: By B, isCached: yes}]",
        {
            "images": [
                {
                    "url": "https://site.example/a.png",
                    "width": 3,
                    "height": 4,
                    "title": "T",
                    "attribution": "By B",
                    "isCached": True,
                }
            ]
        },
    ),
    *(
        (f"{name}: /a.png", {"images": [image("https://site.example/a.png")]})
        for name in ("image", "cover", "banner", "thumbnail", "heroImage", "ogImage", "photo")
    ),
    (
        "cover: {image: /a.png, alt: A dog, caption: kept}",
        {"images": [image("https://site.example/a.png") | {"title": "A dog"}]},
    ),
    ("image: {src: /a.png}", {"images": [image("https://site.example/a.png")]}),
    (
        "cover: false\nphoto: [/a.png, /b.png]",
        {"images": [image("https://site.example/a.png"), image("https://site.example/b.png")]},
    ),
    # Whether it is there at all
    ("published: true", {}),
    ("published: no", {"published": False}),
    ("published:", {}),
    ("published: 2024-11-05", {"publishedDateTime": "2024-11-05T00:00:00Z"}),
    ("published: 2024-11-05\npubDate: 2024-11-06", {"publishedDateTime": "2024-11-05T00:00:00Z"}),
    (
        "published: 2024-11-05\npublishedDateTime: 2024-11-04",
        {"publishedDateTime": "2024-11-04T00:00:00Z"},
    ),
    ("published: 2024-11-05\ndraft: true", {"publishedDateTime": "2024-11-05T00:00:00Z", "published": False}),
    ("draft: true", {"published": False}),
    ("draft: false", {}),
    ("draft: yes\npublished: yes", {"published": False}),
    ("taxonomy:", {}),
    ("removed: no", {}),
    # Keys that are kept for exports and never served
    ("secured: a secret", {}),
    ("layout: post\nfoo: [bar]", {}),
    # Details, of any shape
    ("length: 12", {"details": {"length": 12}}),
    ("price: 1.50", {"details": {"price": 1.5}}),
    ("levels: [one, {deep: yes}]", {"details": {"levels": ["one", {"deep": "yes"}]}}),
    ("level: Beginner", {"details": {"levels": "Beginner"}}),
    ("ratings: {stars: 4}", {"details": {"ratings": {"stars": 4}}}),
    ("actions: [go]", {"details": {"actions": ["go"]}}),
    ("items: [a.md]", {"details": {"items": ["a.md"]}}),
    ("members: [Ada]", {"details": {"members": ["Ada"]}}),
    ("featuredContent: true", {"details": {"featuredContent": True}}),
    ("startDateTime: 2020-06-11", {"details": {"startDateTime": "2020-06-11"}}),
    ("endDateTime: 2020-06-12", {"details": {"endDateTime": "2020-06-12"}}),
    ("website: https://a.example/", {"details": {"website": "https://a.example/"}}),
    # Authors
    (
        "authors: [Ada Lovelace, {name: Alan Turing}, ada lovelace]",
        {"authors": ["Ada Lovelace", "Alan Turing"]},
    ),
    ("authors: [{name: Ada, url: https://ada.example/}, {email: a@b.example}]", {"authors": ["Ada"]}),
    ("authors: Ada, Countess of Lovelace", {"authors": ["Ada, Countess of Lovelace"]}),
    ("author: {name: Ada}", {"authors": ["Ada"]}),
    ("author: '[[Ada Lovelace]]'", {"authors": ["Ada Lovelace"]}),
    ("author: ''", {}),
    ("price: ~\nmembers: []", {}),
]

NO_LINK: dict[str, Any] = {
    "position": 0,
    **dict.fromkeys(("title", "excerpt", "type", "quality", "heat", "articleId"), None),
    **dict.fromkeys(("publishedDateTime", "updatedDateTime"), None),
    **dict.fromkeys(("webUrl", "originalUrl", "ampWebUrl", "cdnAmpWebUrl"), None),
    "provider": provider(),
    "images": [],
}
# The first related link says this, and then this is served other than NO_LINK.
RELATED: list[tuple[str, dict[str, Any]]] = [
    ("title: A link", {"title": "A link"}),
    (
        "webUrl: https://b.example/",
        {"webUrl": "https://b.example/", "provider": provider(domain="b.example")},
    ),
    (
        "url: https://b.example/",
        {"webUrl": "https://b.example/", "provider": provider(domain="b.example")},
    ),
    (
        "sourceUrl: https://b.example/",
        {"webUrl": "https://b.example/", "provider": provider(domain="b.example")},
    ),
    (
        "originalUrl: https://b.example/",
        {
            "webUrl": "https://b.example/",
            "originalUrl": "https://b.example/",
            "provider": provider(domain="b.example"),
        },
    ),
    (
        "source: 'https://b.example/'",
        {"webUrl": "https://b.example/", "provider": provider(domain="b.example")},
    ),
    (
        "title: L, description: E, date: 2020-06-11",
        {"title": "L", "excerpt": "E", "publishedDateTime": "2020-06-11T00:00:00Z"},
    ),
    ("title: L, provider: P", {"title": "L", "provider": provider(name="P")}),
    ("title: L, ampWebUrl: /amp", {"title": "L", "ampWebUrl": "https://site.example/amp"}),
    ("title: L, ampUrl: /amp", {"title": "L", "ampWebUrl": "https://site.example/amp"}),
    ("title: L, cdnAmpWebUrl: /cdn", {"title": "L", "cdnAmpWebUrl": "https://site.example/cdn"}),
    ("title: L, cdnAmpUrl: /cdn", {"title": "L", "cdnAmpWebUrl": "https://site.example/cdn"}),
    ("title: L, excerpt: E", {"title": "L", "excerpt": "E"}),
    ("title: L, abstract: E", {"title": "L", "excerpt": "E"}),
    ("title: L, type: video", {"title": "L", "type": "video"}),
    ("title: L, quality: 1, heat: 2", {"title": "L", "quality": 1, "heat": 2}),
    (
        "title: L, publishedDateTime: 2020-06-11, updatedDateTime: 2020-06-12",
        {
            "title": "L",
            "publishedDateTime": "2020-06-11T00:00:00Z",
            "updatedDateTime": "2020-06-12T00:00:00Z",
        },
    ),
    ("title: L, provider: {name: P}", {"title": "L", "provider": provider(name="P")}),
    (
        "title: L, images: [/a.png]",
        {"title": "L", "images": [image("https://site.example/a.png")]},
    ),
    ("title: L, level: Beginner, topics: [AI]", {"title": "L"}),
]

NO_TOPIC: dict[str, Any] = {
    "shortname": None,
    "parent": None,
    "children": [],
    "keywords": [],
    "hashtags": [],
    "images": [],
    "articleCount": 0,
}
# A document with `taxonomy: topic` says this, and is then this topic.
TOPICS: list[tuple[str, str, dict[str, Any]]] = [
    ("_id: t1", "t1", {"name": "t1"}),
    ("name: Topic Two", "topic-two", {"name": "Topic Two"}),
    ("_id: t3\nname: Topic Three\nshortname: TT", "t3", {"name": "Topic Three", "shortname": "TT"}),
    ("_id: t4\nparent: topic TWO", "t4", {"name": "t4", "parent": {"id": "topic-two", "name": "Topic Two"}}),
    ("_id: t5\nkeywords: [one, two]", "t5", {"name": "t5", "keywords": ["one", "two"]}),
    ("_id: t6\nhashtags: '#six'", "t6", {"name": "t6", "hashtags": ["#six"]}),
    (
        "_id: t7\nimages: [/a.png]",
        "t7",
        {"name": "t7", "images": [image("https://site.example/a.png")]},
    ),
]

NO_ORGANIZATION: dict[str, Any] = {
    "name": None,
    "domain": None,
    "description": None,
    "images": [],
    "articleCount": 0,
}
# A document with `taxonomy: organization` says this, and is then this provider.
ORGANIZATIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("domain: WWW.One.example", "one.example", {"domain": "one.example"}),
    ("name: Two", "two", {"name": "Two"}),
    ("_id: 3\nname: Three\ndomain: three.example", "three", {"name": "Three", "domain": "three.example"}),
    ("domain: four.example\notherNames: [Four]", "four", {"domain": "four.example", "name": "Four"}),
    (
        "domain: five.example\ndescription: About five.",
        "five.example",
        {"domain": "five.example", "description": "About five."},
    ),
    (
        "domain: six.example\nimages: [/a.png]",
        "six.example",
        {"domain": "six.example", "images": [image("https://site.example/a.png")]},
    ),
]


@pytest.fixture(scope="module")
def client(shared_world: World) -> Iterator[TestClient]:
    for number, (document, _) in enumerate(ARTICLES):
        title = "" if document.startswith("title:") else "title: A title\n"
        shared_world.write(f"articles/{number:02}.md", f"{title}{document}")
    for number, (link, _) in enumerate(RELATED):
        shared_world.write(f"related/{number:02}.md", f"title: A title\nrelated: [{{{link}}}]")
    for kind, documents in (("topic", TOPICS), ("organization", ORGANIZATIONS)):
        for number, (document, _, _) in enumerate(documents):
            shared_world.write(f"{kind}/{number:02}.md", f"taxonomy: {kind}\n{document}")
    shared_world.write("body.md", "title: A title", "\n *A body* \r\nof two lines\n\n")
    shared_world.write("removed.md", "title: A title\nremoved: yes")
    assert shared_world.import_(base_url=BASE_URL).problems == []
    with service_of(shared_world) as client:
        yield client


@pytest.fixture(scope="module")
def articles(client: TestClient) -> dict[str, dict[str, Any]]:
    """By path: whole articles, as editors have them."""
    items = answer(client, "/articles?published=any&limit=200", EDITOR)["items"]
    return {item["path"]: answer(client, f"/articles/{item['id']}", EDITOR) for item in items}


def served(article: dict[str, Any]) -> dict[str, Any]:
    """Without what every article has of its own."""
    return {key: value for key, value in article.items() if key not in ("id", "source", "path")}


OF_OTHERS = ("story", "versions", "collections", "items")


def test_what_an_article_says_is_served(articles: dict[str, dict[str, Any]]) -> None:
    for number, (document, said) in enumerate(ARTICLES):
        found = served(articles[f"articles/{number:02}.md"])
        topic_ids = [name.lower() for name in said.get("topics", ())]
        # Other documents may share a URL or be listed, and say so of each other.
        found = {key: value for key, value in found.items() if key not in OF_OTHERS}
        assert found == {"title": "A title", **NOTHING, "topicIds": topic_ids, **said}, document


def test_what_a_related_link_says_is_served(articles: dict[str, dict[str, Any]]) -> None:
    for number, (link, said) in enumerate(RELATED):
        article = articles[f"related/{number:02}.md"]
        assert (article["related"], article["relatedCount"]) == ([{**NO_LINK, **said}], 1), link


def test_the_readme_names_every_other_name() -> None:
    rows = [
        f"| `{name}` | {' '.join(f'`{other_name}`' for other_name in key.other_names)} |"
        for name, key in KEYS.items()
        if key.other_names
    ]
    assert "\n".join(["| key | other names |", "|---|---|", *rows, ""]) in README.read_text(encoding="utf-8")


def test_a_body_is_served_without_its_outer_space(articles: dict[str, dict[str, Any]]) -> None:
    assert articles["body.md"]["content"] == "*A body* \nof two lines"


def test_what_is_removed_is_not_there(articles: dict[str, dict[str, Any]]) -> None:
    assert "removed.md" not in articles


def test_what_a_topic_says_is_served(client: TestClient) -> None:
    for document, topic_id, said in TOPICS:
        found = answer(client, f"/topics/{topic_id}")
        del found["names"]
        if topic_id != "topic-two":
            assert found == {"id": topic_id, **NO_TOPIC, **said}, document


def test_what_an_organization_says_is_served(client: TestClient) -> None:
    for document, name, said in ORGANIZATIONS:
        found = answer(client, f"/providers/{name}")
        del found["names"]
        assert found == {**NO_ORGANIZATION, **said}, document


@pytest.mark.parametrize(
    ("keys", "documents"),
    [
        (ARTICLE_KEYS - {"related"}, [document for document, _ in ARTICLES] + ["removed: yes"]),
        (PROVIDER_KEYS | IMAGE_KEYS, [document for document, _ in ARTICLES]),
        # Their other names are those of an article's keys.
        ({*KEYS_OF_RELATED, "url"}, [link for link, _ in RELATED]),
        (TOPIC_KEYS - {"taxonomy"}, [document for document, _, _ in TOPICS]),
        (ORGANIZATION_KEYS - {"taxonomy"}, [document for document, _, _ in ORGANIZATIONS]),
    ],
    ids=["articles", "providers and images", "related links", "topics", "organizations"],
)
def test_no_key_is_forgotten_here(keys: frozenset[str], documents: list[str]) -> None:
    told = set(re.findall(r"[\w-]+(?=:)", "\n".join(documents)))
    assert keys - told == set()
