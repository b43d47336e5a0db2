"""Files: the same query with another last step, safe whatever a title holds."""

import csv
import io
import json
import zipfile
from xml.etree import ElementTree

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


LONG = "long " * 10_000
SHEET = f"""title: '=1+1'
excerpt: '{LONG}'
type: <r><x> & y</r>
category: _x0041_
publishedDateTime: 2020-06-11T02:07:00+02:00
updatedDateTime: 1815-12-10
quality: -1
authors: [Ada, Grace]
webUrl: https://example.org/
topics: [C++, AI]
"""
CELLS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet_of(content: bytes) -> list[dict[str, tuple[str | None, str | None]]]:
    """The type and the text of each cell, by the name of its column, as the specification has them."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        root = ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml"))  # noqa: S314  our own
    rows = [
        {
            cell.get("r", "").rstrip("0123456789"): (cell.get("t"), "".join(cell.itertext()))
            for cell in row.iter(f"{CELLS}c")
        }
        for row in root.iter(f"{CELLS}row")
    ]
    assert not list(root.iter(f"{CELLS}f")), "no formula"
    assert not list(root.iter(f"{CELLS}hyperlink"))
    names = {column: text for column, (_, text) in rows[0].items()}
    return [{names[column]: cell for column, cell in row.items()} for row in rows[1:]]


def test_a_sheet_has_dates_and_numbers_and_no_formulas(world: World) -> None:
    world.write("a.md", SHEET)
    world.write("b.md", "title: B\npublished: false")
    world.import_()
    with service_of(world) as client:
        answer = client.get("/exports/articles.xlsx")
        again = client.get("/exports/articles.xlsx", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304, "equal articles, equal bytes"
        columns = client.get("/exports/articles.csv").text.splitlines()[0].split(",")
        editors = client.get("/exports/articles.xlsx?published=any&fields=title,published", headers=EDITOR)
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    assert answer.headers["content-disposition"] == 'attachment; filename="articles.xlsx"'
    [row] = sheet_of(answer.content)
    assert set(row) < set(columns), "what is not known has no cell"
    assert row["title"] == ("inlineStr", "=1+1")
    assert row["type"] == ("inlineStr", "<r><x> & y</r>")
    assert row["category"] == ("inlineStr", "_x005F_x0041_"), "which spreadsheets show as _x0041_"
    assert row["authors"] == ("inlineStr", "Ada; Grace")
    assert row["webUrl"] == ("inlineStr", "https://example.org/")
    assert row["excerpt"] == ("inlineStr", LONG[:32_766] + "…")
    # 43,993 days after 1899-12-30, and seven minutes.
    assert row["publishedDateTime"] == (None, "43993.00486111111")
    assert row["updatedDateTime"] == ("inlineStr", "1815-12-10T00:00:00Z"), "which a sheet has no date for"
    assert (row["quality"], row["published"]) == ((None, "-1"), ("b", "1"))
    assert [list(each) for each in sheet_of(editors.content)] == [["title", "published"]] * 2


def test_a_file_has_the_fields_that_are_asked_for(awkward: World) -> None:
    awkward.write("long.md", "title: Long\nrelated: [{title: X}]", "Some *content*")
    awkward.import_()
    fields = "title,provider,contentHtml,related,topics"
    with service_of(awkward) as client:
        [row] = csv.DictReader(
            io.StringIO(client.get(f"/exports/articles.csv?hasRelated=true&fields={fields}").text, newline="")
        )
        assert list(row) == ["title", "providerName", "providerDomain", "contentHtml", "related", "topics"]
        assert row["contentHtml"] == "<p>Some <em>content</em></p>\n"
        assert json.loads(row["related"])[0]["title"] == "X"
        line = client.get(f"/exports/articles.ndjson?hasRelated=true&fields={fields}").json()
        assert line == answer(client, f"/articles?hasRelated=true&fields={fields}")["items"][0]
        refused = client.get("/exports/articles.xlsx?fields=titel")
        assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, "fields")


def test_a_byte_order_mark_is_there_when_it_is_asked_for(awkward: World) -> None:
    with service_of(awkward) as client:
        plain, marked = (client.get(f"/exports/articles.csv?bom={bom}").content for bom in ("false", "true"))
        assert marked == b"\xef\xbb\xbf" + plain
        assert client.get("/exports/articles.ndjson?bom=true").status_code == 422


def test_more_than_a_sheet_holds_is_refused_with_advice(
    awkward: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.exports.sheet.MAX_ROWS", 3)
    with service_of(awkward) as client:
        for _ in range(6):
            refused = client.get("/exports/articles.xlsx")
            assert refused.status_code == 422
        assert refused.json()["detail"].startswith(
            "A sheet holds 3 articles, and these are 7. Narrow the query"
        )
        assert client.get("/exports/articles.xlsx?topic=-*").status_code == 200
        monkeypatch.setattr("app.exports.sheet.MAX_CHARACTERS", 100)
        assert "more text" in client.get("/exports/articles.xlsx?topic=-*&sort=title").json()["detail"]


@pytest.mark.parametrize("sign", list("=+-@＝＋－＠"))
def test_no_cell_of_a_csv_begins_a_formula(world: World, sign: str) -> None:
    """Japanese spreadsheets take full-width signs for plain ones."""
    world.write("a.md", f"title: '{sign}1+1'")
    world.import_()
    with service_of(world) as client:
        [row] = csv.DictReader(io.StringIO(client.get("/exports/articles.csv").text))
    assert row["title"] == f"'{sign}1+1"
