"""Where a search matched the articles of a page, as marked and escaped HTML."""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from html import escape
from itertools import islice
from typing import Final

from sqlalchemy import Connection, func, select

from app.catalog.search_language import (
    _CHARACTERS_AT_ONCE,
    _WORD,
    MOST_CHARACTERS,
    MOST_WORD_CHARACTERS,
    MOST_WORDS,
    Search,
    Term,
    stem_of,
    without_markup,
    words_of,
)
from app.catalog.tables import contents
from app.unicode_forms import normalized

_PIECE: Final = re.compile(rf"\S{{1,{_CHARACTERS_AT_ONCE}}}")


# A few words around what was found, on either side.
_SNIPPET_CHARACTERS: Final = 80


# With the words of a search, for the marks of a text: thrice as many as a text has words. If a hundred
# phrases began alike, each word would be compared with all of them.
_MOST_COMPARED: Final = 50_000


# A snippet is looked for in the beginning of a content: 16,000 words, which are all that is indexed. The
# largest content of a real article has 22 kB.
_MAX_CONTENT_CHARACTERS: Final = 200_000
# The texts of a page are looked through up to here, which takes half a second. The 200 longest real articles
# have half as much; what comes after it gets no marks.
_MAX_PAGE_CHARACTERS: Final = 500_000

# By text of an article: `title`, `excerpt` and `content`.
Highlights = dict[str, str | None]


def highlights_of_page(
    connection: Connection, items: Mapping[int, str], search: Search
) -> dict[int, Highlights]:
    """The highlights of each article, by its id; `items` are the articles as lists show them."""
    beginning = func.substr(contents.c.content, 1, _MAX_CONTENT_CHARACTERS).label("beginning")
    rows = select(contents.c.article_id, beginning).where(contents.c.article_id.in_(list(items)))
    beginnings = {row.article_id: row.beginning for row in connection.execute(rows)}
    left = _MAX_PAGE_CHARACTERS
    by_article = {}
    for article_id, item in items.items():
        article = json.loads(item)
        title, excerpt = article["title"], article["excerpt"] or ""
        highlights: Highlights = {"title": highlighted(title, search, left)}
        left = max(0, left - len(title))
        highlights["excerpt"] = highlighted(excerpt, search, left)
        left = max(0, left - len(excerpt))
        content = beginnings[article_id][:left]
        highlights["content"] = snippet(without_markup(content), search)
        left -= len(content)
        by_article[article_id] = highlights
    return by_article


def highlighted(text: str, search: Search, most_characters: int = MOST_CHARACTERS) -> str | None:
    """The text escaped for HTML, what was searched for in <mark>; None where nothing of it is there.

    It is looked for in the first characters alone.
    """
    pieces = []
    done = 0
    for start, end in _spans(text[:most_characters], search):
        if start >= done:
            pieces += [escape(text[done:start]), f"<mark>{escape(text[start:end])}</mark>"]
            done = end
    return "".join([*pieces, escape(text[done:])]) if pieces else None


def snippet(text: str, search: Search) -> str | None:
    """As `marked`, of what stands around the first place alone."""
    first = next(_spans(text, search), None)
    if first is None:
        return None
    start = max(0, first[0] - _SNIPPET_CHARACTERS)
    end = min(len(text), first[1] + 2 * _SNIPPET_CHARACTERS)
    # From and to the end of a word.
    while start and not text[start - 1].isspace() and first[0] - start < 2 * _SNIPPET_CHARACTERS:
        start -= 1
    while end < len(text) and not text[end].isspace() and end - first[1] < 3 * _SNIPPET_CHARACTERS:
        end += 1
    found = highlighted(" ".join(text[start:end].split()), search)
    return f"{'… ' if start else ''}{found}{' …' if end < len(text) else ''}" if found else None


def _spans(text: str, search: Search) -> Iterator[tuple[int, int]]:
    """Where the terms stand, in the order of the text, looking no further than for the next one."""
    terms = [term for group in search.all_of for term in group]
    stems = {stem_of(term.words[0]) for term in terms if len(term.words) == 1 and not term.begins}
    beginnings = tuple(term.words[0] for term in terms if len(term.words) == 1 and term.begins)
    phrases: dict[str, list[Term]] = {}
    for term in terms:
        if len(term.words) > 1:
            phrases.setdefault(term.words[0], []).append(term)
    places = islice(_places(text), MOST_WORDS)
    ahead = deque(islice(places, max((len(term.words) for term in terms), default=0)))
    compared = 0
    while ahead and compared < _MOST_COMPARED:
        word, start, end = ahead[0]
        compared += 1 + len(beginnings) // 8
        for term in phrases.get(word, ()):
            compared += len(term.words)
            here = list(islice(ahead, len(term.words)))
            if _stands(term, [each for each, _, _ in here]):
                yield start, here[-1][2]
                break
        else:
            if word.startswith(beginnings) or stem_of(word) in stems:
                yield start, end
        ahead.popleft()
        ahead.extend(islice(places, 1))


def _places(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word with where it begins and ends."""
    for found in _PIECE.finditer(text):
        piece, at = found[0], found.start()
        if piece.isascii():
            for one in _WORD.finditer(piece):
                yield one[0].lower()[:MOST_WORD_CHARACTERS], at + one.start(), at + one.end()
            continue
        # A piece may fold to several words; each of its own letters then stands for the whole piece.
        composed = normalized("NFC", piece)
        for one in _WORD.finditer(composed):
            start, end = (at + one.start(), at + one.end()) if piece == composed else (at, found.end())
            for word in words_of(one[0]):
                yield word, start, end


def _stands(phrase: Term, words: list[str]) -> bool:
    if len(words) < len(phrase.words):
        return False
    if phrase.begins:
        return tuple(words[:-1]) == phrase.words[:-1] and words[-1].startswith(phrase.words[-1])
    return tuple(words) == phrase.words
