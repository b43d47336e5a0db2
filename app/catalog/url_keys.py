"""How a URL is looked up: by a digest of its canonical form, since a URL may be longer than an index row."""

import hashlib

from app.urls import canonical


def url_key(url: str) -> bytes:
    return hashlib.blake2b(canonical(url).encode(errors="surrogatepass"), digest_size=16).digest()
