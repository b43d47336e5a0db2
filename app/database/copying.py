"""A consistent copy of an SQLite database, made while others read and write it. Knows no table."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from app.database.snapshots import Reader
from app.errors import BackupFailed


def copy_database(reader: Reader, file: Path) -> None:
    """Replaces `file` by the copy when that is whole and on the disk; until then what was there stays.

    Raises BackupFailed, NoCatalogue or DatabaseUnusable.
    """
    if reader.dialect != "sqlite":
        raise BackupFailed("The catalogue is on PostgreSQL: use pg_dump --format=custom, and pg_restore.")
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
