"""What a client accepts, by the quality values of RFC 9110. Knows nothing of what is asked for."""

import hashlib
import re
from functools import lru_cache

# Best first, among those the client likes equally: the cheapest for the server, then the smallest.
ENCODINGS = ("zstd", "br", "gzip")

# Browsers send 150. What is longer says nothing we would act on, and must not fill the memory below.
MAX_HEADER_CHARACTERS = 1_000

MAX_CACHED_HEADERS = 256


@lru_cache(MAX_CACHED_HEADERS)
def accepts(accept: str, media_type: str) -> bool:
    """The most specific range decides:  "text/*;q=0, */*" excludes text/csv.

    JSON is what a client of application/feed+json reads, and XML one of application/rss+xml.
    """
    liking = _qualities(accept)
    if not liking:
        return True
    kind, _, name = media_type.partition("/")
    suffix = name.rpartition("+")[2]
    for media_range in (media_type, f"{kind}/{suffix}", f"{kind}/*", "*/*", "*"):
        if media_range in liking:
            return liking[media_range] > 0
    return False


@lru_cache(MAX_CACHED_HEADERS)
def best_encoding(accept_encoding: str) -> str | None:
    """None is the answer as it is, also for those who refuse that and everything else."""
    liking = _qualities(accept_encoding)
    anything = liking.get("*", 0.0)
    best = max(ENCODINGS, key=lambda encoding: liking.get(encoding, anything))  # the first of equals
    if liking.get(best, anything) > liking.get("identity", 0.0):
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
    # Java has always sent "*; q=.2". What is no number at all is the slip of a client that wants an answer.
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


# A list of entity tags, weak or strong; what is not quoted is garbage that matches nothing.
_TAG_IN_LIST = re.compile(r'(?:^|,)[ \t]*(?:W/)?("[^"]*")[ \t]*(?=,|$)')


def etag_of(body: bytes) -> str:
    # Processors have instructions for SHA-256: 20 kB take 12 µs, with BLAKE2 22. 128 bits of it are plenty.
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def etag_for_encoding(etag: str, encoding: str | None) -> str:
    """Strong tags tell representations apart:  "5f3a" sent as gzip is "5f3a-gzip"."""
    return f'{etag[:-1]}-{encoding}"' if encoding else etag


def is_not_modified(if_none_match: str, etag: str) -> bool:
    """The client has it. `*` is whatever there is; weak comparison, since a proxy may have weakened ours."""
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in _TAG_IN_LIST.findall(if_none_match)
