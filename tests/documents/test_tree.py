"""Which files of a tree are listed, and which of them can be read."""

import os
import socket
from pathlib import Path

import pytest

from app.documents.files import list_files, read_file
from app.documents.problems import Problem


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def reason(found: bytes | Problem) -> str:
    assert isinstance(found, Problem)
    return found.reason


def test_documents_are_listed_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    make(
        tmp_path,
        "b/a.md",
        "b.MD",
        "é.markdown",
        "𝒳.txt",
        "\ufb01.yml",
        "z.yaml",
        "m.mdx",
        "folder.md/x.TXT",
        "a.html",
        "md",
    )
    make(tmp_path, ".git/a.md", "b/.a.md", "c/README")
    listing = list_files(tmp_path)
    assert listing.files == (
        "b.MD",
        "b/a.md",
        "folder.md/x.TXT",
        "m.mdx",
        "z.yaml",
        "é.markdown",
        "\ufb01.yml",
        "𝒳.txt",
    )
    assert (listing.skipped, listing.rejected, listing.incomplete) == ((), (), False)
    assert read_file(tmp_path, "b/a.md") == b"b/a.md"


def test_parts_of_a_tree_keep_their_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/x.md", "b/y.md", "b/page.html", "c.md", "elsewhere/z.md")
    (tmp_path / "b" / "out.md").symlink_to("/etc/hostname")
    monkeypatch.chdir(tmp_path / "b")
    listing = list_files(Path(".."), [Path("../a"), Path("page.html"), tmp_path / "c.md", Path("out.md")])
    assert listing.files == ("a/x.md", "b/page.html", "c.md")
    assert [(problem.path, problem.reason) for problem in listing.rejected] == [
        ("b/out.md", "links outside the tree")
    ]
    assert list_files(tmp_path, [tmp_path]).files == list_files(tmp_path).files
    with pytest.raises(ValueError, match="is not below"):
        list_files(tmp_path / "a", [tmp_path / "b"])


def test_a_link_is_followed_where_nothing_else_leads_to_its_target(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make(root, "a/x.md", "b/y.md", ".hidden/z.md", ".hidden/deep/w.md", "page.html")
    make(tmp_path, "outside/secret.md")
    links = {
        **{
            "a/link.md": "x.md",
            "linked": "a",
            "a/up": "..",
            "a/b": "../b",
            "b/a": "../a",
            "self.md": "self.md",
        },
        **{"gone.md": "nowhere", "out.md": "../outside/secret.md", "out": "../outside", "folder.md": "b"},
        **{"shown": ".hidden", "shown-too": ".hidden", ".hidden/deep/up": "..", ".hidden/a": "../a"},
        **{"page.md": "page.html", "z.md": ".hidden/z.md"},
    }
    for link, target in links.items():
        (root / link).symlink_to(target)
    listing = list_files(root)
    assert listing.files == ("a/x.md", "b/y.md", "page.md", "shown/deep/w.md", "shown/z.md")
    assert {problem.path for problem in listing.rejected} == {"self.md", "gone.md", "out.md"}
    assert {(skipped.path, skipped.reason) for skipped in listing.skipped} == {
        ("out", "a link to a folder outside the tree"),
        *((file, "a link to a file that is read elsewhere") for file in ("a/link.md", "z.md")),
        *(
            (folder, "a link to a folder that is read elsewhere")
            for folder in (
                "a/b",
                "a/up",
                "b/a",
                "folder.md",
                "linked",
                "shown-too",
                "shown/a",
                "shown/deep/up",
            )
        ),
    }
    assert not listing.incomplete
    assert str(tmp_path) not in str(listing)
    assert read_file(root, "page.md") == b"page.html"
    assert reason(read_file(root, "out.md")) == "links outside the tree"


def test_a_part_that_is_a_link_is_read_where_it_is_named(tmp_path: Path) -> None:
    make(tmp_path, "topics/one.md")
    (tmp_path / "_topics").symlink_to("topics")
    (tmp_path / "two.md").symlink_to("topics/one.md")
    assert list_files(tmp_path).files == ("topics/one.md",)
    parts = [tmp_path / "_topics", tmp_path / "two.md"]
    assert list_files(tmp_path, parts).files == ("_topics/one.md", "two.md")


def test_names_that_no_database_or_report_can_hold_are_rejected(tmp_path: Path) -> None:
    names = [b"\xff.md", b"a\nb.md", b"\x1b[31m.md", "\u2028.md".encode(), b"x" * 250 + b".md", b"plain.md"]
    deep = b"/".join([b"y" * 250] * 4)
    (tmp_path / os.fsdecode(deep)).mkdir(parents=True)
    for name in [*names[:4], names[5], deep + b"/" + names[4]]:
        (tmp_path / os.fsdecode(name)).touch()
    listing = list_files(tmp_path)
    assert listing.files == ("plain.md",)
    assert len(listing.rejected) == 5
    assert not listing.incomplete
    assert all(problem.path.isprintable() and len(problem.path) <= 320 for problem in listing.rejected)
    str(listing).encode()


def test_a_folder_that_cannot_be_listed_makes_the_listing_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a/x.md", "b/y.md")
    scandir = os.scandir

    def scandir_but_a(path: str) -> object:
        if path.endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scandir_but_a)  # as root, chmod keeps nobody out
    listing = list_files(tmp_path)
    assert (listing.files, listing.incomplete) == (("b/y.md",), True)
    assert [(problem.path, problem.reason) for problem in listing.rejected] == [
        ("a", "cannot be read: Permission denied")
    ]
    assert list_files(tmp_path / "nowhere").incomplete


def test_what_is_no_regular_file_is_a_problem_and_never_a_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo.md")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.md")
    make(tmp_path, "folder.md/x", "large.md", "growing.md")
    os.truncate("large.md", 8_000_001)
    os.truncate("growing.md", 8_000_000)
    assert list_files(tmp_path).files == ("fifo.md", "growing.md", "large.md", "socket.md")
    assert reason(read_file(tmp_path, "fifo.md")) == "is not a regular file"
    assert reason(read_file(tmp_path, "folder.md")) == "is not a regular file"
    assert reason(read_file(tmp_path, "socket.md")).startswith("cannot be read: ")
    assert reason(read_file(tmp_path, "gone.md")) == "cannot be read: No such file or directory"
    assert reason(read_file(tmp_path, "large.md")) == "has more than 8 MB"
    assert len(read_file(tmp_path, "growing.md")) == 8_000_000  # type: ignore[arg-type]
    assert reason(read_file(Path("/dev"), "zero")) == "is not a regular file"
