"""What the API promises: the shape of every answer, for its documentation and for those who generate clients.

The bytes themselves were made by the import; tests compare the two.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from app.catalog.fields import (
    AmpWebUrl,
    ArticleItem,
    CdnAmpWebUrl,
    DateTime,
    Excerpt,
    Heat,
    ImageItem,
    OriginalUrl,
    ProviderItem,
    PublishedAt,
    Quality,
    Shape,
    TypeName,
    UpdatedAt,
    WebUrl,
)
from app.catalog.suggestions import SuggestedField

# A link of an answer is a path and its query.
Link = Annotated[str, WithJsonSchema({"type": "string", "format": "uri-reference"})]


def _sometimes(description: str, **more: Any) -> Any:
    """A key that answers have when it is asked for. Where it is left out it has no value, null neither."""

    def without_default(schema: JsonDict) -> None:
        del schema["default"]

    return Field(None, description=description, json_schema_extra=without_default, **more)


class LinkedPage(Shape):
    """What a related link says of the page that it leads to."""

    title: str | None = Field(description="What the page is called", examples=["How it flies"])
    excerpt: Excerpt
    type: TypeName
    quality: Quality
    heat: Heat
    published_date_time: PublishedAt
    updated_date_time: UpdatedAt
    web_url: WebUrl
    original_url: OriginalUrl
    amp_web_url: AmpWebUrl
    cdn_amp_web_url: CdnAmpWebUrl
    provider: ProviderItem = Field(description="Who published it")
    images: list[ImageItem] = Field(description="Its pictures, the first one first")


class RelatedLink(LinkedPage):
    """An article mentioned by another one; it need not be in the catalogue itself."""

    position: int = Field(ge=0, description="Its place among the links of its article", examples=[0])
    article_id: str | None = Field(
        description="The id of the article where it is in the catalogue, and you may see it",
        examples=["7vw7jsxe5x2cdyeibrxh"],
    )


class Highlights(Shape):
    """HTML, escaped but for <mark> around what was searched for; null where it is not found."""

    title: str | None = Field(description="The title, marked", examples=["<mark>Mars</mark> &amp; Moon"])
    excerpt: str | None = Field(description="The excerpt, marked")
    content: str | None = Field(description="The content around the first mark")


_Related = Annotated[list[RelatedLink], Field(description="The articles that it mentions, in its order")]
_Content = Annotated[str, Field(description="Its body as written: Markdown, HTML, or empty")]
_ContentHtml = Annotated[
    str,
    Field(description="The content as HTML that is safe to show: Markdown is rendered, scripts are left out"),
]
_Details = Annotated[
    dict[str, Any],
    Field(
        description="What its kind has besides, as its document says: `length`, `price`, `levels` and others"
    ),
]


class Version(Shape):
    """Another article with the same page: a live page captured on several days."""

    id: str = Field(description="The id of the article")
    title: str = Field(description="What the page was called then")
    published_date_time: PublishedAt


class CollectionReference(Shape):
    """A collection that lists the article."""

    id: str = Field(description="The id of the collection, which is an article too")
    title: str = Field(description="What the collection is called")


class CollectionItem(Shape):
    """What a collection lists."""

    position: int = Field(ge=0, description="The place in its list, from 0")
    path: str = Field(description="As the collection writes it", examples=["papers/attention"])
    article: ArticleItem | None = Field(description="Null where none is at its path that the asker may see")


class Article(ArticleItem):
    """Everything of one article. What is not known is null or empty."""

    related: _Related
    content: _Content
    content_html: _ContentHtml
    details: _Details
    versions: list[Version] = Field(
        description="Other captures of the same page, the newest first: the 200 nearest in time; "
        "`/articles?url=` has all"
    )
    collections: list[CollectionReference] = Field(description="The collections that have it, by title")
    items: list[CollectionItem] = Field(
        description="Of a collection the first 200 that it lists; `/articles/{id}/items` has all"
    )


class ListedArticle(ArticleItem):
    """An article as lists show it. What is not known is null or empty.

    With `fields` it has the keys that are named, and no others: programs with typed clients ask without.
    """

    highlights: SkipJsonSchema[None] | Highlights = _sometimes(
        "Where `q` matched; there with `highlight=true` and `q`, and only then"
    )
    related: SkipJsonSchema[None] | _Related = _sometimes("There where `fields` names it")
    content: SkipJsonSchema[None] | _Content = _sometimes("There where `fields` names it")
    content_html: SkipJsonSchema[None] | _ContentHtml = _sometimes("There where `fields` names it")
    details: SkipJsonSchema[None] | _Details = _sometimes("There where `fields` names it")


class _Page(Shape):
    total: int = Field(ge=0, description="How many there are on all pages, exactly", examples=[1234])
    next: Link | None = Field(
        description="Path of the next page", examples=["/articles?limit=2&cursor=HHniMx"]
    )
    prev: Link | None = Field(description="Path of the page before")


class ArticlePage(_Page):
    """A page of articles. `next` and `prev` are null at the ends."""

    items: list[ListedArticle] = Field(description="The articles, in the order of the query")
    did_you_mean: str | None = _sometimes(
        "There where `q` has words that nothing here has: a `q` that finds something, or null",
        examples=["open source"],
    )


class RelatedLinkPage(_Page):
    items: list[RelatedLink] = Field(description="The links, in the order of their article")


class CollectionItemPage(_Page):
    items: list[CollectionItem] = Field(description="In the collection's order")


class StoryProvider(Shape):
    """Who published articles of a story."""

    domain: str | None = Field(
        description="For `/providers/{domain}` and `provider=`; null where none is known"
    )
    name: str | None = Field(description="Its name, if any is known")
    article_count: int = Field(ge=1, description="How many articles of the story it published")


class StoryTopic(Shape):
    """What articles of a story are filed under."""

    id: str = Field(description="For `/topics/{id}` and `topic=`")
    name: str = Field(description="Its name")
    article_count: int = Field(ge=1, description="How many articles of the story are filed under it")


class StoryItem(Shape):
    """Articles and related links about one event, joined by the curators' own links."""

    id: str = Field(description="Of its lead, which another article may become; any article's id leads to it")
    title: str = Field(description="The title of its lead")
    size: int = Field(ge=2, description="How many articles and links it has")
    article_count: int = Field(ge=1, description="How many articles it has")
    link_count: int = Field(ge=0, description="How many links it has of pages that are not in the catalogue")
    providers: list[StoryProvider] = Field(description="Who covered it, those with most articles first")
    topics: list[StoryTopic] = Field(description="What it is about, those with most articles first")
    first_date_time: DateTime | None = Field(
        description="When its first article or link was published, in UTC"
    )
    last_date_time: DateTime | None = Field(description="When its last article or link was published, in UTC")
    lead: ArticleItem = Field(description="The article of the highest quality, then the earliest")


class StoryLink(LinkedPage):
    """A related link of the story's articles, of a page that is not in the catalogue."""

    mentioned_by: list[str] = Field(description="Ids of the story's articles that have the link")


class WholeStory(StoryItem):
    """A story with all that it has."""

    articles: list[ArticleItem] = Field(description="Oldest first")
    links: list[StoryLink] = Field(description="Each once, oldest first")


class StoryPage(_Page):
    items: list[StoryItem] = Field(description="The newest coverage first")


class SimilarArticle(Shape):
    """An article that is like another one, and why."""

    score: float = Field(ge=0, description="Up to 1 by words and dates, and more where links vote")
    words: list[str] = Field(description="Words that both have and few others, the rarest first")
    is_linked: bool = Field(description="Whether a curator linked the two: one mentions a URL of the other")
    article: ArticleItem = Field(description="The article that is like it")


class SimilarArticles(Shape):
    """The articles most like one."""

    items: list[SimilarArticle] = Field(description="The likest first")


class NameCount(Shape):
    name: str = Field(description="A spelling", examples=["AI"])
    count: int = Field(
        ge=0, description="So many articles call it so; 0 where only a document names it", examples=[7]
    )


class TopicName(Shape):
    id: str = Field(
        description="For `/topics/{id}` and `topic=`; once given it stays",
        examples=["artificial-intelligence"],
    )
    name: str = Field(
        description="As its document names it, else its most frequent spelling",
        examples=["Artificial Intelligence"],
    )


class ChildTopic(TopicName):
    article_count: int = Field(ge=0, description="How many articles are filed under it", examples=[8])


class Topic(TopicName):
    """A subject under all its names."""

    shortname: str | None = Field(description="As its document says", examples=["AI"])
    names: list[NameCount] = Field(description="All its names, the most used first")
    parent: TopicName | None = Field(description="The topic above")
    children: list[ChildTopic] = Field(
        description="The topics directly below, those with most articles first"
    )
    keywords: list[str] = Field(description="As its document says", examples=[["machine learning"]])
    hashtags: list[str] = Field(description="As its document says", examples=[["#MachineLearning"]])
    images: list[ImageItem] = Field(description="Its pictures, as its document has them")
    article_count: int = Field(
        ge=0, description="The `total` of `/articles?topic=` with its id", examples=[8]
    )


class FacetValue(Shape):
    value: str = Field(
        description="The bare value; a clause quotes it where it must, as `url` does", examples=["nasa.gov"]
    )
    name: str = Field(description="What people call it", examples=["NASA"])
    count: int = Field(ge=1, description="How many articles of the query have it", examples=[4])
    url: Link = Field(
        description="The query narrowed to this value; its `total` is `count`",
        examples=["/articles?topic=space&provider=nasa.gov"],
    )


class Facet(Shape):
    values: list[FacetValue] = Field(description="The most frequent first")
    other_count: int = Field(ge=0, description="Sum of the counts of the values that are not shown")
    missing: int = Field(ge=0, description="Articles without a value")


class Facets(Shape):
    total: int = Field(ge=0, description="How many articles the query has", examples=[5])
    facets: dict[str, Facet] = Field(description="By field, such as `topic` or `provider`")


class Suggestion(Shape):
    """`url` leads to the articles of a term, whose `total` is `count`, or to the article of a title."""

    field: SuggestedField = Field(description="What is suggested")
    value: str = Field(
        description="The bare value, which `url` quotes where it must; of a title the article's id",
        examples=["nasa.gov"],
    )
    name: str = Field(description="What to show", examples=["NASA"])
    count: int = Field(ge=1, description="How many articles it leads to", examples=[3])
    url: Link = Field(description="The list of these articles, or the article of a title")


class Suggestions(Shape):
    items: list[Suggestion] = Field(
        description="Terms, those with most articles first, then the newest titles"
    )


class TimelineBucket(Shape):
    start: Annotated[str, WithJsonSchema({"type": "string", "format": "date"})] = Field(
        description="Its first day, in UTC", examples=["2020-06-01"]
    )
    count: int = Field(ge=0, description="How many articles were published in it", examples=[3])
    url: Link = Field(description="The query narrowed to this time; its `total` is `count`")


class Timeline(Shape):
    """The counts of all buckets and `undated` sum to `total`."""

    interval: Literal["day", "week", "month", "year"] = Field(description="How long a bucket is")
    total: int = Field(ge=0, description="How many articles the query has", examples=[17])
    undated: int = Field(ge=0, description="Those of them without a date")
    buckets: list[TimelineBucket] = Field(description="The earliest first, without gaps")


class Mention(Shape):
    """A related link with the URL."""

    article_id: str = Field(
        description="The article that mentions the URL", examples=["7vw7jsxe5x2cdyeibrxh"]
    )
    title: str = Field(description="The title of that article", examples=["Ingenuity flies"])
    position: int = Field(ge=0, description="The place of the link in that article", examples=[0])


class MentionPage(_Page):
    items: list[Mention] = Field(description="The newest articles first")


class LinkOccurrences(Shape):
    url: str = Field(description="The URL as it was asked for", examples=["http://www.nasa.gov/"])
    articles: list[ListedArticle] = Field(
        description="The articles that have it in any spelling, at most 200; exact ones first"
    )
    mentioned_by: MentionPage = Field(description="The related links that have it")


class Change(Shape):
    revision: int = Field(ge=1, description="The revision in which it changed", examples=[17])
    revised_at: DateTime = Field(description="When that revision was made", examples=["2026-11-01T12:30:00Z"])
    change: Literal["upsert", "delete"] = Field(
        description="`upsert`: keep `article` in place of what you have; `delete`: drop it"
    )
    id: str = Field(description="The article's id", examples=["7vw7jsxe5x2cdyeibrxh"])
    article: ListedArticle | None = Field(description="The article as lists show it; null for a delete")


class Changes(Shape):
    items: list[Change] = Field(description="Each article once, at its last change; none: caught up")
    revision: int = Field(ge=0, description="The catalogue's revision", examples=[17])
    next: Link = Field(description="Goes on from here, now or later")


class TopicPage(_Page):
    items: list[Topic] = Field(description="Those with most articles first")


class Provider(Shape):
    """Who publishes articles: known by domain, or by name where there is none."""

    domain: str | None = Field(description="In lower case, without `www.`", examples=["nasa.gov"])
    name: str | None = Field(
        description="As its document names it, else its most frequent spelling", examples=["NASA"]
    )
    names: list[NameCount] = Field(description="All its names, the most used first")
    description: str | None = Field(description="As its document says")
    images: list[ImageItem] = Field(description="Its logos, as its document has them")
    article_count: int = Field(
        ge=0,
        description="The `total` of `/articles?provider=` with its domain, else its name",
        examples=[4],
    )


class ProviderPage(_Page):
    items: list[Provider] = Field(description="Those with most articles first")
