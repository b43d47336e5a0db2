"""The addresses of pages for people, and which links may lead out. Pure."""

from typing import Final
from urllib.parse import quote, quote_plus, urlsplit

from app.catalog.clauses import Clause

# Longer paths are answered with 404 (web.http.shell), and longer queries with 422.
_MAX_PATH_CHARACTERS: Final = 1_500
_MAX_QUERY_CHARACTERS: Final = 6_000


def article_address(prefix: str, article_id: str) -> str:
    return f"{prefix}/view/articles/{article_id}"


def story_address(prefix: str, story_id: str, published: str) -> str:
    """Editors see other stories than the public; `published` says whose this is."""
    return f"{prefix}/view/stories/{story_id}" + ("" if published == "true" else "?published=any")


def term_address(prefix: str, field: str, value: str) -> str | None:
    """The page of a topic or provider; the list of any other field's value.

    None for a name that no address can hold: it may have 65,536 characters.
    """
    path = f"{prefix}/view/{field}s/{quote(value, safe='')}"
    # Browsers resolve "." and ".." as folders, also when they are escaped.
    if field in ("topic", "provider") and len(path) <= _MAX_PATH_CHARACTERS and value.strip("."):
        return path
    query = f"{field}={quote_plus(str(Clause((value,), anything=False, none_of=False)))}"
    return f"{prefix}/?{query}" if len(query) <= _MAX_QUERY_CHARACTERS else None


def outward(url: str | None) -> str | None:
    """The URL if it may be a link: a page must never hold `javascript:`, whatever a catalogue holds."""
    return url if url and url.startswith(("https://", "http://")) else None


def host_of(url: str) -> str:
    """The host as people say it:  "https://www.nasa.gov/x" -> "nasa.gov"."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # half an IPv6 address
        return ""
