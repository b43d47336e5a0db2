"""A consistent copy of an SQLite database, made while others read and write it. Knows no table."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from app.database.snapshots import Reader
from app.errors import BackupFailed

_SQLITE_HEADER = b"SQLite format 3\x00"


def copy_database(reader: Reader, file: Path) -> None:
    """Makes `file`, or replaces an older backup when the copy is whole and on the disk.

    Raises BackupFailed, NoCatalogue or DatabaseUnusable.
    """
    if reader.dialect != "sqlite":
        raise BackupFailed("The catalogue is on PostgreSQL: use pg_dump --format=custom, and pg_restore.")
    if not _may_be_replaced(reader, file):
        raise BackupFailed(f"{file} is there and is no older backup: name another file.")
    part = file.resolve().with_name(f".{file.name}.{os.getpid()}")
    try:
        with closing(reader.engine.raw_connection()) as connection, closing(sqlite3.connect(part)) as copy:
            original: Any = connection.driver_connection
            # One step copies one state: between two steps SQLite would begin anew after each import.
            original.backup(copy)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        if file.exists():
            shutil.copymode(file, part)
        part.replace(file.resolve())
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BackupFailed(f"cannot write {file}: {reason}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _may_be_replaced(reader: Reader, file: Path) -> bool:
    """Nothing but another SQLite database, and never the one that is copied."""
    if not file.exists():
        return True
    original = reader.engine.url.database
    if original and Path(original).exists() and file.samefile(original):
        return False
    with suppress(OSError), file.open("rb") as beginning:
        return beginning.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER
    return False
