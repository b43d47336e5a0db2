"""The file that a PATH stands for: from where one stands, or as git names it, from the top of a work tree."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

# Git writes bytes beyond ASCII so, in quotes, which xargs takes away:  news/\303\274ber.md
_OCTAL: Final = re.compile(rb"\\([0-3][0-7]{2})")


def existing(path: Path) -> Path | None:
    """The path itself if it is there, else what git means by it; None where neither is."""
    for candidate in (path, _unquoted(path)):
        if os.path.lexists(candidate):
            return candidate
        # `git diff --name-only` counts from the top, whatever folder it was started in.
        if (top := _top_of_work_tree()) and os.path.lexists(top / candidate):
            return Path(os.path.relpath(top / candidate))
    return None


def is_known_to_git(path: Path) -> bool:
    """Whether a file that is not there was one that git has, as `git diff` names those that were deleted."""
    top = _top_of_work_tree()
    return top is not None and any(
        _says_something(folder, command, _unquoted(path))
        for folder in (top, Path.cwd())
        for command in (("ls-files", "--"), ("rev-list", "-1", "--all", "--"))
    )


def _says_something(folder: Path, command: tuple[str, ...], path: Path) -> bool:
    arguments = ["git", "--literal-pathspecs", *command, os.fspath(path)]
    try:
        done = subprocess.run(  # noqa: S603  no shell, and the path stands after `--`
            arguments, cwd=folder, capture_output=True, check=False
        )
    except OSError:
        # Nobody knows without git.
        return False
    return done.returncode == 0 and bool(done.stdout)


def _top_of_work_tree() -> Path | None:
    folder = Path.cwd()
    # `.git` is a file in a linked work tree.
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)


def _unquoted(path: Path) -> Path:
    plain = _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), os.fsencode(path))
    return Path(os.fsdecode(plain))
