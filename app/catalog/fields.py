"""What an article is filtered by, and the keys it has in every answer. Each of these facts stands here once.

The rest is made from them or checked against them by tests: conditions, facets, the terms that an import
files an article under, its JSON, the `fields` parameter, the columns of exports, the API's models.
"""

from enum import IntEnum, unique
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.alias_generators import to_camel

from app.catalog.clauses import Clause, read_clause

# A value of a field is a term. The clause that asks for it has the field's name.
FieldName = Literal[
    "topic",
    "provider",
    "author",
    "type",
    "category",
    "tag",
    "locale",
    "source",
]
FIELDS: Final[tuple[FieldName, ...]] = get_args(FieldName)
# An article may have several terms of these, so their counts do not sum to the articles that have any.
MANY_VALUED: Final = frozenset({"topic", "author", "tag"})
# The terms of these fields are the texts of one attribute of the document: a text, None, or a tuple of texts.
# A topic, a provider and a source are more than their text.
ATTRIBUTE_OF_FIELD: Final[dict[FieldName, str]] = {
    "author": "authors",
    "type": "type",
    "category": "category",
    "locale": "locale",
    "tag": "tags",
}


@unique
class Has(IntEnum):
    """Keys of the article sets of kind `has`, stored in every catalogue: never renumber, only add.

    An article is in one of them if it has any term of the field, an image, a related link.
    """

    TOPIC = 0
    PROVIDER = 1
    TYPE = 2
    CATEGORY = 3
    TAG = 4
    LOCALE = 5
    SOURCE = 6
    IMAGE = 7
    RELATED = 8
    AUTHOR = 9

    @classmethod
    def term_of(cls, field: str) -> "Has":
        return cls[field.upper()]


ClauseText = Annotated[
    Clause,
    PlainValidator(read_clause),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
_CLAUSE = "`a,b` any of these, `-a` none, `*` has one, `-*` has none; given again: and also"


def _clause(subject: str, *examples: str) -> Any:
    return Field((), description=f"{subject}: {_CLAUSE}", examples=[[example] for example in examples])


class Clauses(BaseModel):
    """A clause for each field, and one for ids."""

    # Only the models of whole queries are built: it takes 10 ms, and an import needs none.
    model_config = ConfigDict(defer_build=True)

    topic: tuple[ClauseText, ...] = _clause("Topics by id or name", "artificial-intelligence", "AI,-Python")
    provider: tuple[ClauseText, ...] = _clause("Providers by domain or name", "nasa.gov")
    author: tuple[ClauseText, ...] = _clause("Authors by name", "Ada Lovelace")
    type: tuple[ClauseText, ...] = _clause("Types", "video")
    category: tuple[ClauseText, ...] = _clause("Categories", "news")
    tag: tuple[ClauseText, ...] = _clause("Tags", "http")
    locale: tuple[ClauseText, ...] = _clause("Locales", "en-us")
    source: tuple[ClauseText, ...] = _clause("Sources, as spelt", "seeds")
    id: tuple[ClauseText, ...] = _clause("Ids of articles", "-abcdefghijklmnopqrst")
    story: tuple[ClauseText, ...] = _clause("Stories, by the id of any article in them", "-*")
    collection: tuple[ClauseText, ...] = _clause("Collections, by id", "abcdefghijklmnopqrst")


# Every filter in words, in the order of a title: "Articles about AI by nasa.gov from 2020-01-01". A filter
# that is true or false has words for each.
IN_WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "q": "with “{}”",
    "type": "of type {}",
    "category": "in {}",
    "topic": "about {}",
    "descendants": ("and the topics below", ""),
    "tag": "tagged {}",
    "author": "written by {}",
    "provider": "by {}",
    "locale": "in {}",
    "source": "in {}",
    "id": "with the id {}",
    "story": "in the story {}",
    "collection": "in the collection {}",
    "url": "at {}",
    "published_from": "from {}",
    "published_before": "before {}",
    "updated_from": "updated from {}",
    "updated_before": "updated before {}",
    "added_from": "added from {}",
    "added_before": "added before {}",
    "min_quality": "of quality {} or more",
    "max_quality": "of quality {} or less",
    "min_heat": "of heat {} or more",
    "max_heat": "of heat {} or less",
    "has_image": ("with images", "without images"),
    "has_related": ("with related links", "without related links"),
    "published": "{}",
    "collapse": "folded to one of each {}",
}

# An order in words, where it is not the one that the query has without `sort`.
ORDER_IN_WORDS: Final[dict[str, str]] = {
    "relevance": "the most relevant first",
    "-publishedDateTime": "the newest first",
    "publishedDateTime": "the oldest first",
    "-updatedDateTime": "the last updated first",
    "updatedDateTime": "the last updated last",
    "-addedDateTime": "the last added first",
    "addedDateTime": "the last added last",
    "-quality": "the highest quality first",
    "quality": "the lowest quality first",
    "-heat": "the hottest first",
    "heat": "the coldest first",
    "title": "by title",
    "-title": "by title, the last first",
}


class Shape(BaseModel):
    # An import needs the names of the keys alone.
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", defer_build=True)


# A text with a format, for its documentation. A URL of a document may hold letters outside ASCII, so it is an
# IRI (RFC 3987) and not always a URI; that of an image is relative where the source has no base URL.
DateTime = Annotated[
    str, WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2020-06-11T00:07:00Z"]})
]
WebAddress = Annotated[str, WithJsonSchema({"type": "string", "format": "iri"})]
_ImageAddress = Annotated[str, WithJsonSchema({"type": "string", "format": "iri-reference"})]

_NUMBER = "a whole number of the curator's own, {} is {}; real trees go from -1 to some 300"
# These keys mean the same of an article and of a related link.
Excerpt = Annotated[str | None, Field(description="A few sentences of it", examples=["The helicopter flew."])]
TypeName = Annotated[
    str | None, Field(description="What kind of article it is, in the curator's words", examples=["video"])
]
Quality = Annotated[
    int | None,
    Field(description=f"How good it is: {_NUMBER.format('higher', 'better')}", examples=[106]),
]
Heat = Annotated[
    int | None,
    Field(description=f"How much it is talked about: {_NUMBER.format('higher', 'hotter')}", examples=[180]),
]
PublishedAt = Annotated[DateTime | None, Field(description="When it was published, in UTC")]
UpdatedAt = Annotated[DateTime | None, Field(description="When its publisher last updated it, in UTC")]
WebUrl = Annotated[
    WebAddress | None,
    Field(
        description="Where it is read; `originalUrl` where the document has no other",
        examples=["https://nasa.gov/a"],
    ),
]
OriginalUrl = Annotated[
    WebAddress | None,
    Field(description="Where it was found", examples=["https://nasa.gov/a?utm_source=mail"]),
]
AmpWebUrl = Annotated[
    WebAddress | None, Field(description="Its AMP page", examples=["https://nasa.gov/amp/a"])
]
CdnAmpWebUrl = Annotated[
    WebAddress | None,
    Field(description="Its AMP page on a cache", examples=["https://nasa-gov.cdn.ampproject.org/c/a"]),
]


class ImageItem(Shape):
    """A picture, as its document says; nobody has looked at it."""

    url: _ImageAddress = Field(
        description="Where it is; relative as written where its source has no base URL",
        examples=["https://images.example.org/mars.jpg"],
    )
    width: int | None = Field(description="In pixels", examples=[1600])
    height: int | None = Field(description="In pixels", examples=[900])
    title: str | None = Field(description="What it shows, for those who do not see it", examples=["Mars"])
    attribution: str | None = Field(description="Whom to name beside it", examples=["NASA/JPL-Caltech"])
    is_cached: bool | None = Field(description="Whether the curator says that it is kept on a cache")


class ProviderItem(Shape):
    """Who published an article. Known by its domain; by its name where there is none."""

    name: str | None = Field(description="As the document spells it", examples=["NASA"])
    domain: str | None = Field(
        description="In lower case and without `www.`; `/providers/{domain}` tells more",
        examples=["nasa.gov"],
    )
    images: list[ImageItem] = Field(description="Its logos, as the document has them")


class StoryReference(Shape):
    """A story that an article is part of; `/stories/{id}` has all of it."""

    id: str = Field(description="The id of its lead", examples=["7vw7jsxe5x2cdyeibrxh"])
    size: int = Field(ge=2, description="How many articles and links it has", examples=[3])


class ArticleItem(Shape):
    """An article as it is stored, and as files have it. What is not known is null or empty."""

    # The order is also that of the CSV's columns.

    # A key whose value is the document's own has the name of the document's attribute.
    id: str = Field(
        pattern="^[a-z0-9]{1,40}$",
        description="Made of source and path alone: the same on every machine, and for ever",
        examples=["7vw7jsxe5x2cdyeibrxh"],
    )
    source: str = Field(description="The tree of documents that it comes from", examples=["seeds"])
    path: str = Field(
        description="The file of its document, from the root of the source",
        examples=["news/2021-04-19-ingenuity.md"],
    )
    title: str = Field(description="Never blank, and in one line", examples=["Ingenuity flies"])
    excerpt: Excerpt
    type: TypeName
    category: str | None = Field(description="A division of the curator's own", examples=["news"])
    locale: str | None = Field(description="Its language, as the document writes it", examples=["en-us"])
    published: bool = Field(description="The curator's yes; only editors see what is not published")
    quality: Quality
    heat: Heat
    published_date_time: PublishedAt
    updated_date_time: UpdatedAt
    added_date_time: DateTime = Field(
        description="When it was filed, in UTC: as the document says, else when an import first took it"
    )
    web_url: WebUrl
    original_url: OriginalUrl
    amp_web_url: AmpWebUrl
    cdn_amp_web_url: CdnAmpWebUrl
    provider: ProviderItem = Field(description="Who published it")
    authors: list[str] = Field(description="Who wrote it, each once", examples=[["Ada Lovelace"]])
    topics: list[str] = Field(
        description="What it is filed under, as the document spells it and in its order; of a topic one name",
        examples=[["Mars", "AI"]],
    )
    topic_ids: list[str] = Field(
        description="The ids of `topics`, in their order, for `/topics/{id}` and `topic=`",
        examples=[["mars", "artificial-intelligence"]],
    )
    tags: list[str] = Field(description="Words it may be found by, each once", examples=[["helicopter"]])
    images: list[ImageItem] = Field(description="Its pictures, the first one first")
    related_count: int = Field(ge=0, description="How many related links it has", examples=[3])
    story: StoryReference | None = Field(description="The story that it is part of, if any")


# The keys of an article in lists, in their order.
ITEM_KEYS: Final = tuple(str(field.alias) for field in ArticleItem.model_fields.values())
