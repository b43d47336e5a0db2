"""`check`, `schema` and `import --watch`: what helps while one writes documents."""

import re
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
import yaml

from app.documents.schema import front_matter_schema
from app.importer.check import check_trees
from app.importer.look import Request
from tests.worlds import write_document

SEEDS = Path(__file__).parent.parent / "seeds"


def findings(root: Path) -> list[str]:
    report = check_trees([Request(root, "news")], None, workers=1)
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


def test_a_url_that_two_documents_share_is_a_warning(tmp_path: Path) -> None:
    write_document(tmp_path, "a.md", "title: A\nwebUrl: https://example.org/x")
    write_document(tmp_path, "b.md", "title: B\nwebUrl: http://www.example.org/x/?utm_source=b")
    assert findings(tmp_path) == ["b.md:3:1 webUrl: is the URL of a.md too"]


@pytest.mark.parametrize("path", sorted(SEEDS.glob("[!to]*/*.md")), ids=lambda path: path.name)
def test_the_schema_fits_every_article_of_the_seeds(path: Path) -> None:
    front_matter = yaml.load(path.read_text(encoding="utf-8").split("\n---\n")[0][4:], yaml.CBaseLoader)  # noqa: S506
    jsonschema.validate(front_matter, front_matter_schema())


@pytest.mark.parametrize(
    "wrong",
    ["quality: high", "publishedDateTime: yesterday", "published: maybe", "draft: nearly", "images: 5"],
)
def test_the_schema_refuses_what_an_import_would(wrong: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(f"title: A\n{wrong}"), front_matter_schema())


def test_a_watched_tree_is_imported_whenever_it_changes_and_survives_a_bad_state(tmp_path: Path) -> None:
    news = tmp_path / "news"
    write_document(news, "a.md", "title: A")
    command = [sys.executable, "-m", "app", "import", str(news), "--watch", "--json"]
    with subprocess.Popen(  # noqa: S603  our own command
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as watching:
        assert watching.stdout
        seen = iter(watching.stdout.readline, "")

        def next_count(name: str) -> int:
            return next(int(found[1]) for line in seen if (found := re.search(rf'"{name}": (\d+)', line)))

        assert next_count("created") == 1
        write_document(news, "b.md", "title: B")
        assert next_count("created") == 1
        news.rename(tmp_path / "elsewhere")
        time.sleep(2.5)
        (tmp_path / "elsewhere").rename(news)
        write_document(news, "c.md", "title: C")
        assert next_count("created") >= 0
        watching.terminate()
