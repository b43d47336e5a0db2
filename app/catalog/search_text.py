"""An article's texts as search reads them: their words in order. Pure, and loads no database."""

from collections.abc import Sequence
from typing import NamedTuple

from app.catalog.search_language import MAX_WORDS, words_of_content, words_of_text


class SearchText(NamedTuple):
    """The words of each text, every one between spaces: a phrase is then a part of the text."""

    title: str
    excerpt: str
    content: str


def search_text(title: str, excerpt: str | None, content: str) -> SearchText:
    """Only the content may be HTML."""
    title_words = words_of_text(title, MAX_WORDS)
    excerpt_words = words_of_text(excerpt or "", MAX_WORDS - len(title_words))
    content_words = words_of_content(content, MAX_WORDS - len(title_words) - len(excerpt_words))
    return SearchText(_padded(title_words), _padded(excerpt_words), _padded(content_words))


def _padded(words: Sequence[str]) -> str:
    return f" {' '.join(words)} " if words else ""
