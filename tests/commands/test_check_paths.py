"""`check` as a hook, an editor or a CI service calls it: any files and folders, from any folder."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.test_exit_statuses import run
from tests.support.worlds import write_document

Said = pytest.CaptureFixture[str]
C_IS_WRONG = '3:1: error: quality: is "high", which is no whole number'


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git work tree with a tree of documents and a folder of others; one stands at its top."""
    write_document(tmp_path, "blog/posts/a.md", "title: A\npermalink: https://a.example/")
    write_document(tmp_path, "blog/posts/b.md", "title: B\nwebUrl: b")
    write_document(tmp_path, "notes/c.md", "title: C\nquality: high")
    (tmp_path / "blog" / "readme.md").write_text("About.\n")
    (tmp_path / "blog" / "clippings.yaml").write_text(
        "baseUrl: https://blog.example/\nkeys: {webUrl: permalink}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["clippings"])
    return tmp_path


def lines(said: Said) -> list[str]:
    return [line.partition(". ")[0] for line in said.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("folder", "paths", "printed"),
    [
        (".", ["blog", "notes"], [f"notes/c.md:{C_IS_WRONG}", "blog/readme.md:1:1: skipped"]),
        (".", ["notes/c.md", "blog/posts/a.md"], [f"notes/c.md:{C_IS_WRONG}"]),
        (".", ["./notes/"], [f"notes/c.md:{C_IS_WRONG}"]),
        ("notes", ["."], [f"c.md:{C_IS_WRONG}"]),
        ("notes", ["c.md", "../blog"], [f"c.md:{C_IS_WRONG}", "../blog/readme.md:1:1: skipped"]),
        ("blog/posts", ["../../notes/c.md", "b.md"], [f"../../notes/c.md:{C_IS_WRONG}"]),
        ("blog", ["../blog/posts", "clippings.yaml"], []),
    ],
)
def test_a_file_is_named_as_given_from_where_one_stands(
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Said,
    folder: str,
    paths: list[str],
    printed: list[str],
) -> None:
    monkeypatch.chdir(repository / folder)
    status = run("check", *paths)
    shown = lines(capsys)
    assert [line.partition(": a text")[0] for line in shown] == printed
    assert status == int(any("error" in line for line in shown))


def test_an_absolute_path_stays_one(repository: Path, capsys: Said) -> None:
    run("check", str(repository / "notes"))
    assert lines(capsys) == [f"{repository}/notes/c.md:{C_IS_WRONG}"]


def test_several_files_of_a_folder_are_checked_together(repository: Path, capsys: Said) -> None:
    assert run("check", "blog/posts/a.md", "blog/posts/b.md") == 0
    printed = capsys.readouterr()
    assert (printed.out, "2 articles" in printed.err) == ("", True)


def test_warnings_count_if_one_is_strict(repository: Path, capsys: Said) -> None:
    write_document(repository, "notes/c.md", "titel: C\ntitle: C")
    assert (run("check", "notes"), run("check", "notes", "--strict")) == (0, 1)
    assert lines(capsys) == ["notes/c.md:2:1: warning: titel: is not a key that is read; title is"] * 2


def test_json_has_the_shape_of_a_check(repository: Path, capsys: Said) -> None:
    write_document(repository, "blog/posts/a.md", "title: A\nlayout: post")
    run("check", "blog", "notes", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "articles": 2,
        "topics": 0,
        "providers": 0,
        "rejected": 1,
        "skipped": 1,
        "problems": [
            {
                "path": "notes/c.md",
                "line": 3,
                "column": 1,
                "key": "quality",
                "reason": 'is "high", which is no whole number',
                "advice": "Write a whole number, such as 59.",
            }
        ],
        "warnings": [],
        "skippedFiles": [{"path": "blog/readme.md", "reason": "a text without front matter"}],
        "unreadKeys": {"layout": 1},
    }


def test_settings_that_are_wrong_are_a_problem_of_their_line(repository: Path, capsys: Said) -> None:
    (repository / "blog" / "clippings.yaml").write_text("source: blog\nsorce: x\n")
    assert run("check", "blog/posts/a.md") == 1
    assert lines(capsys) == ["blog/clippings.yaml:2:1: error: sorce: is not a setting of a tree"]


def test_what_a_tree_ignores_is_named_and_not_read(repository: Path, capsys: Said) -> None:
    (repository / "blog" / "clippings.yaml").write_text("ignore: [/posts/b*]")
    assert run("check", "blog/posts/a.md", "blog/posts/b.md") == 0
    assert lines(capsys) == ["blog/posts/b.md:1:1: skipped: clippings.yaml has it ignored"]


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
@pytest.mark.parametrize("folder", [".", "notes", "blog/posts"])
def test_the_files_that_git_names_are_checked_from_any_folder(repository: Path, folder: str) -> None:
    """Changed, deleted, new to the index and with a name beyond ASCII, which git writes in quotes."""
    write_document(repository, "notes/über.md", "title: U")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@a.example"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Begin"]):
        subprocess.run([*git, *arguments], cwd=repository, check=True)  # noqa: S603  git itself
    write_document(repository, "notes/c.md", "title: C\nquality: low")
    write_document(repository, "notes/über.md", "title: U\nheat: hot")
    (repository / "blog/posts/b.md").unlink()
    command = f"git diff --name-only | xargs {sys.executable} -m app check"
    done = subprocess.run(  # noqa: S602  the line that the README tells to write
        command, shell=True, cwd=repository / folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 123, "which is what xargs makes of 1"
    files = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert len(files) == 3, done.stdout + done.stderr
    assert [(repository / folder / file).resolve().name for file in files[:2]] == ["c.md", "über.md"]
    assert all((repository / folder / file).exists() for file in files[:2]), "an editor can jump there"
    assert done.stdout.splitlines()[2] == "blog/posts/b.md:1:1: skipped: is deleted"


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_a_file_that_git_does_not_know_either_is_wrong_usage(repository: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=repository, check=True)  # noqa: S607  git itself
    assert run("check", "nowhere.md") == 2


def test_nothing_to_check_is_no_mistake(repository: Path) -> None:
    """`git diff` names no file, and xargs calls the command all the same."""
    assert run("check") == 0
