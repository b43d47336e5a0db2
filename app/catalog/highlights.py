"""Where a search matched the articles of a page, as marked and escaped HTML."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from html import escape
from itertools import islice
from typing import Final

from sqlalchemy import Connection, func, select

from app.catalog.search_language import (
    MAX_TEXT_CHARACTERS,
    MAX_WORDS,
    Phrase,
    Search,
    stem_of,
    words_with_places,
)
from app.catalog.tables import contents
from app.catalog.visible_text import visible_text

# A snippet shows a few words on either side of a match.
_SNIPPET_CHARACTERS: Final = 80
# Three comparisons for each word of the longest text that is searched. If a hundred phrases of a search began
# with one word, each occurrence of it would be compared with all of them.
_MAX_COMPARISONS: Final = 50_000
# A snippet is looked for in the beginning of a content: 16,000 words, which are all that is indexed. The
# largest content of a real article has 22 kB.
_MAX_CONTENT_CHARACTERS: Final = 200_000
# The texts of a page are looked through up to here, which takes half a second. The 200 longest real articles
# have half as much; what comes after it gets no marks.
_MAX_PAGE_CHARACTERS: Final = 500_000

# The keys are `title`, `excerpt` and `content`.
HighlightedTexts = dict[str, str | None]


def highlights_of_page(
    connection: Connection, items: Mapping[int, str], search: Search
) -> dict[int, HighlightedTexts]:
    """The highlights of each article, by its id; `items` are the articles as lists show them."""
    beginning = func.substr(contents.c.content, 1, _MAX_CONTENT_CHARACTERS).label("beginning")
    rows = select(contents.c.article_id, beginning).where(contents.c.article_id.in_(list(items)))
    beginnings = {row.article_id: row.beginning for row in connection.execute(rows)}
    left = _MAX_PAGE_CHARACTERS
    by_article = {}
    for article_id, item in items.items():
        article = json.loads(item)
        title, excerpt = article["title"], article["excerpt"] or ""
        highlights: HighlightedTexts = {"title": highlighted(title, search, left)}
        left = max(0, left - len(title))
        highlights["excerpt"] = highlighted(excerpt, search, left)
        left = max(0, left - len(excerpt))
        content = _whole_tags(beginnings[article_id][:left])
        highlights["content"] = snippet("".join(visible_text(content)), search)
        left -= len(content)
        by_article[article_id] = highlights
    return by_article


def _whole_tags(content: str) -> str:
    """The content less the beginning of a tag at its end, which would be text:  `…<img alt="a pict`"""
    opened = content.rfind("<")
    return content[:opened] if opened > content.rfind(">") else content


def highlighted(text: str, search: Search, max_characters: int = MAX_TEXT_CHARACTERS) -> str | None:
    """The text escaped for HTML with <mark> around matches; None where nothing matches.

    Matches are looked for in the first `max_characters` alone.
    """
    pieces = []
    done = 0
    for start, end in _match_spans(text[:max_characters], search):
        if start >= done:
            pieces += [escape(text[done:start]), f"<mark>{escape(text[start:end])}</mark>"]
            done = end
    return "".join([*pieces, escape(text[done:])]) if pieces else None


def snippet(text: str, search: Search) -> str | None:
    """The text around the first match, as `highlighted` shows it."""
    first = next(_match_spans(text, search), None)
    if first is None:
        return None
    start = max(0, first[0] - _SNIPPET_CHARACTERS)
    end = min(len(text), first[1] + 2 * _SNIPPET_CHARACTERS)
    # The snippet begins and ends with a whole word.
    while start and not text[start - 1].isspace() and first[0] - start < 2 * _SNIPPET_CHARACTERS:
        start -= 1
    while end < len(text) and not text[end].isspace() and end - first[1] < 3 * _SNIPPET_CHARACTERS:
        end += 1
    html = highlighted(" ".join(text[start:end].split()), search)
    return f"{'… ' if start else ''}{html}{' …' if end < len(text) else ''}" if html else None


def _match_spans(text: str, search: Search) -> Iterator[tuple[int, int]]:
    """Where the phrases match, in the order of the text, which is read no further than asked for."""
    phrases = [phrase for group in search.all_of for phrase in group]
    single = [phrase for phrase in phrases if len(phrase.words) == 1]
    stems = {stem_of(phrase.words[0]) for phrase in single if not phrase.is_prefix}
    prefixes = tuple(phrase.words[0] for phrase in single if phrase.is_prefix)
    by_first_word: dict[str, list[Phrase]] = {}
    for phrase in phrases:
        if len(phrase.words) > 1:
            by_first_word.setdefault(phrase.words[0], []).append(phrase)
    positions = islice(words_with_places(text), MAX_WORDS)
    ahead = deque(islice(positions, max((len(phrase.words) for phrase in phrases), default=0)))
    comparisons = 0
    while ahead and comparisons < _MAX_COMPARISONS:
        word, start, end = ahead[0]
        comparisons += 1 + len(prefixes) // 8
        for phrase in by_first_word.get(word, ()):
            comparisons += len(phrase.words)
            words_ahead = list(islice(ahead, len(phrase.words)))
            if _matches_at(phrase, [word_ahead for word_ahead, _, _ in words_ahead]):
                yield start, words_ahead[-1][2]
                break
        else:
            if word.startswith(prefixes) or stem_of(word) in stems:
                yield start, end
        ahead.popleft()
        ahead.extend(islice(positions, 1))


def _matches_at(phrase: Phrase, words: list[str]) -> bool:
    if len(words) < len(phrase.words):
        return False
    if phrase.is_prefix:
        return tuple(words[:-1]) == phrase.words[:-1] and words[-1].startswith(phrase.words[-1])
    return tuple(words) == phrase.words
