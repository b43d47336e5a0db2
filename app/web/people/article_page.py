"""/view/articles/{id}: one article for people, with what it links to."""

import html
import json
import re
from collections.abc import Container, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import nh3
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.audience import Published
from app.catalog.collections import (
    collection_item,
    collections_with,
    count_items,
    items_of,
    version_items,
)
from app.catalog.content_html import content_html
from app.catalog.filters import matching
from app.catalog.paging import read_page
from app.catalog.query import ArticleQuery
from app.catalog.related import find_whole_article, link_item, related_links_of
from app.catalog.similar import Neighbour, similar_articles
from app.pages.addresses import article_address, outward, term_address
from app.pages.dates import day_in_words, moment_in_words
from app.pages.entries import PageLink, as_html, cut, entry_of, provider_link, topic_links
from app.pages.frame import PageFrame, PageRequest
from app.pages.languages import direction_of
from app.pages.neighbours import NeighbourEntry, member_of, neighbour_of, why_similar, why_version
from app.pages.rendering import render
from app.pages.structured_data import article_page
from app.printable import counted
from app.web.http.problems import not_found
from app.web.http.routes import QueryRoute
from app.web.people.frames import page_response, request_of, request_of_list, site_of_view
from app.web.people.list_links import list_address
from app.web.view import View, open_view

router = APIRouter(route_class=QueryRoute, include_in_schema=False)

# A page shows what a reader may want to see; data has more of it.
_MAX_RELATED: Final = 200
_MAX_VERSIONS: Final = 50
_MAX_SIMILAR: Final = 6
_MAX_COLLECTIONS: Final = 20
_MAX_TERMS: Final = 100
_MAX_TITLE_CHARACTERS: Final = 2_000
_MAX_EXCERPT_CHARACTERS: Final = 5_000

# nh3 writes attributes in quotation marks, and a quotation mark within one as &quot;.
_IMAGE: Final = re.compile(r'<img((?: [\w-]+="[^"]*")*)>')
_ALT: Final = re.compile(r' alt="([^"]*)"')
_NO_ALT: Final = ' alt=""'
_LAZILY: Final = ' loading="lazy" decoding="async" referrerpolicy="no-referrer"'

Record = tuple[str, str, str | None]


@router.get("/view/articles/{article_id}")
def show_article(request: Request, article_id: str) -> Response:
    with open_view(request) as view:
        sees_all = view.asker.may_see_unpublished
        published: Published = "any" if sees_all else "true"
        article = find_whole_article(view.connection, article_id, sees_all=sees_all)
        if article is None:
            raise not_found("There is no article at this address. It may have been taken out.")
        related = read_page(view.connection, related_links_of(article.id), _MAX_RELATED).rows
        members = read_page(view.connection, items_of(article.id, published), _MAX_RELATED).rows
        member_count = count_items(view.connection, article.id) if members else 0
        member_list = _member_list(view, article_id, published) if members else None
        versions = version_items(view.connection, article.id, published, _MAX_VERSIONS)
        collections = json.loads(collections_with(view.connection, article.id, published))
        # Some may be on the page already.
        similar = similar_articles(view.connection, article.id, published, 2 * _MAX_SIMILAR)
    settings = view.settings
    prefix = settings.public_path
    item = json.loads(article.item)
    links = [json.loads(link_item(row, sees_all=sees_all)) for row in related]
    mentioned = {link["articleId"] for link in links}
    # The list of links says already that the article mentions these; words in common are news.
    similar = [other for other in similar if other.words or json.loads(other.item)["id"] not in mentioned]
    listed = [json.loads(collection_item(row)) for row in members]
    shown = {other["id"] for other in (*versions, *(member["article"] or item for member in listed))}
    entry = entry_of(item, prefix, published=published, shows_images=settings.show_images)
    image = next((image for image in item["images"] if image["url"] == entry.image), None)
    content = content_html(article.content, article.base_url)
    site = site_of_view(view)
    canonical = article_address(prefix, item["id"])
    title = cut(item["title"], 120)
    path = f"/articles/{item['id']}"
    frame = PageFrame(
        site=site,
        title=title,
        canonical=canonical,
        request=_request(view, item["id"], has_members=bool(members), is_public=entry.is_published),
        description=cut(item["excerpt"], 300) if item["excerpt"] else None,
        image=entry.image,
        kind="article",
        structured=article_page(item, site.url + canonical),
        is_indexed=entry.is_published,
    )
    body = render(
        "article",
        frame=frame,
        site=site,
        entry=entry,
        title=cut(item["title"], _MAX_TITLE_CHARACTERS),
        authors=_terms(prefix, "author", item["authors"]),
        moment=moment_in_words(entry.moment) if entry.moment else None,
        excerpt=cut(item["excerpt"] or "", _MAX_EXCERPT_CHARACTERS),
        image_title=image["title"] if image else None,
        image_attribution=image["attribution"] if image else None,
        image_width=image["width"] if image else None,
        image_height=image["height"] if image else None,
        content=as_html(_for_page(content, shows_images=settings.show_images)),
        topics=topic_links(item, prefix, _MAX_TERMS),
        tags=_terms(prefix, "tag", item["tags"]),
        related=[_related(prefix, link) for link in links],
        more_related=view.path(f"{path}/related") if item["relatedCount"] > len(related) else None,
        related_count=item["relatedCount"],
        member_list=member_list,
        all_members=PageLink(f"All {member_count:,}, as data", view.path(f"{path}/items"))
        if member_count > len(members)
        else None,
        members=[member_of(member, prefix) for member in listed],
        versions=[neighbour_of(version, prefix, why_version(version, item["title"])) for version in versions],
        similar=_similar(prefix, similar, shown),
        record=[*_record(view, item), *_collections(prefix, collections)],
    )
    return page_response(view, body)


def _request(view: View, article_id: str, *, has_members: bool, is_public: bool) -> PageRequest:
    """The page's own request; of a collection with the feeds and files of its articles."""
    own = request_of(view, f"/articles/{article_id}", is_public=is_public)
    if not has_members:
        return own
    pairs = [("collection", article_id)] if is_public else [("collection", article_id), ("published", "any")]
    lists = request_of_list(view, pairs, (), is_public=is_public)
    return replace(own, feeds=lists.feeds, files=lists.files)


def _member_list(view: View, article_id: str, published: Published) -> PageLink | None:
    """The articles of a collection as a list, less what its items name and nobody has."""
    pairs = (
        [("collection", article_id)]
        if published == "true"
        else [("collection", article_id), ("published", "any")]
    )
    query = ArticleQuery.from_parameters(pairs)
    total = matching(view.connection, query).total()
    href = list_address(view.settings.public_path, query)
    return PageLink(counted(total, "article"), href) if total else None


def _similar(prefix: str, similar: Sequence[Neighbour], shown: Container[str]) -> list[NeighbourEntry]:
    """Those that are not shown on the page in another place, each with why it is here."""
    entries = []
    for neighbour in similar:
        item = json.loads(neighbour.item)
        if item["id"] not in shown:
            why = why_similar(neighbour.words, is_linked=neighbour.is_linked, has_votes=neighbour.has_votes)
            entries.append(neighbour_of(item, prefix, why))
    return entries[:_MAX_SIMILAR]


def _terms(prefix: str, field: str, values: list[str]) -> list[PageLink]:
    return [PageLink(cut(value, 80), term_address(prefix, field, value)) for value in values[:_MAX_TERMS]]


def _for_page(content: str, *, shows_images: bool) -> str:
    """The content with each picture fetched only when it comes into view, and described if it is not."""
    if "<img" not in content:
        return content
    if not shows_images:
        return nh3.clean(content, tags=nh3.ALLOWED_TAGS - {"img"}, link_rel="nofollow noopener noreferrer")
    return _IMAGE.sub(_lazy_image, content)


def _lazy_image(match: re.Match[str]) -> str:
    alt = _ALT.search(match[1])
    # A relative picture of a body without a base URL has lost its `src`: nothing can be shown but its words.
    if ' src="' not in match[1]:
        return html.escape(html.unescape(alt[1])) if alt else ""
    return f"<img{match[1]}{'' if alt else _NO_ALT}{_LAZILY}>"


def _related(prefix: str, link: dict[str, Any]) -> dict[str, Any]:
    """A link leads to the article's page where the catalogue has it, else out."""
    published = link["publishedDateTime"]
    href = article_address(prefix, link["articleId"]) if link["articleId"] else outward(link["webUrl"])
    provider = provider_link(link["provider"], prefix)
    return {
        "title": cut(link["title"] or link["webUrl"] or "Untitled", 300),
        "href": href,
        "leads_out": not link["articleId"],
        "direction": direction_of(None),
        "provider": provider.text if provider else None,
        "moment": published,
        "day": day_in_words(published) if published else None,
    }


def _collections(prefix: str, collections: list[dict[str, str]]) -> list[Record]:
    return [
        ("Collection", cut(collection["title"], 200), article_address(prefix, collection["id"]))
        for collection in collections[:_MAX_COLLECTIONS]
    ]


def _record(view: View, item: dict[str, Any]) -> list[Record]:
    """What a curator wants to check, and what other lists it leads to."""
    prefix = view.settings.public_path
    in_list = partial(term_address, prefix)
    record: list[Record] = []
    for name, field in (("Type", "type"), ("Category", "category"), ("Language", "locale")):
        if item[field]:
            record.append((name, cut(item[field], 200), in_list(field, item[field])))
    for name, key in (("Quality", "quality"), ("Heat", "heat")):
        if item[key] is not None:
            record.append((name, str(item[key]), None))
    for name, key in (("Updated", "updatedDateTime"), ("Filed", "addedDateTime")):
        if item[key]:
            record.append((name, moment_in_words(item[key]), None))
    record.append(("Source", item["source"], in_list("source", item["source"])))
    record.append(("Document", cut(item["path"], 1_000), None))
    for name, key in (("Original", "originalUrl"), ("AMP", "ampWebUrl")):
        if outward(item[key]) and item[key] != item["webUrl"]:
            record.append((name, cut(item[key], 300), outward(item[key])))
    return record
