"""Front matter as other tools' documentation shows it, and the article that comes of it: a row a tool."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient

from app.documents.article import ArticleDocument
from app.documents.reading import read_document
from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World

BASE_URL = "https://site.example/"


class Row(NamedTuple):
    """`says` is what is served beside NOTHING and the title; `added` is when the curator filed it."""

    tool: str
    path: str
    text: str
    says: dict[str, Any]
    added: str | None = None


NOTHING: dict[str, Any] = {
    **dict.fromkeys(("excerpt", "locale", "webUrl", "publishedDateTime", "updatedDateTime")),
    "domain": None,
    "published": True,
    **{key: [] for key in ("authors", "topics", "tags", "images", "related")},
}

ROWS = [
    Row(
        "Obsidian Web Clipper",
        "Clippings/A story.md",
        """---
title: "A story"
source: "https://www.paper.example/2024/11/a-story"
author:
  - "[[Ada Lovelace]]"
  - "[[people/alan|Alan Turing]]"
published: 2024-11-05
created: 2024-11-06
description: "What it is about."
tags:
  - "clippings"
  - "space"
---
![](https://paper.example/a.png)

The **story**.
""",
        {
            "title": "A story",
            "excerpt": "What it is about.",
            "webUrl": "https://www.paper.example/2024/11/a-story",
            "domain": "paper.example",
            "publishedDateTime": "2024-11-05T00:00:00Z",
            "authors": ["Ada Lovelace", "Alan Turing"],
            "tags": ["clippings", "space"],
        },
        "2024-11-06T00:00:00Z",
    ),
    Row(
        "Obsidian Web Clipper, of a page that says little",
        "Clippings/Another story.md",
        """---
title: "Another story"
source: "https://paper.example/another"
author:
published:
created: 2024-11-06
description: ""
tags:
  - "clippings"
---
""",
        {
            "title": "Another story",
            "webUrl": "https://paper.example/another",
            "domain": "paper.example",
            "tags": ["clippings"],
        },
        "2024-11-06T00:00:00Z",
    ),
    Row(
        "Obsidian, a note with links and without title",
        "Notes/2024-11-07 Reading list.md",
        """---
aliases: []
created: 2024-11-07T08:30
link: https://books.example/list
cover: "https://books.example/cover.png"
related:
  - "[[A story]]"
  - https://paper.example/another
---
""",
        {
            "title": "Reading list",
            "webUrl": "https://books.example/list",
            "domain": "books.example",
            "images": ["https://books.example/cover.png"],
            "related": [("A story", None), (None, "https://paper.example/another")],
        },
        "2024-11-07T08:30:00Z",
    ),
    Row(
        "Hugo, YAML",
        "hugo/yaml.md",
        """---
title: Example
summary: In short
description: At length
date: 2024-02-02T04:14:54-08:00
lastmod: 2024-02-03T04:14:54-08:00
draft: false
weight: 10
url: /example/
externalUrl: https://partner.example/example
categories: [Development]
tags: [one, two]
params:
  author: John Smith
  color: red
images: [/cover.jpg]
---
""",
        {
            "title": "Example",
            "excerpt": "At length",
            "publishedDateTime": "2024-02-02T12:14:54Z",
            "updatedDateTime": "2024-02-03T12:14:54Z",
            "webUrl": "https://partner.example/example",
            "domain": "partner.example",
            "authors": ["John Smith"],
            "topics": ["Development"],
            "tags": ["one", "two"],
            "images": ["https://site.example/cover.jpg"],
        },
    ),
    Row(
        "Hugo, TOML",
        "hugo/toml.md",
        """+++
title = 'Example'
date = 2024-02-02T04:14:54-08:00
draft = true
weight = 10
tags = ['one', 'two']
[params]
  author = 'John Smith'
  images = ['/cover.jpg']
+++
""",
        {
            "title": "Example",
            "publishedDateTime": "2024-02-02T12:14:54Z",
            "published": False,
            "authors": ["John Smith"],
            "tags": ["one", "two"],
            "images": ["https://site.example/cover.jpg"],
        },
    ),
    Row(
        "Hugo, JSON",
        "hugo/json.md",
        """{
  "title": "Example",
  "date": "2024-02-02T04:14:54-08:00",
  "draft": false,
  "weight": 10,
  "params": {"author": "John \\ud83d\\ude00 Smith"}
}

A body with {braces}.
""",
        {
            "title": "Example",
            "publishedDateTime": "2024-02-02T12:14:54Z",
            "authors": ["John 😀 Smith"],
        },
    ),
    Row(
        "Hugo, a theme with a cover",
        "hugo/cover.md",
        """---
title: "My first post"
date: 2020-09-15T11:30:03+00:00
author: ["Me", "You"]
cover:
  image: "/a.png"
  alt: "A picture"
  caption: "Its caption"
  relative: false
---
""",
        {
            "title": "My first post",
            "publishedDateTime": "2020-09-15T11:30:03Z",
            "authors": ["Me", "You"],
            "images": ["https://site.example/a.png"],
        },
    ),
    Row(
        "Jekyll",
        "_posts/2024-03-01-a-link.md",
        """---
layout: post
title: "A link"
date: 2024-03-01 10:00:00 +0200
last_modified_at: 2024-03-02
categories: [travel, paris]
tags: bread, baking
external-url: https://bread.example/
image: /assets/bread.png
permalink: /bread/
---
""",
        {
            "title": "A link",
            "publishedDateTime": "2024-03-01T08:00:00Z",
            "updatedDateTime": "2024-03-02T00:00:00Z",
            "webUrl": "https://bread.example/",
            "domain": "bread.example",
            "topics": ["travel", "paris"],
            "tags": ["bread", "baking"],
            "images": ["https://site.example/assets/bread.png"],
        },
    ),
    Row(
        "Hexo",
        "source/_posts/hello-world.md",
        """---
title: Hello World
date: 2013/7/13 20:46:25
updated: 2013-07-14 20:46:25
lang: en
comments: true
excerpt: A greeting
cover: false
thumbnail: /hello.png
categories:
- - Sports
  - Baseball
- - Play
tags:
- Injury
- Fight
---
""",
        {
            "title": "Hello World",
            "excerpt": "A greeting",
            "updatedDateTime": "2013-07-14T20:46:25Z",
            "locale": "en",
            "topics": ["Sports", "Baseball", "Play"],
            "tags": ["Injury", "Fight"],
            "images": ["https://site.example/hello.png"],
        },
    ),
    Row(
        "Zola",
        "content/blog/zola.md",
        """+++
title = "A page"
description = "About it"
date = 2021-02-03
updated = 2021-02-04T09:30:00
weight = 0
draft = false
authors = ["Ada"]

[taxonomies]
tags = ["rust", "web"]
categories = ["Programming"]

[extra]
math = true
+++

Its summary.

<!-- more -->
""",
        {
            "title": "A page",
            "excerpt": "About it",
            "publishedDateTime": "2021-02-03T00:00:00Z",
            "updatedDateTime": "2021-02-04T09:30:00Z",
            "authors": ["Ada"],
            "topics": ["Programming"],
            "tags": ["rust", "web"],
        },
    ),
    Row(
        "Eleventy",
        "posts/eleventy.md",
        """---
layout: layouts/post.njk
title: My post
description: This is a post.
date: 2018-05-01
tags: post
eleventyExcludeFromCollections: true
permalink: false
---
""",
        {
            "title": "My post",
            "excerpt": "This is a post.",
            "publishedDateTime": "2018-05-01T00:00:00Z",
            "tags": ["post"],
        },
    ),
    Row(
        "Astro, the blog's template",
        "src/content/blog/first-post.mdx",
        """---
title: 'First post'
description: 'Lorem ipsum dolor sit amet'
pubDate: '2022-07-08'
updatedDate: 2022-07-09
heroImage: '/blog-placeholder-3.jpg'
---
import Chart from '../Chart.astro';

<Chart />
""",
        {
            "title": "First post",
            "excerpt": "Lorem ipsum dolor sit amet",
            "publishedDateTime": "2022-07-08T00:00:00Z",
            "updatedDateTime": "2022-07-09T00:00:00Z",
            "images": ["https://site.example/blog-placeholder-3.jpg"],
        },
    ),
    Row(
        "Astro, a theme",
        "src/data/blog/paper.md",
        """---
author: Sat Naing
pubDatetime: 2022-09-23T15:22:00Z
modDatetime: 2023-12-21T09:12:47.400Z
title: Adding new posts
slug: adding-new-posts
featured: true
draft: false
tags:
  - docs
ogImage: ../../assets/og.png
canonicalURL: https://docs.example/
canonical: https://docs.example/new-posts
description: How to add posts.
---
""",
        {
            "title": "Adding new posts",
            "excerpt": "How to add posts.",
            "webUrl": "https://docs.example/new-posts",
            "domain": "docs.example",
            "publishedDateTime": "2022-09-23T15:22:00Z",
            "updatedDateTime": "2023-12-21T09:12:47Z",
            "authors": ["Sat Naing"],
            "tags": ["docs"],
            "images": ["https://site.example/assets/og.png"],
        },
    ),
    Row(
        "IndieWeb, a bookmark",
        "bookmarks/a.md",
        """---
date: 2024-05-06T07:08:09+0200
bookmark-of: https://www.indie.example/post
category: bookmark
---
# An indie post

Why it is worth reading.
""",
        {
            "title": "An indie post",
            "webUrl": "https://www.indie.example/post",
            "domain": "indie.example",
            "publishedDateTime": "2024-05-06T05:08:09Z",
        },
    ),
    Row(
        "IndieWeb, photos",
        "photos/b.md",
        """---
title: Two photos
published: 2024-05-06T07:08:09+02:00
photo:
  - /one.jpg
  - url: /two.jpg
    alt: The second one
---
""",
        {
            "title": "Two photos",
            "publishedDateTime": "2024-05-06T05:08:09Z",
            "images": ["https://site.example/one.jpg", "https://site.example/two.jpg"],
        },
    ),
    Row(
        "A planet of feeds",
        "planet/c.md",
        """---
title: News of a project
url: https://project.example/news
date: 2024-05-06 07:08:09
description: It has news.
authors: [{name: Ada, url: https://ada.example/}]
---
""",
        {
            "title": "News of a project",
            "excerpt": "It has news.",
            "webUrl": "https://project.example/news",
            "domain": "project.example",
            "publishedDateTime": "2024-05-06T07:08:09Z",
            "authors": ["Ada"],
        },
    ),
    Row(
        "Older sites",
        "older/d.md",
        """---
title: An older article
abstract: Its abstract
sourceUrl: https://older.example/
provider: The Older Paper
author: Ada
level: Beginner
---
""",
        {
            "title": "An older article",
            "excerpt": "Its abstract",
            "webUrl": "https://older.example/",
            "domain": "older.example",
            "authors": ["Ada"],
        },
    ),
]


@pytest.fixture(scope="module")
def client(shared_world: World) -> Iterator[TestClient]:
    for row in ROWS:
        file = shared_world.root / row.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(row.text, encoding="utf-8")
    report = shared_world.import_(base_url=BASE_URL)
    assert report.problems == []
    assert [(warning.path, warning.key) for warning in report.warnings] == [
        ("source/_posts/hello-world.md", "date")
    ]
    with service_of(shared_world) as client:
        yield client


def test_what_a_tool_writes_is_an_article(client: TestClient) -> None:
    items = {
        item["path"]: answer(client, f"/articles/{item['id']}", EDITOR)
        for item in answer(client, "/articles?published=any&limit=200", EDITOR)["items"]
    }
    assert items.keys() == {row.path for row in ROWS}
    for row in ROWS:
        item = items[row.path]
        told = {key: item[key] for key in ("title", *NOTHING) if key in item} | {
            "domain": item["provider"]["domain"],
            "images": [image["url"] for image in item["images"]],
            "related": [(link["title"], link["webUrl"]) for link in item["related"]],
        }
        assert told == {**NOTHING, **row.says}, row.tool


@pytest.mark.parametrize("row", ROWS, ids=[row.tool for row in ROWS])
def test_a_tool_says_when_it_was_filed(row: Row) -> None:
    document = read_document(row.path, row.text.encode(), BASE_URL).document
    assert isinstance(document, ArticleDocument)
    assert document.added_date_time == row.added
