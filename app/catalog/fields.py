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
    "collapse": "one of each {}",
}


class Shape(BaseModel):
    # An import needs the names of the keys alone.
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", defer_build=True)


class ImageItem(Shape):
    url: str = Field(examples=["https://images.example.org/mars.jpg"])
    width: int | None
    height: int | None
    title: str | None
    attribution: str | None
    is_cached: bool | None


class ProviderItem(Shape):
    name: str | None = Field(examples=["NASA"])
    domain: str | None = Field(examples=["nasa.gov"])
    images: list[ImageItem]


class StoryReference(Shape):
    id: str
    size: int = Field(examples=[3])


class ArticleItem(Shape):
    """An article as lists show it. What is not known is null or empty."""

    # The order is also that of the CSV's columns.

    # A key whose value is the document's own has the name of the document's attribute.
    id: str = Field(pattern="^[a-z0-9]{1,40}$")
    source: str = Field(examples=["seeds"])
    path: str
    title: str
    excerpt: str | None
    type: str | None = Field(examples=["article"])
    category: str | None = Field(examples=["news"])
    locale: str | None = Field(examples=["en-us"])
    published: bool
    quality: int | None
    heat: int | None
    published_date_time: str | None = Field(examples=["2020-06-11T00:07:00Z"])
    updated_date_time: str | None
    added_date_time: str
    web_url: str | None
    original_url: str | None
    amp_web_url: str | None
    cdn_amp_web_url: str | None
    provider: ProviderItem
    authors: list[str] = Field(examples=[["Ada Lovelace"]])
    topics: list[str]
    tags: list[str]
    images: list[ImageItem]
    related_count: int
    story: StoryReference | None


# The keys of an article in lists, in their order.
ITEM_KEYS: Final = tuple(str(field.alias) for field in ArticleItem.model_fields.values())
