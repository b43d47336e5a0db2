"""A consistent copy of an SQLite database, made while others read and write it. Knows no table."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from app.database.snapshots import Reader
from app.errors import BackupFailed
from app.whole_files import written_whole

_SQLITE_HEADER = b"SQLite format 3\x00"


def copy_database(reader: Reader, file: Path) -> None:
    """Makes `file`, or replaces an older backup when the copy is whole and on the disk.

    Raises BackupFailed, NoCatalogue or DatabaseUnusable.
    """
    if reader.dialect != "sqlite":
        raise BackupFailed("The catalogue is on PostgreSQL: use pg_dump --format=custom, and pg_restore.")
    try:
        with closing(reader.engine.raw_connection()) as connection:
            original: Any = connection.driver_connection
            if not _may_be_replaced(original, file):
                raise BackupFailed(f"{file} is there and is no older backup: name another file.")
            with written_whole(file) as part:
                with closing(sqlite3.connect(part)) as copy:
                    # One step copies one state: between two steps SQLite would begin anew after each import.
                    original.backup(copy)
                with part.open("rb") as written:
                    os.fsync(written.fileno())
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BackupFailed(f"cannot write {file}: {reason}") from error


def _may_be_replaced(original: sqlite3.Connection, file: Path) -> bool:
    """The target may only be another SQLite database, and never the one that is copied, by whatever name."""
    if not file.exists():
        return True
    [_, _, catalogue] = original.execute("PRAGMA database_list").fetchone()
    if file.samefile(catalogue):
        return False
    with suppress(OSError), file.open("rb") as beginning:
        return beginning.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER
    return False
