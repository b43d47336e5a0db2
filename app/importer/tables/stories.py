"""Which articles are one story, for each audience, and which are versions of one page.

An import computes anew what its articles may have joined or parted: it begins with those that came or left
and with all who stand near them at any URL, and goes on from neighbour to neighbour. Where nobody is near any
more the rest of the catalogue is what it was, so the work grows with the stories that an import touches.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    Select,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from app.catalog import crowded_urls, story_groups
from app.catalog.audience import Published
from app.catalog.crowded_urls import articles_at, busy_keys
from app.catalog.index.keep import GroupKind, clear_numbers, write_numbers
from app.catalog.sort_keys import UNKNOWN, descending
from app.catalog.story_groups import MAX_APART, Member, PageMention, Story, is_of_its_time, stories_of
from app.catalog.tables import article_urls, articles, catalogue, link_urls, links, related_links, stories
from app.database.rows import chunked, count_rows_for_planner, id_in_parameter, ids_parameter, insert_tuples
from app.importer.serialise import as_json
from app.importer.tables.changes import ChangeLog
from app.urls import url_key

# Raise it when the same articles make other stories than before, or other versions of pages: the next import
# computes all of them anew.
STORY_VERSION: Final = 4

# Articles from which the computation goes on at a time, with some 3 kB each where they mention a dozen.
_ARTICLES_AT_ONCE: Final = 2_000
_ROWS_AT_ONCE: Final = 500
_EVER: Final = (-UNKNOWN, UNKNOWN)

# Values that differ by audience stand in pairs, the public's first.
_KINDS: Final[tuple[GroupKind, GroupKind]] = ("public_story", "editor_story")
_AUDIENCES: Final[tuple[Published, Published]] = ("true", "any")
_STORY_COLUMNS: Final = (
    "for_editors",
    "lead_id",
    "newest",
    "public_id",
    "first_time",
    "last_time",
    "article_ids",
    "link_count",
)
# The stories of an article as the two audiences see them, as JSON or None.
_Stories = tuple[str | None, str | None]


class _Point(NamedTuple):
    """An article at a URL. `time` is None where nobody knows; `is_own` says that the URL is its own."""

    article_id: int
    time: int | None
    is_own: bool


class StoryChanges:
    """Tell it of articles that leave while their rows are there, then of those that came; then write."""

    def __init__(self, connection: Connection, *, keys_differ: bool) -> None:
        """`keys_differ` says that URLs have other keys than when stories were made."""
        self._came: set[int] = set()
        self._touched: set[int] = set()
        self._left: dict[int, _Stories] = {}
        self._page_keys: set[bytes] = set()
        # URLs that were too crowded to join anybody, among those of the articles that left.
        self._crowded_before: tuple[set[bytes], set[bytes]] = set(), set()
        version = connection.scalars(select(catalogue.c.story_version)).one()
        # Whether stories are there as today's rule makes them.
        self.is_of_today = bool(version == STORY_VERSION) and not keys_differ

    def remove(self, connection: Connection, article_ids: Sequence[int]) -> None:
        self._left |= {row.id: (row.public_story, row.editor_story) for row in _rows(connection, article_ids)}
        near = self._touch(connection, article_ids)
        for before, crowded in zip(self._crowded_before, near.crowded, strict=True):
            before.update(crowded)

    def add(self, article_ids: Iterable[int]) -> None:
        self._came.update(article_ids)

    def write(self, connection: Connection, log: ChangeLog) -> set[int]:
        """All rows of articles and links are there. Returns the articles that are in other groups now."""
        self._touched |= self._came
        if not self.is_of_today:
            self._begin_anew(connection, log)
        else:
            crowded: tuple[set[bytes], set[bytes]] = set(), set()
            for ids in chunked(sorted(self._came)):
                near = self._touch(connection, ids)
                for of_all, of_these in zip(crowded, near.crowded, strict=True):
                    of_all.update(of_these)
            self._touch_crowds(connection, crowded)
        present, regrouped = set[int](), set[int]()
        for ids in chunked(_in_order_of_time(connection, self._touched), _ARTICLES_AT_ONCE):
            if new_ids := [id_ for id_ in ids if id_ not in present]:
                loaded = _Neighbourhood(connection, new_ids)
                present.update(loaded.members)
                regrouped |= self._write_stories(connection, loaded, log)
        gone = dict.fromkeys(self._left.keys() - present, 0)
        for kind in _KINDS:
            regrouped |= write_numbers(connection, kind, gone)
        groups = dict.fromkeys(self._left.keys() | self._came, 0)
        for keys in chunked(sorted(self._page_keys)):
            groups |= _versions(connection, keys)
        return regrouped | write_numbers(connection, "page", groups)

    def _touch(self, connection: Connection, article_ids: Sequence[int]) -> "_Neighbourhood":
        """Notes all whose stories may be others now that these articles came, or once they left."""
        self._touched.update(article_ids)
        near = _Neighbourhood(connection, article_ids, levels=1)
        self._touched.update(near.members)
        # An article that comes to a URL takes the place of a link for all who mention it.
        these = [near.members[id_] for id_ in article_ids if id_ in near.members]
        keys = {key for member in these for key in member.keys}
        for part in chunked(sorted(keys - near.crowded[True])):
            self._touched.update(connection.scalars(_mentioning(), {"keys": part}))
        pages = select(article_urls.c.url_key).where(
            article_urls.c.is_page == 1, id_in_parameter(connection.dialect.name, _OWNER, "ids")
        )
        values = {"ids": ids_parameter(connection.dialect.name, article_ids)}
        self._page_keys.update(connection.scalars(pages, values))
        return near

    def _touch_crowds(self, connection: Connection, crowded: tuple[set[bytes], set[bytes]]) -> None:
        """Notes all at URLs that joined them before this import and are too crowded now, or the other way."""
        most = crowded_urls.MAX_ARTICLES_AT_URL
        for published, before, now in zip(_AUDIENCES, self._crowded_before, crowded, strict=True):
            # No more than came can have made a URL crowded, and who came is touched already.
            limits = dict.fromkeys(now - before, most + len(self._came)) | dict.fromkeys(before, most)
            for key, limit in limits.items():
                there = articles_at(connection, key, published, limit)
                if len(there) <= limit:
                    self._touched.update(there)

    def _begin_anew(self, connection: Connection, log: ChangeLog) -> None:
        """Forgets all stories and versions, and touches all articles."""
        # Three documents with 30,000 links each took 560 s: of a table that was never counted PostgreSQL
        # takes it that any row is soon met, and reads all links for each URL.
        count_rows_for_planner(connection, (articles, article_urls, link_urls, related_links, links))
        connection.execute(update(catalogue).values(story_version=STORY_VERSION))
        connection.execute(delete(stories))
        clear_numbers(connection)
        ids = set(connection.scalars(select(articles.c.id)))
        if stayed := sorted(ids - self._came):
            log.note_other_answers()
        for part in chunked(stayed):
            _mark_pages(connection, part)
            self._left |= {row.id: (row.public_story, row.editor_story) for row in _rows(connection, part)}
        self._touched |= ids
        with_versions = select(article_urls.c.url_key).where(article_urls.c.is_page == 1)
        with_versions = with_versions.group_by(article_urls.c.url_key).having(func.count() > 1)
        self._page_keys.update(connection.scalars(with_versions))

    def _write_stories(self, connection: Connection, loaded: "_Neighbourhood", log: ChangeLog) -> set[int]:
        """Returns the articles that are in other stories now."""
        regrouped = set[int]()
        new: dict[int, list[str | None]] = {id_: [None, None] for id_ in loaded.members}
        for for_editors, kind in enumerate(_KINDS):
            by_lead = loaded.stories(for_editors=bool(for_editors))
            numbers = dict.fromkeys(loaded.members, 0)
            for lead_id, story in by_lead.items():
                reference = as_json({"id": story.lead.public_id, "size": story.size})
                for article in story.articles:
                    new[article.article_id][for_editors] = reference
                    numbers[article.article_id] = lead_id
            regrouped |= write_numbers(connection, kind, numbers)
            _write_rows(connection, for_editors, loaded.members, by_lead)
        changed = {id_: tuple(now) for id_, now in new.items() if tuple(now) != loaded.stored[id_]}
        if changed:
            connection.execute(
                update(articles).where(articles.c.id == bindparam("article_id")),
                [
                    {"article_id": id_, "public_story": public, "editor_story": editor}
                    for id_, (public, editor) in changed.items()
                ],
            )
        self._log(connection, loaded, new, log)
        return regrouped

    def _log(
        self,
        connection: Connection,
        loaded: "_Neighbourhood",
        new: Mapping[int, Sequence[str | None]],
        log: ChangeLog,
    ) -> None:
        """What lists say of an article has its story, so who keeps a copy must learn of it."""
        public, editors = set[str](), set[str]()
        for id_, (public_story, editor_story) in new.items():
            public_before, editor_before = self._left.get(id_, loaded.stored[id_])
            public_id = loaded.members[id_].public_id
            if public_story != public_before and id_ in loaded.published:
                public.add(public_id)
            if public_id in public or editor_story != editor_before:
                editors.add(public_id)
        log.note_articles(connection, public, editors)


class _Neighbourhood:
    """Articles with all whom they may be joined to, directly or by others, in up to so many steps."""

    def __init__(
        self, connection: Connection, article_ids: Collection[int], levels: int | None = None
    ) -> None:
        self.members: dict[int, Member] = {}
        self.published: set[int] = set()
        self.stored: dict[int, _Stories] = {}
        # URLs of those who were looked at that too many have or mention to join anybody.
        self.crowded: tuple[set[bytes], set[bytes]] = set(), set()
        self._keys_here: tuple[set[bytes], set[bytes]] = set(), set()
        # All whom the public sees at URLs that are too crowded to editors alone, and whether they have it.
        self._public_at: dict[bytes, Mapping[int, bool]] = {}
        frontier = set(article_ids)
        while frontier and levels != -1:
            levels = None if levels is None else levels - 1
            near = self._load(connection, sorted(frontier), looks_on=levels != -1)
            frontier = near - self.members.keys()

    def stories(self, *, for_editors: bool) -> dict[int, Story]:
        """The stories by the id of their lead."""
        seen = (member for id_, member in self.members.items() if for_editors or id_ in self.published)
        found = stories_of(seen, self._keys_here[for_editors], self.crowded[for_editors])
        return {story.lead.article_id: story for story in found}

    def _load(self, connection: Connection, ids: Sequence[int], *, looks_on: bool) -> set[int]:
        """Loads these articles, and returns those who stand near them."""
        dialect = connection.dialect.name
        if looks_on:
            self._find_crowds(connection, ids)
        values: dict[str, Any] = {"ids": ids_parameter(dialect, ids), "most_links": story_groups.MAX_LINKS}
        keys: dict[int, list[bytes]] = defaultdict(list)
        for article_id, key in connection.execute(_own_keys(dialect), values):
            keys[article_id].append(key)
        mentions: dict[int, dict[int, PageMention]] = defaultdict(dict)
        for article_id, link_id, time, key in connection.execute(_own_mentions(dialect), values):
            # A mention takes some 500 bytes, and hundreds of articles may share thousands that join nobody.
            if key in self.crowded[False]:
                continue
            known = mentions[article_id].get(link_id)
            mentions[article_id][link_id] = PageMention(link_id, (*(known.keys if known else ()), key), time)
        loaded = []
        for row in _rows(connection, ids):
            member = Member(
                row.id,
                row.public_id,
                row.path,
                row.source,
                row.quality,
                None if row.oldest == UNKNOWN else row.oldest,
                tuple(sorted(keys[row.id])),
                tuple([_in_order(mention) for mention in mentions[row.id].values()]),
            )
            self.members[row.id] = member
            self.stored[row.id] = row.public_story, row.editor_story
            if row.published:
                self.published.add(row.id)
            loaded.append(member)
        return self._near(connection, loaded) if looks_on else set()

    def _find_crowds(self, connection: Connection, ids: Sequence[int]) -> None:
        public, editors = self.crowded
        most = crowded_urls.MAX_ARTICLES_AT_URL
        for key in busy_keys(connection, ids, story_groups.MAX_LINKS) - editors:
            if len(articles_at(connection, key, "any")) > most:
                editors.add(key)
                there = articles_at(connection, key, "true")
                if len(there) > most:
                    public.add(key)
                else:
                    self._public_at[key] = there

    def _near(self, connection: Connection, loaded: Sequence[Member]) -> set[int]:
        points: dict[bytes, list[_Point]] = defaultdict(list)
        for key, point in _points_of(loaded):
            points[key].append(point)
        near = set[int]()
        for key in points.keys() & self._public_at.keys():
            near.update(self._public_at[key])
            if any(self._public_at[key].values()):
                self._keys_here[False].add(key)
        for keys in chunked(sorted(points.keys() - self.crowded[True])):
            others = self._points_at(connection, {key: points[key] for key in keys})
            near |= {
                other.article_id
                for key, other in others
                if any(_may_be_joined(point, other) for point in points[key])
            }
        return near

    def _points_at(
        self, connection: Connection, points: Mapping[bytes, Sequence[_Point]]
    ) -> Iterator[tuple[bytes, _Point]]:
        """Who stands at these URLs: all who have them, and who mention them at about the time of a point."""
        for key, article_id, time, published in connection.execute(_owners(), {"keys": [*points]}):
            self._keys_here[True].add(key)
            if published:
                self._keys_here[False].add(key)
            yield key, _Point(article_id, None if time == UNKNOWN else time, is_own=True)
        undated = [key for key, at in points.items() if any(point.time is None for point in at)]
        dated = [key for key in points if key not in undated]
        times = _range([point.time for key in dated for point in points[key]])
        for keys, (first, last) in ((dated, times), (undated, _EVER)):
            values = {"keys": keys, "first": first, "last": last, "most_links": story_groups.MAX_LINKS}
            for key, article_id, time in connection.execute(_mentions_at(), values) if keys else ():
                yield key, _Point(article_id, None if time == UNKNOWN else time, is_own=False)


def _in_order(mention: PageMention) -> PageMention:
    return mention._replace(keys=tuple(sorted(mention.keys)))


def _points_of(members: Iterable[Member]) -> Iterator[tuple[bytes, _Point]]:
    for member in members:
        for key in member.keys:
            yield key, _Point(member.article_id, member.time, is_own=True)
        for mention in member.mentions:
            if is_of_its_time(member, mention):
                time = member.time if mention.time is None else mention.time
                for key in mention.keys:
                    yield key, _Point(member.article_id, time, is_own=False)


def _may_be_joined(one: _Point, other: _Point) -> bool:
    if one.time is None or other.time is None:
        return one.time == other.time or one.is_own or other.is_own
    return abs(one.time - other.time) <= MAX_APART


def _range(times: Iterable[int | None]) -> tuple[int, int]:
    known = [time for time in times if time is not None]
    return (min(known) - MAX_APART, max(known) + MAX_APART) if known else _EVER


_OWNER: Final = article_urls.c.article_id
_IS_FIRST: Final = related_links.c.position < bindparam("most_links", type_=Integer)
_KEYS: Final[BindParameter[Any]] = bindparam("keys", expanding=True)


def _rows(connection: Connection, ids: Sequence[int]) -> Iterator[Any]:
    query = select(
        articles.c.id,
        articles.c.public_id,
        articles.c.path,
        articles.c.source,
        articles.c.published,
        articles.c.quality,
        articles.c.oldest,
        articles.c.public_story,
        articles.c.editor_story,
    )
    for part in chunked(ids):
        yield from connection.execute(query.where(articles.c.id.in_(part)))


@cache
def _own_keys(dialect: str) -> Select[Any]:
    return select(_OWNER, article_urls.c.url_key).where(id_in_parameter(dialect, _OWNER, "ids"))


@cache
def _own_mentions(dialect: str) -> Select[Any]:
    return (
        select(related_links.c.article_id, links.c.id, links.c.time, link_urls.c.url_key)
        .join(links, links.c.id == related_links.c.link_id)
        .join(link_urls, link_urls.c.link_id == links.c.id)
        .where(id_in_parameter(dialect, related_links.c.article_id, "ids"), _IS_FIRST)
        .order_by(related_links.c.article_id, related_links.c.position)
    )


@cache
def _owners() -> Select[Any]:
    return (
        select(article_urls.c.url_key, articles.c.id, articles.c.oldest, articles.c.published)
        .join(articles, articles.c.id == article_urls.c.article_id)
        .where(article_urls.c.url_key.in_(_KEYS))
    )


@cache
def _mentions_at() -> Select[Any]:
    """Who mentions one of the keys at its time, from a `first` to a `last` second, or nobody knows when."""
    first: BindParameter[int] = bindparam("first")
    last: BindParameter[int] = bindparam("last")
    time = func.coalesce(links.c.time, articles.c.oldest)
    return (
        select(link_urls.c.url_key, articles.c.id, time)
        .join(links, links.c.id == link_urls.c.link_id)
        .join(related_links, related_links.c.link_id == links.c.id)
        .join(articles, articles.c.id == related_links.c.article_id)
        .where(
            link_urls.c.url_key.in_(_KEYS),
            _IS_FIRST,
            # Both databases leave out by this a link of another time before they read all who mention it.
            or_(links.c.time.is_(None), links.c.time.between(first, last)),
            or_(links.c.time.is_(None), func.abs(articles.c.oldest - links.c.time) <= MAX_APART),
            or_(time.between(first, last), time == UNKNOWN),
        )
    )


@cache
def _mentioning() -> Select[Any]:
    """Who mentions one of the keys, at whatever time."""
    return (
        select(related_links.c.article_id)
        .join(link_urls, link_urls.c.link_id == related_links.c.link_id)
        .where(link_urls.c.url_key.in_(_KEYS))
    )


def _in_order_of_time(connection: Connection, ids: Collection[int]) -> list[int]:
    """Those of these articles that are there: neighbours in time are then computed together."""
    times: list[tuple[int, int]] = []
    for part in chunked(sorted(ids)):
        rows = connection.execute(select(articles.c.oldest, articles.c.id).where(articles.c.id.in_(part)))
        times += [(row.oldest, row.id) for row in rows]
    return [id_ for _, id_ in sorted(times)]


def _write_rows(
    connection: Connection, for_editors: int, ids: Iterable[int], by_lead: Mapping[int, Story]
) -> None:
    """`ids` are those of all articles that may have been a lead before."""
    new = {lead_id: _row(for_editors, story) for lead_id, story in by_lead.items()}
    columns = [stories.c[name] for name in _STORY_COLUMNS]
    for part in chunked(sorted(ids)):
        is_stored = (stories.c.for_editors == for_editors) & stories.c.lead_id.in_(part)
        stored = {row.lead_id: tuple(row) for row in connection.execute(select(*columns).where(is_stored))}
        changed = [lead_id for lead_id in part if stored.get(lead_id) != new.get(lead_id)]
        if old := [lead_id for lead_id in changed if lead_id in stored]:
            is_old = (stories.c.for_editors == for_editors) & stories.c.lead_id.in_(old)
            connection.execute(delete(stories).where(is_old))
        rows = [new[lead_id] for lead_id in changed if lead_id in new]
        insert_tuples(connection, stories, _STORY_COLUMNS, rows)


def _row(for_editors: int, story: Story) -> tuple[object, ...]:
    times = story.times()
    first, last = (times[0], times[-1]) if times else (None, None)
    article_ids = as_json([article.article_id for article in story.articles])
    lead = story.lead
    return (
        for_editors,
        lead.article_id,
        descending(last),
        lead.public_id,
        first,
        last,
        article_ids,
        len(story.links),
    )


def _versions(connection: Connection, keys: Sequence[bytes]) -> dict[int, int]:
    """The group of each article that has one of these pages."""
    by_key: dict[bytes, list[int]] = defaultdict(list)
    query = select(article_urls.c.url_key, _OWNER).where(
        article_urls.c.is_page == 1, article_urls.c.url_key.in_(keys)
    )
    for key, article_id in connection.execute(query):
        by_key[key].append(article_id)
    groups = ((min(ids) if len(ids) > 1 else 0, ids) for ids in by_key.values())
    return {id_: number for number, ids in groups for id_ in ids}


def _mark_pages(connection: Connection, ids: Sequence[int]) -> None:
    """Marks which of their URLs the articles are versions of, in catalogues of older versions."""
    rows = connection.execute(select(articles.c.id, articles.c.item).where(articles.c.id.in_(ids)))
    pages = {row.id: url_key(url) for row in rows if (url := json.loads(row.item)["webUrl"])}
    connection.execute(update(article_urls).where(_OWNER.in_(ids)).values(is_page=0))
    if pages:
        connection.execute(
            update(article_urls)
            .where(bindparam("owner") == _OWNER, article_urls.c.url_key == bindparam("page"))
            .values(is_page=1),
            [{"owner": id_, "page": key} for id_, key in pages.items()],
        )
