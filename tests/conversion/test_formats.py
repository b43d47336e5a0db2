"""Each format of `convert`: its entries, the documents made of them, and what the API says of those."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from app.cli import clippings
from app.importer.check import check_trees
from app.importer.read import Request
from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World

FILES = Path(__file__).parent / "files"
ADDED = "2023-11-14T22:13:20Z"


class Link(NamedTuple):
    """`day` is when it was published; what was only added has another key for that."""

    title: str
    url: str | None
    day: str | None
    tags: str = ""
    added: str | None = None
    is_public: bool = True


JUNE = "2020-06-11T00:07:00Z"
UNTITLED = "https://example.org/untitled"
# File, its links by title, and how many of its entries are no links.
FORMATS: list[tuple[str, list[Link], int]] = [
    ("browser.html", [
        Link("<p>: The Paragraph element & its end tag", "https://developer.example.org/p", None, "", JUNE),
        Link("Borschtsch für Anfänger", "https://kochen.example.org/borschtsch?a=1&b=2", None,
             "rote bete|suppe|Kochen|Suppen", JUNE),
    ], 1),
    ("linkding.html", [
        Link("For me alone", "https://example.org/closed", None, "web", ADDED, is_public=False),
        Link("Open to all", "https://example.org/open", None, "web|standards", ADDED),
    ], 0),
    ("shaarli.html", [
        Link("A note to myself", None, None, "note", ADDED, is_public=False),
        Link("Shared with all", "https://example.org/shared", None, "free-software", ADDED),
    ], 0),
    ("pinboard.html", [
        Link("Kept to myself", "https://example.org/secret", None, "paper", ADDED, is_public=False),
        Link("On paper", "https://example.org/pinned", None, "archive|paper", ADDED),
    ], 0),
    ("raindrop.html", [
        Link("A garden in winter", "https://example.org/garden", None, "trees|soil|Gardens", ADDED),
    ], 0),
    ("pocket.html", [Link("A map for later", "https://example.org/pocketed", None, "later|maps", ADDED)], 0),
    ("pocket.csv", [
        Link("Maps, and how to fold them", "https://example.org/maps", None, "maps|paper", ADDED),
        Link(UNTITLED, UNTITLED, None, "", "2023-11-14T22:13:21Z"),
    ], 0),
    ("instapaper.csv", [
        Link("About noise", "https://example.org/loud", None, "Sound", ADDED),
        Link("Q&A about quiet", "https://example.org/quiet", None, "calm|noise", ADDED),
    ], 0),
    ("raindrop.csv", [
        Link("A garden in spring", "https://example.org/spring", None, "trees|soil|Gardens", ADDED),
    ], 1),
    ("readwise.csv", [Link("How rivers move", "https://example.org/rivers", None, "water|maps", ADDED)], 0),
    ("readwise.json", [
        Link("How rivers move", "https://example.org/rivers", "2023-11-14T00:00:00Z", "water|maps", ADDED),
    ], 0),
    ("omnivore.json", [
        Link("How glass is made", "https://example.org/glass", "2023-11-13T00:00:00Z",
             "craft|glass, coloured", ADDED),
    ], 0),
    ("karakeep.json", [
        Link("A thought", None, None, "", ADDED),
        Link("Sourdough", "https://example.org/sourdough", None, "bread", ADDED),
    ], 2),
    ("linkwarden.json", [
        Link("A secret harbour", "https://example.org/harbour", None, "", ADDED, is_public=False),
        Link("Ships of wood", "https://example.org/ships", None, "wood|Ships", ADDED),
    ], 0),
    ("pinboard.json", [
        Link("Kept to myself", "https://example.org/secret", None, "", ADDED, is_public=False),
        Link("On paper", "https://example.org/pinned", None, "archive|paper", ADDED),
    ], 0),
    ("csl.json", [
        Link("On tides", "https://doi.org/10.1000/tides", "2020-06-01T00:00:00Z", "tides|seas", "2023-11-14"),
    ], 0),
    ("feed.xml", [
        Link("A note without a title, of vector<bool> and others.", "https://example.org/notes/2", None),
        Link("Cafés of the coast – a walk", "https://www.example.org/2020/cafes", JUNE),
    ], 1),
    ("rss1.xml", [Link("Zürich", "https://example.org/zurich", JUNE)], 0),
    ("feed.atom", [
        Link("Only updated", "https://example.org/blog/updated", "2020-06-13T00:00:00Z"),
        Link("The <p> element, explained", "https://example.org/blog/p", JUNE),
    ], 0),
    ("feed.json", [
        Link("A note without a title.", "https://example.org/notes/2", None),
        Link("Sails of wood", "https://elsewhere.example.org/sails", JUNE, "ships|wind"),
    ], 1),
    ("feeds.opml", [
        Link("A feed alone", "https://alone.example.org/feed.xml", None, "Science"),
        Link("Example Blog", "https://example.org/", None, "Nature/Rivers|Maps|Science", JUNE),
    ], 0),
]  # fmt: skip


def convert(file: Path, folder: Path) -> Result:
    return CliRunner().invoke(clippings, ["convert", str(file), "--to", str(folder)])


def texts(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_every_format_is_in_the_table() -> None:
    assert {name for name, _, _ in FORMATS} == {file.name for file in FILES.iterdir()}


@pytest.mark.parametrize(("name", "links", "rejected"), FORMATS, ids=[name for name, _, _ in FORMATS])
def test_a_format_becomes_documents_that_are_listed(
    world: World, name: str, links: list[Link], rejected: int
) -> None:
    result = convert(FILES / name, world.root)
    assert result.exit_code == (1 if rejected else 0), result.output
    assert f"written {len(links)}  unchanged 0" in result.output
    assert f"rejected {rejected}  " in result.output

    written = texts(world.root)
    again = convert(FILES / name, world.root)
    assert f"written 0  unchanged {len(links)}  repeated 0  left alone 0" in again.output
    assert texts(world.root) == written

    check = check_trees([Request(world.root, "news")], None, workers=1)
    assert (check.created, check.problems, check.warnings) == (len(links), [], [])
    assert world.import_().created == len(links)

    with service_of(world) as client:
        items = answer(client, "/articles?published=any&sort=title", EDITOR)["items"]
    assert {_said(item, written) for item in items} == set(links)


def _said(item: dict[str, Any], written: dict[str, bytes]) -> Link:
    text = written[item["path"]].decode()
    added = next((line[15:] for line in text.splitlines() if line.startswith("addedDateTime: ")), None)
    return Link(
        item["title"],
        item["webUrl"],
        item["publishedDateTime"],
        "|".join(item["tags"]),
        added,
        item["published"],
    )


def test_a_feed_becomes_a_document_that_reads_well(tmp_path: Path) -> None:
    convert(FILES / "feed.xml", tmp_path)
    assert (tmp_path / "2020-06-11-cafes-of-the-coast-a-walk.md").read_text(encoding="utf-8") == (
        """---
title: "Cafés of the coast – a walk"
excerpt: |-
  Ten of them,
  all open in winter.
locale: en-gb
webUrl: https://www.example.org/2020/cafes
publishedDateTime: 2020-06-11T00:07:00Z
provider:
  name: The Example
authors:
  - Jo Doe
topics:
  - Travel
  - Food, drink
images:
  - https://example.org/cafes.jpg
  - https://example.org/cafes-small.jpg
guid: "tag:example.org,2020:1"
export:
  source:
    url: https://elsewhere.example.org/feed.xml
    text: Elsewhere
---

<p>Ten of them, all <b>open</b> in winter, and here they are.</p>
"""
    )


def test_what_no_key_is_for_stays_under_its_own_name(tmp_path: Path) -> None:
    convert(FILES / "readwise.json", tmp_path)
    [text] = texts(tmp_path).values()
    for line in (
        "location: archive",
        "word_count: 1200",
        "  source: Reader RSS",
        "  url: https://reader.example.com/read/01abc",
    ):
        assert line in text.decode().splitlines()


@pytest.mark.parametrize("name", ["raindrop.csv", "browser.html", "feeds.opml", "omnivore.json"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_change_nothing(tmp_path: Path, name: str, encoding: str) -> None:
    text = (FILES / name).read_text(encoding="utf-8")
    if encoding == "utf-16":
        text = text.replace('encoding="UTF-8"', 'encoding="UTF-16"')
    marked = tmp_path / name
    marked.write_bytes(text.encode(encoding))
    convert(FILES / name, tmp_path / "plain")
    convert(marked, tmp_path / "marked")
    assert texts(tmp_path / "marked") == texts(tmp_path / "plain") != {}


def test_what_clippings_exports_is_read_too(world: World, tmp_path: Path) -> None:
    convert(FILES / "omnivore.json", world.root)
    world.import_()
    with service_of(world) as client:
        for format_ in ("ndjson", "csv"):
            file = tmp_path / f"articles.{format_}"
            file.write_bytes(client.get(f"/exports/articles.{format_}").content)
            assert convert(file, tmp_path / format_).exit_code == 0
            [text] = texts(tmp_path / format_).values()
            assert b"title: How glass is made\n" in text
            assert b"webUrl: https://example.org/glass\n" in text
            assert b"publishedDateTime: 2023-11-13T00:00:00Z\n" in text
    shutil.rmtree(tmp_path / "csv")
