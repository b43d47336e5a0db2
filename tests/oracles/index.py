"""The sets of articles and of words as they are stored, and as the rows that they stand for say."""

import json
from collections import Counter, defaultdict
from datetime import date

from pyroaring import BitMap
from sqlalchemy import Connection, text

from app.catalog.index import ranges
from tests.oracles.search import seen_in, stem, words

# Every catalogue has them stored so.
_DAYS = {"day": "publishedDateTime", "updated_day": "updatedDateTime", "added_day": "addedDateTime"}
HAS_KEYS = {
    "topic": 0,
    "provider": 1,
    "type": 2,
    "category": 3,
    "tag": 4,
    "locale": 5,
    "source": 6,
    "image": 7,
    "related": 8,
    "author": 9,
}

# The number of terms that an article has of these is stored bit by bit.
MANY_VALUED = ("topic", "author", "tag")

Sets = dict[tuple[str, int], set[int]]
# Each word has its stem and where it stands.
Words = dict[tuple[str, str, str], set[int]]

_FILED = """SELECT article_id, term_id, field FROM article_terms filed
    JOIN terms ON terms.id = filed.term_id"""
_RELATED = "SELECT article_id, count(*) FROM related_links GROUP BY article_id"


def index_faults(connection: Connection) -> list[str]:
    """Parts of the index that are not what the rows say."""
    faults = {
        "the sets of articles are not those of the rows": (stored_sets, sets_by_rows),
        "the sets of words are not those of the texts": (stored_words, words_by_rows),
        "what folded lists leave out is miscounted": (stored_repeats, repeats_by_rows),
    }
    return [fault for fault, (stored, by_rows) in faults.items() if stored(connection) != by_rows(connection)]


def stored_sets(connection: Connection) -> Sets:
    sets: Sets = defaultdict(set)
    rows = connection.execute(text("SELECT kind, key, range, article_ids FROM article_sets"))
    for kind, key, range_, article_ids in rows:
        sets[kind, key] |= _piece(range_, article_ids, ranges.SET_RANGE_BITS)
    return dict(sets)


def _piece(range_: int, article_ids: bytes, range_bits: int) -> set[int]:
    """No piece is empty, and its ids are those of its range."""
    piece = BitMap.deserialize(bytes(article_ids))
    assert piece
    assert piece.min() >> range_bits == piece.max() >> range_bits == range_
    return set(piece)


def sets_by_rows(connection: Connection) -> Sets:
    """What is null is in no set."""
    sets: Sets = defaultdict(set)
    counts = Counter[tuple[str, int]]()
    for article_id, term_id, field in connection.execute(text(_FILED)):
        sets[field, term_id].add(article_id)
        sets["has", HAS_KEYS[field]].add(article_id)
        counts[field, article_id] += 1
    for (field, article_id), count in counts.items():
        for bit in _bits(count) if field in MANY_VALUED else ():
            sets[f"{field}_count", bit].add(article_id)
    related = dict(tuple(row) for row in connection.execute(text(_RELATED)))
    for article_id, stored in connection.execute(text("SELECT id, item FROM articles")):
        item = json.loads(stored)
        if not item["published"]:
            sets["unpublished", 1].add(article_id)
        for kind, key in _DAYS.items():
            if moment := item[key]:
                sets[kind, date.fromisoformat(moment[:10]).toordinal()].add(article_id)
        if moment := item["publishedDateTime"]:
            sets["month", int(moment[:4]) * 12 + int(moment[5:7]) - 1].add(article_id)
        for kind in ("quality", "heat"):
            if item[kind] is not None:
                sets[kind, item[kind]].add(article_id)
        for what, count in (("image", len(item["images"])), ("related", related.get(article_id, 0))):
            if count:
                sets["has", HAS_KEYS[what]].add(article_id)
    return dict(sets)


def stored_repeats(connection: Connection) -> dict[tuple[str, int, int], int]:
    """How many articles folded lists leave out, by the way to fold, the audience and the term."""
    rows = connection.execute(text("SELECT collapse, for_editors, term_id, repeats FROM term_repeats"))
    return {(collapse, for_editors, term_id): repeats for collapse, for_editors, term_id, repeats in rows}


def repeats_by_rows(connection: Connection) -> dict[tuple[str, int, int], int]:
    """No term has a row that leaves nothing out."""
    rows = connection.execute(text("SELECT id, published, public_story, editor_story FROM articles")).all()
    pages = {
        id_: bytes(key)
        for id_, key in connection.execute(
            text("SELECT article_id, url_key FROM article_urls WHERE is_page = 1")
        )
    }
    groups: dict[tuple[str, int], dict[int, object]] = defaultdict(dict)
    for id_, published, public_story, editor_story in rows:
        groups["story", 1][id_] = editor_story or id_
        groups["url", 1][id_] = pages.get(id_, id_)
        if published:
            groups["story", 0][id_] = public_story or id_
            groups["url", 0][id_] = pages.get(id_, id_)
    by_term: dict[int, set[int]] = defaultdict(set)
    for article_id, term_id, _ in connection.execute(text(_FILED)):
        by_term[term_id].add(article_id)
    counts = {}
    for (collapse, for_editors), group_of in groups.items():
        for term_id, ids in by_term.items():
            seen = ids & group_of.keys()
            if repeats := len(seen) - len({group_of[id_] for id_ in seen}):
                counts[collapse, for_editors, term_id] = repeats
    return counts


def _bits(number: int) -> list[int]:
    return [place for place, digit in enumerate(reversed(f"{number:b}")) if digit == "1"]


def stored_words(connection: Connection) -> Words:
    found: Words = defaultdict(set)
    columns = "word, range, stem, in_title, in_excerpt, anywhere"
    for word, range_, of_stem, *pieces in connection.execute(text(f"SELECT {columns} FROM word_articles")):  # noqa: S608
        for where, article_ids in zip(("title", "excerpt", "anywhere"), pieces, strict=True):
            if article_ids is not None:
                found[word, of_stem, where] |= _piece(range_, article_ids, ranges.WORD_RANGE_BITS)
    return dict(found)


def words_by_rows(connection: Connection) -> Words:
    found: Words = defaultdict(set)
    kept = text("SELECT id, item, content FROM articles JOIN contents ON article_id = id")
    for article_id, stored, content in connection.execute(kept):
        item = json.loads(stored)
        title, excerpt = item["title"], item["excerpt"] or ""
        for where, there in (
            ("title", title),
            ("excerpt", excerpt),
            ("anywhere", f"{title} {excerpt} {seen_in(content)}"),
        ):
            for word in words(there):
                found[word, stem(word), where].add(article_id)
    return dict(found)
