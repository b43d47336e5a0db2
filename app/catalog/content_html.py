"""An article's content as HTML that may be shown on any page. Pure: knows no article and no database.

The content is Markdown (CommonMark with tables, in which HTML is allowed); what comes of it is cleaned by an
allow list, so that no script, style, event handler or form of a document reaches a reader.
"""

from functools import partial
from html import escape
from typing import Final
from urllib.parse import urljoin, urlsplit

import nh3
from markdown_it import MarkdownIt

# Reading Markdown takes 15 µs a character at worst, cleaning nested elements more the deeper they are:
# 100,000 characters take 2 s. A longer text is shown as it stands; real ones have up to 22,000 characters.
MAX_MARKDOWN_CHARACTERS: Final = 100_000

_LINK_REL: Final = "nofollow noopener noreferrer"
_SCHEMES: Final = frozenset(("http", "https", "mailto"))
_URL_ATTRIBUTES: Final = frozenset(("href", "src", "cite"))

_markdown: Final = MarkdownIt("commonmark", {"html": True}).enable("table")


def content_html(content: str, base_url: str | None) -> str:
    """Relative URLs are resolved against `base_url`; without one they lead nowhere, and are left out."""
    # Nine of ten articles of a tree of links have no content.
    if not content:
        return ""
    if len(content) > MAX_MARKDOWN_CHARACTERS:
        return f"<pre>{escape(content, quote=False)}</pre>\n"
    return nh3.clean(
        _markdown.render(content),
        attribute_filter=partial(_attribute, base_url),
        link_rel=_LINK_REL,
        url_schemes=set(_SCHEMES),
    )


def _attribute(base_url: str | None, tag: str, name: str, value: str) -> str | None:
    """The attribute's value, or None if the attribute is to be left out."""
    if name not in _URL_ATTRIBUTES:
        return value
    try:
        # `//` means https where there is no base, as it does in the keys of a document.
        base = base_url or ("https:" if value.startswith("//") else "")
        url = urljoin(base, value)
        return url if urlsplit(url).scheme in _SCHEMES else None
    except ValueError:
        return None
