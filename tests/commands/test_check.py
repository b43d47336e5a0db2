"""`check`, `schema` and `import --watch`: what helps while one writes documents."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
import yaml

from app.documents.article import KEYS, OTHER_NAMES
from app.documents.editor_schema import Kind, front_matter_schema
from app.importer.check import check_trees
from app.importer.read import Request
from app.importer.watch import SECONDS_BETWEEN_LOOKS, watch
from tests.support.worlds import write_document

SEEDS = Path(__file__).parents[2] / "seeds"


def findings(root: Path) -> list[str]:
    report = check_trees([Request(root, "news")], None, 1, lambda file: file.relative_to(root).as_posix())
    return [f"{w.path}:{w.line}:{w.column} {w.key}: {w.reason}" for w in (*report.problems, *report.warnings)]


def test_a_near_miss_of_a_key_is_a_warning(tmp_path: Path) -> None:
    write_document(tmp_path, "a.md", "titel: A\ntitle: A")
    assert findings(tmp_path) == ["a.md:2:1 titel: is not a key that is read; title is"]


def test_a_topic_that_nothing_describes_is_a_warning_where_topics_are_described(tmp_path: Path) -> None:
    write_document(tmp_path, "a.md", "title: A\ntopics: [ai]\n")
    write_document(tmp_path, "b.md", "title: B\ntopics:\n  - AI\n  - Ia\n")
    assert findings(tmp_path) == []
    write_document(tmp_path, "ai.md", "taxonomy: topic\nname: AI")
    assert findings(tmp_path) == ["b.md:5:5 topics[1]: no document describes the topic “Ia”"]


def test_what_a_collection_lists_and_no_article_has_is_a_warning(tmp_path: Path) -> None:
    write_document(
        tmp_path, "x/all.md", "title: All\nitems:\n  - a\n  -\n  - zz\n  - 2020\n  - page\n  - 1.10.md"
    )
    for path in ("x/a.MD", "2020.markdown"):
        write_document(tmp_path, path, "title: A")
    write_document(tmp_path, "page.md", "layout: home")
    assert findings(tmp_path) == [
        "x/all.md:5:4 items[1]: is empty and left out",
        "x/all.md:6:5 items[2]: lists “zz”, where no article is",
        "x/all.md:8:5 items[4]: lists “page”, where no article is",
        "x/all.md:9:5 items[5]: lists “1.10.md”, where no article is",
    ]


def test_a_part_of_a_tree_has_its_items_in_all_of_it(tmp_path: Path) -> None:
    part = tmp_path / "lists/all.md"
    write_document(tmp_path, "lists/all.md", "title: All\nitems: [a, /lists/b.md, lists/all, zz, page]")
    write_document(tmp_path, "a.md", "title: A\nimages: [/relative.png]\nwebUrl: /relative")
    write_document(tmp_path, "lists/b.md", "title: B")
    write_document(tmp_path, "page.md", "layout: home")

    def missing() -> list[str | None]:
        report = check_trees([Request(tmp_path, "news", (part,))], "https://site.example/", 1)
        return [warning.key for warning in report.warnings]

    # Nothing says that the paths of items begin at this folder.
    assert missing() == []
    (tmp_path / "clippings.yaml").write_text("source: news")
    assert missing() == ["items[3]", "items[4]"]


def test_remarks_find_their_lines_in_any_syntax_under_any_name(tmp_path: Path) -> None:
    write_document(tmp_path, "ai.md", "taxonomy: topic\nname: AI")
    write_document(tmp_path, "a.md", "title: A\nparams:\n  categories: [[AI, Ia], [Ai, '', Oi]]")
    write_document(tmp_path, "b.md", "title: B\ntopics: AI, Ia")
    (tmp_path / "c.md").write_text('+++\ntitle = "C"\nitems = [\n"a", "zz"]\n+++\n', encoding="utf-8")
    (tmp_path / "d.md").write_text('{"title": "D",\n"items": ["a", 1.10]}\n', encoding="utf-8")
    assert findings(tmp_path) == [
        "a.md:4:3 params.categories[3]: is empty and left out",
        "a.md:4:3 params.categories: no document describes the topic “Ia”",
        "a.md:4:3 params.categories: no document describes the topic “Oi”",
        "b.md:3:1 topics: no document describes the topic “Ia”",
        "c.md:3:1 items[1]: lists “zz”, where no article is",
        "d.md:2:16 items[1]: lists “1.10”, where no article is",
    ]


def test_a_url_that_two_documents_share_is_a_warning(tmp_path: Path) -> None:
    write_document(tmp_path, "a.md", "title: A\nwebUrl: https://example.org/x")
    write_document(tmp_path, "b.md", "title: B\nwebUrl: http://www.example.org/x/?utm_source=b")
    assert findings(tmp_path) == ["b.md:3:1 webUrl: is the URL of a.md too"]


def test_a_part_of_a_tree_is_compared_with_the_topics_of_all_of_it(tmp_path: Path) -> None:
    write_document(tmp_path, "a.md", "title: A\ntopics: [AI, Ia]")
    write_document(tmp_path, "topics/ai.md", "taxonomy: topic\nname: AI")
    (tmp_path / "clippings.yaml").write_text("source: news")
    report = check_trees([Request(tmp_path, "news", (tmp_path / "a.md",))], None, 1)
    assert [warning.key for warning in report.warnings] == ["topics[1]"]


@pytest.mark.parametrize("path", sorted(SEEDS.glob("[!to]*/*.md")), ids=lambda path: path.name)
def test_the_schema_fits_every_article_of_the_seeds(path: Path) -> None:
    front_matter = yaml.load(path.read_text(encoding="utf-8").split("\n---\n")[0][4:], yaml.CBaseLoader)  # noqa: S506
    jsonschema.validate(front_matter, front_matter_schema())


@pytest.mark.parametrize(
    "wrong",
    [
        "quality: high",
        "publishedDateTime: yesterday",
        "published: maybe",
        "draft: nearly",
        "images: 5",
        "items: {a: b}",
        "items: [[a]]",
        "title:",
    ],
)
def test_the_schema_refuses_what_an_import_would(wrong: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(f"title: A\n{wrong}"), front_matter_schema())


@pytest.mark.parametrize(
    ("kind", "front_matter", "is_right"),
    [
        (
            "article",
            "title: A\nprovider: NASA\nrelated: [B, https://b.example/]\ntags: a, b\npublished: '2024-11-05'",
            True,
        ),
        ("article", "source: https://a.example/\ncreated: soon\ncover: {src: a.png}", True),
        ("article", "title: A\npublishedDateTime: '2024-03-01 10:00:00 +0200'", True),
        ("article", "tags: [a]", False),
        ("topic", "taxonomy: topic\nname: AI\nkeywords: [ml]\nimages: [a.png]", True),
        ("topic", "taxonomy: topic\nparent: AI", False),
        ("topic", "taxonomy: organization\nname: AI", False),
        ("organization", "taxonomy: provider\ndomain: nasa.gov\notherNames: NASA", True),
        ("organization", "taxonomy: organization\nname: NASA\ndescription: [a]", False),
        ("organization", "name: NASA", False),
    ],
)
def test_each_kind_of_document_has_its_schema(kind: Kind, front_matter: str, is_right: bool) -> None:
    schema = front_matter_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid(yaml.safe_load(front_matter)) == is_right


def test_the_schema_of_an_article_knows_all_names() -> None:
    assert front_matter_schema()["properties"].keys() == {*KEYS, *OTHER_NAMES}


@pytest.mark.parametrize("path", sorted(SEEDS.glob("to*/*.md")), ids=lambda path: path.name)
def test_the_schema_fits_every_topic_of_the_seeds(path: Path) -> None:
    front_matter = yaml.safe_load(path.read_text(encoding="utf-8").split("\n---\n")[0][4:])
    jsonschema.validate(front_matter, front_matter_schema("topic"))


def test_a_finding_between_documents_is_at_the_name_that_was_written(tmp_path: Path) -> None:
    write_document(tmp_path, "a.md", "title: A\nsource: https://example.org/x")
    write_document(tmp_path, "b.md", "title: B\nparams:\n  link: https://example.org/x\n  categories: [Ia]")
    write_document(tmp_path, "ai.md", "taxonomy: topic\nname: AI")
    assert findings(tmp_path) == [
        "b.md:4:3 params.link: is the URL of a.md too",
        "b.md:5:16 params.categories[0]: no document describes the topic “Ia”",
    ]


def imports_while_watching(root: Path, import_once: Callable[[int], bool], imports: int) -> None:
    """`import_once` is told how many there were before it."""

    class Enough(Exception):
        pass

    done = iter(range(imports))

    def import_or_stop() -> bool:
        count = next(done, None)
        if count is None:
            raise Enough
        return import_once(count)

    with pytest.raises(Enough):
        watch(lambda: [Request(root, "news")], import_or_stop)


def test_an_edit_is_seen_soon_however_long_the_import_before_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    pauses: list[float] = []
    told = SimpleNamespace(monotonic=lambda: clock[0], sleep=pauses.append)
    monkeypatch.setattr("app.importer.watch.time", told)
    write_document(tmp_path, "a.md", "title: A")

    def import_slowly(count: int) -> bool:
        clock[0] += 600
        write_document(tmp_path, f"{count}.md", "title: B")
        return True

    imports_while_watching(tmp_path, import_slowly, 2)
    assert set(pauses) == {SECONDS_BETWEEN_LOOKS}


def test_looking_takes_a_small_part_of_a_processor_and_pauses_for_seconds_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    seconds = iter((0, 0.001, 10, 10.1, 20, 80))
    monkeypatch.setattr(
        "app.importer.watch.time", SimpleNamespace(monotonic=lambda: next(seconds), sleep=pauses.append)
    )
    with pytest.raises(StopIteration):
        watch(lambda: [Request(tmp_path, "news")], lambda: True)
    assert pauses == [1, pytest.approx(2), 5]


def test_an_import_that_could_not_be_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was away: nobody edits a file when it is back."""
    monkeypatch.setattr("app.importer.watch.SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr("app.importer.watch.SECONDS_BETWEEN_TRIES", 0.1)
    write_document(tmp_path, "a.md", "title: A")
    began = time.monotonic()

    def fail_thrice(count: int) -> bool:
        if count == 3:
            write_document(tmp_path, "b.md", "title: B")
        return count == 3

    imports_while_watching(tmp_path, fail_thrice, 4)
    assert time.monotonic() - began >= 0.3


def test_a_watched_tree_is_imported_whenever_it_changes_and_survives_a_bad_state(tmp_path: Path) -> None:
    news = tmp_path / "news"
    write_document(news, "a.md", "title: A")
    command = [sys.executable, "-m", "app", "import", str(news), "--watch", "--json"]
    with (
        subprocess.Popen(  # noqa: S603  our own command
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as watching,
        ExitStack() as stack,
    ):
        assert watching.stdout
        lines = iter(watching.stdout.readline, "")

        def next_report() -> tuple[int, int]:
            """How many articles were created, and how many problems there were."""
            report = json.loads("{" + "".join(iter(lines.__next__, "}\n")).lstrip("{") + "}")
            return report["created"], len(report["problems"])

        # Nobody waits for a command whose report was not as expected.
        stack.callback(watching.kill)
        assert next_report() == (1, 0)
        write_document(news, "b.md", "title: B")
        assert next_report() == (1, 0)
        news.rename(tmp_path / "elsewhere")
        assert next_report() == (0, 1), "the folder itself cannot be read"
        write_document(tmp_path / "elsewhere", "c.md", "title: C")
        (tmp_path / "elsewhere").rename(news)
        assert next_report() == (1, 0)
        watching.terminate()


@pytest.mark.skipif(sys.platform == "win32", reason="names are UTF-8 there")
def test_names_are_utf_8_whatever_the_locale_is(tmp_path: Path) -> None:
    write_document(tmp_path, "ışık.md", "titel: A\ntitle: A")
    ascii_alone = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ended = subprocess.run(
        [sys.executable, "-m", "app", "check", "."],
        cwd=tmp_path,
        env=os.environ | ascii_alone | {"PYTHONPATH": str(SEEDS.parent)},
        capture_output=True,
        check=False,
    )
    assert ended.stdout.decode().startswith("ışık.md:2:1: warning: titel"), ended.stderr
