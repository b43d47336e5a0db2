"""How well the catalogue knows what belongs together: similar articles and stories, beside a curator's links.

python -m benchmarks.neighbours TREE

It imports the tree, hides the related links of each fifth of its articles in turn, and asks how many of the
articles that they link to are among the ten most similar ones.
"""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import nlargest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from sqlalchemy import Connection, select

from app.catalog.search_language import stem_of
from app.catalog.similar import LinkedArticles, links_of, similar_articles
from app.catalog.sort_keys import UNKNOWN
from app.catalog.tables import article_words, articles, stories
from app.database.engines import writing_engine
from app.importer.read import Request
from app.importer.run import Options, import_trees

_FOLDS: Final = 5
_WANTED: Final = 10
_DAY: Final = 86_400
_WEEK: Final = 7 * _DAY
# The usual constants of BM25.
_K1, _B = 1.2, 0.75


@dataclass(frozen=True)
class Text:
    time: int | None
    title: tuple[str, ...]
    both: tuple[str, ...]


# The best first, of an article's neighbours.
Ranking = Callable[[int], Collection[int]]


@click.command()
@click.argument("tree", type=click.Path(exists=True, file_okay=False, path_type=Path))
def neighbours(tree: Path) -> None:
    """Measure similar articles and stories of a TREE with related links."""
    with _catalogue_of(tree) as connection:
        texts = _texts(connection)
        linked = links_of(connection, sorted(texts))
        wanted = {id_: set(targets) - {id_} for id_, targets in linked.items() if set(targets) - {id_}}
        if not wanted:
            raise click.UsageError("no article of the tree links to another one")
        click.echo(f"{len(texts):,} articles, {len(wanted):,} of them link to others")
        rankings: dict[str, Ranking] = {
            "similar": lambda id_: _similar(connection, id_, texts),
            "similar, no links known": lambda id_: _similar(connection, id_, {}),
            "title overlap": _title_overlap(texts),
            "BM25": _bm25(texts),
        }
        for name, ranking in rankings.items():
            click.echo(f"recall of ten  {name:24} {_recall(wanted, ranking):.3f}")
        for for_editors, audience in ((1, "editors"), (0, "public")):
            _tell_of_stories(connection, texts, linked, for_editors, audience)


@contextmanager
def _catalogue_of(tree: Path) -> Iterator[Connection]:
    with TemporaryDirectory() as folder:
        engine = writing_engine(f"sqlite:///{folder}/catalogue.db")
        import_trees(engine, [Request(tree, "tree", None)], Options())
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def _texts(connection: Connection) -> dict[int, Text]:
    rows = connection.execute(
        select(articles.c.id, articles.c.oldest, article_words.c.title, article_words.c.excerpt).join(
            article_words
        )
    )
    return {
        row.id: Text(
            None if row.oldest == UNKNOWN else row.oldest,
            tuple(row.title.split()),
            tuple(row.title.split() + row.excerpt.split()),
        )
        for row in rows
    }


def _recall(wanted: Mapping[int, set[int]], ranking: Ranking) -> float:
    shares = [
        len(set(ranking(id_)) & targets) / min(_WANTED, len(targets)) for id_, targets in wanted.items()
    ]
    return statistics.mean(shares)


def _similar(connection: Connection, article_id: int, texts: Collection[int]) -> Collection[int]:
    """With the links of all articles but those of the same fifth; with none where `texts` is empty."""

    def known_links(connection: Connection, ids: Collection[int]) -> LinkedArticles:
        known = [id_ for id_ in ids if texts and id_ % _FOLDS != article_id % _FOLDS]
        return links_of(connection, known)

    found = similar_articles(connection, article_id, "any", _WANTED, known_links)
    return [similar.article_id for similar in found]


def _title_overlap(texts: Mapping[int, Text]) -> Ranking:
    titles = {id_: frozenset(map(stem_of, text.title)) for id_, text in texts.items()}

    def ranking(article_id: int) -> Collection[int]:
        own = titles[article_id]
        scores = {
            id_: len(own & title) / len(own | title)
            for id_, title in titles.items()
            if id_ != article_id and own & title
        }
        return nlargest(_WANTED, scores, key=lambda id_: (scores[id_], -id_))

    return ranking


def _bm25(texts: Mapping[int, Text]) -> Ranking:
    counts = {id_: Counter(map(stem_of, text.both)) for id_, text in texts.items()}
    with_word: dict[str, list[int]] = defaultdict(list)
    for id_, words in counts.items():
        for word in words:
            with_word[word].append(id_)
    mean = statistics.mean(words.total() for words in counts.values())

    def ranking(article_id: int) -> Collection[int]:
        scores: dict[int, float] = defaultdict(float)
        for word in counts[article_id]:
            ids = with_word[word]
            weight = math.log(1 + (len(counts) - len(ids) + 0.5) / (len(ids) + 0.5))
            for id_ in ids:
                count = counts[id_][word]
                length = counts[id_].total() / mean
                scores[id_] += weight * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * length))
        scores.pop(article_id)
        return nlargest(_WANTED, scores, key=lambda id_: (scores[id_], -id_))

    return ranking


def _tell_of_stories(
    connection: Connection,
    texts: Mapping[int, Text],
    linked: LinkedArticles,
    for_editors: int,
    audience: str,
) -> None:
    published = set(connection.scalars(select(articles.c.id).where(articles.c.published == 1)))
    seen = texts.keys() if for_editors else published
    rows = connection.execute(select(stories).where(stories.c.for_editors == for_editors)).all()
    ids_of = {row.public_id: _ids(row.article_ids) for row in rows}
    story_of = {id_: story for story, ids in ids_of.items() for id_ in ids}
    pairs = {
        (min(one, other), max(one, other))
        for one, targets in linked.items()
        for other in targets
        if one != other and {one, other} <= seen and _apart(texts, one, other) <= _WEEK
    }
    together = sum(story_of.get(one, -1) == story_of.get(other, -2) for one, other in pairs)
    spans = sorted((row.last_time - row.first_time) / _DAY for row in rows if row.last_time is not None)
    largest = max((len(ids_of[row.public_id]) + row.link_count for row in rows), default=0)
    click.echo(
        f"stories of the {audience}: {len(rows)}, linked pairs within seven days in one story "
        f"{together / max(1, len(pairs)):.3f} of {len(pairs):,}, largest {largest}, "
        f"median span {statistics.median(spans or [0]):.1f} days, longest {max(spans, default=0):.1f}"
    )


def _ids(article_ids: str) -> list[int]:
    return [int(id_) for id_ in article_ids.strip("[]").split(",")]


def _apart(texts: Mapping[int, Text], one: int, other: int) -> float:
    times = texts[one].time, texts[other].time
    return math.inf if times[0] is None or times[1] is None else abs(times[0] - times[1])


if __name__ == "__main__":
    neighbours()
