"""What stands in people's catalogues and clients: whoever changes it makes all of them answer wrongly.

A number that changes here needs a migration that changes it in every catalogue, too. Tables go by their
names in the database, and nothing is asked of the code that writes and reads them.
"""

import base64
import json
from typing import Any

import pytest
from pyroaring import BitMap

from app.catalog.fields import FIELDS, Has
from app.catalog.index.sets import UNPUBLISHED_KEY
from app.importer.tables.terms import NameSource
from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World

# The sort key of what is not known: it comes after all that is, in both directions.
UNKNOWN = 4611686018427387904
EXAMPLE_ORG_A = "ef5d3ecea193ed7045edeb922cbd6cc1"
APPLE, HIDDEN = "5jsydczllev5i4h2226h", "gvvuj64oex7osjcbxnuo"


def test_the_keys_of_what_an_article_has_are_those_that_every_catalogue_has_stored() -> None:
    numbers = {has.name: int(has) for has in Has}
    assert (
        numbers
        | {
            "TOPIC": 0,
            "PROVIDER": 1,
            "TYPE": 2,
            "CATEGORY": 3,
            "TAG": 4,
            "LOCALE": 5,
            "SOURCE": 6,
            "IMAGE": 7,
            "RELATED": 8,
            "AUTHOR": 9,
        }
        == numbers
    )
    assert UNPUBLISHED_KEY == 1


def test_every_field_has_such_a_key() -> None:
    assert {Has.term_of(field) for field in FIELDS} == set(Has) - {Has.IMAGE, Has.RELATED}


def test_who_gives_a_name_to_a_term_is_as_every_catalogue_has_stored_it() -> None:
    assert {source.name: int(source) for source in NameSource} == {
        "ARTICLES": 0,
        "DOCUMENT": 1,
        "DOCUMENT_TITLE": 2,
    }


@pytest.fixture(scope="module")
def stored(shared_world: World) -> World:
    shared_world.write(
        "a.md",
        """title: Äpfel
excerpt: Red apples
quality: 7
heat: -2
publishedDateTime: 2020-06-11T00:07:00Z
webUrl: https://example.org/a
images: [a.png]
topics: [AI]
related: [{webUrl: 'https://www.example.org/a?utm_source=b'}]""",
        "apples",
    )
    shared_world.write("b.md", "title: B\npublished: no\nupdatedDateTime: 0001-01-01")
    shared_world.write("ai.md", "taxonomy: topic\n_id: ai\nname: Artificial Intelligence\nshortname: AI")
    shared_world.write("e.md", "taxonomy: organization\ndomain: example.org\nname: Example")
    assert shared_world.import_().problems == []
    return shared_world


def rows(world: World, sql: str) -> list[tuple[Any, ...]]:
    """Bytes as hexadecimal digits."""
    return [
        tuple(bytes(value).hex() if isinstance(value, bytes | memoryview) else value for value in row)
        for row in world.query(sql)
    ]


def test_ids_are_made_of_source_and_path(stored: World) -> None:
    assert rows(stored, "SELECT path, public_id FROM articles ORDER BY path") == [
        ("a.md", APPLE),
        ("b.md", HIDDEN),
    ]


def test_kinds_of_documents(stored: World) -> None:
    assert rows(stored, "SELECT path, kind FROM documents ORDER BY path") == [
        ("a.md", "article"),
        ("ai.md", "topic"),
        ("b.md", "article"),
        ("e.md", "organization"),
    ]


@pytest.mark.parametrize(
    ("columns", "known", "unknown"),
    [
        ("newest, oldest", (-1591834020, 1591834020), (UNKNOWN, UNKNOWN)),
        ("newest_updated, oldest_updated", (UNKNOWN, UNKNOWN), (62135596800, -62135596800)),
        ("best, worst", (-7, 7), (UNKNOWN, UNKNOWN)),
        ("hottest, coolest", (2, -2), (UNKNOWN, UNKNOWN)),
        # Folded, NUL, as it is written; the other way with each byte turned round, and FF at its end.
        ("first_title", ("c3a47066656c00c3847066656c",), ("620042",)),
        ("last_title", ("3c5b8f999a93ff3c7b8f999a93ff",), ("9dffbdff",)),
    ],
)
def test_sort_keys(stored: World, columns: str, known: tuple[Any, ...], unknown: tuple[Any, ...]) -> None:
    assert rows(stored, f"SELECT {columns} FROM articles ORDER BY path") == [known, unknown]  # noqa: S608


def test_sets_of_articles_have_these_kinds_and_keys(stored: World) -> None:
    found = {(kind, key): list(BitMap.deserialize(bytes(ids))) for kind, key, ids in stored.query(SETS)}
    [(apple,), (hidden,)] = stored.query("SELECT id FROM articles ORDER BY path")
    terms = {str(field): int(term_id) for field, term_id in stored.query("SELECT field, id FROM terms")}
    assert found == {
        # Days are counted from the 1st of January of the year 1, which is 1.
        ("day", 737587): [apple],
        ("updated_day", 1): [hidden],
        # Months from January of the year 0, which is 0.
        ("month", 2020 * 12 + 5): [apple],
        # Both were added when all imports of a test take place.
        ("added_day", 739921): [apple, hidden],
        ("quality", 7): [apple],
        ("heat", -2): [apple],
        ("has", 0): [apple],
        ("has", 1): [apple],
        ("has", 6): [apple, hidden],
        ("has", 7): [apple],
        ("has", 8): [apple],
        ("unpublished", 1): [hidden],
        # The keys are places of bits that are 1 in the number of its topics.
        ("topic_count", 0): [apple],
        # The keys are ids of terms.
        ("topic", terms["topic"]): [apple],
        ("provider", terms["provider"]): [apple],
        ("source", terms["source"]): [apple, hidden],
    }


SETS = "SELECT kind, key, article_ids FROM article_sets"


def test_sets_are_portable_roaring_bitmaps(stored: World) -> None:
    [(ids,)] = stored.query("SELECT article_ids FROM article_sets WHERE kind = 'unpublished'")
    [(hidden,)] = stored.query("SELECT id FROM articles WHERE published = 0")
    header, key, size_less_one, offset = "3a300000" + "01000000", "0000", "0000", "10000000"
    assert bytes(ids).hex() == header + key + size_less_one + offset + hidden.to_bytes(2, "little").hex()


def test_words_of_articles(stored: World) -> None:
    found = stored.query("SELECT word, stem, in_title, in_excerpt, anywhere FROM word_articles ORDER BY word")
    [(apple,), (hidden,)] = stored.query("SELECT id FROM articles ORDER BY path")
    assert [
        (word, stem, *(sets and list(BitMap.deserialize(bytes(sets))) for sets in places))
        for word, stem, *places in found
    ] == [
        ("apfel", "apfel", [apple], None, [apple]),
        ("apples", "appl", None, [apple], [apple]),
        ("b", "b", [hidden], None, [hidden]),
        ("red", "red", None, [apple], [apple]),
    ]
    texts = "SELECT title, excerpt, content FROM article_words ORDER BY article_id"
    assert stored.query(texts) == [(" apfel ", " red apples ", " apples "), (" b ", "", "")]


def test_where_a_name_comes_from(stored: World) -> None:
    """0 from articles alone, 1 from a document as one more, 2 from a document as the one that is shown."""
    assert rows(stored, "SELECT field, name, described FROM term_names ORDER BY field, name") == [
        ("provider", "Example", 2),
        ("source", "news", 0),
        ("topic", "AI", 1),
        ("topic", "Artificial Intelligence", 2),
    ]
    assert rows(stored, "SELECT field, key, by_name, described FROM terms ORDER BY field, key") == [
        ("provider", "example.org", 0, 1),
        ("source", "news", 0, 0),
        ("topic", "ai", 0, 1),
    ]


def test_urls_are_compared_by_these_keys(stored: World) -> None:
    for table in ("article_urls", "link_urls"):
        assert rows(stored, f"SELECT url_key FROM {table}") == [(EXAMPLE_ORG_A,)]  # noqa: S608


def test_cursors_that_clients_hold(stored: World) -> None:
    cursors = {
        "title": "lALMPSjiWyIvYXJ0aWNsZXMiLFtbInB1Ymxpc2hlZCIsImFueSJdLFsic29ydCIsInRpdGxlIl1dLFtbIllnQkMiX"
        "SwiYi5tZCIsIm5ld3MiXSxmYWxzZSxudWxsXQ",
        "-quality": "fxUvxcVjWyIvYXJ0aWNsZXMiLFtbInB1Ymxpc2hlZCIsImFueSJdLFsic29ydCIsIi1xdWFsaXR5Il1dLFst"
        "NywiYS5tZCIsIm5ld3MiXSxmYWxzZSxudWxsXQ",
    }
    with service_of(stored) as client:
        for sort, cursor in cursors.items():
            page = answer(client, f"/articles?sort={sort}&limit=1&published=any", EDITOR)
            assert page["next"] == f"/articles?limit=1&cursor={cursor}"
            assert len(answer(client, page["next"], EDITOR)["items"]) == 1


def test_places_among_changes_that_copies_hold(stored: World) -> None:
    [(identity, name)] = stored.query("SELECT identity, revision_name FROM catalogue")
    place = json.dumps([[identity, 1, name], "true", 1, APPLE])
    with service_of(stored) as client:
        following = answer(client, "/changes?limit=1")["next"]
    assert (
        following == f"/changes?since={base64.urlsafe_b64encode(place.encode()).decode().rstrip('=')}&limit=1"
    )
