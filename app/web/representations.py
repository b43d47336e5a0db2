"""What the API promises: the shape of every answer, for its documentation and for those who generate clients.

The bytes themselves were made by the import; tests compare the two.
"""

from typing import Any

from pydantic import Field

from app.catalog.fields import ArticleItem, ImageItem, ProviderItem, Shape


class RelatedLink(Shape):
    """An article mentioned by another one; `articleId` where it is in the catalogue."""

    position: int
    title: str | None
    excerpt: str | None
    type: str | None
    quality: int | None
    heat: int | None
    published_date_time: str | None
    updated_date_time: str | None
    web_url: str | None
    original_url: str | None
    amp_web_url: str | None
    cdn_amp_web_url: str | None
    provider: ProviderItem
    images: list[ImageItem]
    article_id: str | None


class Article(ArticleItem):
    """Everything of one article. `content` is its body as written, `details` what its kind has besides."""

    related: list[RelatedLink]
    content: str
    content_html: str = Field(
        description="The content as HTML that is safe to show: Markdown is rendered, scripts are left out"
    )
    details: dict[str, Any]


class _Page(Shape):
    total: int = Field(description="How many there are on all pages, exactly")
    next: str | None = Field(description="Path of the next page")
    prev: str | None = Field(description="Path of the page before")


class Highlights(Shape):
    """HTML, escaped but for <mark> around what was searched for; null where it is not found."""

    title: str | None = Field(examples=["<mark>Mars</mark> &amp; Moon"])
    excerpt: str | None
    content: str | None


class FoundItem(ArticleItem):
    """With `highlight=true` and `q`."""

    highlights: Highlights


class ArticlePage(_Page):
    items: list[ArticleItem]


class FoundPage(_Page):
    items: list[FoundItem]


class SomeKeysPage(_Page):
    """With `fields`: of each article only the keys asked for."""

    items: list[dict[str, Any]]


class RelatedLinkPage(_Page):
    items: list[RelatedLink]


class StoryProvider(Shape):
    domain: str | None
    name: str | None
    article_count: int


class StoryTopic(Shape):
    id: str
    name: str
    article_count: int


class StoryItem(Shape):
    """Articles and related links about one event, joined by the curators' own links.

    Its id and title are those of its lead, which another article may become; any article's id leads to it.
    """

    id: str
    title: str
    size: int = Field(description="Articles and links")
    article_count: int
    link_count: int
    providers: list[StoryProvider] = Field(description="Who covered it, those with most articles first")
    topics: list[StoryTopic]
    first_date_time: str | None
    last_date_time: str | None
    lead: ArticleItem


class StoryLink(Shape):
    """A related link of the story's articles, of a page that is not in the catalogue."""

    title: str | None
    excerpt: str | None
    type: str | None
    quality: int | None
    heat: int | None
    published_date_time: str | None
    updated_date_time: str | None
    web_url: str | None
    original_url: str | None
    amp_web_url: str | None
    cdn_amp_web_url: str | None
    provider: ProviderItem
    images: list[ImageItem]
    mentioned_by: list[str] = Field(description="Ids of the story's articles that have the link")


class WholeStory(StoryItem):
    articles: list[ArticleItem] = Field(description="Oldest first")
    links: list[StoryLink] = Field(description="Each once, oldest first")


class StoryPage(_Page):
    items: list[StoryItem]


class NameCount(Shape):
    name: str
    count: int


class TopicName(Shape):
    id: str
    name: str


class ChildTopic(TopicName):
    article_count: int


class Topic(TopicName):
    """A subject under all its names; `articleCount` is the `total` of `/articles?topic=` with its id."""

    shortname: str | None
    names: list[NameCount]
    parent: TopicName | None
    children: list[ChildTopic]
    keywords: list[str]
    hashtags: list[str]
    images: list[ImageItem]
    article_count: int


class FacetValue(Shape):
    """`url` narrows the query to this value; its `total` is `count`."""

    value: str
    name: str
    count: int
    url: str


class Facet(Shape):
    values: list[FacetValue]
    other_count: int = Field(description="Sum of the counts of the values that are not shown")
    missing: int = Field(description="Articles without a value")


class Facets(Shape):
    total: int
    facets: dict[str, Facet]


class TimelineBucket(Shape):
    start: str = Field(examples=["2020-06-01"])
    count: int
    url: str


class Timeline(Shape):
    """The counts of all buckets and `undated` sum to `total`."""

    interval: str
    total: int
    undated: int
    buckets: list[TimelineBucket]


class Mention(Shape):
    article_id: str
    title: str
    position: int


class MentionPage(_Page):
    items: list[Mention]


class LinkOccurrences(Shape):
    url: str
    articles: list[ArticleItem]
    mentioned_by: MentionPage


class Change(Shape):
    """An article's last change; a deleted one has no `article`."""

    revision: int = Field(description="The revision of the catalogue that changed it")
    revised_at: str = Field(
        description="When that revision was made",
        examples=["2026-11-01T12:30:00Z"],
        json_schema_extra={"format": "date-time"},
    )
    change: str = Field(examples=["upsert"], pattern="^(upsert|delete)$")
    id: str
    article: ArticleItem | None


class Changes(Shape):
    """`next` goes on from here, now or later."""

    items: list[Change]
    revision: int
    next: str


class TopicPage(_Page):
    items: list[Topic]


class Provider(Shape):
    """Who publishes articles: known by domain, or by name where there is none."""

    domain: str | None
    name: str | None
    names: list[NameCount]
    description: str | None
    images: list[ImageItem]
    article_count: int


class ProviderPage(_Page):
    items: list[Provider]
