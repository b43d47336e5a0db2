"""What a program asks of the service, by a client that openapi-python-client made of its OpenAPI document.

    openapi-python-client generate --url http://127.0.0.1:8000/openapi.json \
        --meta none --output-path clippings_client
    mypy --strict list_articles.py && python list_articles.py http://127.0.0.1:8000

`make prove-api` does so with seeds/. Nothing here is cast: the types are what the document says.
"""

import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from clippings_client import Client
from clippings_client.api.articles import get_article, list_articles
from clippings_client.api.counts import get_facets
from clippings_client.models import (
    Article,
    ArticlePage,
    BadParameters,
    Facets,
    GetFacetsFieldItem,
    ListedArticle,
)


def main(url: str) -> None:
    client = Client(base_url=url)
    page = list_articles.sync(client=client, topic=["AI"], limit=2)
    assert isinstance(page, ArticlePage)
    assert page.total > len(page.items) == 2
    articles = list(every(client, "AI"))
    assert len({article.id for article in articles}) == page.total
    for article in articles:
        assert line(article).startswith(article.id)
        assert not article.highlights

    search = list_articles.sync(client=client, q='"open source" definition', highlight=True)
    assert isinstance(search, ArticlePage)
    highlights = search.items[0].highlights
    assert highlights
    assert highlights.title is not None
    assert "<mark>Open" in highlights.title

    whole = get_article.sync(page.items[0].id, client=client)
    assert isinstance(whole, Article)
    mentioned = [
        f"{link.position} {link.title} {link.provider.domain} {len(link.images)} {link.article_id}"
        for link in whole.related
    ]
    assert len(mentioned) == whole.related_count
    texts: list[str] = [whole.content, whole.content_html, *whole.details.to_dict()]
    assert all(text.strip() or not text for text in texts)

    counts = get_facets.sync(client=client, field=[GetFacetsFieldItem.TOPIC], topic=["AI"], size=1000)
    assert isinstance(counts, Facets)
    topics = {value.value: value.count for value in counts.facets["topic"].values}
    assert all(topics[topic_id] > 0 for article in articles for topic_id in article.topic_ids)

    refused = list_articles.sync(client=client, fields="titel")
    assert isinstance(refused, BadParameters)
    assert refused.errors[0].parameter == "fields"


def every(client: Client, topic: str) -> Iterator[ListedArticle]:
    """All articles of a topic, page by page; `next` is a path whose cursor leads on."""
    page = list_articles.sync(client=client, topic=[topic], limit=2)
    while isinstance(page, ArticlePage):
        yield from page.items
        if page.next_ is None:
            return
        cursor = parse_qs(urlsplit(page.next_).query)["cursor"][0]
        page = list_articles.sync(client=client, cursor=cursor, limit=2)
    raise AssertionError(page)


def line(article: ListedArticle) -> str:
    """A line of a list, of every key that an item has."""
    provider = article.provider
    images = [*article.images, *provider.images]
    picture: str = images[0].url if images else "no picture"
    size: int = (images[0].width or 0) * (images[0].height or 0) if images else 0
    by: str = ", ".join([*article.authors, provider.name or provider.domain or "nobody"])
    links: list[str] = [
        f"{name.upper()} /topics/{topic_id}"
        for name, topic_id in zip(article.topics, article.topic_ids, strict=True)
    ]
    weight: int = (article.quality or 0) + (article.heat or 0) + article.related_count
    when = article.published_date_time or article.updated_date_time or article.added_date_time
    where: str = (
        article.web_url
        or article.original_url
        or article.amp_web_url
        or article.cdn_amp_web_url
        or article.path
    )
    kind = " ".join(filter(None, (article.type_, article.category, article.locale, article.source)))
    state = "" if article.published else "not published"
    titles = [f"{image.title} {image.attribution} {image.is_cached}" for image in images]
    texts = (article.id, article.title.strip(), (article.excerpt or "")[:80], when.isoformat(), by, kind)
    return " | ".join([*texts, *links, *article.tags, picture, *titles, f"{size} {weight}", where, state])


if __name__ == "__main__":
    main(sys.argv[1])
