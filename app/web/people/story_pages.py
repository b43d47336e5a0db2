"""Pages of stories: those that have an article of a query, and one with all that tells of it."""

import json
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.clauses import Clause
from app.catalog.paging import BEGINNING
from app.catalog.query import ArticleQuery
from app.catalog.query import Query as AnyQuery
from app.catalog.query_titles import names_in
from app.catalog.rolling import with_fixed_dates
from app.catalog.stories import find_story, whole_story
from app.pages.addresses import story_address
from app.pages.entries import PageLink, cut
from app.pages.frame import PageFrame, PageRequest
from app.pages.rendering import render
from app.pages.stories import members_in_time, names_of_link_providers, story_entry_of, topics_of
from app.pages.structured_data import collection_page
from app.web.http.problems import not_found
from app.web.http.routes import QueryRoute
from app.web.paging import page_link, with_cursor
from app.web.people.frames import Pairs, address, page_response, request_of, request_of_list, site_of_view
from app.web.people.list_links import chips_of, folds_of, list_address, paging_of, pairs_of
from app.web.stories import StoryQuery, audience_of_story, read_stories
from app.web.view import View, open_view

router = APIRouter(route_class=QueryRoute, include_in_schema=False)

_HERE: Final = "/view/stories"
_MAX_TOPICS: Final = 12
_MAX_PROVIDERS: Final = 100
_MAX_TITLE_CHARACTERS: Final = 2_000


@router.get("/view/stories")
def show_stories(request: Request, query: Annotated[StoryQuery, Query()]) -> Response:
    """Stories that have an article of the query, the newest coverage first."""
    query, cursor = with_cursor(query, "/stories")
    with open_view(request, query, cursor.told) as view:
        page, items, total = read_stories(view, query, cursor, address=_HERE)
        stories = [json.loads(item) for item in items]
        names = names_in(view.connection, query)
        fixed = with_fixed_dates(view.connection, query) if query.depends_on_clock else query
        prev, next_, first = (
            page_link(view, fixed, "/stories", place, address=_HERE) if place else None
            for place in (page.prev, page.next, BEGINNING)
        )
    prefix = view.settings.public_path
    site = site_of_view(view)
    filters = pairs_of(query)
    paging = paging_of(query)
    pairs = paging if query.cursor else [*filters, *paging]
    is_public = query.published == "true"
    words = query.in_words(names)
    title = cut(" ".join(["Stories with articles", *words]), 120) if words else "Stories"
    frame = PageFrame(
        site=site,
        title=title,
        canonical=address(prefix + _HERE, pairs),
        request=_request(
            view,
            "/stories",
            pairs,
            query.model_copy(update={"collapse": "story"}),
            is_public=is_public,
        ),
        prev=prev,
        next=next_,
        structured=collection_page(
            title, site.url + list_address(prefix, query, _HERE), (story["lead"] for story in stories), total
        ),
        search=query.q or "",
        hidden=tuple(pair for pair in filters if pair[0] != "q"),
        is_indexed=not filters,
    )
    body = render(
        "stories",
        frame=frame,
        site=site,
        heading=title,
        lead=f"{total:,} {'story' if total == 1 else 'stories'} that curators’ links join, "
        "the newest coverage first.",
        chips=chips_of(prefix, query, names, _HERE),
        folds=folds_of(prefix, query, "stories"),
        total=total,
        first=first,
        entries=[
            story_entry_of(story, prefix, query.published, shows_images=view.settings.show_images)
            for story in stories
        ],
    )
    return page_response(view, body)


@router.get("/view/stories/{story_id}")
def show_story(request: Request, story_id: str, query: Annotated[AnyQuery, Query()]) -> Response:
    with open_view(request, query) as view:
        published = audience_of_story(view, query)
        row = find_story(view.connection, story_id, published)
        if row is None:
            raise not_found("There is no story at this address. Its articles may have been taken out.")
        story = json.loads(whole_story(view.connection, row, published))
    settings = view.settings
    prefix = settings.public_path
    site = site_of_view(view)
    is_public = published == "true"
    entry = story_entry_of(story, prefix, published, shows_images=settings.show_images)
    title = cut(story["title"], 120)
    canonical = story_address(prefix, story["id"], published)
    pairs = [] if is_public else [("published", "any")]
    articles = ArticleQuery.from_parameters([("story", str(_only(story["id"]))), *pairs])
    frame = PageFrame(
        site=site,
        title=title,
        canonical=canonical,
        request=_request(
            view,
            f"/stories/{story['id']}",
            pairs,
            articles,
            is_public=is_public,
        ),
        description=entry.excerpt or None,
        image=entry.image,
        structured=collection_page(title, site.url + canonical, story["articles"], story["articleCount"]),
        is_indexed=is_public,
    )
    body = render(
        "story",
        frame=frame,
        site=site,
        entry=entry,
        title=cut(story["title"], _MAX_TITLE_CHARACTERS),
        stories_href=address(prefix + _HERE, pairs),
        topics=topics_of(story, prefix, _MAX_TOPICS),
        members=members_in_time(story, prefix),
        providers=[_coverage(prefix, articles, provider) for provider in story["providers"][:_MAX_PROVIDERS]],
        link_providers=names_of_link_providers(story)[:_MAX_PROVIDERS],
    )
    return page_response(view, body)


def _request(view: View, path: str, pairs: Pairs, articles: ArticleQuery, *, is_public: bool) -> PageRequest:
    """The page's own request, with the feeds and files of these articles."""
    own = request_of(view, path, pairs, is_public=is_public)
    lists = request_of_list(view, pairs_of(articles), (), is_public=is_public)
    return replace(own, feeds=lists.feeds, files=lists.files)


def _coverage(prefix: str, articles: ArticleQuery, provider: dict[str, Any]) -> PageLink:
    """The provider, with the list of its articles in the story; none where no address can hold its name."""
    value = provider["domain"] or provider["name"]
    href = list_address(prefix, articles.model_copy(update={"provider": (_only(value),)}))
    is_short = len(href) <= _MAX_TITLE_CHARACTERS
    return PageLink(cut(provider["name"] or value, 80), href if is_short else None, provider["articleCount"])


def _only(value: str) -> Clause:
    return Clause((value,), anything=False, none_of=False)
