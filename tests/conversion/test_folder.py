"""`convert` writes names that are safe everywhere, the same ones each time, and never over a file."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conversion.test_formats import convert, texts


def export(folder: Path, *links: dict[str, Any]) -> Path:
    file = folder / "links.json"
    file.write_text(json.dumps(links), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("title", "url", "name"),
    [
        ("Ça va, C++?", "https://example.org/a", "ca-va-c.md"),
        ("Łódź & Straße", "https://example.org/a", "lodz-strasse.md"),
        ("../../etc/passwd", "https://example.org/a", "etc-passwd.md"),
        ("機械学習の基礎", "https://www.example.org/ml/basics.html", "example-org-ml-basics-html.md"),
        ("CON", "https://example.org/a", "con-b5b10dd0.md"),
        ("…", "https://example.org/", "example-org.md"),
        (
            "word " * 40,
            "https://example.org/a",
            "word-word-word-word-word-word-word-word-word-word-word-word-word-word-word-word.md",
        ),
        ("x" * 300, "https://example.org/a", "x" * 80 + ".md"),
    ],
)
def test_a_name_is_made_of_the_title_or_the_url(tmp_path: Path, title: str, url: str, name: str) -> None:
    convert(export(tmp_path, {"url": url, "title": title}), tmp_path / "inbox")
    assert list(texts(tmp_path / "inbox")) == [name]


def test_two_links_of_one_name_are_two_files_and_one_link_twice_is_one(tmp_path: Path) -> None:
    first = {"url": "https://example.org/1", "title": "Home"}
    second = {"url": "https://example.org/2", "title": "Home"}
    again = {"url": "https://example.org/2", "title": "Home", "tags": ["a"]}
    result = convert(export(tmp_path, first, second, first, again), tmp_path / "inbox")
    assert "written 3  unchanged 0  repeated 1" in result.output
    names = sorted(texts(tmp_path / "inbox"))
    assert names == ["home-5691104f-2.md", "home-5691104f.md", "home.md"]


def test_a_newer_link_of_an_older_ones_name_takes_no_file_away(tmp_path: Path) -> None:
    """Feeds begin with the newest entry."""
    old, new = ({"url": f"https://example.org/{age}", "title": "Weekly notes"} for age in ("old", "new"))
    convert(export(tmp_path, old), tmp_path / "inbox")
    before = texts(tmp_path / "inbox")
    result = convert(export(tmp_path, new, old), tmp_path / "inbox")
    assert "written 1  unchanged 1  repeated 0  left alone 0" in result.output
    assert before.items() <= texts(tmp_path / "inbox").items()


def test_a_file_that_says_something_else_is_left_alone_and_named(tmp_path: Path) -> None:
    file = export(tmp_path, {"url": "https://example.org/", "title": "Home"}, {"title": "Other"})
    inbox = tmp_path / "inbox"
    convert(file, inbox)
    (inbox / "home.md").write_text(
        "---\ntitle: My home\nwebUrl: https://example.org/\n---\n", encoding="utf-8"
    )
    (inbox / "other.md").write_text("mine", encoding="utf-8")
    before = texts(inbox)
    result = convert(file, inbox)
    assert result.exit_code == 0
    assert f"{inbox}/home.md: note: says something else and is left alone" in result.output
    assert f"{inbox}/other.md: note: says something else and is left alone" in result.output
    assert "written 0  unchanged 0  repeated 0  left alone 2" in result.output
    assert texts(inbox) == before


def test_what_is_no_file_is_left_alone_too(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "home.md").mkdir(parents=True)
    os.mkfifo(inbox / "pipe.md")
    (inbox / "link.md").symlink_to(tmp_path / "outside")
    result = convert(export(tmp_path, *({"title": title} for title in ("Home", "Pipe", "Link"))), inbox)
    assert "left alone 3" in result.output
    assert not (tmp_path / "outside").exists()


# The system writes no file beyond 20 bytes, as on a disk that is full.
FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
from app.cli import main
main()
"""


def test_half_a_document_of_a_full_disk_is_not_left(tmp_path: Path) -> None:
    file, inbox = export(tmp_path, {"url": "https://example.org/", "title": "Home"}), tmp_path / "inbox"
    command = [sys.executable, "-c", FULL_DISK, "convert", str(file), "--to", str(inbox)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert (ended.returncode, "Traceback" in ended.stderr) == (3, False), ended.stderr
    assert not [path for path in inbox.rglob("*") if path.is_file()]
    assert "written 1" in convert(file, inbox).output
