"""Exported documents are the same catalogue again: a way out, and a way to move."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli import clippings
from app.documents.yaml_tree import YamlTree, read_tree
from app.yaml_text import yaml_text
from tests.support.services import EDITOR, answer, service_of
from tests.support.templates import new_sqlite_catalogue
from tests.support.worlds import World, new_world

SEEDS = Path(__file__).parents[2] / "seeds"

EVERYTHING_A_DOCUMENT_MAY_SAY = r"""
layout: post
title: 1.10
abstract: "Two lines:\n\n  the second # is indented"
published: no
removed: off
secured: "<script>a secret</script>"
webUrl: https://example.org/a
originalUrl: https://example.org/a
ampUrl: https://amp.example.org/a
publishedDateTime: 2020-06-11 02:07:00+02:00
quality: "59"
provider: {name: Example, domain: news.example, founded: 1999, images: [logo.png], authors: [{name: Ada}]}
author: [Ada, {name: '[[Alan]]', url: https://alan.example/, age: 041}, {name: Ada}]
topics: AI
tags: [no, "true", "1.0", C#, "a: b"]
images:
  - picture.png
  - {url: //example.org/b.png, width: 3, focus: left}
related:
  - {title: One, topics: [AI], url: https://www.other.example/, provider: {name: Other, since: 0x10}}
  - webUrl: https://example.org/two
    images: [{url: two.png, rank: 1e3}]
length: "12"
price: 1.50
levels: [one, null, {deep: [yes, .5, 0o17, "0o17", ""]}]
unknownKey: {a: [1, 1.10, ~, "", "null", 2020-01-01], "b\u2028c": "\ufeff"}
"""

A_CLIP_OF_ANOTHER_TOOL = """
source: https://example.org/clip
url: /clip/
published: 2024-11-05
date: soon
author: ['[[Ada]]', '[[people/alan|Alan]]']
description: D
summary: S
cover: {image: a.png, alt: A picture, caption: C}
thumbnail: false
tags: ["one, two"]
categories: [AI]
params: {lang: de, color: red}
related: ['[[B]]', {url: https://other.example/, date: 2024-11-04, mood: 1}]
"""


@pytest.fixture
def copy(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Exports the catalogue, and imports the copy into an empty database."""

    def export_and_import(world: World, *options: str) -> tuple[World, str]:
        monkeypatch.setenv("CLIPPINGS_DATABASE_URL", world.engine.url.render_as_string(hide_password=False))
        done = run("export", "--format", "documents", "--to", str(tmp_path / "copy"), *options)
        assert done.exit_code == 0, done.output
        (tmp_path / "other").mkdir()
        other = new_world(tmp_path / "other", new_sqlite_catalogue(tmp_path / "other"))
        for folder in sorted((tmp_path / "copy").iterdir()):
            assert World(folder, other.engine).import_(folder.name).problems == []
        return other, done.output

    return export_and_import


def run(*arguments: str) -> Result:
    return CliRunner().invoke(clippings, arguments, catch_exceptions=False)


def everything(world: World) -> list[Any]:
    """All that the service says of a catalogue, and what it keeps to itself."""
    with service_of(world) as client:
        items = answer(client, "/articles?published=any&limit=200", EDITOR)["items"]
        articles = [answer(client, f"/articles/{item['id']}", EDITOR) for item in items]
        taxonomy = [
            answer(client, f"/{what}?published=any&limit=200", EDITOR) for what in ("topics", "providers")
        ]
    kept = "SELECT path, kind, data FROM documents ORDER BY path, kind"
    return [articles, taxonomy, [(*row, json.loads(data)) for *row, data in world.query(kept)]]


def test_the_seeds_are_the_same_catalogue_again(world: World, copy: Any) -> None:
    World(SEEDS, world.engine).import_("seeds")
    other, _ = copy(world)
    assert everything(other) == everything(world)


def test_nothing_that_a_document_says_is_lost(world: World, copy: Any) -> None:
    world.write("a/every thing.md", EVERYTHING_A_DOCUMENT_MAY_SAY, "\n---\nA *body*\n\n---\n")
    world.write("plain.md", "title: A")
    world.write("clip.md", A_CLIP_OF_ANOTHER_TOOL, "# A heading\n")
    world.write("draft.md", "title: D\ndraft: true\npublished: yes")
    world.write("ready.md", "title: R\ndraft: 'false'")
    world.write("gone.md", EVERYTHING_A_DOCUMENT_MAY_SAY.replace("removed: off", "removed: yes"))
    world.write("topics.yaml", "taxonomy: topic\n_id: ai\nname: AI\nkeywords: [a]\nimages: [a.png]\nmood: 1")
    world.write("nasa.yml", "taxonomy: provider\nname: NASA\ndomain: www.nasa.gov\notherNames: [n]\n_id: '7'")
    assert world.import_().problems == []
    other, printed = copy(world)
    assert everything(other) == everything(world)
    assert "8 documents written" in printed
    assert [item["published"] for item in other.items() if item["title"] in ("D", "R")] == [False, True]


def test_filters_choose_among_the_articles(world: World, copy: Any) -> None:
    world.write("a.md", "title: A\ntopics: [AI]\npublished: false")
    world.write("b.md", "title: B")
    world.write("ai.md", "taxonomy: topic\nname: AI")
    world.import_()
    other, _ = copy(world, "--topic", "ai")
    assert (other.titles(), list(other.topics())) == (["A"], ["ai"])


def test_what_cannot_be_written_is_told(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", world.engine.url.render_as_string(hide_password=False))
    world.write("a.md", "title: A")
    world.import_()
    world.delete("a.md")
    world.write("a.md/b.md", "title: B")
    world.write("READ", "title: C")
    world.import_(only=("a.md/b.md", "READ"))
    folder = str(tmp_path / "copy")
    done = run("export", "--format", "documents", "--to", folder)
    assert "news/a.md/b.md: not written: something else has its place" in done.output
    assert "news/READ: an import reads it only where it is named" in done.output
    again = run("export", "--format", "documents", "--to", folder)
    assert (again.exit_code, "is not empty" in again.output) == (2, True)
    assert run("export", "--format", "documents").exit_code == 2


def test_rows_go_to_a_folder_or_a_file(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", world.engine.url.render_as_string(hide_password=False))
    world.import_()
    run("export", "--format", "csv", "--to", str(tmp_path / "new" / "folder"))
    run("export", "--to", str(tmp_path / "all.ndjson"))
    assert (tmp_path / "new" / "folder" / "articles.csv").exists()
    assert (tmp_path / "all.ndjson").read_text() == ""


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n"), max_size=30)
words = st.sampled_from(
    ["- a", "a: b", "a #b", "no", "0o7", "1e3", "~", "<<", "---", "a\n\nb", " a", "a ", "\n", "? a",
     "!!int 1", "https://a.b/:", "x" * 1_200, "a\n  b", "#a\n- b", "\u2028", "'", '"', "&a", "*a", "%a"]
)  # fmt: skip
keys = texts | words
values = st.recursive(
    texts | words | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=500, deadline=None)
@given(mapping=st.dictionaries(keys, values, min_size=1, max_size=4))
def test_any_text_reads_back_as_it_was(mapping: dict[str, Any]) -> None:
    tree = read_tree(yaml_text(mapping))
    assert isinstance(tree, YamlTree), tree
    assert tree.value == mapping
