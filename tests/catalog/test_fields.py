"""What an article is filtered by and the keys it has: one list of each, and all else agrees with it."""

import csv
import io
import re
from collections.abc import Iterator
from typing import get_args

import pytest
from sqlalchemy import Connection

from app.catalog.fields import (
    ATTRIBUTE_OF_FIELD,
    FIELDS,
    ITEM_KEYS,
    MANY_VALUED,
    ORDER_IN_WORDS,
    ArticleItem,
)
from app.catalog.query import ArticleQuery, Sort
from app.catalog.query_titles import title_of
from app.database.snapshots import Reader
from app.importer.serialise import public_id
from tests.support.services import service_of
from tests.support.templates import new_sqlite_catalogue
from tests.support.worlds import World, new_world

DOCUMENT = """title: Mars
topics: [AI]
authors: [Ada]
tags: [http]
type: video
category: news
locale: en-us
provider: {domain: nasa.gov}
"""


def test_an_article_has_the_same_keys_in_lists_files_and_the_description_of_the_api(world: World) -> None:
    world.write("mars.md", DOCUMENT)
    world.import_()
    with service_of(world) as client:
        [item] = client.get("/articles").json()["items"]
        assert tuple(item) == ITEM_KEYS
        assert {field.alias for field in ArticleItem.model_fields.values()} == set(ITEM_KEYS)
        [chosen] = client.get(f"/articles?fields={','.join(reversed(ITEM_KEYS))}").json()["items"]
        assert tuple(chosen) == tuple(reversed(ITEM_KEYS))
        header, row = csv.reader(io.StringIO(client.get("/exports/articles.csv").text))
    assert set(ITEM_KEYS) - set(header) == {"provider", "images", "story"}
    assert set(header) - set(ITEM_KEYS) == {
        *("providerName", "providerDomain", "imageUrl", "storyId", "storySize")
    }
    assert len(row) == len(header)


def test_every_field_is_a_clause_and_a_facet(world: World) -> None:
    world.write("mars.md", DOCUMENT)
    world.import_()
    with service_of(world) as client:
        assert tuple(client.get("/facets").json()["facets"]) == FIELDS
        for field in FIELDS:
            assert client.get(f"/articles?{field}=*").json()["total"] == 1
            assert client.get(f"/articles?{field}=-*").json()["total"] == 0
    assert set(FIELDS) >= MANY_VALUED
    assert set(ATTRIBUTE_OF_FIELD) <= set(FIELDS)


SOLAR, SHELF, HIDDEN = (public_id("news", path) for path in ("sun.md", "shelf.md", "hidden.md"))
ARTIFICIAL = "Articles about Artificial Intelligence"
# The parameters of a feed, and its title.
TITLES: list[tuple[dict[str, str | list[str]], str]] = [
    ({}, "Articles"),
    ({"q": "  "}, "Articles"),
    ({"q": "any"}, "Articles with “any”"),
    ({"q": 'mars "red planet"'}, 'Articles with “mars "red planet"”'),
    ({"topic": ["AI,Space", "-Python"]}, "Articles about AI or Space about not Python"),
    ({"topic": ["*"]}, "Articles about anything"),
    ({"topic": ["AI"], "descendants": "true"}, "Articles about AI and the topics below"),
    ({"descendants": "true"}, "Articles"),
    ({"type": ["video"], "category": ["news"]}, "Articles of type video in news"),
    ({"tag": ["http"], "provider": ["nasa.gov"]}, "Articles tagged http by NASA"),
    ({"locale": ["en-us"], "source": ["seeds"]}, "Articles in en-us in seeds"),
    ({"id": ["abc"]}, "Articles with the id abc"),
    ({"story": ["abc"], "collection": ["def"]}, "Articles in the story abc in the collection def"),
    ({"story": [SOLAR], "collection": [SHELF]}, "Articles in the story “Sun” in the collection “Shelf”"),
    # The lead of the editors' story is hidden.
    ({"story": [SOLAR], "published": "any"}, "Articles in the story “Flare” published or not"),
    ({"collection": [HIDDEN]}, f"Articles in the collection {HIDDEN}"),
    ({"collapse": "story"}, "Articles folded to one of each story"),
    ({"collapse": "url", "q": "mars"}, "Articles with “mars” folded to one of each URL"),
    ({"url": "https://nasa.gov/"}, "Articles at https://nasa.gov/"),
    ({"publishedFrom": "2020-01-01", "publishedBefore": "P7D"}, "Articles from 2020-01-01 before 7 days ago"),
    (
        {"updatedFrom": "P7D", "updatedBefore": "2020-01-01"},
        "Articles updated from 7 days ago updated before 2020-01-01",
    ),
    (
        {"addedFrom": "P7D", "addedBefore": "2027-01-01"},
        "Articles added from 7 days ago added before 2027-01-01",
    ),
    ({"minQuality": "5", "maxQuality": "9"}, "Articles of quality 5 or more of quality 9 or less"),
    ({"minHeat": "0", "maxHeat": "9"}, "Articles of heat 0 or more of heat 9 or less"),
    ({"hasImage": "true", "hasRelated": "false"}, "Articles with images without related links"),
    ({"hasImage": "false", "hasRelated": "true"}, "Articles without images with related links"),
    ({"published": "false"}, "Articles not published"),
    ({"published": "any"}, "Articles published or not"),
    ({"sort": "title"}, "Articles, by title"),
    ({"sort": "-publishedDateTime"}, "Articles"),
    ({"sort": "-addedDateTime", "topic": ["ai2"]}, ARTIFICIAL + ", the last added first"),
    ({"q": "mars", "sort": "relevance"}, "Articles with “mars”"),
    ({"q": "mars", "sort": "-publishedDateTime"}, "Articles with “mars”, the newest first"),
    ({"topic": ["artificial"]}, ARTIFICIAL),
    ({"topic": ["AI2"], "provider": ["www.NASA.gov"]}, f"{ARTIFICIAL} by NASA"),
    ({"topic": ["-artificial,Space"]}, "Articles about not Artificial Intelligence or Space"),
    # The public learns no name of what only hidden articles have.
    ({"provider": ["ada.example"]}, "Articles by ada.example"),
    ({"provider": ["ada.example"], "published": "any"}, "Articles by Ada published or not"),
    ({"publishedFrom": "2020-01-01T12:30"}, "Articles from 2020-01-01T12:30:00Z"),
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """An article about AI by NASA, and a hidden one of Ada's."""
    folder = tmp_path_factory.mktemp("titles")
    world = new_world(folder, new_sqlite_catalogue(folder))
    world.write("ai.md", "taxonomy: topic\n_id: artificial\nname: Artificial Intelligence\nshortname: AI2")
    world.write("mars.md", "title: Mars\ntopics: [AI2]\nprovider: {domain: nasa.gov, name: NASA}")
    world.write(
        "hidden.md",
        "title: Hidden\ntopics: [Secret <i>]\npublished: false\nprovider: {domain: ada.example, name: Ada}",
    )
    world.write("sun.md", "title: Sun\nrelated: [https://moon.example/]")
    world.write("flare.md", "title: Flare\nquality: 9\npublished: false\nrelated: [https://moon.example/]")
    world.write("shelf.md", "title: Shelf\nitems: [mars]")
    world.import_()
    with Reader(world.engine.url.render_as_string()) as reader, reader.snapshot() as connection:
        yield connection
    world.engine.dispose()


@pytest.mark.parametrize(("parameters", "title"), TITLES, ids=[title for _, title in TITLES])
def test_a_feed_says_in_words_what_is_in_it(
    connection: Connection, parameters: dict[str, str | list[str]], title: str
) -> None:
    assert title_of(connection, ArticleQuery.model_validate(parameters)) == title


@pytest.mark.parametrize("field", FIELDS)
def test_a_feed_says_in_words_which_terms_are_in_it(connection: Connection, field: str) -> None:
    title = title_of(connection, ArticleQuery.model_validate({field: ["First", "-Second"]}))
    assert re.fullmatch(r"Articles( [a-z ]+) First\1 not Second", title)


def test_every_order_has_words() -> None:
    assert tuple(ORDER_IN_WORDS) == get_args(Sort)


def test_the_table_has_every_parameter_of_a_query() -> None:
    named = {name for parameters, _ in TITLES for name in parameters}
    assert named | set(FIELDS) == {field.alias or name for name, field in ArticleQuery.model_fields.items()}
