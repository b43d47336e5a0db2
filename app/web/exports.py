"""/exports: the whole result of a query as a file, streamed."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore, Lock
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.catalog.filters import matching
from app.catalog.query import ArticleQuery
from app.errors import ReadTooSlowly
from app.exports.rows import csv_rows, ndjson
from app.web.http.audience import asker_of, require_editor
from app.web.http.problems import COMMON_PROBLEMS, problems, unavailable
from app.web.http.routes import QueryRoute
from app.web.view import record_state

router = APIRouter(route_class=QueryRoute, tags=["exports"], responses=COMMON_PROBLEMS)

# Each holds a connection and a snapshot; half of the connections stay for everybody else.
MOST_AT_ONCE = 4
# Who reads more slowly than this would hold the snapshot for ever; the connection is cut, so that nobody
# takes what there is for the whole.
LONGEST_SECONDS = 3600
# What is smaller is answered whole, with a validator of its content; what is larger must not be in memory.
LARGEST_WHOLE_BYTES = 1_000_000
# Of articles with titles of 65,536 letters a few rows are a chunk: nothing else of Python runs while one is
# encoded.
_ROWS_IN_A_CHUNK, _CHARACTERS_IN_A_CHUNK = 100, 200_000


def _file(media_type: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": "The file", "content": {media_type: {}}}, **problems(403)}


Rows = Callable[[Iterable[str]], Iterator[str]]
Result = TypeVar("Result")


@router.get("/exports/articles.csv", response_class=Response, responses=_file("text/csv"))
async def export_csv(request: Request, query: Annotated[ArticleQuery, Query()]) -> Response:
    """All articles of the query as CSV (RFC 4180), safe to open in a spreadsheet."""
    return _answer(request, query, "text/csv; charset=utf-8; header=present", "articles.csv", csv_rows)


@router.get("/exports/articles.ndjson", response_class=Response, responses=_file("application/x-ndjson"))
async def export_ndjson(request: Request, query: Annotated[ArticleQuery, Query()]) -> Response:
    """All articles of the query, a JSON object a line."""
    return _answer(request, query, "application/x-ndjson", "articles.ndjson", ndjson)


def _answer(request: Request, query: ArticleQuery, media_type: str, name: str, rows: Rows) -> Response:
    state = request.app.state
    if query.published != "true":
        require_editor(asker_of(request), state.settings)
    chunks = _chunks(request, query, rows)
    return _File(state.exports, chunks, media_type, {"Content-Disposition": f'attachment; filename="{name}"'})


class Places:
    """For so many files at a time, with a thread for each."""

    def __init__(self) -> None:
        self._free = BoundedSemaphore(MOST_AT_ONCE)
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="exporting")

    def take(self) -> None:
        if not self._free.acquire(blocking=False):
            raise unavailable(f"{MOST_AT_ONCE} files are being sent already. Try again later.")

    def give_back(self) -> None:
        self._free.release()

    def on_a_thread(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def shutdown(self) -> None:
        """After what is being made and closed."""
        self._threads.shutdown()


class _File(Response):
    """Holds a place, a connection and a snapshot while its bytes are made, and not a moment longer.

    The framework's own stream leaves them to the garbage collector where the client goes away.
    """

    def __init__(
        self, places: Places, chunks: Generator[bytes], media_type: str, headers: dict[str, str]
    ) -> None:
        super().__init__(media_type=media_type, headers=headers)
        # Its length is not known yet.
        del self.headers["Content-Length"]
        self._places = places
        self._chunks = chunks
        self._is_closed = False
        # A thread may still make a chunk after whoever waited for it was cancelled.
        self._making = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._places.take()
        try:
            self.headers["Catalogue-Revision"], begun = await self._places.on_a_thread(self._begin)
            if not self._is_closed:
                await _until_gone(self._stream(begun, send), receive)
                return
        finally:
            if not self._is_closed:
                # Whoever cancels us does not cancel this.
                await asyncio.shield(self._places.on_a_thread(self._close))
        await Response(begun, headers=dict(self.headers))(scope, receive, send)

    async def _stream(self, begun: bytes, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        chunk = begun
        while chunk:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = await self._places.on_a_thread(self._next)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _begin(self) -> tuple[str, bytes]:
        """The revision, and all of a small file, which is closed then."""
        revision, begun = self._next().decode(), bytearray()
        while chunk := self._next():
            begun += chunk
            if len(begun) > LARGEST_WHOLE_BYTES:
                return revision, bytes(begun)
        self._close()
        return revision, bytes(begun)

    def _next(self) -> bytes:
        """Empty at the end."""
        with self._making:
            return next(self._chunks, b"")

    def _close(self) -> None:
        with self._making:
            if self._is_closed:
                return
            self._is_closed = True
            try:
                self._chunks.close()
            finally:
                self._places.give_back()


async def _until_gone(sending: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Sends until all is sent, the client has gone, or LONGEST_SECONDS are over."""
    tasks = sent, gone = asyncio.ensure_future(sending), asyncio.ensure_future(_disconnected(receive))
    try:
        done, _ = await asyncio.wait(tasks, timeout=LONGEST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if sent in done:
            sent.result()
        elif gone not in done:
            raise ReadTooSlowly(f"A file was not read within {LONGEST_SECONDS} s.")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _chunks(request: Request, query: ArticleQuery, rows: Rows) -> Generator[bytes]:
    """The revision first. The snapshot is open from then until the end, or until the generator is closed."""
    with request.app.state.reader.snapshot() as connection:
        yield str(record_state(request, connection).revision).encode()
        written = rows(matching(connection, query).every_item())
        while chunk := _chunk(written):
            yield chunk


def _chunk(written: Iterator[str]) -> bytes:
    rows: list[str] = []
    characters = 0
    for row in written:
        rows.append(row)
        characters += len(row)
        if len(rows) == _ROWS_IN_A_CHUNK or characters > _CHARACTERS_IN_A_CHUNK:
            break
    return "".join(rows).encode()
