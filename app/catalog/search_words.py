"""The words of articles, in order as imports find them and by article as questions do. Pure, knows no SQL."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pyroaring import BitMap

from app.catalog.words import MOST_WORDS, words_of_content, words_of_text

# Article id, title, excerpt and content. Of these only the content may be HTML.
Texts = tuple[int, str, str | None, str]
# The same, of each text its words, every one between spaces: so a phrase is a part of it.
WordTexts = tuple[int, str, str, str]


class Where(NamedTuple):
    """Ids of the articles that have something in their title, in their excerpt, in any of their texts.

    Who has it in the title may be missing in `excerpt`.
    """

    title: BitMap
    excerpt: BitMap
    anywhere: BitMap


def word_texts(texts: Iterable[Texts]) -> list[WordTexts]:
    return [_words_of(*text) for text in texts]


def _words_of(article_id: int, title: str, excerpt: str | None, content: str) -> WordTexts:
    of_title = words_of_text(title, MOST_WORDS)
    of_excerpt = words_of_text(excerpt or "", MOST_WORDS - len(of_title))
    of_content = words_of_content(content, MOST_WORDS - len(of_title) - len(of_excerpt))
    return article_id, _spaced(of_title), _spaced(of_excerpt), _spaced(of_content)


def _spaced(words: Sequence[str]) -> str:
    return f" {' '.join(words)} " if words else ""
