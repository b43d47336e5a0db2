"""In which order articles come: every sort, with its ties and with what is unknown, which comes last."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.services import answer, encoded, service_of, walk
from tests.support.worlds import World

pytestmark = pytest.mark.usefixtures("small_ranges")

# Six documents of the source `news`, and one of `blog` that has the path and all the keys of another.
EVE = """
    title: zebra
    excerpt: A comet
    quality: 9
    publishedDateTime: 2021-01-01
"""
CAST = {
    "news/Ann": """
        title: apple
        quality: 5
        heat: 2
        publishedDateTime: 2020-06-11
        updatedDateTime: 2020-06-12
        addedDateTime: 2020-06-12
        webUrl: https://example.org/one?utm_source=mail
    """,
    "news/Ben": """
        title: Apple
        quality: 5
        heat: 1
        publishedDateTime: 2020-06-11T00:00:01Z
        webUrl: https://example.org/one
    """,
    # The second in which Ann was published, written in another zone.
    "news/Cat": """
        title: Äpfel
        quality: -3
        heat: 0
        publishedDateTime: 2020-06-11T02:00:00+02:00
        updatedDateTime: 1969-12-31
    """,
    "news/Dan": """
        title: Zebra comet
    """,
    "news/Eve": EVE,
    "blog/Eve": EVE,
    "news/ann": """
        title: The tail of a comet is a tail
        publishedDateTime: 2019-01-01
    """,
}

# Ties go by path, in which capitals come first, and then by source. A tilde stands before what is unknown.
SORTS = {
    "-publishedDateTime": "blog/Eve news/Eve Ben Ann Cat ann ~ Dan",
    "publishedDateTime": "ann Ann Cat Ben blog/Eve news/Eve ~ Dan",
    "-updatedDateTime": "Ann Cat ~ Ben Dan blog/Eve news/Eve ann",
    "updatedDateTime": "Cat Ann ~ Ben Dan blog/Eve news/Eve ann",
    # All but Ann were added by the same import.
    "-addedDateTime": "Ben Cat Dan blog/Eve news/Eve ann Ann",
    "addedDateTime": "Ann Ben Cat Dan blog/Eve news/Eve ann",
    "-quality": "blog/Eve news/Eve Ann Ben Cat ~ Dan ann",
    "quality": "Cat Ann Ben blog/Eve news/Eve ~ Dan ann",
    "-heat": "Ann Ben Cat ~ Dan blog/Eve news/Eve ann",
    "heat": "Cat Ben Ann ~ Dan blog/Eve news/Eve ann",
    # A title goes by its folded form, then by itself: Apple before apple, and Ä after z.
    "title": "Ben Ann ann blog/Eve news/Eve Dan Cat",
    "-title": "Cat Dan blog/Eve news/Eve ann Ann Ben",
}
QUERIES = [
    ("the newest first, if nobody says how", "", SORTS["-publishedDateTime"]),
    ("a word in the title, then in the excerpt; the newest first", "q=comet", "ann Dan blog/Eve news/Eve"),
    ("another sort of what words find", "q=comet & sort=-quality", "blog/Eve news/Eve Dan ann"),
    ("a URL as it is written goes first", "url=https://example.org/one?utm_source=mail", "Ann Ben"),
    ("whichever it is", "url=https://example.org/one", "Ben Ann"),
    ("whatever the sort is", "url=https://example.org/one & sort=heat", "Ben Ann"),
    ("and by the sort if none is so written", "url=https://example.org/one#top & sort=heat", "Ben Ann"),
    ("a filter keeps the order", "sort=quality & minQuality=5", "Ann Ben blog/Eve news/Eve"),
    ("a clause keeps it", "sort=-title & source=news", "Cat Dan Eve ann Ann Ben"),
]


@pytest.fixture(scope="module")
def client(shared_world: World) -> Iterator[TestClient]:
    for source in ("blog", "news"):
        world = World(shared_world.root / source, shared_world.engine)
        for name, document in CAST.items():
            if name.startswith(source):
                path = name.removeprefix(f"{source}/")
                world.write(f"{path}.md", "\n".join(map(str.strip, document.strip().splitlines())))
        assert world.import_(source).rejected == 0
    with service_of(shared_world) as client:
        yield client


def expected(names: str) -> list[str]:
    return [name if "/" in name else f"news/{name}" for name in names.replace("~", "").split()]


def names(page: Any) -> list[str]:
    return [f"{item['source']}/{item['path'].removesuffix('.md')}" for item in page["items"]]


@pytest.mark.parametrize("sort", SORTS)
def test_a_sort_has_this_order_on_pages_of_any_size_there_and_back(client: TestClient, sort: str) -> None:
    page = answer(client, f"/articles?sort={sort}")
    assert names(page) == expected(SORTS[sort])
    unknown = [
        name for name, item in zip(names(page), page["items"], strict=True) if item[sort.strip("-")] is None
    ]
    assert unknown == expected(SORTS[sort].partition("~")[2])
    for limit in (1, 2, 3):
        pages = walk(client, f"/articles?sort={sort}&limit={limit}")
        assert [name for page in pages for name in names(page)] == expected(SORTS[sort])
        back = walk(client, pages[-1]["prev"], by="prev")
        assert [names(page) for page in reversed(back)] == [names(page) for page in pages[:-1]]


@pytest.mark.parametrize(
    ("query", "order"), [case[1:] for case in QUERIES], ids=[case[0] for case in QUERIES]
)
def test_a_query_has_this_order(client: TestClient, query: str, order: str) -> None:
    assert names(answer(client, f"/articles?{encoded(query)}")) == expected(order)


def test_no_sort_is_forgotten_here(client: TestClient) -> None:
    parameters = answer(client, "/openapi.json")["paths"]["/articles"]["get"]["parameters"]
    [sort] = [parameter for parameter in parameters if parameter["name"] == "sort"]
    assert {*SORTS, "relevance"} == set(sort["schema"]["enum"])
