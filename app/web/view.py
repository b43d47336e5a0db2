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


@dataclass(frozen=True, slots=True)
class Reading:
    """All that is read through it comes from one revision."""

    connection: Connection
    state: State
    asker: Asker
    settings: Settings

    def json(self, body: bytes, headers: dict[str, str] | None = None) -> Response:
        named = {"Catalogue-Revision": str(self.state.revision), **(headers or {})}
        return Response(body, media_type="application/json", headers=named)

    def path(self, path: str) -> str:
        """As clients reach it."""
        return self.settings.public_path + path


@contextmanager
def reading(request: Request, query: Any = None) -> Iterator[Reading]:
    """Raises the 401 or 403 of the contract where the query asks for more than the asker may see."""
    asker, settings = asker_of(request), request.app.state.settings
    if query is not None and query.published != "true":
        require_editor(asker, settings)
    with request.app.state.reader.snapshot() as connection:
        yield Reading(connection, state_of_answer(request, connection), asker, settings)


def state_of_answer(request: Request, connection: Connection) -> State:
    """The shell is told it too: it remembers the answer while the catalogue is in this state."""
    state = read_state(connection)
    request.scope["state"]["catalogue"] = state
    return state
