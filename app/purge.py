"""Tells a cache in front, after an import, that all it has of the catalogue is old."""

import base64
import http.client
import ssl
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from app.catalog.state import State, read_state
from app.database.snapshots import Reader
from app.errors import ClippingsError
from app.migrate import require_current
from app.settings import Settings

# A cache that has not answered by then is away; answers in it are as old as CLIPPINGS_MAX_AGE at most.
TIMEOUT_SECONDS: Final = 5.0


@contextmanager
def purge_after(settings: Settings) -> Iterator[None]:
    """Purges if what is done within makes another state of the catalogue. A failure is a warning.

    Purging is not part of the import: that is done, and would not be undone by a cache that is away.
    """
    if settings.purge_url is None:
        yield
        return
    before = _state(settings)
    yield
    after = _state(settings)
    if after is None or after == before:
        return
    try:
        purge(settings.purge_url, after)
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        sys.stderr.write(
            f"clippings: warning: the cache at CLIPPINGS_PURGE_URL was not emptied: {reason}. Answers in it "
            "may be old for as long as CLIPPINGS_MAX_AGE of the services says. To empty it now:  "
            f"curl -X PURGE -H 'Surrogate-Key: {after.cache_tag}' URL\n"
        )


def purge(url: str, state: State) -> None:
    """Sends one PURGE that names the catalogue's tag. Raises OSError or HTTPException."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    headers = {
        "Surrogate-Key": state.cache_tag,
        "Cache-Tag": state.cache_tag,
        "Catalogue-Revision": str(state.revision),
    }
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    connection = (
        http.client.HTTPSConnection(
            host, parts.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)
    )
    with closing(connection):
        connection.request("PURGE", urlunsplit(("", "", parts.path or "/", parts.query, "")), headers=headers)
        answer = connection.getresponse()
        # No redirect is followed: a cache that answers with one was not purged.
        if answer.status >= http.client.MULTIPLE_CHOICES:
            raise http.client.HTTPException(f"it answered {answer.status} {answer.reason}")


def _state(settings: Settings) -> State | None:
    try:
        with Reader(settings.database_url) as reader, reader.snapshot() as connection:
            require_current(connection)
            return read_state(connection)
    except ClippingsError:
        # There is no catalogue yet, or an older version's: the import tells what is wrong, if anything is.
        return None
