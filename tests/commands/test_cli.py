"""The commands as a curator types them: what they print."""

import json
import os
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

SECRET = "c2VlZC1kb2N1bWVudC1zZWNyZXQ="


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    news = tmp_path / "news"
    news.mkdir()
    (news / "good.md").write_text(f"---\ntitle: Good\npublished: no\nsecured: {SECRET}\n---\n")
    (news / "bad.md").write_text("---\ntitle: Bad\nquality: high\n---\n")
    (news / "readme.md").write_text("Nothing to import.\n")
    return tmp_path


def clippings(
    folder: Path, *arguments: str, typed: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name}
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "app", *arguments],
        cwd=folder,
        env=environment | settings,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_import_says_what_it_did_and_what_is_wrong(folder: Path) -> None:
    done = clippings(folder, "import", "news")
    assert done.returncode == 1
    assert "created 1  updated 0  unchanged 0  rejected 1  skipped 1" in done.stdout
    assert "1 article is not published: see it with" in done.stdout
    assert "bad.md:3:1: error: quality: " in done.stderr
    assert "readme.md: skipped: " in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_the_report_as_json(folder: Path) -> None:
    done = clippings(folder, "import", "news", "--json")
    report = json.loads(done.stdout)
    counts = {name: value for name, value in report.items() if isinstance(value, int)}
    assert counts == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
        "skipped": 1,
        "topics": 0,
        "providers": 0,
        "missing": 0,
        "removed": 0,
        "unpublished": 1,
        "revision": 1,
    }
    assert [(p["path"], p["line"], p["key"]) for p in report["problems"]] == [("bad.md", 3, "quality")]
    assert report["problems"][0].keys() == {"path", "line", "column", "key", "reason", "advice"}
    assert [skipped["path"] for skipped in report["skippedFiles"]] == ["readme.md"]


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """All that is written to it, as it is written."""
    ours, theirs = os.openpty()
    environment = {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name}
    with subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, "-m", "app", *arguments], cwd=folder, env=environment, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        written = b""
        # Linux says by an error that nobody writes to a terminal any more.
        with suppress(OSError):
            while some := os.read(ours, 10_000):
                written += some
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def as_shown(written: str) -> list[str]:
    return [line.rpartition("\r\x1b[K")[2] for line in written.removesuffix("\n").split("\n")]


def test_progress_is_shown_on_a_terminal_and_gone_before_the_report(folder: Path) -> None:
    for number in range(250):
        (folder / "news" / f"{number}.md").write_text(f"---\ntitle: A {number}\n---\n")
    written = on_a_terminal(folder, "import", "news", "--workers", "1")
    assert "0 of 253 files read\r\x1b[K100 of 253 files read\r\x1b[K200 of 253 files read" in written
    assert "0 of 251 articles written\r\x1b[K251 articles written; now the index\r\x1b[K" in written
    assert [line.split(":")[0] for line in as_shown(written)[:2]] == ["bad.md", "readme.md"]
    assert as_shown(written)[2].startswith("created 251  updated 0")
    again = on_a_terminal(folder, "import", "news", "--prune", "--strict", "--json")
    assert as_shown(again)[0] == "{"
    assert "of 253 files" not in clippings(folder, "import", "news").stderr


def test_a_failure_stands_on_a_line_of_its_own(folder: Path) -> None:
    clippings(folder, "import", "news")
    (folder / "news" / "good.md").unlink()
    written = on_a_terminal(folder, "import", "news", "--prune")
    assert [line.split(" would")[0] for line in as_shown(written)] == ["clippings: --prune"]


def test_a_file_that_is_no_database_is_one_line(folder: Path) -> None:
    (folder / "clippings.db").write_text("This is a letter to my aunt. " * 100)
    done = clippings(folder, "import", "news")
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)


def test_an_emptied_article_is_named_keeps_its_state_and_says_what_to_do(folder: Path) -> None:
    clippings(folder, "import", "news")
    (folder / "news" / "good.md").write_text("")
    (folder / "news" / "bad.md").unlink()
    done = clippings(folder, "import", "news", "--prune", "--force")
    assert (done.returncode, "rejected 1  skipped 1" in done.stdout, "removed 0" in done.stdout) == (
        1,
        True,
        True,
    )
    assert done.stderr.splitlines()[0] == (
        "good.md:1:1: error: was an article and now is empty. Restore its front matter, or delete the file; "
        "until then its last good state is kept."
    )


def test_a_check_names_what_it_skips(folder: Path) -> None:
    done = clippings(folder, "check", "news")
    assert "news/readme.md:1:1: skipped: a text without front matter" in done.stdout


@pytest.mark.parametrize(
    ("typed", "status", "said", "sources"),
    [
        ("n\n", 3, "Nothing was removed", ["news"]),
        ("", 2, "add --yes", ["news"]),
        ("y\n", 0, "Remove the source news with 1 article?", []),
    ],
)
def test_a_source_is_removed_only_by_who_means_it(
    folder: Path, typed: str, status: int, said: str, sources: list[str]
) -> None:
    clippings(folder, "import", "news")
    done = clippings(folder, "sources", "remove", "news", typed=typed)
    assert (done.returncode, said in done.stderr) == (status, True)
    listed = json.loads(clippings(folder, "sources", "--json").stdout)
    assert [source["name"] for source in listed] == sources


def test_what_is_gone_is_named(folder: Path) -> None:
    for number in range(25):
        (folder / "news" / f"{number:02}.md").write_text(f"---\ntitle: {number}\nlayout: post\n---\n")
    clippings(folder, "import", "news")
    (folder / "news" / "00.md").unlink()
    assert "1 article has no document any more; --prune removes it:\n  00.md\n" in (
        clippings(folder, "import", "news").stdout
    )
    for number in range(1, 23):
        (folder / "news" / f"{number:02}.md").unlink()
    said = clippings(folder, "import", "news", "--dry-run", "--prune", "--force").stdout
    assert "23 articles would be removed:\n  00.md\n  01.md\n" in said
    assert "  19.md\n  … and 3 more, which --json names.\n" in said
    assert "Keys that nobody reads, and how many documents have them: layout 2\n" in said


def test_a_misspelt_setting_is_named(folder: Path) -> None:
    assert "CLIPPINGS_EDITOR_TOKN" in clippings(folder, "migrate", CLIPPINGS_EDITOR_TOKN="x").stderr


def test_an_export_takes_the_filters_of_the_service(folder: Path) -> None:
    (folder / "news" / "seen.md").write_text("---\ntitle: Seen\ntopics: [AI]\n---\n")
    clippings(folder, "import", "news")
    assert clippings(folder, "export", "--topic", "ai", "--format", "csv").stdout.count("\n") == 2
    done = clippings(folder, "export", "--published", "any", "--sort", "title", "--to", "all.ndjson")
    assert done.returncode == 0
    titles = [json.loads(line)["title"] for line in (folder / "all.ndjson").read_text().splitlines()]
    assert titles == ["Good", "Seen"]
    assert clippings(folder, "export", "--published-from", "yesterday").returncode == 2


def test_an_export_writes_sheets_and_the_fields_asked_for(folder: Path) -> None:
    clippings(folder, "import", "news")
    everything = ("export", "--published", "any")
    assert clippings(folder, *everything, "--format", "xlsx", "--to", "all.xlsx").returncode == 0
    with zipfile.ZipFile(folder / "all.xlsx") as package:
        assert b">Good<" in package.read("xl/worksheets/sheet1.xml")
    csv = clippings(folder, *everything, "--format", "csv", "--bom", "--fields", "title,topics").stdout
    assert csv.splitlines() == ["\ufefftitle,topics", "Good,"]
    assert clippings(folder, *everything, "--fields", "title").stdout == '{"title":"Good"}\n'
    for wrong, reason in (
        (("--fields", "titel"), "--fields must not name titel"),
        (("--bom",), "--bom is for --format csv"),
        (("--format", "documents", "--to", "copy", "--fields", "title"), "writes all of them"),
    ):
        refused = clippings(folder, *everything, *wrong)
        assert refused.returncode == 2
        assert reason in refused.stderr
