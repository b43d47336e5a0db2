"""Bytes to fewer bytes, whole or as they come. Knows which types are worth it, not who asked."""

import threading
import zlib
from typing import Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

# Below this the saving is less than a network packet, and the header and the time cost more.
MIN_COMPRESSED_BYTES = 500

# Past these levels, time grows faster than answers shrink: 15 kB of JSON take 17, 70 and 65 µs.
ZSTD_LEVEL = 3

BROTLI_LEVEL = 4

GZIP_LEVEL = 6

# zlib's way of asking for gzip's header around the largest window.
_GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS

_COMPRESSIBLE = frozenset(
    ("application/json", "application/xml", "application/javascript", "application/x-ndjson", "image/svg+xml")
)

# Making a zstd compressor takes half as long as its work, and one must not be used by two threads at once.
_of_this_thread = threading.local()


class Compressor(Protocol):
    """Bytes come out when the compressor sees fit, some only with `finish`."""

    def compress(self, chunk: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


def is_compressible(media_type: str) -> bool:
    return (
        media_type.startswith("text/")
        or media_type in _COMPRESSIBLE
        or media_type.endswith(("+json", "+xml"))
    )


def compressed(body: bytes, encoding: str) -> bytes:
    if encoding == "zstd":
        if not hasattr(_of_this_thread, "zstd"):
            _of_this_thread.zstd = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        return bytes(_of_this_thread.zstd.compress(body))
    if encoding == "br":
        return bytes(brotli.compress(body, quality=BROTLI_LEVEL))
    return zlib.compress(body, GZIP_LEVEL, _GZIP_WINDOW_BITS)


def compressor(encoding: str) -> Compressor:
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
