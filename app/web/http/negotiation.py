"""The forms that a client accepts, by RFC 9110, and the version that it has, by ETag. Knows no path."""

import hashlib
import re
from functools import lru_cache

# The first one wins where the client likes several equally: the cheapest for the server, then the smallest.
ENCODINGS = ("zstd", "br", "gzip")

# Browsers send 150 characters. We read no more than 1,000, so that long headers cannot fill the caches below.
MAX_HEADER_CHARACTERS = 1_000

MAX_CACHED_HEADERS = 256


# A download is bytes to whoever saves it: curl scripts and download managers say so.
_BYTES = "application/octet-stream"
# A client that accepts one of the names on the right can read what the left one names. RFC 7303 says that
# both names of XML mean the same; NDJSON has no registered name, and few programs know that of a spreadsheet.
_OTHER_NAMES = {
    "application/json": ("text/json",),
    "application/xml": ("text/xml",),
    "application/x-ndjson": (
        "application/json",
        "text/json",
        "application/ndjson",
        "application/jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "text/plain",
        _BYTES,
    ),
    "text/csv": ("application/csv", "text/x-csv", "text/comma-separated-values", "text/plain", _BYTES),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (
        "application/vnd.ms-excel",
        "application/zip",
        _BYTES,
    ),
}


@lru_cache(MAX_CACHED_HEADERS)
def accepts(accept: str, media_type: str) -> bool:
    """The most specific range decides:  "text/*;q=0, */*" excludes text/csv.

    A client that accepts application/json also accepts application/feed+json; XML is treated likewise, under
    both its names.
    """
    qualities = _qualities(accept)
    if not qualities:
        return True
    kind, _, name = media_type.partition("/")
    general = f"{kind}/{name.rpartition('+')[2]}"
    if media_type not in qualities and any(
        qualities.get(other_name) for other_name in _OTHER_NAMES.get(general, ())
    ):
        return True
    for media_range in (media_type, general, f"{kind}/*", "*/*", "*"):
        if media_range in qualities:
            return qualities[media_range] > 0
    return False


@lru_cache(MAX_CACHED_HEADERS)
def prefers_page(accept: str) -> bool:
    """True for browsers: they name HTML, and like nothing of JSON better.

    Java's own client names HTML first too, and then anything, but wants no page; browsers name XHTML.
    """
    qualities = _qualities(accept)
    html = qualities.get("text/html", 0.0)
    json = max((quality for name, quality in qualities.items() if name.endswith("json")), default=0.0)
    takes_anything = "*/*" in qualities or "*" in qualities
    return html > 0 and html >= json and ("application/xhtml+xml" in qualities or not takes_anything)


@lru_cache(MAX_CACHED_HEADERS)
def best_encoding(accept_encoding: str) -> str | None:
    """None means no encoding. A client that refuses even that gets it all the same."""
    qualities = _qualities(accept_encoding)
    wildcard = qualities.get("*", 0.0)
    # `max` returns the first of equals.
    best = max(ENCODINGS, key=lambda encoding: qualities.get(encoding, wildcard))
    if qualities.get(best, wildcard) > qualities.get("identity", 0.0):
        return best
    return None


def _qualities(header: str) -> dict[str, float]:
    qualities: dict[str, float] = {}
    for element in header[:MAX_HEADER_CHARACTERS].lower().split(","):
        name, *parameters = (part.strip() for part in element.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                quality = _quality(parameter[2:])
        if name:
            qualities[name] = max(quality, qualities.get(name, 0.0))
    return qualities


def _quality(text: str) -> float:
    # Java sends "*; q=.2", which float reads. A client with a broken number still wants a response: 1.0.
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


# A list has weak or strong entity tags; anything that is not quoted matches nothing.
_ETAG_IN_LIST = re.compile(r'(?:^|,)[ \t]*(?:W/)?("[^"]*")[ \t]*(?=,|$)')


def etag_of(body: bytes) -> str:
    # Processors have instructions for SHA-256: 20 kB take 12 µs, BLAKE2 takes 22. 128 bits are plenty.
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def etag_for_encoding(etag: str, encoding: str | None) -> str:
    """Strong tags tell representations apart:  "5f3a" sent as gzip is "5f3a-gzip"."""
    return f'{etag[:-1]}-{encoding}"' if encoding else etag


def is_not_modified(if_none_match: str, etag: str) -> bool:
    """True if the client has this version; `*` matches any. A proxy may have made our tag weak: W/"5f3a"."""
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in _ETAG_IN_LIST.findall(if_none_match)
