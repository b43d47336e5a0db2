"""What browsers and search engines look for: the style sheet, the icon, OpenSearch, robots.txt, a sitemap."""

from collections.abc import Iterator
from itertools import islice
from typing import Final, Literal
from xml.sax.saxutils import escape

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.catalog import taxonomy
from app.catalog.paging import every_row
from app.pages.addresses import term_address
from app.pages.static_files import static_file
from app.web.http.problems import not_found
from app.web.http.routes import QueryRoute, resources_of
from app.web.people.frames import site_of, site_of_view
from app.web.view import View, open_view

router = APIRouter(route_class=QueryRoute, include_in_schema=False)

_MEDIA_TYPES: Final = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"

# The sitemaps protocol allows so many in one file. Topics and providers have half each where both are many.
MAX_SITEMAP_URLS: Final = 50_000

# Combinations of filters are endless, and a crawler would walk them for ever; `*` is of RFC 9309.
_ROBOTS: Final = """\
User-agent: *
Disallow: {prefix}/*&
Disallow: {prefix}/exports/
Disallow: {prefix}/facets
Disallow: {prefix}/timeline
Disallow: {prefix}/changes
Disallow: {prefix}/view/facets/
Disallow: {prefix}/view/sign-
Sitemap: {url}{prefix}/sitemap.xml
"""

_OPENSEARCH: Final = """\
<?xml version="1.0" encoding="utf-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">
<ShortName>{short_name}</ShortName>
<LongName>{name}</LongName>
<Description>{description}</Description>
<InputEncoding>UTF-8</InputEncoding>
<Image width="32" height="32" type="image/svg+xml">{url}{prefix}/view/static/icon.svg</Image>
<Url type="text/html" template="{url}{prefix}/?q={{searchTerms}}"/>
<Url type="application/rss+xml" template="{url}{prefix}/feeds/articles.rss?q={{searchTerms}}"/>
<Url type="application/opensearchdescription+xml" rel="self" template="{url}{prefix}/opensearch.xml"/>
</OpenSearchDescription>
"""
# OpenSearch 1.1 allows so much of a short and of a long name.
_SHORT_NAME_CHARACTERS, _LONG_NAME_CHARACTERS = 16, 48


@router.get("/view/static/{name}")
async def get_static_file(name: str) -> Response:
    """A file with another digest than today's is today's, which browsers then ask for again."""
    file = static_file(name)
    if file is None:
        raise not_found()
    content, is_of_today = file
    headers = {"Cache-Control": _FOR_EVER} if is_of_today else {}
    return Response(content, media_type=_MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)


@router.get("/favicon.ico")
async def get_icon() -> Response:
    """Some programs look for it without having read a page; all browsers of today take SVG."""
    file = static_file("icon.svg")
    if file is None:
        raise not_found()
    return Response(file[0], media_type=_MEDIA_TYPES["svg"])


@router.get("/robots.txt")
async def get_robots(request: Request) -> Response:
    site = site_of(resources_of(request).settings)
    return Response(_ROBOTS.format(prefix=site.prefix, url=site.url), media_type="text/plain")


@router.get("/opensearch.xml")
async def get_opensearch(request: Request) -> Response:
    site = site_of(resources_of(request).settings)
    body = _OPENSEARCH.format(
        short_name=escape(site.name[:_SHORT_NAME_CHARACTERS]),
        name=escape(site.name[:_LONG_NAME_CHARACTERS]),
        description=escape(site.description or f"Search {site.name}"),
        url=escape(site.url),
        prefix=escape(site.prefix),
    )
    return Response(body, media_type="application/opensearchdescription+xml")


@router.get("/sitemap.xml")
def get_sitemap(request: Request) -> Response:
    """Home, the stories, and each topic and provider that has articles: their pages lead to all the others.

    A story is named after its lead, which the next article may be, so only the list of them is here. Where
    there are more than MAX_SITEMAP_URLS, terms with fewest articles are left out.
    """
    with open_view(request) as view:
        site = site_of_view(view)
        addresses = ["/", "/view/stories", "/view/topics", "/view/providers"]
        urls = [site.prefix + address for address in addresses]
        room = MAX_SITEMAP_URLS - len(urls)
        topics = list(islice(_terms(view, "topic"), room))
        providers = list(islice(_terms(view, "provider"), room))
        provider_room = max(room // 2, room - len(topics))
        urls += topics[: room - len(providers[:provider_room])]
        urls += providers[:provider_room]
        locations = "".join(f"<url><loc>{escape(site.url + url)}</loc></url>\n" for url in urls)
        body = (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{locations}</urlset>\n'
        )
        headers = {"Catalogue-Revision": str(view.state.revision)}
        return Response(body, media_type="application/xml", headers=headers)


def _terms(view: View, field: Literal["topic", "provider"]) -> Iterator[str]:
    listing = (taxonomy.topic_list if field == "topic" else taxonomy.provider_list)("true")
    for row in every_row(view.connection, listing):
        # Those with most articles come first.
        if not row.articles:
            break
        if url := term_address(view.settings.public_path, field, row.key):
            yield url
