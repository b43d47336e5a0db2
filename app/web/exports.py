"""/exports: the whole result of a query as a file, streamed."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from threading import Lock
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.catalog.filters import matching
from app.catalog.query import ArticleQuery
from app.errors import ReadTooSlowly
from app.exports.rows import csv_rows, ndjson
from app.web.http.audience import asker_of, require_editor
from app.web.http.problems import COMMON_PROBLEMS, problems
from app.web.http.resources import DownloadSlots
from app.web.http.routes import QueryRoute, resources_of
from app.web.http.spool import spooled
from app.web.view import record_state

router = APIRouter(route_class=QueryRoute, tags=["exports"], responses=COMMON_PROBLEMS)

# A client that reads more slowly would hold the snapshot for ever. We cut its connection, so that it cannot
# take the part for the whole file.
MAX_SECONDS = 3600
# A smaller file is sent complete, with an ETag of its content; a larger one must not be held in memory.
MAX_COMPLETE_BYTES = 1_000_000
# Titles may have 65,536 letters, so rows alone do not limit a chunk; encoding one holds the GIL.
_ROWS_IN_A_CHUNK, _CHARACTERS_IN_A_CHUNK = 100, 200_000


def _responses(media_type: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": "The file", "content": {media_type: {}}}, **problems(403)}


Rows = Callable[[Iterable[str]], Iterator[str]]


@router.get("/exports/articles.csv", response_class=Response, responses=_responses("text/csv"))
async def export_csv(request: Request, query: Annotated[ArticleQuery, Query()]) -> Response:
    """All articles of the query as CSV (RFC 4180), safe to open in a spreadsheet."""
    return _file_response(request, query, "text/csv; charset=utf-8; header=present", "articles.csv", csv_rows)


@router.get("/exports/articles.ndjson", response_class=Response, responses=_responses("application/x-ndjson"))
async def export_ndjson(request: Request, query: Annotated[ArticleQuery, Query()]) -> Response:
    """All articles of the query, a JSON object a line."""
    return _file_response(request, query, "application/x-ndjson", "articles.ndjson", ndjson)


def _file_response(request: Request, query: ArticleQuery, media_type: str, name: str, rows: Rows) -> Response:
    resources = resources_of(request)
    if query.published != "true":
        require_editor(asker_of(request), resources.settings)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    chunks = spooled(_chunks(request, query, rows))
    return _FileResponse(resources.download_slots, chunks, media_type, headers)


class _FileResponse(Response):
    """Holds a slot, a connection and a snapshot while its bytes are made, and not a moment longer.

    Starlette's StreamingResponse leaves them to the garbage collector if the client disconnects.
    """

    def __init__(
        self, slots: DownloadSlots, chunks: Generator[bytes], media_type: str, headers: dict[str, str]
    ) -> None:
        super().__init__(media_type=media_type, headers=headers)
        # Response has set the length of an empty body; the file's length is not known yet.
        del self.headers["Content-Length"]
        self._slots = slots
        self._chunks = chunks
        self._is_closed = False
        # A cancelled request does not stop its thread, which may still be making a chunk when we close.
        self._chunk_lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._slots.acquire()
        try:
            self.headers["Catalogue-Revision"], first_bytes = await self._slots.run_on_thread(self._begin)
            if not self._is_closed:
                await _send_until_disconnect(self._stream(first_bytes, send), receive)
                return
        finally:
            if not self._is_closed:
                # Closing must go on even if this request is cancelled.
                await asyncio.shield(self._slots.run_on_thread(self._close))
        await Response(first_bytes, headers=dict(self.headers))(scope, receive, send)

    async def _stream(self, first_bytes: bytes, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        chunk = first_bytes
        while chunk:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = await self._slots.run_on_thread(self._next)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _begin(self) -> tuple[str, bytes]:
        """Reads the revision and the first bytes. A small file is read to its end and closed."""
        revision, first_bytes = self._next().decode(), bytearray()
        while chunk := self._next():
            first_bytes += chunk
            if len(first_bytes) > MAX_COMPLETE_BYTES:
                return revision, bytes(first_bytes)
        self._close()
        return revision, bytes(first_bytes)

    def _next(self) -> bytes:
        """The next chunk; empty at the end."""
        with self._chunk_lock:
            return next(self._chunks, b"")

    def _close(self) -> None:
        with self._chunk_lock:
            if self._is_closed:
                return
            self._is_closed = True
            try:
                self._chunks.close()
            finally:
                self._slots.release()


async def _send_until_disconnect(sending: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Sends until everything is sent or the client disconnects; raises ReadTooSlowly after MAX_SECONDS."""
    send_task = asyncio.ensure_future(sending)
    disconnect_task = asyncio.ensure_future(_wait_for_disconnect(receive))
    tasks = send_task, disconnect_task
    try:
        done, _ = await asyncio.wait(tasks, timeout=MAX_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if send_task in done:
            send_task.result()
        elif disconnect_task not in done:
            raise ReadTooSlowly(f"A file was not read within {MAX_SECONDS} s.")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _chunks(request: Request, query: ArticleQuery, rows: Rows) -> Generator[bytes]:
    """Yields the revision, then the file. The snapshot is open until the last chunk or `close()`."""
    with resources_of(request).reader.snapshot() as connection:
        yield str(record_state(request, connection).revision).encode()
        lines = rows(matching(connection, query).every_item())
        while chunk := _chunk(lines):
            yield chunk


def _chunk(lines: Iterator[str]) -> bytes:
    rows: list[str] = []
    characters = 0
    for row in lines:
        rows.append(row)
        characters += len(row)
        if len(rows) == _ROWS_IN_A_CHUNK or characters > _CHARACTERS_IN_A_CHUNK:
            break
    return "".join(rows).encode()
