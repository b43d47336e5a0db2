"""/changes: what a copy of the catalogue must change to equal it again."""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.changes import changes_after
from app.catalog.item_keys import Fields, ItemText, items_with_keys, within_page
from app.catalog.query import Query as AnyQuery
from app.catalog.state import State, has_been
from app.errors import PrimaryNeeded
from app.web.http.problems import (
    COMMON_PROBLEMS,
    ParameterError,
    gone,
    problems,
    unprocessable,
)
from app.web.http.routes import QueryRoute
from app.web.representations import Changes
from app.web.view import View, open_view

router = APIRouter(route_class=QueryRoute, tags=["changes"], responses=COMMON_PROBLEMS)

MAX_CHANGES = 1_000
MAX_SINCE_CHARACTERS = 200
_ID = re.compile("[a-z0-9]*")


class ChangesQuery(AnyQuery):
    since: Annotated[str, Field(max_length=MAX_SINCE_CHARACTERS)] = Field(
        "0", description="0 to begin, then as `next` says"
    )
    limit: Annotated[int, Field(ge=1, le=MAX_CHANGES)] = Field(100, description="So many at once")
    published: Literal["true", "any"] = Field(
        "true", description="`any` is the editors' copy, and needs the token"
    )
    fields: Fields | None = Field(
        None,
        description="Only these keys of each article, the long ones too; fewer come at once rather than "
        "exceed 8 MB. The `articleId` of related links is that of the moment: what becomes of it later is "
        "no change of the article",
        examples=["id,title,content"],
    )


@dataclass(frozen=True, slots=True)
class _Since:
    """The value of `since`: a place in the changes, and the state of the catalogue that listed them.

    The state is the newest that the copy has seen, which may be newer than its last change. An article that
    changed in both is listed only in the newer one, so after a restored backup without the newer state the
    copy must begin again.
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
    since = None if query.since == "0" else _read_since(query)
    with open_view(request, query, since.state.revision if since else None) as view:
        if since is None:
            since = _Since(State(view.state.identity, 0, None), query.published, 0, "")
        else:
            _check(view, query, since)
        changes = changes_after(
            view.connection,
            since.revision,
            since.public_id,
            query.limit,
            for_editors=query.published == "any",
        )
        texts = list(within_page(_texts(view, changes, query.fields)))
        if texts:
            last = changes[len(texts) - 1]
            since = _Since(view.state, since.audience, last.revision, last.public_id)
        next_link = json.dumps(_link(view, query, str(since)))
        end = f'],"revision":{view.state.revision},"next":{next_link}}}'
        # Items are encoded one by one: encoding large articles at once would hold the GIL for too long.
        items = b",".join([text.encode() for text in texts])
        return view.json(b"".join((b'{"items":[', items, end.encode())))


def _check(view: View, query: ChangesQuery, since: _Since) -> None:
    """Raises a problem (410) for a place that no copy can go on from."""
    if since.audience != query.published or since.state.identity != view.state.identity:
        reason = "of another catalogue, or of another audience"
    elif not has_been(view.connection, view.state, since.state):
        reason = "of a revision that the catalogue does not have, or has no more"
    else:
        return
    if not view.is_primary:
        # A standby may be of the time before a backup was restored.
        raise PrimaryNeeded(reason)
    raise gone(
        f"This place is {reason}. Empty your copy, and begin again at `first`.", _link(view, query, "0")
    )


def _read_since(query: ChangesQuery) -> _Since:
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
                # Older versions wrote this form; their revisions had no names, so the state has none.
                return _Since(State(identity, revision, None), audience, revision, public_id)
            case _:
                raise ValueError(query.since)
        if str(since) != query.since or not 0 <= revision <= newest:
            raise ValueError(query.since)
    except (ValueError, RecursionError):
        advice = "must be 0, or what stands in `next` of an answer, whole"
        raise unprocessable(ParameterError("since", query.since, advice)) from None
    return since


def _texts(view: View, changes: Sequence[Any], fields: str | None) -> Iterator[ItemText]:
    """The changes as JSON, each made when it is taken."""
    visible = [change for change in changes if change.item is not None]
    articles: Iterator[ItemText] = (
        items_with_keys(view.connection, visible, fields, sees_all=view.asker.may_see_unpublished)
        if fields
        else (ItemText(change.item) for change in visible)
    )
    for change in changes:
        kind, article = ("delete", ItemText("null")) if change.item is None else ("upsert", next(articles))
        yield article._replace(
            text=f'{{"revision":{change.revision},"revisedAt":"{change.revised_at}","change":"{kind}",'
            f'"id":"{change.public_id}","article":{article.text}}}'
        )


def _link(view: View, query: ChangesQuery, since: str) -> str:
    defaults = type(query).model_fields
    pairs = [
        (name, getattr(query, name))
        for name in ("published", "limit", "fields")
        if getattr(query, name) != defaults[name].default
    ]
    return view.path("/changes") + "?" + urlencode([("since", since), *pairs])
