"""The orders that an index of articles has, and how it is read in them. Knows no query."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from app.catalog.audience import PUBLISHED_VALUES, Published
from app.catalog.paging import StatementPages
from app.catalog.tables import article_terms, articles
from app.database.rows import id_in_parameter, ids_parameter


def list_columns(published: Published) -> tuple[ColumnElement[Any], ...]:
    """The columns of a list's rows: the article's number, and the JSON that lists answer."""
    return articles.c.id, item_with_story(published)


def item_with_story(published: Published) -> ColumnElement[str]:
    """The article as lists answer it: the stored item with the story that these askers see it in.

    The public sees the stories of what is published, editors those that have the other articles too.
    """
    # An item ends with a number, so `rtrim` takes its one brace.  {...,"relatedCount":3}
    item = func.rtrim(articles.c.item, "}") + ',"story":' + func.coalesce(story_of(published), "null") + "}"
    return item.label("item")


def story_of(published: Published) -> ColumnElement[str]:
    """The reference to an article's story, as JSON or null."""
    return articles.c.public_story if published == "true" else articles.c.editor_story


@dataclass(frozen=True, slots=True)
class IndexOrder:
    """The order of an index: all articles by a column or, the newest first, the articles of one term.

    `length` is the number of articles in it.
    """

    column: str
    term_id: int | None
    published: Published
    length: int

    @property
    def columns(self) -> tuple[ColumnElement[Any], ...]:
        table = articles if self.term_id is None else article_terms
        return table.c[self.column], table.c.path, table.c.source

    def range(self, max_item_characters: int | None) -> StatementPages:
        """Every article in the index, with `list_columns`.

        It is one range, so `published` must not be `any`.
        """
        [published] = PUBLISHED_VALUES[self.published]
        is_of_term = self.term_id is not None
        values = {"term_id": self.term_id, "published": published}
        rows = _range_rows(self.published, is_of_term=is_of_term)
        return StatementPages(rows, self.columns, values, max_item_characters)

    def ids_by_audience(self, dialect: str, ids: Iterable[int] | None) -> Iterator[StatementPages]:
        """Ids of articles in this order: one listing of the published articles, one of the others.

        With `ids` only these articles are read and sorted; without, all are read along the index.
        """
        kind = "ids" if ids is not None else "all" if self.term_id is None else "term"
        order = self.columns
        values: dict[str, Any] = {"term_id": self.term_id}
        if ids is not None:
            order = articles.c[self.column], articles.c.path, articles.c.source
            values["ids"] = ids_parameter(dialect, ids)
        for published in PUBLISHED_VALUES[self.published]:
            yield StatementPages(_id_rows(kind, dialect), order, {**values, "published": published})


@cache
def _range_rows(published: Published, *, is_of_term: bool) -> Select[Any]:
    rows = select(*list_columns(published))
    if not is_of_term:
        return rows.where(articles.c.published == bindparam("published"))
    return (
        rows.select_from(article_terms)
        .join(articles, articles.c.id == article_terms.c.article_id)
        .where(
            article_terms.c.term_id == bindparam("term_id"),
            article_terms.c.published == bindparam("published"),
        )
    )


@cache
def _id_rows(kind: str, dialect: str) -> Select[Any]:
    published: ColumnElement[int] = bindparam("published")
    if kind == "term":
        return select(article_terms.c.article_id.label("id")).where(
            article_terms.c.term_id == bindparam("term_id"), article_terms.c.published == published
        )
    rows = select(articles.c.id)
    if kind == "all":
        return rows.where(articles.c.published == published)
    # `+ 0` keeps the planner from using the order's index, which would scan all articles.
    return rows.where(id_in_parameter(dialect, articles.c.id, "ids"), articles.c.published + 0 == published)
