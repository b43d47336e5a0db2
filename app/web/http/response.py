"""A response as a value and on its way out: complete or streamed, in the form that the client asked for."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

from starlette.types import Message, Scope, Send

from app.web.http.compression import (
    SMALLEST_WORTH_IT_BYTES,
    Compressor,
    compressed,
    compressor,
    is_compressible,
)
from app.web.http.negotiation import (
    MOST_CHARACTERS_READ,
    accepts,
    best_encoding,
    etag_of,
    for_encoding,
    none_match_fails,
)
from app.web.http.problems import ProblemAnswer, not_acceptable

RawHeaders = list[tuple[bytes, bytes]]

_ON_EVERY_ANSWER: RawHeaders = [
    (b"vary", b"Accept-Encoding, Authorization"),
    # Always, not only for requests with an Origin: a cache hands on what it got for one without.
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"ETag, Link, Catalogue-Revision, Retry-After",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]

_UNLESS_SET = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"cross-origin",
}

# They describe a body, and a 304 has none.
_OF_THE_BODY = frozenset((b"content-type", b"content-length", b"content-encoding", b"content-disposition"))


@dataclass(frozen=True, slots=True)
class CompleteResponse:
    status: int
    headers: RawHeaders
    body: bytes
    media_type: str
    etag: str | None


def complete(
    status: int, headers: RawHeaders, body: bytes, *, encoding: str | None, is_private: bool
) -> CompleteResponse:
    given = dict(headers)
    encoding = encoding_for(given, encoding, len(body))
    etag = None
    if status == HTTPStatus.OK:
        own_etag = given.get(b"etag", b"").decode("latin-1")
        etag = for_encoding(own_etag or etag_of(body), encoding)
    if encoding:
        body = compressed(body, encoding)
    dressed = with_common_headers(status, headers, encoding=encoding, etag=etag, is_private=is_private)
    if status != HTTPStatus.NO_CONTENT:
        dressed.append((b"content-length", b"%d" % len(body)))
    return CompleteResponse(status, dressed, body, media_type_of(given), etag)


def of_problem(problem: ProblemAnswer, *, encoding: str | None, is_private: bool) -> CompleteResponse:
    return complete(
        problem.status, problem.raw_headers(), problem.body(), encoding=encoding, is_private=is_private
    )


def not_modified(headers: RawHeaders) -> CompleteResponse:
    """All that the client's copy may need renewed: validators, caching, CORS, links, the revision."""
    kept = [(name, value) for name, value in headers if name not in _OF_THE_BODY]
    return CompleteResponse(304, kept, b"", "", None)


def with_common_headers(
    status: int, headers: RawHeaders, *, encoding: str | None, etag: str | None, is_private: bool
) -> RawHeaders:
    """The route's headers and what every answer has, less the content's length, which may have changed."""
    names = {name for name, _ in headers}
    dressed = [each for each in headers if each[0] not in (b"content-length", b"etag")]
    dressed += _ON_EVERY_ANSWER
    dressed += [each for each in _UNLESS_SET.items() if each[0] not in names]
    if encoding:
        dressed.append((b"content-encoding", encoding.encode()))
    if etag:
        dressed.append((b"etag", etag.encode("latin-1")))
    if status >= HTTPStatus.BAD_REQUEST:
        dressed.append((b"cache-control", b"no-store"))
    elif b"cache-control" not in names:
        dressed.append((b"cache-control", b"private, no-cache" if is_private else b"public, no-cache"))
    return dressed


def encoding_for(given: dict[bytes, bytes], encoding: str | None, size_bytes: int | None) -> str | None:
    """Of the encoding the client likes best, whether to use it here; None is the size of a stream."""
    if size_bytes is not None and size_bytes < SMALLEST_WORTH_IT_BYTES:
        return None
    if b"content-encoding" in given or not is_compressible(media_type_of(given)):
        return None
    return encoding


def media_type_of(given: dict[bytes, bytes]) -> str:
    return given.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()


# From here on compressing takes a millisecond and more, in which nobody else is served: a thread does it.
LARGE_BODY_BYTES = 200_000


class Enough(Exception):
    """The client has its answer; the rest of the stream need not be made."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a request says of the answer's form."""

    is_head: bool
    accept: str
    encoding: str | None
    if_none_match: str | None
    authorization: bytes | None

    @classmethod
    def by(cls, scope: Scope) -> Self:
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            headers[name] = headers[name] + b", " + value if name in headers else value
        accept = headers.get(b"accept", b"")
        accept_encoding = headers.get(b"accept-encoding", b"")
        if_none_match = headers.get(b"if-none-match")
        return cls(
            is_head=scope["method"] == "HEAD",
            accept=accept.decode("latin-1") if len(accept) <= MOST_CHARACTERS_READ else "",
            encoding=best_encoding(accept_encoding[:MOST_CHARACTERS_READ].decode("latin-1")),
            if_none_match=None if if_none_match is None else if_none_match.decode("latin-1"),
            authorization=headers.get(b"authorization"),
        )


class ResponseWriter:
    """Stands in for the server's `send`. The first chunk tells whether the answer is complete or streams.

    `whole` is a complete one as the route gave it, whatever was sent in its place.
    """

    def __init__(self, asked: Preferences, send: Send) -> None:
        self.asked = asked
        self.is_private = False
        self.has_begun = False
        self.is_complete = False
        self.whole: CompleteResponse | None = None
        self._send = send
        self._status = 0
        self._headers: RawHeaders = []
        self._compressor: Compressor | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            body, is_last = message.get("body", b""), not message.get("more_body", False)
            if self.has_begun:
                await self._send_chunk(body, is_last)
            elif is_last:
                self.whole = await self._finished(body)
                await self.deliver(self.whole)
            else:
                await self._begin_stream()
                await self._send_chunk(body, is_last)

    async def deliver(self, answer: CompleteResponse) -> None:
        for message in self.messages(answer):
            self.has_begun = True
            await self._send(message)
        self.is_complete = True

    def messages(self, answer: CompleteResponse) -> tuple[Message, Message]:
        """The answer, or what the request makes of it: 406, 304, or the headers alone."""
        if replacement := self._instead_of(answer.status, answer.media_type, answer.etag, answer.headers):
            answer = replacement
        body = b"" if self.asked.is_head else answer.body
        return (
            {"type": "http.response.start", "status": answer.status, "headers": answer.headers},
            {"type": "http.response.body", "body": body},
        )

    async def deliver_problem(self, problem: ProblemAnswer) -> None:
        await self.deliver(self._answer_of(problem))

    async def _finished(self, body: bytes) -> CompleteResponse:
        def finish() -> CompleteResponse:
            return complete(
                self._status, self._headers, body, encoding=self.asked.encoding, is_private=self.is_private
            )

        return finish() if len(body) < LARGE_BODY_BYTES else await asyncio.to_thread(finish)

    def _answer_of(self, problem: ProblemAnswer) -> CompleteResponse:
        return of_problem(problem, encoding=self.asked.encoding, is_private=self.is_private)

    def _instead_of(
        self, status: int, media_type: str, etag: str | None, headers: RawHeaders
    ) -> CompleteResponse | None:
        if status != HTTPStatus.OK:
            return None
        asked = self.asked
        if asked.accept and media_type and not accepts(asked.accept, media_type):
            return self._answer_of(not_acceptable(media_type))
        if asked.if_none_match is not None and etag and none_match_fails(asked.if_none_match, etag):
            return not_modified(headers)
        return None

    async def _begin_stream(self) -> None:
        """What streams has a validator only if the route gave one: its content is not known yet."""
        given = dict(self._headers)
        encoding = encoding_for(given, self.asked.encoding, size_bytes=None)
        own_etag = given.get(b"etag", b"").decode("latin-1")
        etag = for_encoding(own_etag, encoding) if own_etag else None
        headers = with_common_headers(
            self._status, self._headers, encoding=encoding, etag=etag, is_private=self.is_private
        )
        if not encoding and b"content-length" in given:
            headers.append((b"content-length", given[b"content-length"]))
        if replacement := self._instead_of(self._status, media_type_of(given), etag, headers):
            await self.deliver(replacement)
            raise Enough
        await self._send_start(self._status, headers)
        if self.asked.is_head:
            await self._send_body(b"", is_last=True)
            raise Enough
        self._compressor = compressor(encoding) if encoding else None

    async def _send_chunk(self, chunk: bytes, is_last: bool) -> None:
        if self._compressor:
            chunk = self._compressor.compress(chunk) + (self._compressor.finish() if is_last else b"")
        if chunk or is_last:
            await self._send_body(chunk, is_last)

    async def _send_start(self, status: int, headers: RawHeaders) -> None:
        self.has_begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _send_body(self, body: bytes, is_last: bool) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": not is_last})
        self.is_complete = is_last
