"""The files of a tree that may be documents, and their bytes. Knows nothing of what they say."""

import errno
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.documents.front_matter import MAX_FILE_BYTES
from app.documents.ignore import IgnoreRules
from app.documents.problems import Problem, printable_value

EXTENSIONS: Final = (".md", ".mdx", ".markdown", ".txt", ".yaml", ".yml")

# This file says at the root of a tree what the tree is; it is no document, wherever it stands.
SETTINGS_FILE: Final = "clippings.yaml"

# A path is half of an article's identity and stands in an index, whose rows hold 2,704 bytes on PostgreSQL.
MAX_PATH_BYTES: Final = 1_000

# Control characters and line ends would forge lines in a report, and databases refuse NUL.
_FORBIDDEN_IN_A_PATH: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")

# The flags keep us from waiting for a FIFO, from taking over a terminal, and from following a link unjudged.
_OPEN_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, flag, 0) for flag in ("O_NONBLOCK", "O_NOCTTY", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")
)


NOTHING_IGNORED: Final = IgnoreRules()


@dataclass(frozen=True, slots=True)
class Skipped:
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class TreeFiles:
    """`files` are paths from the root with `/` between folders, in the order of their UTF-8 bytes.

    `skipped` has the links and folders that were not followed, and the files that were named and are to be
    ignored; they are not in `files`. `rejected` has the files
    that cannot be documents, and the folders that could not be listed. `incomplete` is True if there is such
    a folder: a file that is not in `files` may exist all the same.
    """

    files: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    rejected: tuple[Problem, ...]
    incomplete: bool


def list_files(
    root: Path, only: Sequence[Path] | None = None, ignore: IgnoreRules = NOTHING_IGNORED
) -> TreeFiles:
    """Lists the files with a document's extension below `root`, or below the parts of it in `only`.

    A file in `only` is listed whatever its name. A part that is not below the root raises ValueError.
    """
    walk = _TreeWalk(os.path.realpath(root), ignore)
    for part in [root] if only is None else only:
        walk.add(path_below(root, part))
    walk.follow_links()
    # Python sorts by code points, and UTF-8 keeps that order in its bytes.
    return TreeFiles(
        tuple(sorted(walk.files)),
        tuple(walk.skipped[path] for path in sorted(walk.skipped)),
        tuple(walk.rejected[path] for path in sorted(walk.rejected)),
        walk.incomplete,
    )


def read_file(root: Path, path: str) -> bytes | Problem:
    """The bytes of a listed file, or why it cannot be read. Never waits; stops reading at the limit."""
    try:
        descriptor = _open(root, path)
    except OSError as error:
        return _unreadable(path, error)
    if descriptor is None:
        return _outside(path)
    try:
        return _content(descriptor, path)
    except OSError as error:
        return _unreadable(path, error)
    finally:
        os.close(descriptor)


def _open(root: Path, path: str) -> int | None:
    """A descriptor; None for a link that leaves the tree now, whatever it did when it was listed."""
    # Joining texts takes a third of the time that joining and printing a Path takes.
    full_path = f"{root}/{path}"
    try:
        return os.open(full_path, _OPEN_FLAGS)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    target = os.path.realpath(full_path, strict=True)
    return os.open(target, _OPEN_FLAGS) if _is_inside(os.path.realpath(root), target) else None


def _content(descriptor: int, path: str) -> bytes | Problem:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return _problem(path, "is not a regular file", "Replace it by a file, or remove it.")
    chunks: list[bytes] = []
    size = 0
    # We read to the end, not to the size: the file may grow, and every file in /proc has the size 0.
    while size <= MAX_FILE_BYTES and status.st_size <= MAX_FILE_BYTES:
        chunk = os.read(descriptor, max(status.st_size - size, 0) + 1)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        size += len(chunk)
    return _problem(path, f"has more than {MAX_FILE_BYTES // 1_000_000} MB", "Split it.")


@dataclass(slots=True)
class _TreeWalk:
    real_root: str
    ignore: IgnoreRules
    files: set[str] = field(default_factory=set)
    skipped: dict[str, Skipped] = field(default_factory=dict)
    rejected: dict[str, Problem] = field(default_factory=dict)
    incomplete: bool = False
    links: dict[str, bool] = field(default_factory=dict)
    targets: set[str] = field(default_factory=set)

    def add(self, path: str) -> None:
        """Adds a part that a person named: a file whatever its name, a link if it stays inside the tree."""
        if not _is_inside(self.real_root, os.path.realpath(self._full(path))):
            self.rejected[path] = _outside(path)
        elif path and self.ignore.name_any_of(path):
            self.skipped[path] = Skipped(_printable_path(path), f"{SETTINGS_FILE} has it ignored")
        elif not path or Path(self._full(path)).is_dir():
            self._folder(path)
        elif Path(path).name != SETTINGS_FILE:
            self._file(path)

    def _folder(self, start: str, *, through_a_link: bool = False) -> None:
        folders = [start]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self._full(folder)) as scan:
                    entries = [
                        (entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink())
                        for entry in scan
                    ]
            except OSError as error:
                self.incomplete = True
                self.rejected[folder] = _unreadable(folder or ".", error)
                continue
            if folder != start and any(name == SETTINGS_FILE for name, _, _ in entries):
                reason = f"a tree of its own, with a {SETTINGS_FILE}"
                self.skipped[folder] = Skipped(_printable_path(folder), reason)
                continue
            for name, is_folder, is_link in entries:
                path = f"{folder}/{name}" if folder else name
                if name.startswith(".") or name == SETTINGS_FILE:
                    continue
                if self.ignore.lines and self.ignore.name(path, is_folder=is_folder):
                    continue
                if is_folder and len(os.fsencode(path)) <= MAX_PATH_BYTES:
                    folders.append(path)
                elif is_link:
                    self.links[path] = through_a_link
                # A folder whose path is too long is reported in the place of all in it.
                elif is_folder or name.lower().endswith(EXTENSIONS):
                    self._file(path)

    def follow_links(self) -> None:
        """Links are followed in the order of their paths: the first of two links to one file counts."""
        while self.links:
            path = min(self.links)
            self._link(path, through_a_link=self.links.pop(path))

    def _link(self, path: str, *, through_a_link: bool) -> None:
        is_document = path.lower().endswith(EXTENSIONS)
        try:
            target = os.path.realpath(self._full(path), strict=True)
            is_folder = stat.S_ISDIR(Path(target).stat().st_mode)
        except OSError as error:
            if is_document:
                self.rejected[path] = _unreadable(path, error)
            return
        kind = "folder" if is_folder else "file"
        if not is_folder and not is_document:
            return
        if not _is_inside(self.real_root, target):
            if is_folder:
                self.skipped[path] = Skipped(_printable_path(path), "a link to a folder outside the tree")
            else:
                self.rejected[path] = _outside(path)
        elif self._is_read_elsewhere(target, is_folder=is_folder, through_a_link=through_a_link):
            self.skipped[path] = Skipped(_printable_path(path), f"a link to a {kind} that is read elsewhere")
        elif is_folder:
            self.targets.add(target)
            self._folder(path, through_a_link=True)
        else:
            self.targets.add(target)
            self._file(path)

    def _is_read_elsewhere(self, target: str, *, is_folder: bool, through_a_link: bool) -> bool:
        """False for what only a link makes visible: a hidden folder, or a file without a document's ending.

        It is asked of the whole tree, also where only a part of it is read: a path is an identity.
        """
        is_hidden = any(part.startswith(".") for part in Path(target).relative_to(self.real_root).parts)
        if not is_hidden and (is_folder or target.lower().endswith(EXTENSIONS)):
            return True
        # Links in linked folders would multiply files.
        is_linked = any(_is_inside(linked, target) for linked in self.targets)
        return is_linked or (is_folder and through_a_link)

    def _file(self, path: str) -> None:
        reason_and_advice = _wrong_path(path)
        if reason_and_advice is None:
            self.files.add(path)
        else:
            self.rejected[path] = _problem(path, *reason_and_advice)

    def _full(self, path: str) -> str:
        return f"{self.real_root}/{path}" if path else self.real_root


def path_below(root: Path, part: Path) -> str:
    """The path from the root to a part of it. Links in the part's own path are not followed."""
    path = Path(os.path.abspath(part))  # noqa: PTH100 — resolve() would follow the links
    for base in (os.path.abspath(root), os.path.realpath(root)):  # noqa: PTH100
        if path.is_relative_to(base):
            below = path.relative_to(base).as_posix()
            return "" if below == "." else below
    raise ValueError(f"{part} is not below {root}")


def _is_inside(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _wrong_path(path: str) -> tuple[str, str] | None:
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "has a name that is not UTF-8", "Rename it."
    if size > MAX_PATH_BYTES:
        return f"has a path of more than {MAX_PATH_BYTES} bytes", "Shorten its name, or move it up."
    if _FORBIDDEN_IN_A_PATH.search(path):
        return "has a control character or a line end in its name", "Rename it."
    return None


def _outside(path: str) -> Problem:
    return _problem(path, "links outside the tree", "Replace the link by the file.")


def _unreadable(path: str, error: OSError) -> Problem:
    # str(error) would hold the whole path on this machine.
    return _problem(
        path, f"cannot be read: {error.strerror}", "Check that it exists and that you may read it."
    )


def _problem(path: str, reason: str, advice: str) -> Problem:
    return Problem(path=_printable_path(path), line=None, column=None, key=None, reason=reason, advice=advice)


def _printable_path(path: str) -> str:
    return path if _wrong_path(path) is None else printable_value(path)
