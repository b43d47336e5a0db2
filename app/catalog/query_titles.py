"""A query as a title in words, topics and providers by their names, stories and collections by their titles.

Knows no feed and no page.
"""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Final

from sqlalchemy import Connection, select

from app.catalog.audience import Published, name_of
from app.catalog.fields import ORDER_IN_WORDS, FieldName
from app.catalog.query import ArticleQuery
from app.catalog.related import find_article
from app.catalog.stories import find_story
from app.catalog.tables import terms
from app.catalog.terms import find_terms

# The values of these may be ids and domains; those of other fields are what they are called.
_FIELDS_WITH_NAMES: Final[tuple[FieldName, ...]] = ("topic", "provider")
# Each name is a question to the database, and nobody reads a longer title; further values stand as asked.
MAX_NAMES: Final = 50
# A name may have 65,536 characters.
MAX_NAME_CHARACTERS: Final = 100


def title_of(connection: Connection, query: ArticleQuery) -> str:
    """Every filter, and the order where it is not the usual one, by the names that the asker may see.

    "Articles about Artificial Intelligence by NASA from 2020-01-01, the last added first"
    """
    words = " ".join(["Articles", *query.in_words(names_in(connection, query))])
    is_usual = query.order == query.default_order
    return words if is_usual else f"{words}, {ORDER_IN_WORDS[query.order]}"


def names_in(connection: Connection, query: ArticleQuery) -> Mapping[tuple[str, str], str]:
    """The names by field and value. A value that means several terms, or none, is called as it was asked."""
    values = (
        (field, value)
        for field in _FIELDS_WITH_NAMES
        for clause in getattr(query, field)
        for value in clause.values
    )
    names: dict[tuple[str, str], str] = {}
    for field, value in islice(values, MAX_NAMES):
        found_terms = list(find_terms(connection, field, value, query.published))
        if len(found_terms) == 1:
            shown = select(name_of(terms, query.published)).where(terms.c.id == found_terms[0].id)
            if name := connection.scalars(shown).one():
                names[field, value] = _shortened(name)
    for kind in ("story", "collection"):
        ids = (value for clause in getattr(query, kind) for value in clause.values)
        for id_ in islice(ids, MAX_NAMES):
            if title := _title_of_article(connection, kind, id_, query.published):
                names[kind, id_] = f"“{_shortened(title)}”"
    return names


def _title_of_article(connection: Connection, kind: str, id_: str, published: Published) -> str | None:
    """A collection's title, or that of a story's lead, as far as the asker may see it."""
    if kind == "story":
        story = find_story(connection, id_, published)
        if story is None:
            return None
        id_ = story.public_id
    article = find_article(connection, id_, sees_all=published != "true")
    return str(json.loads(article.item)["title"]) if article else None


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME_CHARACTERS else name[: MAX_NAME_CHARACTERS - 1] + "…"
