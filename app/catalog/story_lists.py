"""Pages of stories, the newest coverage first: all of them, or those that articles of a query are in."""

import json
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select

from app.catalog.audience import Published
from app.catalog.index.find import ArticleSet, Groups, read_groups
from app.catalog.paging import KeyedRow, Place, StatementPages
from app.catalog.tables import stories
from app.database.rows import id_in_parameter, ids_parameter

_ORDER: Final = (stories.c.newest, stories.c.public_id)
# The newest stories mostly have an article of a large set. Looking at 500 of them takes 1.3 ms; finding all
# that have one of 5,000 articles, and sorting these, takes 1.1 ms, for 49,000 articles 4.
MIN_LARGE_SET: Final = 5_000
MAX_STORIES_LOOKED_AT: Final = 500


def every_story(published: Published) -> StatementPages:
    """Rows for `story_items`."""
    return StatementPages(_stories(), _ORDER, {"for_editors": int(published != "true")})


@dataclass(slots=True)
class StoriesWith:
    """The stories that any of these articles is in, rows for `story_items`.

    `repeats` is how many of the articles a list would leave out that is folded by stories, where it is known.
    """

    published: Published
    articles: ArticleSet
    groups: Groups
    repeats: int | None
    _leads: Set[int] | None = field(default=None, init=False)

    @property
    def order(self) -> Sequence[ColumnElement[Any]]:
        return _ORDER

    def count(self) -> int:
        if self.repeats is None:
            return len(self._lead_ids())
        return len(self.groups.members(self.articles)) - self.repeats

    def read(self, connection: Connection, place: Place, limit: int, offset: int = 0) -> Sequence[KeyedRow]:
        if len(self.articles) >= MIN_LARGE_SET and limit + offset <= MAX_STORIES_LOOKED_AT:
            rows = self._look_at_all(connection, place, limit + offset)
            if rows is not None:
                return rows[offset:]
        return self._of_leads(connection, place, limit, offset)

    def has_rows(self, connection: Connection, place: Place) -> bool:
        return bool(self.read(connection, place, 1))

    def _look_at_all(self, connection: Connection, place: Place, limit: int) -> Sequence[KeyedRow] | None:
        """None if they are not among the first from this place on."""
        every, found = every_story(self.published), list[KeyedRow]()
        at_once = looked_at = 0
        while looked_at < MAX_STORIES_LOOKED_AT:
            at_once = min(2 * max(limit, at_once), MAX_STORIES_LOOKED_AT)
            keyed_rows = every.read(connection, place, at_once)
            found += [(keys, row) for keys, row in keyed_rows if self._has_any(json.loads(row.article_ids))]
            if len(found) >= limit or len(keyed_rows) < at_once:
                return found[:limit]
            looked_at += at_once
            place = Place(keyed_rows[-1][0], place.backwards)
        return None

    def _has_any(self, article_ids: Iterable[int]) -> bool:
        return any(id_ in self.articles for id_ in article_ids)

    def _of_leads(self, connection: Connection, place: Place, limit: int, offset: int) -> Sequence[KeyedRow]:
        dialect = connection.dialect.name
        values = {
            "for_editors": int(self.published != "true"),
            "ids": ids_parameter(dialect, self._lead_ids()),
        }
        return StatementPages(_stories_of_leads(dialect), _ORDER, values).read(
            connection, place, limit, offset
        )

    def _lead_ids(self) -> Set[int]:
        if self._leads is None:
            self._leads = self.groups.within(self.articles)
        return self._leads


def count_stories(connection: Connection, published: Published) -> int:
    return read_groups(connection, "story", published).group_count()


@cache
def _stories() -> Select[Any]:
    return select(*stories.c).where(stories.c.for_editors == bindparam("for_editors"))


@cache
def _stories_of_leads(dialect: str) -> Select[Any]:
    return _stories().where(id_in_parameter(dialect, stories.c.lead_id, "ids"))
