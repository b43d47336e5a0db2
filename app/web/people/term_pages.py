"""Pages of what articles are filed under: topics, providers, their lists, and all values of a facet."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.catalog import taxonomy
from app.catalog.audience import Published
from app.catalog.clauses import Clause
from app.catalog.facets import count_facets
from app.catalog.fields import FIELDS, FieldName
from app.catalog.filters import matching
from app.catalog.paging import read_page
from app.catalog.query import ArticleQuery
from app.catalog.query import Query as AnyQuery
from app.catalog.query_titles import names_in
from app.names import fold
from app.pages.addresses import host_of, term_address
from app.pages.entries import PageLink, cut, entry_of, image_of
from app.pages.frame import PageFrame
from app.pages.rendering import render
from app.pages.structured_data import collection_page
from app.printable import counted
from app.web.articles import ArticleListQuery
from app.web.http.problems import not_found
from app.web.http.routes import QueryRoute
from app.web.paging import MAX_PAGE_SIZE, Paged, page_link, page_of, with_cursor
from app.web.people.article_list import title_of_list
from app.web.people.frames import (
    address,
    page_response,
    request_of,
    request_of_list,
    site_of_view,
)
from app.web.people.list_links import TITLES, list_address, pairs_of, value_links, without
from app.web.view import View, open_view

router = APIRouter(route_class=QueryRoute, include_in_schema=False)

_NEW_ARTICLES: Final = 20
_MAX_VALUES: Final = 1_000
_MAX_NAMES: Final = 12
_MAX_CHILDREN: Final = 500


class TermListQuery(Paged):
    """A name takes a line, so a page for people has more of them than a list of the API."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = 100


@router.get("/view/topics")
def show_topics(request: Request, query: Annotated[TermListQuery, Query()]) -> Response:
    return _show_list(request, query, "topic")


@router.get("/view/providers")
def show_providers(request: Request, query: Annotated[TermListQuery, Query()]) -> Response:
    return _show_list(request, query, "provider")


@router.get("/view/topics/{topic:path}")
def show_topic(request: Request, topic: str, query: Annotated[AnyQuery, Query()]) -> Response:
    with open_view(request, query) as view:
        query, row = _find(view, query, taxonomy.find_topic, topic)
        if row is None:
            raise not_found("There is no topic of this name.")
        [item] = taxonomy.topic_items(view.connection, [row], query.published)
        prefix = view.settings.public_path
        parent = item["parent"]
        children = [
            PageLink(
                cut(child["name"], 100), term_address(prefix, "topic", child["id"]), child["articleCount"]
            )
            for child in item["children"][:_MAX_CHILDREN]
        ]
        return _show_term(
            view,
            query,
            "topic",
            item["id"],
            item,
            parent=PageLink(cut(parent["name"], 100), term_address(prefix, "topic", parent["id"]))
            if parent
            else None,
            children=children,
            description=None,
            keywords=item["keywords"],
            domain=None,
        )


@router.get("/view/providers/{provider:path}")
def show_provider(request: Request, provider: str, query: Annotated[AnyQuery, Query()]) -> Response:
    with open_view(request, query) as view:
        query, row = _find(view, query, taxonomy.find_provider, provider)
        if row is None:
            raise not_found("There is no provider of this domain or name.")
        [item] = taxonomy.provider_items(view.connection, [row], query.published)
        return _show_term(
            view,
            query,
            "provider",
            item["domain"] or item["name"],
            item,
            parent=None,
            children=[],
            description=item["description"],
            keywords=[],
            domain=item["domain"],
        )


def _find(
    view: View, query: AnyQuery, find: Callable[[Any, str, Published], Any], name: str
) -> tuple[AnyQuery, Any]:
    """The term of this name. An editor's links lead to terms that only unpublished articles have, too."""
    row = find(view.connection, name, query.published)
    if row is None and view.asker.may_see_unpublished:
        query = query.model_copy(update={"published": "any"})
        row = find(view.connection, name, query.published)
    return query, row


def _show_term(
    view: View,
    query: AnyQuery,
    field: FieldName,
    value: str,
    item: dict[str, Any],
    *,
    parent: PageLink | None,
    children: list[PageLink],
    description: str | None,
    keywords: list[str],
    domain: str | None,
) -> Response:
    """The head of a term, and the newest of its articles as the list has them."""
    prefix = view.settings.public_path
    parameters: list[tuple[str, str]] = [(field, str(Clause((value,), anything=False, none_of=False)))]
    if query.published != "true":
        parameters.append(("published", query.published))
    article_query = ArticleListQuery.from_parameters(parameters)
    selection = matching(view.connection, article_query)
    page = read_page(view.connection, selection.listing(), _NEW_ARTICLES)
    items = [json.loads(row.item) for row in page.rows]
    filters = pairs_of(article_query)
    name = item["name"] or value
    site = site_of_view(view)
    next_ = page_link(view, article_query, "/articles", page.next, address="/") if page.next else None
    canonical = term_address(prefix, field, value) or list_address(prefix, article_query)
    image = image_of(item["images"]) if view.settings.show_images else None
    title = cut(name, 120)
    total = selection.total()
    frame = PageFrame(
        site=site,
        title=title,
        canonical=canonical,
        request=request_of_list(view, filters, (), is_public=query.published == "true"),
        description=cut(description, 300) if description else None,
        image=image,
        next=next_,
        structured=collection_page(title, site.url + canonical, items, total),
        hidden=tuple(filters),
        is_indexed=query.published == "true",
    )
    other_names = _others([other["name"] for other in item["names"]], [name])
    body = render(
        "term",
        frame=frame,
        site=site,
        list_href=f"{prefix}/view/{field}s",
        list_title=TITLES[field],
        name=cut(name, 300),
        description=description,
        total=total,
        parent=parent,
        children=children,
        other_names=other_names,
        keywords=_others(keywords, [name, *other_names]),
        outward=f"https://{domain}/" if domain else None,
        host=host_of(f"https://{domain}/") if domain else None,
        image=image,
        entries=[
            entry_of(article, prefix, published=query.published, shows_images=view.settings.show_images)
            for article in items
        ],
        articles_href=list_address(prefix, article_query),
    )
    return page_response(view, body)


def _others(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Those that say something new: "ai" beside "AI" does not."""
    by_folded = {fold(name): name for name in reversed(names)}
    for name in known:
        by_folded.pop(fold(name), None)
    return [cut(name, 80) for name in reversed(by_folded.values())][:_MAX_NAMES]


def _show_list(request: Request, query: TermListQuery, field: FieldName) -> Response:
    list_path = f"/{field}s"
    query, cursor = with_cursor(query, list_path)
    with open_view(request, query, cursor.told) as view:
        prefix = view.settings.public_path
        here = f"/view{list_path}"
        listing = (taxonomy.topic_list if field == "topic" else taxonomy.provider_list)(query.published)
        page = page_of(view, query, cursor, listing, address=here)
        total = taxonomy.count_visible(view.connection, field, query.published)
        prev, next_ = (
            page_link(view, query, list_path, place, address=here) if place else None
            for place in (page.prev, page.next)
        )
        rows = [
            PageLink(cut(row.shown or row.key, 100), term_address(prefix, field, row.key), row.articles)
            for row in page.rows
        ]
    site = site_of_view(view)
    pairs = [("cursor", query.cursor)] if query.cursor else []
    frame = PageFrame(
        site=site,
        title=TITLES[field],
        canonical=address(prefix + here, pairs),
        request=request_of(view, list_path, pairs, is_public=query.published == "true"),
        prev=prev,
        next=next_,
        is_indexed=query.published == "true",
    )
    lead = f"{counted(total, field)}, those with most articles first."
    body = render("terms", frame=frame, site=site, path=None, heading=TITLES[field], lead=lead, rows=rows)
    return page_response(view, body)


@router.get("/view/facets/{field}")
def show_facet(request: Request, field: str, query: Annotated[ArticleQuery, Query()]) -> Response:
    """All values of a field among the articles of a query, as far as one page goes."""
    name = next((name for name in FIELDS if name == field), None)
    if name is None:
        raise not_found(f"Articles can be counted by {', '.join(FIELDS)}.")
    with open_view(request, query) as view:
        selection = matching(view.connection, query).unfolded()
        total, facets = count_facets(view.connection, query, selection, [name], _MAX_VALUES)
        names = names_in(view.connection, query)
    prefix = view.settings.public_path
    filters = pairs_of(query)
    values = facets[name].values
    what = title_of_list(query, names)
    site = site_of_view(view)
    frame = PageFrame(
        site=site,
        title=f"{TITLES[name]} of {what[0].lower()}{what[1:]}",
        canonical=address(f"{prefix}/view/facets/{name}", filters),
        request=request_of(
            view,
            "/facets",
            # Counts are of articles, also where a list folds them.
            [*pairs_of(without(query, "collapse")), ("field", name), ("size", str(_MAX_VALUES))],
            is_public=query.published == "true",
        ),
        search=query.q or "",
        hidden=tuple(pair for pair in filters if pair[0] not in ("q", "sort")),
        is_indexed=False,
    )
    rest = facets[name].other_count
    lead = counted(total, "article")
    if rest:
        lead += f", and the {len(values):,} most frequent values"
    body = render(
        "terms",
        frame=frame,
        site=site,
        path=PageLink("Back to the articles", list_address(prefix, query)),
        heading=frame.title,
        lead=f"{lead}.",
        rows=value_links(prefix, query, name, values),
    )
    return page_response(view, body)
