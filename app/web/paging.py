"""Pages of any list: where a page begins, and its links to its neighbours. Knows no list by name."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from pydantic import Field, ValidationError
from starlette.responses import Response

from app.catalog.cursors import BROKEN, MAX_CHARACTERS, Cursor, check_place, read_cursor
from app.catalog.paging import BEGINNING, Page, Pageable, Place, read_page
from app.catalog.query import Moment, Query
from app.errors import PrimaryNeeded
from app.printable import compact_json
from app.web.http.problems import ParameterError, gone, unprocessable
from app.web.view import View

MAX_PAGE_SIZE = 200
# People do not turn pages beyond this depth, and programs have cursors, which cost the same at any depth.
MAX_NUMBERED_ARTICLES = 10_000
# These parameters shape a response and do not change what is in the list, so a cursor does not carry them.
PRESENTATION = frozenset({"limit", "cursor", "page", "fields", "highlight"})


class WithCursor(Query):
    """The parameters of what goes on from page to page by cursor alone, as a feed does."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = Field(20, description="So many on a page")
    cursor: (
        Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS, pattern="^[A-Za-z0-9_-]+$")] | None
    ) = Field(None, description="From `next` or `prev` of another page; it carries its query")


class Paged(WithCursor):
    """The parameters that every list takes besides its query."""

    page: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Page by number, for people; not with `cursor`, which leads to any depth"
    )


Q = TypeVar("Q", bound=WithCursor)
_NOTHING_MORE: Final[Mapping[str, object]] = {}


def with_cursor(query: Q, list_path: str) -> tuple[Q, Cursor]:
    """The query that its cursor carries, and the cursor.

    Without a cursor the query stays as it is, and the list begins at its beginning.
    """
    if query.cursor is None:
        return query, Cursor(list_path, (), BEGINNING, None)
    if page_number := getattr(query, "page", None):
        raise unprocessable(
            _parameter_error("page", page_number, "cannot be given with cursor; give one of the two")
        )
    try:
        cursor = read_cursor(query.cursor)
        if cursor.list_path != list_path:
            detail = f"is of another list, not of {list_path}"
            raise unprocessable(_parameter_error("cursor", query.cursor, detail))
        cursor_query = type(query).from_parameters(cursor.parameters)
    except ValidationError:
        raise unprocessable(_parameter_error("cursor", query.cursor, BROKEN)) from None
    except ValueError as error:
        raise unprocessable(_parameter_error("cursor", query.cursor, str(error))) from None
    for name in query.model_fields_set - PRESENTATION:
        value, cursor_value = getattr(query, name), getattr(cursor_query, name)
        # A cursor carries the date that a duration such as P7D meant when the list began.
        is_fixed_duration = isinstance(value, Moment) and value.duration and cursor_value
        if value != cursor_value and not is_fixed_duration:
            parameter = type(query).model_fields[name].alias or name
            detail = "differs from the cursor's query; leave it out, or leave the cursor out"
            raise unprocessable(_parameter_error(parameter, value, detail))
    presentation = {name: getattr(query, name) for name in query.model_fields_set & PRESENTATION}
    return cursor_query.model_copy(update=presentation), cursor


def page_of(view: View, query: Q, cursor: Cursor, listing: Pageable, *, address: str | None = None) -> Page:
    """`address` is where the list is shown, if that is not the path in its cursors."""
    reason = _reason_to_begin_again(view, cursor)
    if reason:
        if not view.is_primary:
            raise PrimaryNeeded(reason)
        first = page_link(view, query, cursor.list_path, BEGINNING, address=address)
        raise gone(f"{reason}; begin again at the first page.", first)
    try:
        check_place(cursor.place, listing.order)
    except ValueError as error:
        raise unprocessable(_parameter_error("cursor", query.cursor, str(error))) from None
    page_number = getattr(query, "page", None) or 1
    offset = (page_number - 1) * query.limit
    if offset + query.limit > MAX_NUMBERED_ARTICLES:
        advice = "follow `next`, whose cursor leads to any depth"
        detail = f"must not lead beyond {MAX_NUMBERED_ARTICLES:,} articles; {advice}"
        raise unprocessable(_parameter_error("page", page_number, detail))
    return read_page(view.connection, listing, query.limit, cursor.place, offset)


def _reason_to_begin_again(view: View, cursor: Cursor) -> str | None:
    if cursor.revision not in (None, view.state.name):
        return "The order of relevance has changed with the catalogue"
    if cursor.told is not None and cursor.told > view.state.revision:
        return "This page is of a revision that the catalogue no longer has"
    return None


def page_response(
    view: View,
    query: Q,
    list_path: str,
    page: Page,
    items: Sequence[str],
    total: int,
    other_links: Sequence[str] = (),
    more: Mapping[str, object] = _NOTHING_MORE,
) -> Response:
    """`more` has the keys that this list has beside those of all pages, `other_links` those of `Link`."""
    body, headers = page_json(view, query, list_path, page, items, total, other_links, more)
    return view.json(body, headers)


def page_json(
    view: View,
    query: Q,
    list_path: str,
    page: Page,
    items: Sequence[str],
    total: int,
    other_links: Sequence[str] = (),
    more: Mapping[str, object] = _NOTHING_MORE,
) -> tuple[bytes, dict[str, str]]:
    """The page as JSON, made of the text of its items, and a `Link` header to its neighbours and others."""
    next_link, prev_link = (
        page_link(view, query, list_path, place) if place else None for place in (page.next, page.prev)
    )
    end = f'"total":{total},"next":{json.dumps(next_link)},"prev":{json.dumps(prev_link)}'
    end += "".join(f',"{key}":{compact_json(value)}' for key, value in more.items()) + "}"
    # Items are encoded one by one: encoding a page of long titles at once would hold the GIL for too long.
    body = b"".join((b'{"items":[', b",".join([item.encode() for item in items]), b"],", end.encode()))
    links = [f'<{link}>; rel="{rel}"' for rel, link in (("next", next_link), ("prev", prev_link)) if link]
    links += other_links
    return body, {"Link": ", ".join(links)} if links else {}


def page_link(view: View, query: Q, list_path: str, place: Place, *, address: str | None = None) -> str:
    """The path of the list from this place on, or of the page at `address` that shows it."""
    return view.path(address or list_path) + query_of_place(view, query, list_path, place)


def query_of_place(
    view: View, query: Q, list_path: str, place: Place, *, keep_durations: bool = False
) -> str:
    """`?` and the parameters of the list from this place on; empty for a list without any.

    A cursor has the dates that durations mean now, unless they are kept: then it is the same tomorrow, and
    after an import, so it also leaves out which revision the reader was told of.
    """
    fields = type(query).model_fields
    presentation = {name: getattr(query, name) for name in ("limit", "fields", "highlight") if name in fields}
    pairs: list[tuple[str, str]] = [
        (name, _text(value)) for name, value in presentation.items() if value != fields[name].default
    ]
    if place == BEGINNING:
        pairs = [*query.parameters(leave_out=PRESENTATION, keep_durations=True), *pairs]
    else:
        parameters = query.parameters(leave_out=PRESENTATION, keep_durations=keep_durations)
        revision = view.state.name if query.is_bound_to_revision else None
        # The revision changes the link, and so the ETag, with every import: only standbys are worth it.
        tells = view.settings.read_database_url is not None and not keep_durations
        told = view.state.revision if tells else None
        pairs.append(("cursor", str(Cursor(list_path, parameters, place, revision, told))))
    return f"?{urlencode(pairs)}" if pairs else ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parameter_error(parameter: str, value: object, detail: str) -> ParameterError:
    return ParameterError(parameter, None if value is None else str(value), detail)
