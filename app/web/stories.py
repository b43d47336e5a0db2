"""/stories: what several articles and links tell of one event."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, NamedTuple, Self

from fastapi import APIRouter, Query
from pydantic import model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from app.catalog.audience import Published
from app.catalog.cursors import Cursor
from app.catalog.filters import matching
from app.catalog.paging import Page, Pageable
from app.catalog.query import ArticleQuery
from app.catalog.query import Query as AnyQuery
from app.catalog.rolling import with_fixed_dates
from app.catalog.stories import find_story, story_items, whole_story
from app.catalog.story_lists import count_stories, every_story
from app.web.http.problems import COMMON_PROBLEMS, not_found, problems
from app.web.http.routes import QueryRoute
from app.web.paging import Paged, page_of, page_response, with_cursor
from app.web.representations import StoryPage, WholeStory
from app.web.view import View, open_view

router = APIRouter(route_class=QueryRoute, tags=["stories"], responses=COMMON_PROBLEMS)


class StoryQuery(ArticleQuery, Paged):
    refused: ClassVar = frozenset({"sort", "collapse"})

    @property
    def is_bound_to_revision(self) -> bool:
        """False also with `q`: the order is that of the coverage."""
        return False

    @model_validator(mode="after")
    def _refuse_orders(self) -> Self:
        for name, value in (("sort", self.sort), ("collapse", self.collapse)):
            if value is not None:
                advice = "cannot be given here: stories come with the newest coverage first; leave it out"
                raise PydanticCustomError("order", advice, {"parameter": name})
        return self


@router.get("/stories", response_model=StoryPage, responses=problems(403))
def list_stories(request: Request, query: Annotated[StoryQuery, Query()]) -> Response:
    """Stories that have an article of the query, the newest coverage first."""
    query, cursor = with_cursor(query, "/stories")
    with open_view(request, query, cursor.told) as view:
        stories = read_stories(view, query, cursor)
        if query.depends_on_clock:
            query = with_fixed_dates(view.connection, query)
        return page_response(view, query, "/stories", stories.page, stories.items, stories.total)


class Stories(NamedTuple):
    """A page of stories; `items` are their JSON."""

    page: Page
    items: Sequence[str]
    total: int


def read_stories(view: View, query: StoryQuery, cursor: Cursor, *, address: str | None = None) -> Stories:
    """`address` is where the list is shown, if that is not /stories."""
    selection = matching(view.connection, query)
    listing: Pageable
    if selection.selects_all and query.published != "false":
        listing, total = every_story(query.published), count_stories(view.connection, query.published)
    else:
        listing = selection.stories()
        total = listing.count()
    page = page_of(view, query, cursor, listing, address=address)
    return Stories(page, story_items(view.connection, page.rows, query.published), total)


@router.get("/stories/{story_id}", response_model=WholeStory, responses=problems(403, 404))
def get_story(request: Request, story_id: str, query: Annotated[AnyQuery, Query()]) -> Response:
    """One story with its articles and links, oldest first. The id of any of its articles leads to it."""
    with open_view(request, query) as view:
        published = audience_of_story(view, query)
        row = find_story(view.connection, story_id, published)
        if row is None:
            raise not_found("There is no story with this id; /stories lists those there are.")
        return view.json(whole_story(view.connection, row, published).encode())


def audience_of_story(view: View, query: AnyQuery) -> Published:
    """Editors find single stories of whatever articles, as single articles, unless `published` says whose."""
    is_said = "published" in query.model_fields_set
    return "any" if view.asker.may_see_unpublished and not is_said else query.published
