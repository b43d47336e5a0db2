"""All articles of a query, one after the other, from one snapshot and in constant memory."""

from collections.abc import Iterator

from sqlalchemy import Connection

from app.catalog.filters import matching
from app.catalog.paging import BEGINNING, read_page
from app.catalog.query import ArticleQuery
from app.catalog.tables import articles
from app.database import renew_deadline

# Some 1 MB of items in memory at once.
_AT_ONCE = 500


def all_items(connection: Connection, query: ArticleQuery) -> Iterator[str]:
    """Articles as lists show them, in the query's order."""
    listing = matching(connection, query).listing(connection, articles.c.item)
    place = BEGINNING
    while True:
        renew_deadline(connection)
        page = read_page(connection, listing, _AT_ONCE, place)
        for row in page.rows:
            yield row.item
        if page.next is None:
            return
        place = page.next
