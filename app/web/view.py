"""A request's view of the catalogue: one snapshot, and its revision on the answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.state import State, read_state
from app.settings import Settings
from app.web.http.audience import Asker, asker_of, require_editor
from app.web.http.routes import resources_of


@dataclass(frozen=True, slots=True)
class View:
    """A snapshot and who asks. Everything that is read through `connection` comes from one revision."""

    connection: Connection
    state: State
    asker: Asker
    settings: Settings

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
def open_view(request: Request, query: Any = None) -> Iterator[View]:
    """Raises a problem (401 or 403) if the query asks for articles that the asker may not see."""
    asker, resources = asker_of(request), resources_of(request)
    if query is not None and query.published != "true":
        require_editor(asker, resources.settings)
    with resources.reader.snapshot() as connection:
        yield View(connection, record_state(request, connection), asker, resources.settings)


def record_state(request: Request, connection: Connection) -> State:
    """Reads the state and tells it to the shell, which caches the response under it."""
    state = read_state(connection)
    request.scope["state"]["catalogue"] = state
    return state
