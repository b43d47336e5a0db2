"""GET /: the articles of a query for people. Without a query it is home."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from app.catalog import taxonomy
from app.catalog.facets import FacetCounts, count_facets
from app.catalog.fields import FIELDS, FieldName
from app.catalog.filters import Selection, matching
from app.catalog.highlights import highlights_of_page
from app.catalog.paging import BEGINNING
from app.catalog.query import ArticleQuery, Moment
from app.catalog.query_titles import names_in
from app.catalog.rolling import with_fixed_dates
from app.catalog.spelling import Proposal, propose
from app.catalog.state import time_of_revision
from app.catalog.timeline import count_timeline_within
from app.pages.addresses import term_address
from app.pages.dates import moment_in_words
from app.pages.entries import PageLink, cut, entry_of
from app.pages.frame import PageFrame
from app.pages.rendering import render
from app.pages.structured_data import collection_page
from app.pages.timeline_picture import MAX_BARS, TimelinePicture, timeline_picture
from app.printable import counted
from app.web.articles import ArticleListQuery
from app.web.http.routes import QueryRoute
from app.web.paging import page_link, page_of, with_cursor
from app.web.people.frames import address, page_response, request_of_list, site_of_view
from app.web.people.list_links import (
    TITLES,
    chips_of,
    folds_of,
    list_address,
    paging_of,
    pairs_of,
    sorts_of,
    value_links,
    without,
)
from app.web.query_links import bucket_links
from app.web.view import View, open_view

router = APIRouter(route_class=QueryRoute, include_in_schema=False)

# The page and its style sheet must fit into 14 kB, the first round trip of a new connection.
FACET_SIZES: Final[dict[FieldName, int]] = {"topic": 12, "provider": 10, "author": 6, "type": 6, "tag": 10}
_OTHER_FIELDS: Final = tuple(field for field in FIELDS if field not in FACET_SIZES)
_BUSY_TOPICS: Final = 5
_NEW_DAYS: Final = 7
_MAX_TITLE_CHARACTERS: Final = 120


@dataclass(frozen=True, slots=True)
class FacetGroup:
    title: str
    values: tuple[PageLink, ...]
    more: str | None


@dataclass(frozen=True, slots=True)
class HomeHead:
    heading: str
    lead: str
    updated: str | None
    updated_in_words: str
    new: PageLink | None
    busy: tuple[PageLink, ...]


@router.get("/")
def show_articles(request: Request, query: Annotated[ArticleListQuery, Query()]) -> Response:
    is_home = not query.model_fields_set
    query, cursor = with_cursor(query, "/articles")
    with open_view(request, query, cursor.told) as view:
        prefix = view.settings.public_path
        selection = matching(view.connection, query)
        page = page_of(view, query, cursor, selection.listing(), address="/")
        by_id = {row.id: row.item for row in page.rows}
        highlights = (
            highlights_of_page(view.connection, by_id, query.search) if query.search and by_id else {}
        )
        items = [(id_, json.loads(item)) for id_, item in by_id.items()]
        total = selection.total()
        # Facets and bars count articles, also where the list folds them.
        unfolded = selection.unfolded()
        article_count = unfolded.total()
        facets = _count(view, query, unfolded)
        picture = _timeline(view, query, unfolded)
        home = _home(view, total, facets["topic"]) if is_home else None
        names = names_in(view.connection, query)
        fixed = with_fixed_dates(view.connection, query) if query.depends_on_clock else query
        prev, next_ = (
            page_link(view, fixed, "/articles", place, address="/") if place else None
            for place in (page.prev, page.next)
        )
        # A guess that takes too long ends a transaction of PostgreSQL, so it comes last.
        proposal = propose(selection) if query.search else None
    filters = pairs_of(query)
    paging = paging_of(query)
    title = view.settings.site_name if home else title_of_list(query, names)
    site = site_of_view(view)
    frame = PageFrame(
        site=site,
        title=title,
        canonical=address(f"{prefix}/", paging if query.cursor else [*filters, *paging]),
        request=request_of_list(view, filters, paging, is_public=query.published == "true"),
        description=view.settings.site_description if home else None,
        prev=prev,
        next=next_,
        structured=collection_page(
            title, site.url + list_address(prefix, query), (item for _, item in items), total
        ),
        search=query.q or "",
        hidden=_kept_by_search(query),
        is_indexed=len(filters) <= 1 and query.published == "true" and not query.collapse,
    )
    body = render(
        "articles",
        frame=frame,
        site=site,
        home=home,
        heading=title,
        total=total,
        article_count=article_count,
        folded_by=query.collapse,
        chips=chips_of(prefix, query, names),
        did_you_mean=_other_search(prefix, query, proposal),
        picture=picture,
        sorts=sorts_of(
            prefix,
            query,
            has_quality=any(item["quality"] is not None for _, item in items),
            has_heat=any(item["heat"] is not None for _, item in items),
        ),
        # A page without any story has nothing to fold.
        folds=folds_of(prefix, query, query.collapse)
        if query.collapse or any(item["story"] for _, item in items)
        else (),
        states=_states(prefix, query) if view.asker.may_see_unpublished else (),
        entries=[
            entry_of(
                item,
                prefix,
                published=query.published,
                shows_images=view.settings.show_images,
                highlights=highlights.get(id_),
            )
            for id_, item in items
        ],
        facets=_groups(prefix, query, facets, article_count),
        other_fields=[
            PageLink(TITLES[field], address(f"{prefix}/view/facets/{field}", filters))
            for field in _OTHER_FIELDS
        ],
        is_empty=total == 0 and not filters,
        first=page_link(view, fixed, "/articles", BEGINNING, address="/"),
    )
    return page_response(view, body)


def _count(view: View, query: ArticleQuery, selection: Selection) -> dict[str, FacetCounts]:
    """Counts all fields at once, which reads the articles' terms once, and shows the first values of each."""
    size = max(FACET_SIZES.values())
    _, facets = count_facets(view.connection, query, selection, list(FACET_SIZES), size)
    return {field: _first_values(facets[field], shown) for field, shown in FACET_SIZES.items()}


def _first_values(counts: FacetCounts, size: int) -> FacetCounts:
    hidden = sum(value.count for value in counts.values[size:])
    return FacetCounts(counts.values[:size], counts.other_count + hidden, counts.missing)


def _groups(prefix: str, query: ArticleQuery, facets: dict[str, FacetCounts], total: int) -> list[FacetGroup]:
    """Facets that tell articles apart: one value that all of them have does not, unless it is a filter."""
    groups = []
    for field in FACET_SIZES:
        counts = facets[field]
        values = value_links(prefix, query, field, counts.values)
        is_same_for_all = len(values) == 1 and values[0].count == total and not values[0].is_current
        if values and not is_same_for_all:
            more = address(f"{prefix}/view/facets/{field}", pairs_of(query)) if counts.other_count else None
            groups.append(FacetGroup(TITLES[field], values, more))
    return groups


def _timeline(view: View, query: ArticleQuery, selection: Selection) -> TimelinePicture | None:
    interval, timeline = count_timeline_within(view.connection, selection, MAX_BARS)
    hrefs = bucket_links(f"{view.settings.public_path}/", query, timeline.buckets)
    return timeline_picture(timeline.buckets, hrefs, interval, timeline.undated)


def _home(view: View, total: int, all_topics: FacetCounts) -> HomeHead:
    """What this is, when it was brought up to date, what is new, which topics are busy.

    The week is the one before the newest revision, so the page stays the same until an import changes it.
    """
    prefix = view.settings.public_path
    updated = time_of_revision(view.connection, view.state)
    what = view.settings.site_description or "Articles worth keeping, chosen and filed by people."
    if not updated or not total:
        return HomeHead(view.settings.site_name, what, None, "", None, ())
    providers = taxonomy.count_visible(view.connection, "provider", "true")
    topics = taxonomy.count_visible(view.connection, "topic", "true")
    week = datetime.fromisoformat(updated) - timedelta(days=_NEW_DAYS)
    query = ArticleQuery(added_from=Moment(week.replace(microsecond=0), None))
    new = matching(view.connection, query)
    # The first import brings everything at once, which is no news.
    is_news = 0 < new.total() < total
    busy = all_topics
    if is_news:
        busy = count_facets(view.connection, query, new, ["topic"], _BUSY_TOPICS)[1]["topic"]
    return HomeHead(
        heading="What is new",
        lead=f"{what} {counted(total, 'article')} by {counted(providers, 'provider')} on "
        f"{counted(topics, 'topic')}.",
        updated=updated,
        updated_in_words=moment_in_words(updated),
        new=PageLink("", list_address(prefix, query), new.total()) if is_news else None,
        busy=tuple(
            PageLink(cut(value.name, 60), term_address(prefix, "topic", value.value))
            for value in busy.values[:_BUSY_TOPICS]
        ),
    )


def _other_search(prefix: str, query: ArticleQuery, proposal: Proposal | None) -> PageLink | None:
    if proposal is None or proposal.q is None:
        return None
    return PageLink(proposal.q, list_address(prefix, query.model_copy(update={"q": proposal.q})))


def title_of_list(query: ArticleQuery, names: Mapping[tuple[str, str], str]) -> str:
    # The count has words of its own for how the list is folded.
    words = without(query, "collapse").in_words(names)
    return cut(" ".join(["Articles", *words]) if words else "All articles", _MAX_TITLE_CHARACTERS)


def _kept_by_search(query: ArticleListQuery) -> tuple[tuple[str, str], ...]:
    """A search goes through the same filters, and its best match comes first."""
    return tuple(pairs_of(without(query, "q", "sort")))


def _states(prefix: str, query: ArticleQuery) -> Sequence[PageLink]:
    words = {"true": "Published", "false": "Not published", "any": "Both"}
    return [
        PageLink(
            text,
            list_address(prefix, query.model_copy(update={"published": published})),
            is_current=query.published == published,
        )
        for published, text in words.items()
    ]
