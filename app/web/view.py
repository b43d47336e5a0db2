"""A request's view of the catalogue: one snapshot, and its revision on the answer."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.databases import Snapshot
from app.catalog.state import State, read_state
from app.settings import Settings
from app.web.http.audience import Asker, asker_of, require_editor
from app.web.http.problems import BehindMinimum
from app.web.http.routes import resources_of


@dataclass(frozen=True, slots=True)
class View:
    """A snapshot and who asks. Everything that is read through `connection` comes from one revision."""

    connection: Connection
    state: State
    asker: Asker
    settings: Settings
    is_primary: bool

    def json(self, body: bytes, headers: dict[str, str] | None = None) -> Response:
        with_revision = {"Catalogue-Revision": str(self.state.revision), **(headers or {})}
        return Response(body, media_type="application/json", headers=with_revision)

    def path(self, path: str) -> str:
        """The path under which clients reach one of ours:  /articles -> /news/articles."""
        return self.settings.public_path + path

    def url(self, path: str) -> str:
        """The whole URL of one of our paths. The Host header is not asked: its sender would choose where the
        links of other readers lead.
        """
        return (self.settings.public_url or "") + path


@contextmanager
def open_view(request: Request, query: Any = None, told: int | None = None) -> Iterator[View]:
    """`told` is the revision that the asker was told of, by a cursor or a token of /changes.

    Raises a problem if the query asks for articles that the asker may not see (401 or 403), or if no database
    has the revision that the header Minimum-Revision names (503).
    """
    asker, resources = asker_of(request), resources_of(request)
    if query is not None and query.published != "true":
        require_editor(asker, resources.settings)
    databases = resources.databases
    if databases.standbys is None and told is None:
        # There is nothing to choose, and choosing takes 5 µs of a list's 220.
        with databases.primary.snapshot() as connection:
            state = read_state(connection)
            _note_state(request, state)
            yield View(connection, state, asker, resources.settings, is_primary=True)
        return
    with _choose_snapshot(request, told) as snapshot:
        _note_state(request, snapshot.state)
        yield View(snapshot.connection, snapshot.state, asker, resources.settings, snapshot.is_primary)


@contextmanager
def open_snapshot(request: Request) -> Iterator[Snapshot]:
    """A snapshot that is new enough for who asks, for those who need no view. Raises as `open_view` does."""
    with _choose_snapshot(request, None) as snapshot:
        _note_state(request, snapshot.state)
        yield snapshot


def _choose_snapshot(request: Request, told: int | None) -> AbstractContextManager[Snapshot]:
    state = request.scope["state"]
    return resources_of(request).databases.snapshot(
        told or 0, state.get("minimum_revision", 0), only_primary="only_primary" in state
    )


def _note_state(request: Request, state: State) -> None:
    """The shell caches the response by it."""
    request_state = request.scope["state"]
    minimum = request_state.get("minimum_revision", 0)
    if state.revision < minimum:
        raise BehindMinimum(state.revision, minimum)
    request_state["catalogue"] = state
