"""Compression of complete bodies and of streams. Knows which media types are worth it, and no request."""

import threading
import zlib
from typing import Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

# A smaller body fits into one network packet anyway, so compressing it would only cost time.
MIN_COMPRESSED_BYTES = 500

# Above these levels time grows faster than bodies shrink. At them 15 kB of JSON take 17, 70 and 65 µs.
ZSTD_LEVEL = 3

BROTLI_LEVEL = 4

GZIP_LEVEL = 6

# zlib makes a gzip header if 16 is added to the window's size.
_GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS

_COMPRESSIBLE = frozenset(
    ("application/json", "application/xml", "application/javascript", "application/x-ndjson", "image/svg+xml")
)

# Each thread keeps its own zstd compressor: two threads must not share one, and making one costs half as
# much as compressing.
_thread_local = threading.local()


class Compressor(Protocol):
    """A compressor may hold bytes back; `finish` returns the last ones."""

    def compress(self, chunk: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


def is_compressible(media_type: str) -> bool:
    return (
        media_type.startswith("text/")
        or media_type in _COMPRESSIBLE
        or media_type.endswith(("+json", "+xml"))
    )


def compress(body: bytes, encoding: str) -> bytes:
    if encoding == "zstd":
        if not hasattr(_thread_local, "zstd"):
            _thread_local.zstd = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        return bytes(_thread_local.zstd.compress(body))
    if encoding == "br":
        return bytes(brotli.compress(body, quality=BROTLI_LEVEL))
    return zlib.compress(body, GZIP_LEVEL, _GZIP_WINDOW_BITS)


def new_compressor(encoding: str) -> Compressor:
    if encoding == "zstd":
        return _Zstd()
    return _Brotli() if encoding == "br" else _Gzip()


class _Zstd:
    def __init__(self) -> None:
        stream = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
        self.compress, self.finish = stream.compress, stream.flush


class _Brotli:
    def __init__(self) -> None:
        stream = brotli.Compressor(quality=BROTLI_LEVEL)
        self.compress, self.finish = stream.process, stream.finish


class _Gzip:
    def __init__(self) -> None:
        stream = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW_BITS)
        self.compress, self.finish = stream.compress, stream.flush
