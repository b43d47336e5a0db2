"""The words of articles, in order as imports find them and by article as questions do. Pure, knows no SQL."""

from collections.abc import Iterable
from typing import NamedTuple

from pyroaring import BitMap

from app.catalog.words import MOST_WORDS, without_markup, words_of

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
    return [
        (article_id, *_spaced((title, excerpt or "", without_markup(content))))
        for article_id, title, excerpt, content in texts
    ]


def _spaced(texts: tuple[str, str, str]) -> tuple[str, str, str]:
    left = MOST_WORDS
    spaced = []
    for text in texts:
        words = words_of(text)[:left]
        left -= len(words)
        spaced.append(f" {' '.join(words)} " if words else "")
    title, excerpt, content = spaced
    return title, excerpt, content
