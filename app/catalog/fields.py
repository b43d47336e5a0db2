"""What an article is filtered by, and the keys it has in every answer. Each of these facts stands here alone.

The rest is made from them or checked against them by tests: clauses, conditions, facets, the terms that an
import files an article under, its JSON, the `fields` parameter, the columns of exports, the API's models.
"""

from enum import IntEnum
from typing import Final, Literal, get_args

# A value of a field is a term. The clause of ArticleQuery that asks for it has the field's name.
FieldName = Literal[
    "topic",
    "provider",
    "type",
    "category",
    "tag",
    "locale",
    "source",
]
FIELDS: Final[tuple[FieldName, ...]] = get_args(FieldName)
# An article may have several terms of these, so their counts do not sum to the articles that have any.
MANY_VALUED: Final = frozenset({"topic", "tag"})
# The terms of these fields are the texts of one attribute of the document: a text, None, or a tuple of texts.
# A topic, a provider and a source are more than their text.
ATTRIBUTE_OF_FIELD: Final[dict[FieldName, str]] = {
    "type": "type",
    "category": "category",
    "locale": "locale",
    "tag": "tags",
}


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

    @classmethod
    def term_of(cls, field: str) -> "Has":
        return cls[field.upper()]


# The keys of an article in lists, in their order. A key whose value is the document's own has the name of the
# document's attribute:  publishedDateTime <- published_date_time
ITEM_KEYS: Final = (
    "id",
    "source",
    "path",
    "title",
    "excerpt",
    "type",
    "category",
    "locale",
    "published",
    "quality",
    "heat",
    "publishedDateTime",
    "updatedDateTime",
    "webUrl",
    "originalUrl",
    "ampWebUrl",
    "cdnAmpWebUrl",
    "provider",
    "topics",
    "tags",
    "images",
    "relatedCount",
)
