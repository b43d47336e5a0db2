"""Items with the keys that a request names, long ones included. Knows no HTTP.

`content`, `contentHtml`, `details` and `related` stand in no stored item, so they are read and made for each
article that is asked for them. An item is made when it is taken, so whoever takes one after the other can
stop before they become too many.

    for item in items_with_keys(connection, rows, "id,title,content", sees_all=False):
        item.text                    # {"id":"…","title":"…","content":"…"}
    list(within_page(items))         # the texts of as many as one answer should have
"""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator
from sqlalchemy import Connection, Row, Select, bindparam, select

from app.catalog.audience import Published
from app.catalog.collections import details_with_missing_items
from app.catalog.content_html import MAX_MARKDOWN_CHARACTERS, content_html
from app.catalog.fields import ITEM_KEYS
from app.catalog.paging import read_unpaged
from app.catalog.related import link_item, related_links_of
from app.catalog.tables import articles, contents, sources
from app.database.snapshots import restart_clock
from app.database.statements import statement
from app.printable import compact_json

# A single article has these besides the keys of its item.
LONG_KEYS: Final = ("content", "contentHtml", "details", "related")
_NAMEABLE_KEYS: Final = frozenset((*ITEM_KEYS, *LONG_KEYS))
_KEYS_OF_CONTENTS: Final = frozenset({"content", "contentHtml", "details"})

# The contract's 8 MB, of which the page's own links need up to 60 kB. A process may hold several such pages.
MAX_PAGE_BYTES: Final = 8_000_000
_MAX_ITEM_BYTES: Final = MAX_PAGE_BYTES - 100_000
# Reading Markdown takes up to 15 µs a character, so a page of the worst takes 5 s. The limit is not a time,
# because equal questions of one revision must get equal answers.
MAX_PAGE_MARKDOWN_CHARACTERS: Final = 250_000


class ItemText(NamedTuple):
    """An item as JSON, and how many characters were read as Markdown for it."""

    text: str
    markdown_characters: int = 0


def check_keys(text: str) -> str:
    unknown = [key for key in text.split(",") if key not in _NAMEABLE_KEYS]
    if unknown:
        keys = f"{', '.join(ITEM_KEYS)}, and the long ones {', '.join(LONG_KEYS)}"
        raise ValueError(f"must not name {unknown[0] or 'nothing'}; an article has {keys}")
    return text


# The value of the parameter `fields`:  id,title,contentHtml
Fields = Annotated[str, AfterValidator(check_keys)]


def has_long_keys(fields: str | None) -> bool:
    return fields is not None and not set(fields.split(",")).isdisjoint(LONG_KEYS)


def items_with_keys(
    connection: Connection, rows: Iterable[Row[Any]], fields: str, *, sees_all: bool
) -> Iterator[ItemText]:
    """The items of rows with `id` and `item`, with the keys of `fields` alone, in that order.

    `sees_all` is an editor's: related links then lead to hidden articles too.
    """
    keys = tuple(dict.fromkeys(fields.split(",")))
    long_keys = set(keys) & set(LONG_KEYS)
    for row in rows:
        article = json.loads(row.item)
        long_values, characters = (
            _long_values(connection, row.id, long_keys, sees_all=sees_all) if long_keys else ({}, 0)
        )
        members = [f'"{key}":{long_values.get(key) or compact_json(article[key])}' for key in keys]
        yield ItemText(f"{{{','.join(members)}}}", characters)


def within_page(items: Iterable[ItemText]) -> Iterator[str]:
    """The first items, as many as one answer should have. One is always given, or a walk would not go on."""
    bytes_left, characters_left = _MAX_ITEM_BYTES, MAX_PAGE_MARKDOWN_CHARACTERS
    for number, item in enumerate(items):
        # A comma parts an item from the next.
        bytes_left -= len(item.text.encode()) + 1
        if number and bytes_left < 0:
            return
        yield item.text
        characters_left -= item.markdown_characters
        if bytes_left < 0 or characters_left < 0:
            return


def _long_values(
    connection: Connection, article_id: int, keys: set[str], *, sees_all: bool
) -> tuple[dict[str, str], int]:
    """Each key's value as JSON, and how many characters were read as Markdown."""
    # The articles before may have taken longer than a question may take.
    restart_clock(connection)
    values: dict[str, str] = {}
    characters = 0
    if keys & _KEYS_OF_CONTENTS:
        [row] = _contents(connection).rows({"article_id": article_id})
        published: Published = "any" if sees_all else "true"
        values["details"] = details_with_missing_items(connection, article_id, row.details, published)
        if "content" in keys:
            values["content"] = compact_json(row.content)
        if "contentHtml" in keys:
            values["contentHtml"] = compact_json(content_html(row.content, row.base_url))
            # A longer text is not read.
            characters = len(row.content) if len(row.content) <= MAX_MARKDOWN_CHARACTERS else 0
    if "related" in keys:
        links = read_unpaged(connection, related_links_of(article_id))
        values["related"] = f"[{','.join([link_item(link, sees_all=sees_all) for link in links])}]"
    return values, characters


@statement
def _contents() -> Select[Any]:
    rows = select(contents.c.content, contents.c.details, sources.c.base_url)
    rows = rows.join(articles, articles.c.id == contents.c.article_id)
    rows = rows.join(sources, sources.c.name == articles.c.source)
    return rows.where(contents.c.article_id == bindparam("article_id"))
