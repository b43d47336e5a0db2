"""A text's words as the full-text index of either database takes them. Pure, and knows no SQL."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Final

from app.catalog.words import MOST_WORDS, stem_of, without_markup, words_of

# Article id, title, excerpt and content. Of these only the content may be HTML.
Texts = tuple[int, str, str | None, str]

# Of one word a tsvector knows 256 places; what is beyond is left out on both databases.
MOST_PLACES_OF_A_WORD: Final = 255
# A tsvector has at most 1 MB of words, of stems, which are as long, and of 4 bytes for a place of either.
MOST_WORD_BYTES: Final = 400_000
# Between two fields, so that no phrase begins in one and ends in the next.
_GAP: Final = 10
# Keeps the place where a word is left out; no word is spelled so.
_NO_WORD: Final = "="


@dataclass(frozen=True, slots=True)
class _Places:
    """The words of each field, _NO_WORD where one is left out, and its stems."""

    words: Sequence[Sequence[str]]
    stems: Sequence[Sequence[str]]


def search_rows(dialect: str, texts: Sequence[Texts]) -> list[tuple[object, ...]]:
    """Rows of article id and words: in three columns for SQLite's FTS5, as a tsvector for PostgreSQL."""
    found = [
        (article_id, _places((title, excerpt or "", without_markup(content))))
        for article_id, title, excerpt, content in texts
    ]
    if dialect == "postgresql":
        return [(article_id, _tsvector(places)) for article_id, places in found]
    return [(article_id, *_fts5(places)) for article_id, places in found]


def _places(fields: Sequence[str]) -> _Places:
    words = _within_limits([words_of(text) for text in fields])
    stems = tuple(tuple(dict.fromkeys(map(stem_of, dict.fromkeys(in_field)))) for in_field in words)
    often = {word for word, count in Counter(chain(*words)).items() if count > MOST_PLACES_OF_A_WORD}
    return _Places(_less_often(words, often) if often else words, stems)


def _within_limits(fields: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    left, left_bytes = MOST_WORDS, MOST_WORD_BYTES
    within = []
    for words in fields:
        cut = words[:left]
        if _size(cut) > left_bytes:
            cut = cut[: bisect_right(list(accumulate(_size([word]) for word in cut)), left_bytes)]
        left, left_bytes = left - len(cut), left_bytes - _size(cut)
        within.append(cut)
    return within


def _size(words: Sequence[str]) -> int:
    return len("".join(words).encode())


def _less_often(fields: Sequence[Sequence[str]], often: Set[str]) -> Sequence[Sequence[str]]:
    places_left = dict.fromkeys(often, MOST_PLACES_OF_A_WORD)

    def kept(word: str) -> str:
        if word not in often:
            return word
        places_left[word] -= 1
        return word if places_left[word] >= 0 else _NO_WORD

    return [[kept(word) for word in words] for words in fields]


def _fts5(places: _Places) -> Iterator[str]:
    for words, stems in zip(places.words, places.stems, strict=True):
        yield " ".join([*words, *(f"={stem}" for stem in stems)])


def _tsvector(places: _Places) -> str:
    found: dict[str, list[str]] = {}
    place = 0
    for weight, words, stems in zip("ABC", places.words, places.stems, strict=True):
        for word in words:
            place += 1
            if word != _NO_WORD:
                found.setdefault(word, []).append(f"{place}{weight}")
        place += _GAP
        for stem in stems:
            # A place only to carry the weight: no phrase is made of stems.
            found.setdefault(f"={stem}", []).append(f"{len(found.get(f'={stem}', ())) + 1}{weight}")
    return " ".join(f"{quoted(word)}:{','.join(at)}" for word, at in found.items())


def quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
