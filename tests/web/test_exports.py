"""Files: the same query with another last step, safe whatever a title holds."""

import csv
import io
import json

import pytest

from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World

AWKWARD = [
    '<b>Bold</b> & "quoted"',
    "]]> ends nothing",
    "Ünïcödé 🚀 日本語",
    "=1+1",
    "- not a list",
    "a; b, c",
]


@pytest.fixture
def awkward(world: World) -> World:
    for number, title in enumerate(AWKWARD):
        world.write(
            f"{number}.md",
            f"title: {json.dumps(title, ensure_ascii=False)}\npublishedDateTime: 2020-01-0{number + 1}\n"
            "excerpt: '@mention'\ntopics: [AI & Co]\nimages: [https://images.example.org/a.png]",
        )
    world.write("undated.md", "title: Undated")
    world.write("hidden.md", "title: Hidden\npublished: false")
    world.import_()
    return world


def test_csv_is_harmless_and_complete(awkward: World) -> None:
    with service_of(awkward) as client:
        text = client.get("/exports/articles.csv?sort=title").text
        assert client.get("/exports/articles.csv?limit=5").status_code == 422
    assert "\r\n" in text
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    titles = [row["title"] for row in rows]
    assert sorted(titles) == sorted(["'=1+1", "'- not a list", *AWKWARD[:3], AWKWARD[5], "Undated"])
    assert {row["excerpt"] for row in rows} == {"'@mention", ""}
    assert {row["imageUrl"] for row in rows} == {"https://images.example.org/a.png", ""}


def test_a_file_has_a_validator_while_it_fits_in_memory(
    awkward: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service_of(awkward) as client:
        whole = client.get("/exports/articles.csv")
        again = client.get("/exports/articles.csv", headers={"If-None-Match": whole.headers["ETag"]})
        assert again.status_code == 304
    monkeypatch.setattr("app.web.exports.MAX_COMPLETE_BYTES", 10)
    with service_of(awkward) as client:
        streamed = client.get("/exports/articles.csv")
        assert (streamed.content, "ETag" in streamed.headers) == (whole.content, False)


def test_ndjson_is_the_list(awkward: World) -> None:
    with service_of(awkward) as client:
        lines = client.get("/exports/articles.ndjson?published=any", headers=EDITOR).text.splitlines()
        listed = answer(client, "/articles?published=any&limit=200", EDITOR)["items"]
        assert [json.loads(line) for line in lines] == listed
        assert client.get("/exports/articles.ndjson?published=any").status_code == 401
        # Whoever goes away gives the place back.
        for _ in range(10):
            assert client.get("/exports/articles.ndjson").status_code == 200
