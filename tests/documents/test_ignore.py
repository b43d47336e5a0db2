"""The patterns of `ignore` mean what they mean in .gitignore: a table, and git itself where it is there."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from app.documents.ignore import IgnoreRules

TABLE = [
    # Patterns, paths that they name, paths that they do not name.
    (["drafts/"], ["drafts/a.md", "2024/drafts/a.md"], ["drafts", "drafts.md"]),
    (["/drafts"], ["drafts/a.md", "drafts"], ["2024/drafts/a.md"]),
    (["2024/drafts"], ["2024/drafts/a.md"], ["x/2024/drafts/a.md"]),
    (["*.txt"], ["a.txt", "x/y/.txt"], ["a.md", "a.txt.md"]),
    (["*.txt", "!keep.txt"], ["a.txt"], ["keep.txt", "x/keep.txt"]),
    (["drafts/", "!drafts/keep.md"], ["drafts/keep.md"], []),
    (["drafts/*", "!drafts/keep.md"], ["drafts/a.md"], ["drafts/keep.md"]),
    (["**/old"], ["old", "x/old", "x/y/old/a.md"], ["older"]),
    (["old/**"], ["old/a.md", "old/x/a.md"], ["old"]),
    (["a/**/z.md"], ["a/z.md", "a/b/z.md", "a/b/c/z.md"], ["a/bz.md", "x/a/z.md"]),
    (["a*.md"], ["a.md", "ab.md", "x/a b.md"], ["ba.md"]),
    (["x/a*.md"], ["x/ab.md"], ["x/a/b.md"]),
    (["[ab]?.md"], ["ax.md", "bx.md"], ["cx.md", "a.md"]),
    (["[!a-c].md"], ["d.md"], ["a.md", "c.md"]),
    ([r"\#a.md", r"\!b.md", "# c.md"], ["#a.md", "!b.md"], ["c.md", "# c.md"]),
    (["a.md  ", r"b.md\ "], ["a.md", "b.md "], ["b.md"]),
    (["", "  ", "/", "!"], [], ["a.md"]),
    (["[a"], [], ["a"]),
]


@pytest.mark.parametrize(("lines", "named", "others"), TABLE, ids=[" ".join(lines) for lines, _, _ in TABLE])
def test_patterns_name_paths(lines: list[str], named: list[str], others: list[str]) -> None:
    rules = IgnoreRules(tuple(lines))
    assert [path for path in (*named, *others) if rules.name_any_of(path)] == named


def test_many_stars_take_no_time() -> None:
    assert not IgnoreRules(("*a" * 400 + "b",)).name("a" * 1_000, is_folder=False)
    assert not IgnoreRules(("/".join(["**", "a"] * 200) + "/b",)).name("/".join("a" * 500), is_folder=False)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not there to compare with")
def test_git_ignores_the_same(tmp_path: Path) -> None:
    chosen = random.Random(14)  # noqa: S311  what is drawn need not be secret
    pieces = [
        "a",
        "b",
        "ab",
        "*",
        "**",
        "?",
        "[ab]",
        "[!a]",
        "[b-a]",
        "/",
        "/",
        r"\*",
        ".md",
        "*.md",
        "#",
        "!",
    ]
    names = ["a", "b", "ab", "a.md", "*", "ba", "c", "#"]
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)  # noqa: S603  git itself
    for _ in range(60):
        lines = ["".join(chosen.choices(pieces, k=chosen.randint(1, 5))) for _ in range(3)]
        (tmp_path / ".gitignore").write_text("\n".join(lines) + "\n")
        paths = sorted({"/".join(chosen.choices(names, k=chosen.randint(1, 4))) for _ in range(40)})
        ignored = subprocess.run(  # noqa: S603  git itself
            [*git, "check-ignore", "--no-index", "-z", "--stdin"],
            input="\0".join(paths),
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split("\0")
        rules = IgnoreRules(tuple(lines))
        assert [path for path in paths if rules.name_any_of(path)] == [p for p in ignored if p], lines
