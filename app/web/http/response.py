"""Responses, complete or streamed, in the form that the client prefers. Knows no path."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final, Self

from starlette.types import Message, Scope, Send

from app.web.http.compression import (
    MIN_COMPRESSED_BYTES,
    Compressor,
    compress,
    is_compressible,
    new_compressor,
)
from app.web.http.negotiation import (
    MAX_HEADER_CHARACTERS,
    accepts,
    best_encoding,
    etag_for_encoding,
    etag_of,
    is_not_modified,
    prefers_page,
)
from app.web.http.problems import ProblemAnswer, not_acceptable

RawHeaders = list[tuple[bytes, bytes]]

# A stored answer may be of an older revision than the one that a request asks for, so caches part them.
VARY: Final = "Accept-Encoding, Authorization, Minimum-Revision"

_COMMON_HEADERS: RawHeaders = [
    # Requests without an Origin get this too, because a cache may give their response to one with an Origin.
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"ETag, Link, Catalogue-Revision, Retry-After, X-Request-Id",
    ),
    (b"x-content-type-options", b"nosniff"),
]

_DEFAULT_HEADERS = {
    b"vary": VARY.encode(),
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"cross-origin",
    b"referrer-policy": b"no-referrer",
}


@dataclass(frozen=True, slots=True)
class Caching:
    """What caches may do with an answer, be it for one editor or for everybody. `tag` is for a purge."""

    max_age: int = 0
    tag: str | None = None

    def headers(self, *, is_private: bool) -> RawHeaders:
        if is_private:
            return [(b"cache-control", b"private, no-cache")]
        headers: RawHeaders = []
        if self.tag:
            tag = self.tag.encode()
            # Varnish's and Fastly's name, and that of Cloudflare and others.
            headers = [(b"surrogate-key", tag), (b"cache-tag", tag)]
        if not self.max_age:
            return [*headers, (b"cache-control", b"public, no-cache")]
        age = b"public, max-age=%d, stale-while-revalidate=%d" % (self.max_age, self.max_age)
        return [*headers, (b"cache-control", age)]


NO_CACHING = Caching()

# These headers describe a body, and a 304 has no body.
_BODY_HEADERS = frozenset((b"content-type", b"content-length", b"content-encoding", b"content-disposition"))


@dataclass(frozen=True, slots=True)
class CompleteResponse:
    status: int
    headers: RawHeaders
    body: bytes
    media_type: str
    etag: str | None


def complete(
    status: int,
    headers: RawHeaders,
    body: bytes,
    *,
    encoding: str | None,
    is_private: bool,
    caching: Caching = NO_CACHING,
) -> CompleteResponse:
    by_name = dict(headers)
    encoding = encoding_for(by_name, encoding, len(body))
    etag = None
    if status == HTTPStatus.OK:
        own_etag = by_name.get(b"etag", b"").decode("latin-1")
        etag = etag_for_encoding(own_etag or etag_of(body), encoding)
    if encoding:
        body = compress(body, encoding)
    all_headers = with_common_headers(
        status, headers, encoding=encoding, etag=etag, is_private=is_private, caching=caching
    )
    if status != HTTPStatus.NO_CONTENT:
        all_headers.append((b"content-length", b"%d" % len(body)))
    return CompleteResponse(status, all_headers, body, media_type_of(by_name), etag)


def problem_response(problem: ProblemAnswer, *, encoding: str | None, is_private: bool) -> CompleteResponse:
    return complete(
        problem.status, problem.raw_headers(), problem.body(), encoding=encoding, is_private=is_private
    )


def not_modified(headers: RawHeaders) -> CompleteResponse:
    """A 304 keeps all headers that may update the client's copy: ETag, caching, CORS, links, revision."""
    remaining = [(name, value) for name, value in headers if name not in _BODY_HEADERS]
    return CompleteResponse(304, remaining, b"", "", None)


def with_common_headers(
    status: int,
    headers: RawHeaders,
    *,
    encoding: str | None,
    etag: str | None,
    is_private: bool,
    caching: Caching = NO_CACHING,
) -> RawHeaders:
    """The route's headers and the common ones. The content's length is left out: compression changes it."""
    names = {name for name, _ in headers}
    result = [header for header in headers if header[0] not in (b"content-length", b"etag")]
    result += _COMMON_HEADERS
    result += [header for header in _DEFAULT_HEADERS.items() if header[0] not in names]
    if encoding:
        result.append((b"content-encoding", encoding.encode()))
    if etag:
        result.append((b"etag", etag.encode("latin-1")))
    if status >= HTTPStatus.BAD_REQUEST:
        result.append((b"cache-control", b"no-store"))
    elif b"cache-control" not in names:
        result += caching.headers(is_private=is_private)
    return result


def encoding_for(by_name: dict[bytes, bytes], encoding: str | None, size_bytes: int | None) -> str | None:
    """The encoding if it is worth its time for this body, else None. A stream has no size (None)."""
    if size_bytes is not None and size_bytes < MIN_COMPRESSED_BYTES:
        return None
    if b"content-encoding" in by_name or not is_compressible(media_type_of(by_name)):
        return None
    return encoding


def media_type_of(by_name: dict[bytes, bytes]) -> str:
    return by_name.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()


# Compressing 200 kB blocks the event loop for over 1 ms, so a thread compresses larger bodies.
LARGE_BODY_BYTES = 200_000


# The page for a problem that a browser meets: its headers and its body.
ProblemPage = Callable[[ProblemAnswer], tuple[RawHeaders, bytes]]


class ResponseFinished(Exception):
    """The client has its response (304, 406 or HEAD), so the rest of the stream is not needed."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """The headers of a request that decide the form of its response."""

    is_head: bool
    accept: str
    encoding: str | None
    if_none_match: str | None
    authorization: bytes | None
    cookies: bytes
    minimum_revision: bytes | None

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            headers[name] = headers[name] + b", " + value if name in headers else value
        accept = headers.get(b"accept", b"")
        accept_encoding = headers.get(b"accept-encoding", b"")
        if_none_match = headers.get(b"if-none-match")
        return cls(
            is_head=scope["method"] == "HEAD",
            accept=accept.decode("latin-1") if len(accept) <= MAX_HEADER_CHARACTERS else "",
            encoding=best_encoding(accept_encoding[:MAX_HEADER_CHARACTERS].decode("latin-1")),
            if_none_match=None if if_none_match is None else if_none_match.decode("latin-1"),
            authorization=headers.get(b"authorization"),
            cookies=headers.get(b"cookie", b""),
            minimum_revision=headers.get(b"minimum-revision"),
        )


class ResponseWriter:
    """Takes the route's messages in place of the server's `send`, and sends them in the preferred form.

    The first chunk tells whether the response is complete or streamed. `complete_response` is the route's
    own, even if a 304 or 406 was sent in its place: the cache keeps it.
    """

    def __init__(self, preferences: Preferences, send: Send, problem_page: ProblemPage | None = None) -> None:
        """A client that prefers HTML gets `problem_page`, if there is one, in place of problem details."""
        self.preferences = preferences
        self.is_private = False
        self.caching = NO_CACHING
        self.has_started = False
        self.before_start: Callable[[], None] | None = None
        self.complete_response: CompleteResponse | None = None
        self._send = send
        self._problem_page = problem_page
        self._status = 0
        self._headers: RawHeaders = []
        self._compressor: Compressor | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self.before_start:
                self.before_start()
            self._status, self._headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            body, is_last = message.get("body", b""), not message.get("more_body", False)
            if self.has_started:
                await self._send_chunk(body, is_last)
            elif is_last:
                self.complete_response = await self._complete(body)
                await self.respond(self.complete_response)
            else:
                await self._begin_stream()
                await self._send_chunk(body, is_last)

    async def respond(self, response: CompleteResponse) -> None:
        for message in self.messages(response):
            self.has_started = True
            await self._send(message)

    def messages(self, response: CompleteResponse) -> tuple[Message, Message]:
        """The response, or what the request gets in its place: 406, 304, or the headers alone."""
        replacement = self._replacement_for(
            response.status, response.media_type, response.etag, response.headers
        )
        response = replacement or response
        body = b"" if self.preferences.is_head else response.body
        return (
            {"type": "http.response.start", "status": response.status, "headers": response.headers},
            {"type": "http.response.body", "body": body},
        )

    async def respond_with_problem(self, problem: ProblemAnswer) -> None:
        await self.respond(self._problem_response(problem))

    async def _complete(self, body: bytes) -> CompleteResponse:
        work = partial(
            complete,
            self._status,
            self._headers,
            body,
            encoding=self.preferences.encoding,
            is_private=self.is_private,
            caching=self.caching,
        )
        return work() if len(body) < LARGE_BODY_BYTES else await asyncio.to_thread(work)

    def _problem_response(self, problem: ProblemAnswer) -> CompleteResponse:
        encoding, is_private = self.preferences.encoding, self.is_private
        if self._problem_page and prefers_page(self.preferences.accept):
            headers, body = self._problem_page(problem)
            return complete(problem.status, headers, body, encoding=encoding, is_private=is_private)
        return problem_response(problem, encoding=encoding, is_private=is_private)

    def _replacement_for(
        self, status: int, media_type: str, etag: str | None, headers: RawHeaders
    ) -> CompleteResponse | None:
        if status != HTTPStatus.OK:
            return None
        preferences = self.preferences
        if preferences.accept and media_type and not accepts(preferences.accept, media_type):
            # Browsers accept anything, so whoever gets this is none, and no page is made for it.
            return problem_response(
                not_acceptable(media_type), encoding=preferences.encoding, is_private=self.is_private
            )
        if (
            preferences.if_none_match is not None
            and etag
            and is_not_modified(preferences.if_none_match, etag)
        ):
            return not_modified(headers)
        return None

    async def _begin_stream(self) -> None:
        """A stream has an ETag only if the route gave one, because its content is not known yet."""
        by_name = dict(self._headers)
        encoding = encoding_for(by_name, self.preferences.encoding, size_bytes=None)
        own_etag = by_name.get(b"etag", b"").decode("latin-1")
        etag = etag_for_encoding(own_etag, encoding) if own_etag else None
        headers = with_common_headers(
            self._status,
            self._headers,
            encoding=encoding,
            etag=etag,
            is_private=self.is_private,
            caching=self.caching,
        )
        if not encoding and b"content-length" in by_name:
            headers.append((b"content-length", by_name[b"content-length"]))
        if replacement := self._replacement_for(self._status, media_type_of(by_name), etag, headers):
            await self.respond(replacement)
            raise ResponseFinished
        await self._send_start(self._status, headers)
        if self.preferences.is_head:
            await self._send_body(b"", is_last=True)
            raise ResponseFinished
        self._compressor = new_compressor(encoding) if encoding else None

    async def _send_chunk(self, chunk: bytes, is_last: bool) -> None:
        if self._compressor:
            chunk = self._compressor.compress(chunk) + (self._compressor.finish() if is_last else b"")
        if chunk or is_last:
            await self._send_body(chunk, is_last)

    async def _send_start(self, status: int, headers: RawHeaders) -> None:
        self.has_started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _send_body(self, body: bytes, is_last: bool) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": not is_last})
