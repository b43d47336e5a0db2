"""What collections list, and the article at each of these paths, whatever order documents come in."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update

from app.catalog.tables import articles, collection_items, contents, documents, sources
from app.database.rows import chunked, insert_tuples
from app.importer.spool import NewArticle

# Endings of documents, which an item may leave out; the first that is there counts.
_ENDINGS: Final = (".md", ".mdx", ".markdown", ".txt")
_COLUMNS: Final = ("article_id", "position", "path", "source", "stem")


class CollectionChanges:
    """Tell it of articles that leave while their rows are there, then of those that came; then write."""

    def __init__(self, *, is_anew: bool) -> None:
        """`is_anew` says that what stored articles list was never read."""
        self._is_anew = is_anew
        # Paths of articles that came or left, by source: what is listed there may be another article now.
        self._stems: dict[str, set[str]] = defaultdict(set)

    def remove(self, connection: Connection, article_ids: Sequence[int]) -> None:
        query = select(articles.c.source, articles.c.path).where(articles.c.id.in_(article_ids))
        for source, path in connection.execute(query):
            self._stems[source].add(stem_of_path(path))

    def add(self, connection: Connection, new_articles: Sequence[NewArticle]) -> None:
        rows = []
        for article in new_articles:
            self._stems[article.source].add(stem_of_path(article.path))
            rows += list(_rows(article.article_id, article.source, article.content.details))
        self._insert(connection, rows)

    def _begin_anew(self, connection: Connection) -> None:
        connection.execute(delete(collection_items))
        query = (
            select(articles.c.id, articles.c.source, contents.c.details)
            .join(contents, contents.c.article_id == articles.c.id)
            .where(contents.c.details.like('%"items":%'))
        )
        for article_id, source, details in connection.execute(query).all():
            self._insert(connection, list(_rows(article_id, source, details)))

    def write(self, connection: Connection) -> None:
        """All rows of articles are there."""
        if self._is_anew:
            self._begin_anew(connection)
        for source, stems in self._stems.items():
            for part in chunked(sorted(stems)):
                self._resolve(connection, source, part)

    def _insert(self, connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
        for _, _, _, source, stem in rows:
            self._stems[str(source)].add(str(stem))
        insert_tuples(connection, collection_items, _COLUMNS, rows)

    def _resolve(self, connection: Connection, source: str, stems: Sequence[str]) -> None:
        listed = connection.execute(
            select(collection_items, articles.c.path.label("collection"))
            .join(articles, articles.c.id == collection_items.c.article_id)
            .where(collection_items.c.source == source, collection_items.c.stem.in_(stems))
        ).all()
        wanted = {(row.collection, row.path): list(_paths(row.collection, row.path)) for row in listed}
        every = sorted({path for paths in wanted.values() for path in paths})
        ids, public_ids = _articles_at(connection, source, every)
        changed = []
        for row in listed:
            paths = wanted[row.collection, row.path]
            members = _first_of(paths, ids), _first_of(paths, public_ids)
            if members != (row.member_id, row.public_member_id):
                changed.append(
                    {
                        **{"collection": row.article_id, "place": row.position},
                        **dict(zip(("member", "public_member"), members, strict=True)),
                    }
                )
        if changed:
            connection.execute(
                update(collection_items)
                .where(
                    collection_items.c.article_id == bindparam("collection"),
                    collection_items.c.position == bindparam("place"),
                )
                .values(member_id=bindparam("member"), public_member_id=bindparam("public_member")),
                changed,
            )


def stem_of_path(path: str) -> str:
    """The name of a file without its ending, which all ways to write its path have in common."""
    name = path.rpartition("/")[2]
    ending = next((ending for ending in _ENDINGS if name.lower().endswith(ending)), "")
    return name[: len(name) - len(ending)]


def _rows(article_id: int, source: str, details: str) -> Iterator[tuple[object, ...]]:
    if '"items":' not in details:
        return
    listed = json.loads(details).get("items")
    for position, path in enumerate(listed if isinstance(listed, list) else [listed]):
        if isinstance(path, str) and stem_of_path(path):
            yield article_id, position, path, source, stem_of_path(path)


def _paths(collection: str, path: str) -> Iterator[str]:
    """Where the article may be: from the root, else from one of the folders above the collection.

    Sites that have their documents in `_learning/courses` write `courses/x` in `_learning/collections/y.md`.
    """
    folders = ["", *(str(folder) for folder in PurePosixPath(collection).parents if str(folder) != ".")]
    for folder in folders:
        whole = _normal(f"{folder}/{path}")
        if whole:
            yield whole
            yield from (whole + ending for ending in _ENDINGS)


def _normal(path: str) -> str:
    """`/a/./b` is a/b, `a/../b` is b."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _articles_at(
    connection: Connection, source: str, paths: Sequence[str]
) -> tuple[dict[str, int], dict[str, int]]:
    """The ids of the articles at these paths: all of them, and those that the public may see."""
    ids: dict[str, int] = {}
    public_ids: dict[str, int] = {}
    for part in chunked(paths):
        query = (
            select(documents.c.path, articles.c.id, articles.c.published)
            .join(sources, sources.c.id == documents.c.source_id)
            .join(articles, articles.c.id == documents.c.id)
            .where(sources.c.name == source, documents.c.kind == "article", documents.c.path.in_(part))
        )
        for path, article_id, published in connection.execute(query):
            ids[path] = article_id
            if published:
                public_ids[path] = article_id
    return ids, public_ids


def _first_of(paths: Iterable[str], ids: Mapping[str, int]) -> int | None:
    return next((ids[path] for path in paths if path in ids), None)
