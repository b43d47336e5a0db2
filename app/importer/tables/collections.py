"""What collections list, and the article at each of these paths, whatever order documents come in."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    not_,
    or_,
    select,
    update,
)

from app.catalog.tables import articles, collection_items, contents, documents, sources
from app.database.rows import chunked, insert_tuples
from app.importer.item_paths import ENDINGS, ArticlePaths, possible_paths, stem_of_item, stems_of_article
from app.importer.spool import NewArticle

_COLUMNS: Final = ("article_id", "position", "path", "source", "stem")


class CollectionChanges:
    """Tell it of articles that leave while their rows are there, then of those that came; then write."""

    def __init__(self, *, is_anew: bool) -> None:
        """`is_anew` says that what stored articles list was never read."""
        self._is_anew = is_anew
        # The stems of articles that came or left, by source: items of these may be other articles now.
        self._stems: dict[str, set[str]] = defaultdict(set)
        self._unusual: dict[str, list[Row[Any]]] = {}

    def remove(self, connection: Connection, article_ids: Sequence[int]) -> None:
        query = select(articles.c.source, articles.c.path).where(articles.c.id.in_(article_ids))
        for source, path in connection.execute(query):
            self._stems[source] |= stems_of_article(path)

    def add(self, connection: Connection, new_articles: Sequence[NewArticle]) -> None:
        rows = []
        for article in new_articles:
            self._stems[article.source] |= stems_of_article(article.path)
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
        if not listed:
            return
        starts = {path for row in listed for path in possible_paths(row.collection, row.path)}
        there = [*self._unusual_paths(connection, source), *_articles_at(connection, source, starts)]
        members = _Members(there)
        # A path may mean two files, and the first of them may be hidden: the public has the other one.
        public_members = _Members(article for article in there if article.published)
        changed = []
        for row in listed:
            member_id = members.find(row.collection, row.path)
            public_id = public_members.find(row.collection, row.path)
            if (member_id, public_id) != (row.member_id, row.public_member_id):
                place = {"collection": row.article_id, "place": row.position}
                changed.append({**place, "member": member_id, "public_member": public_id})
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

    def _unusual_paths(self, connection: Connection, source: str) -> list[Row[Any]]:
        """The source's articles whose endings are none in lower case, such as `Up.MD`; they are few.

        `markdown` alone has 256 spellings, so that looking for each of them would take longer than one look
        at all paths.
        """
        if source not in self._unusual:
            has_usual_ending = or_(*(_ends_with(ending) for ending in ENDINGS))
            unusual = _articles_of(source).where(not_(has_usual_ending))
            self._unusual[source] = list(connection.execute(unusual))
        return self._unusual[source]


class _Members:
    """The articles that items may name; rows have `path` and `id`."""

    def __init__(self, rows: Iterable[Row[Any]]) -> None:
        self._ids = {row.path: row.id for row in rows}
        self._paths = ArticlePaths(self._ids)

    def find(self, collection: str, item: str) -> int | None:
        path = self._paths.find(collection, item)
        return None if path is None else self._ids[path]


def _rows(article_id: int, source: str, details: str) -> Iterator[tuple[object, ...]]:
    if '"items":' not in details:
        return
    listed = json.loads(details).get("items")
    for position, path in enumerate(listed if isinstance(listed, list) else [listed]):
        if isinstance(path, str):
            yield article_id, position, path, source, stem_of_item(path)


def _articles_at(connection: Connection, source: str, starts: Iterable[str]) -> Iterator[Row[Any]]:
    """The articles at these paths, with or without a usual ending."""
    paths = sorted({start + ending for start in starts for ending in ("", *ENDINGS)})
    for part in chunked(paths):
        yield from connection.execute(_articles_of(source).where(documents.c.path.in_(part)))


def _articles_of(source: str) -> Select[Any]:
    return (
        select(documents.c.path, articles.c.id, articles.c.published)
        .join(sources, sources.c.id == documents.c.source_id)
        .join(articles, articles.c.id == documents.c.id)
        .where(sources.c.name == source, documents.c.kind == "article")
    )


def _ends_with(ending: str) -> ColumnElement[bool]:
    """LIKE would not tell cases apart on SQLite."""
    return func.substr(documents.c.path, func.length(documents.c.path) - len(ending) + 1) == ending
