"""What is looked at when a database is opened: whether it is one that Clippings can use. Knows no table."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from app.errors import DatabaseUnusable, NoCatalogue

# PostgreSQL's number for a table that is not there.
_UNDEFINED_TABLE = "42P01"


def look_first(engine: Engine, *, makes_file: bool) -> None:
    """Connections of this engine raise DatabaseUnusable or NoCatalogue. Who only reads makes no file."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _makes_or_finds if makes_file else _finds)
    else:
        # Before SQLAlchemy's own first questions, which fail on bytes in place of text.
        event.listen(engine, "connect", _is_unicode, insert=True)


def lacks_a_table(error: BaseException | None) -> bool:
    if isinstance(error, DBAPIError):
        error = error.orig
    return getattr(error, "sqlstate", None) == _UNDEFINED_TABLE or str(error).startswith("no such table")


def _makes_or_finds(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
    # Who writes a `file:` URI says everything in it.
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


def _finds(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
    _makes_or_finds(dialect, record, arguments, options)
    if not options.get("uri"):
        file = Path(arguments[0])
        if not os.path.lexists(file):
            raise NoCatalogue
        # Where it goes away right now, none is made.
        arguments[0], options["uri"] = f"{file.absolute().as_uri()}?mode=rw", True


def _is_unicode(connection: Any, record: Any) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise DatabaseUnusable(
            f"The database is in {encoding}, which cannot hold every text: "
            "make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0."
        )
