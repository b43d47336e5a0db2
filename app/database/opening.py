"""Checks of a new connection: is this a database that Clippings can use? Knows no table."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from app.database.sqlite_file import SqliteFile, file_of
from app.errors import DatabaseUnusable

# This SQLSTATE means that a table does not exist.
_UNDEFINED_TABLE = "42P01"


def check_on_connect(engine: Engine, *, may_create_file: bool) -> None:
    """Makes connecting raise DatabaseUnusable or NoCatalogue. One that only reads may create no file."""
    if engine.dialect.name == "sqlite":
        file = file_of(engine)
        event.listen(
            engine, "do_connect", _check_place if may_create_file or not file else partial(_open, file)
        )
    else:
        # This check must run before SQLAlchemy's own first queries, which fail if texts arrive as bytes.
        event.listen(engine, "connect", _require_unicode, insert=True)


def is_missing_table(error: BaseException | None) -> bool:
    if isinstance(error, DBAPIError):
        error = error.orig
    return getattr(error, "sqlstate", None) == _UNDEFINED_TABLE or str(error).startswith("no such table")


def _check_folder(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
    # A `file:` URI says itself whether a file may be made, so it is not checked.
    if not options.get("uri"):
        file = Path(arguments[0])
        if file.is_dir():
            raise DatabaseUnusable(
                "The database cannot be opened: it is a folder; CLIPPINGS_DATABASE_URL must name a file."
            )
        if not file.parent.is_dir():
            raise DatabaseUnusable(
                "The database cannot be opened: its folder is not there; make it, or name another one."
            )


def _check_place(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
    _check_folder(dialect, record, arguments, options)
    file = Path(arguments[0])
    if options.get("uri") or os.access(file.parent, os.W_OK | os.X_OK):
        return
    # SQLite would say "unable to open database file", of its log too, which it keeps beside the file.
    what = "written" if file.exists() else "made"
    raise DatabaseUnusable(
        f"The database cannot be {what}: its folder may not be written; allow that, or name another one."
    )


def _open(file: SqliteFile, dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
    _check_folder(dialect, record, arguments, options)
    arguments[0], options["uri"] = file.uri(), True


def _require_unicode(connection: Any, record: Any) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding is None:
        # Not every pooler passes it on.
        [encoding] = connection.execute("SHOW server_encoding").fetchone()
        connection.commit()
    if encoding != "UTF8":
        connection.close()
        raise DatabaseUnusable(
            f"The database is in {encoding}, which cannot hold every text: "
            "make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0."
        )
