"""/exports: the whole result of a query as a file, streamed."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.catalog.filters import matching
from app.catalog.query import ArticleQuery
from app.database import snapshot
from app.exports.rows import csv_rows, ndjson
from app.web.audience import asker_of, require_editor
from app.web.problems import EVERYWHERE, problems, unavailable
from app.web.reading import state_of_answer
from app.web.routing import QueryRoute

router = APIRouter(route_class=QueryRoute, tags=["exports"], responses=EVERYWHERE)

# Each holds a connection and a snapshot; half of the connections stay for everybody else.
MOST_AT_ONCE = 4
# Who reads more slowly than this would hold the snapshot for ever.
LONGEST_SECONDS = 3600
# What is smaller is answered whole, with a validator of its content; what is larger must not be in memory.
LARGEST_WHOLE_BYTES = 1_000_000
# Of articles with titles of 65,536 letters a few rows are a chunk: nothing else of Python runs while one is
# encoded.
_ROWS_IN_A_CHUNK, _CHARACTERS_IN_A_CHUNK = 100, 200_000


def _file(media_type: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": "The file", "content": {media_type: {}}}, **problems(403)}


@router.get("/exports/articles.csv", response_class=Response, responses=_file("text/csv"))
def export_csv(request: Request, query: Annotated[ArticleQuery, Query()]) -> Response:
    """All articles of the query as CSV (RFC 4180), safe to open in a spreadsheet."""
    return _answer(request, query, "text/csv; charset=utf-8; header=present", "articles.csv", csv_rows)


@router.get("/exports/articles.ndjson", response_class=Response, responses=_file("application/x-ndjson"))
def export_ndjson(request: Request, query: Annotated[ArticleQuery, Query()]) -> Response:
    """All articles of the query, a JSON object a line."""
    return _answer(request, query, "application/x-ndjson", "articles.ndjson", ndjson)


def _answer(
    request: Request,
    query: ArticleQuery,
    media_type: str,
    name: str,
    rows: Callable[[Iterable[str]], Iterator[str]],
) -> Response:
    state = request.app.state
    if query.published != "true":
        require_editor(asker_of(request), state.settings)
    if not state.exports.acquire(blocking=False):
        raise unavailable(f"{MOST_AT_ONCE} files are being sent already. Try again later.")
    chunks = _chunks(request, query, rows, state.exports.release)
    revision = next(chunks).decode()
    headers = {
        "Catalogue-Revision": revision,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    begun: list[bytes] = []
    for chunk in chunks:
        begun.append(chunk)
        if sum(map(len, begun)) > LARGEST_WHOLE_BYTES:
            return StreamingResponse(chain(begun, chunks), media_type=media_type, headers=headers)
    return Response(b"".join(begun), media_type=media_type, headers=headers)


def _chunks(
    request: Request,
    query: ArticleQuery,
    rows: Callable[[Iterable[str]], Iterator[str]],
    release: Callable[[], None],
) -> Iterator[bytes]:
    """The revision first: so the snapshot is open, and closes with the generator, whoever goes away."""
    ends = time.monotonic() + LONGEST_SECONDS
    try:
        with snapshot(request.app.state.engine) as connection:
            yield str(state_of_answer(request, connection).revision).encode()
            written = rows(matching(connection, query).every_item())
            while (chunk := _chunk(written)) and time.monotonic() < ends:
                yield chunk
    finally:
        release()


def _chunk(written: Iterator[str]) -> bytes:
    rows: list[str] = []
    characters = 0
    for row in written:
        rows.append(row)
        characters += len(row)
        if len(rows) == _ROWS_IN_A_CHUNK or characters > _CHARACTERS_IN_A_CHUNK:
            break
    return "".join(rows).encode()
