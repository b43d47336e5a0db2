"""A long export takes no more memory than a short one."""

import io
import tracemalloc
from collections.abc import Callable

import pytest

from app.conversion.entries import ExportEntry
from app.conversion.formats import read_entries

ENTRIES = 10_000
PADDING = "x" * 400


def bookmarks(number: int) -> str:
    return f'<DT><A HREF="https://example.org/{number}" ICON="{PADDING}">Title {number}</A>\n'


def rows(number: int) -> str:
    return f"https://example.org/{number},Title {number},{PADDING}\n"


def items(number: int) -> str:
    return f"<item><title>{number}</title><description>{PADDING}</description></item>\n"


def outlines(number: int) -> str:
    return f'<outline text="{number}" xmlUrl="https://example.org/{number}" note="{PADDING}"/>\n'


@pytest.mark.parametrize(
    ("before", "entry", "after"),
    [
        ("<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n", bookmarks, "</DL>"),
        ("url,title,note\n", rows, ""),
        ("<rss><channel>", items, "</channel></rss>"),
        ("<opml><body>", outlines, "</body></opml>"),
    ],
    ids=["bookmarks", "rows", "feed", "outline"],
)
def test_entries_are_read_one_after_the_other(before: str, entry: Callable[[int], str], after: str) -> None:
    content = (before + "".join(map(entry, range(ENTRIES))) + after).encode()
    assert len(content) > 4_000_000
    file = io.BytesIO(content)
    tracemalloc.start()
    try:
        count = sum(isinstance(each, ExportEntry) for each in read_entries(file))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == ENTRIES
    # A chunk of 64 kB, its text, and the entries in it.
    assert peak < 1_500_000
