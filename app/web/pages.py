"""Pages of any list: where one begins, how it ends in links to the next. Knows no list by name."""

import json
from collections.abc import Sequence
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from pydantic import Field, ValidationError
from starlette.responses import Response

from app.catalog.cursors import BROKEN, MAX_CHARACTERS, Cursor, check_place, read_cursor
from app.catalog.paging import BEGINNING, Page, Pageable, Place, read_page
from app.catalog.query import Moment, Query
from app.web.http.problems import ParameterError, gone, unprocessable
from app.web.view import Reading

MOST_ON_A_PAGE = 200
# Beyond this people do not turn pages, and programs have cursors, which cost the same at any depth.
DEEPEST_PAGE_ARTICLES = 10_000
# How an answer is cut and dressed, not what is in it: a cursor leaves these to whoever follows it.
PRESENTATION = frozenset({"limit", "cursor", "page", "fields", "highlight"})


class Paged(Query):
    """What a list takes besides its query."""

    limit: Annotated[int, Field(ge=1, le=MOST_ON_A_PAGE)] = Field(20, description="So many on a page")
    cursor: (
        Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS, pattern="^[A-Za-z0-9_-]+$")] | None
    ) = Field(None, description="From `next` or `prev` of another page; it carries its query")
    page: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Page by number, for people; not with `cursor`, which leads to any depth"
    )


Q = TypeVar("Q", bound=Paged)


def resumed(query: Q, of: str) -> tuple[Q, Cursor]:
    """The query that the cursor carries, and the cursor; without one the query itself, from the beginning."""
    if query.cursor is None:
        return query, Cursor(of, (), BEGINNING, None)
    if query.page is not None:
        raise unprocessable(_error("page", query.page, "cannot be given with cursor; give one of the two"))
    try:
        cursor = read_cursor(query.cursor)
        if cursor.list_path != of:
            raise unprocessable(_error("cursor", query.cursor, f"is of another list, not of {of}"))
        carried = type(query).from_parameters(cursor.parameters)
    except ValidationError:
        raise unprocessable(_error("cursor", query.cursor, BROKEN)) from None
    except ValueError as error:
        raise unprocessable(_error("cursor", query.cursor, str(error))) from None
    for name in query.model_fields_set - PRESENTATION:
        given, expected = getattr(query, name), getattr(carried, name)
        # What was a duration is a date in the cursor: that is meant.
        if given != expected and not (isinstance(given, Moment) and given.duration and expected):
            parameter = type(query).model_fields[name].alias or name
            raise unprocessable(
                _error(
                    parameter, given, "differs from the cursor's query; leave it out, or leave the cursor out"
                )
            )
    presented = {name: getattr(query, name) for name in query.model_fields_set & PRESENTATION}
    return carried.model_copy(update=presented), cursor


def page_of(reading: Reading, query: Q, cursor: Cursor, listing: Pageable) -> Page:
    if cursor.revision not in (None, reading.state.name):
        raise gone(
            "The order of relevance has changed with the catalogue; begin again at the first page.",
            _link(reading, query, cursor.list_path, BEGINNING),
        )
    try:
        check_place(cursor.place, listing.order)
    except ValueError as error:
        raise unprocessable(_error("cursor", query.cursor, str(error))) from None
    offset = ((query.page or 1) - 1) * query.limit
    if offset + query.limit > DEEPEST_PAGE_ARTICLES:
        raise unprocessable(
            _error(
                "page",
                query.page,
                f"must not lead beyond {DEEPEST_PAGE_ARTICLES:,} articles; "
                "follow `next`, whose cursor leads to any depth",
            )
        )
    return read_page(reading.connection, listing, query.limit, cursor.place, offset)


def page_answer(
    reading: Reading, query: Q, of: str, page: Page, items: Sequence[str], total: int
) -> Response:
    body, headers = page_json(reading, query, of, page, items, total)
    return reading.json(body, headers)


def page_json(
    reading: Reading, query: Q, of: str, page: Page, items: Sequence[str], total: int
) -> tuple[bytes, dict[str, str]]:
    """`items` are JSON; the page is put together of their text. Also the headers that name its neighbours."""
    next_link, prev_link = (
        _link(reading, query, of, place) if place else None for place in (page.next, page.prev)
    )
    ends = f'"total":{total},"next":{json.dumps(next_link)},"prev":{json.dumps(prev_link)}}}'
    # Each is encoded by itself: nothing else of Python runs while a page of long titles is encoded as one.
    body = b"".join((b'{"items":[', b",".join([item.encode() for item in items]), b"],", ends.encode()))
    links = [f'<{link}>; rel="{rel}"' for rel, link in (("next", next_link), ("prev", prev_link)) if link]
    return body, {"Link": ", ".join(links)} if links else {}


def _link(reading: Reading, query: Q, of: str, place: Place) -> str:
    fields = type(query).model_fields
    dressing = {name: getattr(query, name) for name in ("limit", "fields", "highlight") if name in fields}
    pairs: list[tuple[str, str]] = [
        (name, _text(value)) for name, value in dressing.items() if value != fields[name].default
    ]
    if place == BEGINNING:
        pairs = [*query.parameters(leave_out=PRESENTATION, keep_durations=True), *pairs]
    else:
        parameters = query.parameters(leave_out=PRESENTATION)
        revision = reading.state.name if query.is_bound_to_revision else None
        pairs.append(("cursor", str(Cursor(of, parameters, place, revision))))
    return reading.path(of) + (f"?{urlencode(pairs)}" if pairs else "")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error(parameter: str, value: object, detail: str) -> ParameterError:
    return ParameterError(parameter, None if value is None else str(value), detail)
