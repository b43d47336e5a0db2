"""/exports: the whole result of a query as a file, streamed."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.catalog.filters import Selection, matching
from app.catalog.item_keys import Fields
from app.catalog.query import ArticleQuery, Boolean
from app.errors import ReadTooSlowly
from app.exports.rows import columns_of_fields, csv_rows, ndjson
from app.exports.sheet import check_rows, write_sheet
from app.web.http.audience import asker_of, require_editor
from app.web.http.problems import COMMON_PROBLEMS, problems, unavailable
from app.web.http.resources import DownloadSlots
from app.web.http.routes import QueryRoute, resources_of
from app.web.http.spool import spooled
from app.web.view import open_snapshot

router = APIRouter(route_class=QueryRoute, tags=["exports"], responses=COMMON_PROBLEMS)

# A client that reads more slowly would hold the snapshot for ever. We cut its connection, so that it cannot
# take the part for the whole file.
MAX_SECONDS = 3600
# A smaller file is sent complete, with an ETag of its content; a larger one must not be held in memory.
MAX_COMPLETE_BYTES = 1_000_000
# Titles may have 65,536 letters, so rows alone do not limit a chunk; encoding one holds the GIL.
_ROWS_IN_A_CHUNK, _CHARACTERS_IN_A_CHUNK = 100, 200_000
_BYTES_IN_A_CHUNK = 200_000


class FileQuery(ArticleQuery):
    fields: Fields | None = Field(
        None,
        description="Only these keys of each article, also `content`, `contentHtml`, `details` and `related`",
        examples=["title,webUrl,topics"],
    )


class CsvQuery(FileQuery):
    bom: Boolean = Field(False, description="Begin with a byte order mark, by which Excel knows UTF-8")


def _responses(media_type: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": "The file", "content": {media_type: {}}}, **problems(403)}


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/exports/articles.csv", response_class=Response, responses=_responses("text/csv"))
async def export_csv(request: Request, query: Annotated[CsvQuery, Query()]) -> Response:
    """All articles of the query as CSV (RFC 4180), safe to open in a spreadsheet."""
    columns = columns_of_fields(query.fields)
    media_type = "text/csv; charset=utf-8; header=present"

    def rows(items: Iterable[str]) -> Iterator[str]:
        return csv_rows(items, columns, has_mark=query.bom)

    return _file_response(request, query, media_type, "articles.csv", _text_chunks(rows))


@router.get("/exports/articles.ndjson", response_class=Response, responses=_responses("application/x-ndjson"))
async def export_ndjson(request: Request, query: Annotated[FileQuery, Query()]) -> Response:
    """All articles of the query, a JSON object a line."""
    return _file_response(request, query, "application/x-ndjson", "articles.ndjson", _text_chunks(ndjson))


@router.get("/exports/articles.xlsx", response_class=Response, responses=_responses(XLSX))
async def export_xlsx(request: Request, query: Annotated[FileQuery, Query()]) -> Response:
    """All articles of the query as a sheet of a spreadsheet: dates are dates (in UTC), numbers are numbers.

    It is sent when all of it is made: some 5,000 articles take a second. A sheet holds 1,048,575.
    """
    return _file_response(
        request, query, XLSX, "articles.xlsx", _sheet_chunks(columns_of_fields(query.fields))
    )


# Yields the revision, then the file; the event is set when the client is gone.
Chunks = Callable[[Request, FileQuery, Event], Generator[bytes]]


def _file_response(
    request: Request, query: FileQuery, media_type: str, name: str, chunks: Chunks
) -> Response:
    resources = resources_of(request)
    if query.published != "true":
        require_editor(asker_of(request), resources.settings)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    is_abandoned = Event()
    made = chunks(request, query, is_abandoned)
    return _FileResponse(resources.download_slots, made, is_abandoned, media_type, headers)


class _FileResponse(Response):
    """Holds a slot, a connection and a snapshot while its bytes are made, and not a moment longer.

    Starlette's StreamingResponse leaves them to the garbage collector if the client disconnects.
    """

    def __init__(
        self,
        slots: DownloadSlots,
        chunks: Generator[bytes],
        is_abandoned: Event,
        media_type: str,
        headers: dict[str, str],
    ) -> None:
        super().__init__(media_type=media_type, headers=headers)
        # Response has set the length of an empty body; the file's length is not known yet.
        del self.headers["Content-Length"]
        self._slots = slots
        self._chunks = chunks
        self._is_abandoned = is_abandoned
        self._is_closed = False
        # A cancelled request does not stop its thread, which may still be making a chunk when we close.
        self._chunk_lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._slots.acquire()
        try:
            await _unless_disconnected(self._answer(scope, receive, send), receive)
        finally:
            self._is_abandoned.set()
            if not self._is_closed:
                # Closing must go on even if this request is cancelled.
                await asyncio.shield(self._slots.run_on_thread(self._close))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers["Catalogue-Revision"], first_bytes = await self._slots.run_on_thread(self._begin)
        if self._is_closed:
            await Response(first_bytes, headers=dict(self.headers))(scope, receive, send)
        else:
            await self._stream(first_bytes, send)

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


async def _unless_disconnected(sending: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Makes and sends until everything is sent or the client disconnects.

    Raises ReadTooSlowly after MAX_SECONDS.
    """
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


class Abandoned(Exception):
    """The client is gone, so nobody needs the rest of the file. Raised where it is made, and not answered."""


def _text_chunks(rows: Callable[[Iterable[str]], Iterator[str]]) -> Chunks:
    def chunks(request: Request, query: FileQuery, is_abandoned: Event) -> Generator[bytes]:
        """Yields the revision, then the file. The snapshot is open until the last chunk or `close()`."""
        with open_snapshot(request) as snapshot:
            yield str(snapshot.state.revision).encode()
            items = _items(request, query, matching(snapshot.connection, query))
            lines = rows(_unless_abandoned(items, is_abandoned))
            while chunk := _chunk(lines):
                yield chunk

    # A sheet is on the disk anyway; a text goes there if it is long, so that a slow client holds no snapshot.
    return lambda request, query, is_abandoned: spooled(chunks(request, query, is_abandoned))


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        folder = TemporaryDirectory(prefix="clippings-")
    except OSError as error:
        raise unavailable(f"The file could not be made: {error.strerror}.") from error
    with folder as name:
        yield Path(name)


def _sheet_chunks(columns: tuple[str, ...]) -> Chunks:
    def chunks(request: Request, query: FileQuery, is_abandoned: Event) -> Generator[bytes]:
        """Yields the revision, then the file, which a slow client reads from the disk without a snapshot."""
        with _temporary_folder() as folder:
            file = folder / "articles.xlsx"
            with open_snapshot(request) as snapshot:
                selection = matching(snapshot.connection, query)
                check_rows(selection.total())
                with file.open("wb") as written:
                    items = _unless_abandoned(_items(request, query, selection), is_abandoned)
                    try:
                        write_sheet(written, items, folder, columns)
                    except OSError as error:
                        raise unavailable(f"The file could not be made: {error.strerror}.") from error
            yield str(snapshot.state.revision).encode()
            with file.open("rb") as read:
                while chunk := read.read(_BYTES_IN_A_CHUNK):
                    yield chunk

    return chunks


def _items(request: Request, query: FileQuery, selection: Selection) -> Iterator[str]:
    return selection.every_item(query.fields, sees_all=asker_of(request).may_see_unpublished)


def _unless_abandoned(items: Iterator[str], is_abandoned: Event) -> Iterator[str]:
    for item in items:
        if is_abandoned.is_set():
            raise Abandoned
        yield item


def _chunk(lines: Iterator[str]) -> bytes:
    rows: list[str] = []
    characters = 0
    for row in lines:
        rows.append(row)
        characters += len(row)
        if len(rows) == _ROWS_IN_A_CHUNK or characters > _CHARACTERS_IN_A_CHUNK:
            break
    return "".join(rows).encode()
