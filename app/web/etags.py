"""Validators of answers by their content (RFC 9110, 8.8.3 and 13.1.2). Knows no revisions, no resources."""

import hashlib
import re

# A list of entity tags, weak or strong; what is not quoted is garbage that matches nothing.
_TAG_IN_LIST = re.compile(r'(?:^|,)[ \t]*(?:W/)?("[^"]*")[ \t]*(?=,|$)')


def etag_of(body: bytes) -> str:
    # Processors have instructions for SHA-256: 20 kB take 12 µs, with BLAKE2 22. 128 bits of it are plenty.
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def for_encoding(etag: str, encoding: str | None) -> str:
    """Strong tags tell representations apart:  "5f3a" sent as gzip is "5f3a-gzip"."""
    return f'{etag[:-1]}-{encoding}"' if encoding else etag


def none_match_fails(if_none_match: str, etag: str) -> bool:
    """The client has it. `*` is whatever there is; weak comparison, since a proxy may have weakened ours."""
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in _TAG_IN_LIST.findall(if_none_match)
