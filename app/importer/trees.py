"""Which tree each PATH of a command belongs to, and what the tree is called. Knows no command."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from app.documents.problems import Problem
from app.documents.tree_settings import (
    SOURCE_NAME,
    SOURCE_NAME_IN_WORDS,
    TreeSettings,
    has_settings,
    read_settings,
)
from app.importer.read import Request


class UnclearTree(Exception):
    """The PATHs do not say which trees are meant; the text says what to do."""


def trees_of(paths: Sequence[Path], root: Path | None) -> tuple[list[Request], list[Problem]]:
    """The trees, without names yet, and what is wrong with what they say of themselves.

    A PATH below a folder with clippings.yaml is a part of that tree. Else a folder is a tree, and a file a
    part of its folder.
    """
    if root is not None:
        for path in paths:
            if not path.resolve().is_relative_to(root.resolve()):
                raise UnclearTree(f"{path} is not below --root {root}")
        return _with_settings([Request(absolute(root), "", tuple(map(absolute, paths)))])
    requests: list[Request] = []
    for path in map(absolute, paths):
        own_root = root_of(path)
        if own_root is None and path.is_dir():
            requests.append(Request(path, ""))
        else:
            _add_part(requests, own_root or path.parent, path)
    return _with_settings(requests)


def named(requests: Sequence[Request], source: str | None) -> list[Request]:
    """The name is `source`, else what a tree calls itself, else its folder's: a link keeps its name."""
    if source and len(requests) > 1:
        raise UnclearTree("--source names one source; with several PATHs give their common folder as --root")
    with_names = [
        replace(request, source=_valid(source or request.settings.source or request.root.name))
        for request in requests
    ]
    names = [request.source for request in with_names]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UnclearTree(f"two PATHs would be the source {twice!r}; import them one by one with --source")
    return with_names


def root_of(path: Path) -> Path | None:
    """The nearest folder with clippings.yaml, the path itself or above it."""
    return next((folder for folder in (path, *path.parents) if has_settings(folder)), None)


def absolute(path: Path) -> Path:
    """No link is followed, not those of the working folder either, so that a folder keeps its name."""
    whole = Path(os.path.normpath(_working_folder() / path))
    try:
        is_same = whole.samefile(path)
    except OSError:
        # A path that is not there has no other name either.
        return whole
    # `link/..` is another folder to the system than to who reads it.
    return whole if is_same else path.resolve()


def _working_folder() -> Path:
    """The folder by the name that the shell has for it: the system knows its real name alone."""
    real = Path.cwd()
    logical = Path(os.environ.get("PWD", real))
    try:
        return logical if logical.is_absolute() and logical.samefile(real) else real
    except OSError:
        return real


def _add_part(requests: list[Request], root: Path, part: Path) -> None:
    for place, request in enumerate(requests):
        if request.root == root:
            if request.only is not None:
                only = None if part == root else (*request.only, part)
                requests[place] = replace(request, only=only)
            return
    requests.append(Request(root, "", None if part == root else (part,)))


def _with_settings(requests: Iterable[Request]) -> tuple[list[Request], list[Problem]]:
    readable: list[Request] = []
    problems: list[Problem] = []
    for request in requests:
        settings = read_settings(request.root)
        if isinstance(settings, TreeSettings):
            readable.append(replace(request, settings=settings))
        else:
            problems += [
                replace(problem, path=os.fspath(request.root / problem.path)) for problem in settings
            ]
    return readable, problems


def _valid(name: str) -> str:
    if not SOURCE_NAME.fullmatch(name):
        raise UnclearTree(f"{name!r} cannot name a source: use --source with {SOURCE_NAME_IN_WORDS}")
    return name
