"""Answers of a service in another process, which may still be starting."""

import time
import urllib.request
from typing import Final

START_SECONDS: Final = 30


def fetch(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": "*/*"})  # noqa: S310  ours
    with urllib.request.urlopen(request) as answer:  # noqa: S310  ours
        content: bytes = answer.read()
        return content


def wait_until_served(url: str) -> None:
    """Raises OSError where nothing answers in time."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            fetch(url)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
