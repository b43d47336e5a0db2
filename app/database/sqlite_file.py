"""The file of an SQLite database: how it can be opened where it is, and whether it is still the same one.

SQLite trusts that nobody else touches its file. People do: they put a backup in its place, copy another file
over it, move it away. An open connection goes on with what it had, so connections are opened anew whenever
the file on the disk is another one or was changed.

A database on a disk that cannot be written has a trap. It is in the mode of a write-ahead log, for which even
readers make two files beside it. SQLite opens it without them only if it is told that nobody will change the
file (`immutable`), and then it reads no log, even one that holds the last import.
"""

import os
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine

from app.errors import DatabaseUnusable, NoCatalogue

# The name of the engine's execution option that holds its file.
OPTION = "sqlite_file"


class Signature(NamedTuple):
    """Equal ones are one file with one content. `has_log` matters where no log can be made."""

    device: int
    inode: int
    size: int
    modified_ns: int
    has_log: bool


class SqliteFile:
    def __init__(self, path: Path, *, read_only: bool) -> None:
        self._path = os.fspath(path.absolute())
        self._log = f"{self._path}-wal"
        self._index = f"{self._path}-shm"
        self._read_only = read_only
        # A connection remembers the file as it was opened; SQLite itself sees the writers of this machine.
        self._can_be_written = True
        # The numbers of the file and of its log, as they were together.
        self._inode: int | None = None
        self._log_inode: int | None = None

    def signature(self) -> Signature | None:
        """None if the file is not there. It takes 2 µs, so it is asked before each snapshot."""
        try:
            status = os.stat(self._path)  # noqa: PTH116  pathlib takes three times as long
        except OSError:
            return None
        if self._inode is None or self._log_inode is None:
            self._inode, self._log_inode = status.st_ino, self._inode_of_log()
        has_log = not self._can_be_written and self._has_log()
        return Signature(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, has_log)

    def uri(self) -> str:
        """The URI by which a reader opens it. Raises NoCatalogue or DatabaseUnusable.

        The file may disappear right now: in neither mode SQLite makes a new one.
        """
        path = Path(self._path)
        if not os.path.lexists(path):
            raise NoCatalogue
        uri = path.as_uri()
        self._can_be_written = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        self._require_own_log()
        if self._can_be_written:
            return f"{uri}?mode={'ro' if self._read_only else 'rw'}"
        if not os.access(path, os.R_OK):
            raise DatabaseUnusable("The database cannot be opened: this user may not read its file.")
        if not self._has_log():
            return f"{uri}?mode=ro&immutable=1"
        if not os.access(self._index, os.R_OK):
            # The log holds an import, and cannot be read without its index where nothing can be written.
            raise DatabaseUnusable(
                "The database cannot be opened: its last import is in a log beside it (-wal), which cannot "
                "be read where nothing can be written; copy it by `clippings backup` and serve the copy."
            )
        return f"{uri}?mode=ro"

    def _require_own_log(self) -> None:
        """SQLite would read the log of the file before, and mix the two."""
        inode = os.stat(self._path).st_ino  # noqa: PTH116  as above
        is_same_log = self._log_inode is not None and self._log_inode == self._inode_of_log()
        if inode != self._inode and is_same_log and self._has_log():
            raise DatabaseUnusable(
                "The database's file was replaced, but the log of the one before lies beside it: stop what "
                "uses it, remove the files that end in -wal and -shm, and start it again."
            )
        self._inode, self._log_inode = inode, None

    def _inode_of_log(self) -> int | None:
        try:
            return os.stat(self._log).st_ino  # noqa: PTH116  as above
        except OSError:
            return None

    def _has_log(self) -> bool:
        try:
            return os.stat(self._log).st_size > 0  # noqa: PTH116  as above
        except OSError:
            return False


def file_of(engine: Engine) -> SqliteFile | None:
    """None on PostgreSQL, and for a `file:` URI, which says itself how it is opened."""
    file: SqliteFile | None = engine.get_execution_options().get(OPTION)
    return file
