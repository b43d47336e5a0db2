"""What a tree says of itself in clippings.yaml, and whose tree a PATH is."""

import os
from pathlib import Path
from typing import Any

import pytest

from app.documents.tree_settings import TreeSettings, read_settings
from app.importer.read import Request
from app.importer.report import Report
from app.importer.run import Options, import_trees
from app.importer.trees import UnclearTree, named, trees_of
from tests.support.worlds import World, write_document

LINKBLOG = """
source: linkblog
baseUrl: https://blog.example/
keys:
  webUrl: permalink
  publishedDateTime: [posted, when]
defaults:
  locale: en-us
  tags: [links]
ignore:
  - drafts/
"""


def import_tree(world: World, **options: Any) -> Report:
    requests, problems = trees_of([world.root], None)
    assert not problems
    return import_trees(world.engine, named(requests, None), Options(**options))


def items(world: World) -> dict[str, dict[str, object]]:
    return {item["path"]: item for item in world.items()}


def test_a_tree_with_its_own_keys_is_read_as_it_is(world: World) -> None:
    (world.root / "clippings.yaml").write_text(LINKBLOG)
    world.write("a.md", "title: A\npermalink: https://sqlite.org/a.html\nposted: 2024-03-01")
    world.write("b.md", "title: B\nwebUrl: /b\npermalink: /other\nwhen: 2024-03-02\nlocale: de\ntags: [x]")
    world.write("drafts/c.md", "title: C")
    assert import_tree(world).created == 2
    a, b = items(world)["a.md"], items(world)["b.md"]
    assert (a["source"], a["webUrl"], a["publishedDateTime"], a["locale"], a["tags"]) == (
        "linkblog",
        "https://sqlite.org/a.html",
        "2024-03-01T00:00:00Z",
        "en-us",
        ["links"],
    )
    assert (b["webUrl"], b["publishedDateTime"], b["locale"], b["tags"]) == (
        "https://blog.example/b",
        "2024-03-02T00:00:00Z",
        "de",
        ["x"],
    )


def test_a_change_of_the_settings_reads_unchanged_documents_again(world: World) -> None:
    world.write("a.md", "title: A\nheadline: B\nsite: https://example.org/")
    import_tree(world)
    (world.root / "clippings.yaml").write_text("keys: {webUrl: site}")
    assert import_tree(world).updated == 1
    assert items(world)["a.md"]["webUrl"] == "https://example.org/"
    assert import_tree(world).unchanged == 1


def test_keys_in_params_count_as_if_they_stood_outside(world: World) -> None:
    (world.root / "clippings.yaml").write_text(
        "keys: {webUrl: site}\ndefaults: {excerpt: None yet, quality: 5}"
    )
    world.write(
        "a.md", "title: A\nparams: {site: 'https://example.org/', description: B, quality: 7, mood: x}"
    )
    report = import_tree(world)
    item = items(world)["a.md"]
    assert (item["webUrl"], item["excerpt"], item["quality"]) == ("https://example.org/", "B", 7)
    assert report.unread_keys == {"mood": 1}


def test_a_finding_names_the_key_that_the_curator_wrote(world: World) -> None:
    (world.root / "clippings.yaml").write_text("keys: {publishedDateTime: posted}")
    world.write("a.md", "title: A\nposted: soon")
    [problem] = import_tree(world).problems
    assert (problem.line, problem.key) == (3, "posted")


def test_descriptions_have_their_own_keys_and_no_defaults(world: World) -> None:
    (world.root / "clippings.yaml").write_text("keys: {title: name}\ndefaults: {images: [a.png]}")
    world.write("a.md", "name: A")
    world.write("t.md", "taxonomy: topic\nname: Topic")
    report = import_tree(world)
    assert (report.created, report.topics, world.titles()) == (1, 1, ["A"])


def test_a_folder_with_settings_is_a_tree_of_its_own(world: World) -> None:
    world.write("a.md", "title: A")
    world.write("inner/b.md", "title: B")
    (world.root / "inner" / "clippings.yaml").write_text("source: inner")
    report = import_tree(world)
    assert [skipped.path for skipped in report.skipped_files] == ["inner"]
    assert world.titles() == ["A"]


WRONG = [
    ("sorce: news", 1, "sorce"),
    ("source: two words", 1, "source"),
    ("baseUrl: /news", 1, "baseUrl"),
    ("source: a\nkeys:\n  titel: headline", 3, "keys.titel"),
    ("keys:\n  title: [{a: b}]", 2, "keys.title"),
    ("keys: headline", 1, "keys"),
    ("defaults:\n  quality: high", 2, "defaults.quality"),
    ("defaults:\n  layout: post", 2, "defaults.layout"),
    ("ignore: [{a: b}]", 1, "ignore[0]"),
    ("- a", 1, None),
    ("source: a\nsource: b", 2, None),
    ("source: [", 2, None),
]


@pytest.mark.parametrize(("text", "line", "key"), WRONG, ids=[text for text, _, _ in WRONG])
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, line: int, key: str | None) -> None:
    (tmp_path / "clippings.yaml").write_text(text)
    problems = read_settings(tmp_path)
    assert not isinstance(problems, TreeSettings)
    assert (problems[0].path, problems[0].line, problems[0].key) == ("clippings.yaml", line, key)


@pytest.mark.parametrize("text", ["", "# nothing yet", "source:", "keys:\ndefaults: {}\nignore: |\n  a\n  b"])
def test_settings_may_say_little(tmp_path: Path, text: str) -> None:
    (tmp_path / "clippings.yaml").write_text(text)
    assert isinstance(read_settings(tmp_path), TreeSettings)


def test_a_path_belongs_to_the_tree_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_document(tmp_path, "blog/posts/a.md", "title: A")
    write_document(tmp_path, "blog/posts/b.md", "title: B")
    write_document(tmp_path, "other/c.md", "title: C")
    (tmp_path / "blog" / "clippings.yaml").write_text("source: linkblog")
    monkeypatch.chdir(tmp_path / "blog" / "posts")

    def trees(*paths: str, root: str | None = None) -> list[tuple[str, str, tuple[str, ...]]]:
        requests, _ = trees_of([Path(path) for path in paths], Path(root) if root else None)
        return [
            (request.root.relative_to(tmp_path).as_posix(), request.source, request.parts())
            for request in named(requests, None)
        ]

    assert trees("a.md") == [("blog", "linkblog", ("posts/a.md",))]
    assert trees(".") == [("blog", "linkblog", ("posts",))]
    assert trees("a.md", "b.md") == [("blog", "linkblog", ("posts/a.md", "posts/b.md"))]
    assert trees("a.md", "..") == trees("..", "a.md") == [("blog", "linkblog", ())]
    assert trees("../../other/c.md", "a.md") == [
        ("other", "other", ("c.md",)),
        ("blog", "linkblog", ("posts/a.md",)),
    ]
    assert trees("a.md", root=".") == [("blog/posts", "posts", ("a.md",))], "options win"


def test_a_source_is_named_after_a_link_and_not_after_what_it_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A synchroniser makes a folder for each commit, and lets one link lead to the newest."""
    for commit in ("rev-aaa", "rev-bbb"):
        write_document(tmp_path, f"{commit}/a.md", "title: A")
    link = tmp_path / "current"

    def name(path: Path) -> str:
        [request] = named(trees_of([path], None)[0], None)
        return request.source

    link.symlink_to("rev-aaa")
    assert [name(link), name(link / "a.md")] == ["current", "current"]
    monkeypatch.chdir(link)
    monkeypatch.setenv("PWD", str(link))
    assert [name(Path()), name(Path("a.md"))] == ["current", "current"]


def test_a_part_that_is_a_link_is_looked_for_under_the_links_own_path(world: World) -> None:
    world.write("real/a.md", "title: A")
    (world.root / "link").symlink_to("real")
    assert Request(world.root, "news", (world.root / "link",)).parts() == ("link",)


def test_names_that_would_meet_are_refused(tmp_path: Path) -> None:
    for folder in ("a/news", "b/news"):
        write_document(tmp_path, f"{folder}/x.md", "title: X")
    requests, _ = trees_of([tmp_path / "a/news", tmp_path / "b/news"], None)
    with pytest.raises(UnclearTree, match="two PATHs would be the source 'news'"):
        named(requests, None)


def test_the_seeds_name_themselves() -> None:
    seeds = Path(os.path.relpath(Path(__file__).parents[2] / "seeds" / "news"))
    assert [request.source for request in named(trees_of([seeds], None)[0], None)] == ["seeds"]


def test_defaults_make_no_article_of_what_is_skipped(world: World) -> None:
    write_document(world.root, "clippings.yaml", "defaults: {title: Untitled, locale: en}")
    world.write("page.md", "layout: default")
    world.write("person.md", "name: Bob")
    world.write("clip.md", "title: A\npublished: 2024-03-05")
    write_document(world.root, "clippings.yaml", "defaults: {title: Untitled, publishedDateTime: 2001-01-01}")
    report = import_tree(world)
    assert (report.skipped, report.rejected, world.titles()) == (2, 0, ["A"])
    assert [item["publishedDateTime"] for item in world.items()] == ["2024-03-05T00:00:00Z"]
