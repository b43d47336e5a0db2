"""/changes: what a copy of the catalogue has to do to be like it again."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.changes import ArticleChange, changes_after
from app.catalog.query import Query as AnyQuery
from app.catalog.state import State, has_been
from app.web.http.problems import EVERYWHERE, ParameterError, ProblemAnswer, gone, problems, unprocessable
from app.web.http.routes import QueryRoute
from app.web.representations import Changes
from app.web.view import Reading, reading

router = APIRouter(route_class=QueryRoute, tags=["changes"], responses=EVERYWHERE)

MOST_CHANGES = 1_000
MOST_SINCE_CHARACTERS = 200
_ID = re.compile("[a-z0-9]*")


class ChangesQuery(AnyQuery):
    since: Annotated[str, Field(max_length=MOST_SINCE_CHARACTERS)] = Field(
        "0", description="0 to begin, then as `next` says"
    )
    limit: Annotated[int, Field(ge=1, le=MOST_CHANGES)] = Field(100, description="So many at once")
    published: Literal["true", "any"] = Field(
        "true", description="`any` is the editors' copy, and needs the token"
    )


@dataclass(frozen=True, slots=True)
class _Since:
    """A place among the changes, and the state whose changes they were.

    That state is the newest that the copy has seen, not the one of its last change: an article that was
    changed in both was listed in the newer alone, so a history without it must be read from the beginning.
    """

    state: State
    audience: str
    revision: int
    public_id: str

    def __str__(self) -> str:
        content = json.dumps([self.state, self.audience, self.revision, self.public_id])
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


@router.get("/changes", response_model=Changes, responses=problems(403, 410))
def list_changes(request: Request, query: Annotated[ChangesQuery, Query()]) -> Response:
    """Upserts and deletes in order, each article once, at its last change. No items: caught up."""
    with reading(request, query) as now:
        since = _since(now, query)
        found = changes_after(
            now.connection,
            since.revision,
            since.public_id,
            query.limit,
            for_editors=query.published == "any",
        )
        if found:
            since = _Since(now.state, since.audience, found[-1].revision, found[-1].public_id)
        following = json.dumps(_link(now, query, str(since)))
        end = f'],"revision":{now.state.revision},"next":{following}}}'
        # Each is encoded by itself: nothing else of Python runs while large articles are encoded as one.
        items = b",".join([_item(change).encode() for change in found])
        return now.json(b"".join((b'{"items":[', items, end.encode())))


def _since(now: Reading, query: ChangesQuery) -> _Since:
    if query.since == "0":
        return _Since(State(now.state.identity, 0, None), query.published, 0, "")
    since = _read(query)
    if since.audience != query.published or since.state.identity != now.state.identity:
        raise _begin_again(now, query, "of another catalogue, or of another audience")
    if not has_been(now.connection, now.state, since.state):
        raise _begin_again(now, query, "of a revision that the catalogue does not have, or has no more")
    return since


def _read(query: ChangesQuery) -> _Since:
    try:
        content = base64.urlsafe_b64decode(query.since + "=" * (-len(query.since) % 4))
        match json.loads(content):
            case [
                [str(identity), int(newest), str() | None as name],
                str(audience),
                int(revision),
                str(public_id),
            ] if type(revision) is type(newest) is int and _ID.fullmatch(public_id):
                since = _Since(State(identity, newest, name), audience, revision, public_id)
            case [str(identity), str(audience), int(revision), str(public_id)] if type(
                revision
            ) is int and _ID.fullmatch(public_id):
                # As an older version wrote it, for revisions without names: of which history, nobody knows.
                return _Since(State(identity, revision, None), audience, revision, public_id)
            case _:
                raise ValueError(query.since)
        if str(since) != query.since or not 0 <= revision <= newest:
            raise ValueError(query.since)
    except (ValueError, RecursionError):
        advice = "must be 0, or what stands in `next` of an answer, whole"
        raise unprocessable(ParameterError("since", query.since, advice)) from None
    return since


def _begin_again(now: Reading, query: ChangesQuery, why: str) -> ProblemAnswer:
    return gone(f"This place is {why}; begin again.", _link(now, query, "0"))


def _item(change: ArticleChange) -> str:
    kind = "delete" if change.item is None else "upsert"
    article = change.item or "null"
    return f'{{"revision":{change.revision},"change":"{kind}","id":"{change.public_id}","article":{article}}}'


def _link(now: Reading, query: ChangesQuery, since: str) -> str:
    defaults = type(query).model_fields
    pairs = [
        (name, getattr(query, name))
        for name in ("published", "limit")
        if getattr(query, name) != defaults[name].default
    ]
    return now.path("/changes") + "?" + urlencode([("since", since), *pairs])
