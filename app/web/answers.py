"""A complete answer as a value: every header in place, compressed, with its validator. Knows no connection.

It follows from what the route answered, the encoding and the audience alone: it may be kept and given again.
"""

from dataclasses import dataclass
from http import HTTPStatus

from app.web.compression import SMALLEST_WORTH_IT_BYTES, compressed, is_compressible
from app.web.etags import etag_of, for_encoding
from app.web.problems import ProblemAnswer

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
class Answer:
    status: int
    headers: RawHeaders
    body: bytes
    media_type: str
    etag: str | None


def finished(
    status: int, headers: RawHeaders, body: bytes, *, encoding: str | None, is_private: bool
) -> Answer:
    given = dict(headers)
    encoding = encoding_for(given, encoding, len(body))
    etag = None
    if status == HTTPStatus.OK:
        own_etag = given.get(b"etag", b"").decode("latin-1")
        etag = for_encoding(own_etag or etag_of(body), encoding)
    if encoding:
        body = compressed(body, encoding)
    dressed = dressed_headers(status, headers, encoding=encoding, etag=etag, is_private=is_private)
    if status != HTTPStatus.NO_CONTENT:
        dressed.append((b"content-length", b"%d" % len(body)))
    return Answer(status, dressed, body, media_type_of(given), etag)


def of_problem(problem: ProblemAnswer, *, encoding: str | None, is_private: bool) -> Answer:
    return finished(
        problem.status, problem.raw_headers(), problem.body(), encoding=encoding, is_private=is_private
    )


def not_modified(headers: RawHeaders) -> Answer:
    """All that the client's copy may need renewed: validators, caching, CORS, links, the revision."""
    kept = [(name, value) for name, value in headers if name not in _OF_THE_BODY]
    return Answer(304, kept, b"", "", None)


def dressed_headers(
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
