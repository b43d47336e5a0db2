"""The real service over a world's catalogue, asked as its clients ask. Knows no pytest."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.support.worlds import World

TOKEN = "an-editors-token"
EDITOR = {"Authorization": f"Bearer {TOKEN}"}


@contextmanager
def service_of(world: World, **settings: Any) -> Iterator[TestClient]:
    url = world.engine.url.render_as_string(hide_password=False)
    options: dict[str, Any] = {"editor_token": TOKEN, **settings}
    with TestClient(create_app(Settings(database_url=url, **options))) as client:
        yield client


def answer(client: TestClient, url: str, headers: dict[str, str] | None = None) -> Any:
    found = client.get(url, headers=headers)
    assert found.status_code == 200, f"{url}: {found.text}"
    return found.json()


def encoded(query: str) -> str:
    """A query as people read it, `topic=C++ & type=video`, as clients send it."""
    pairs = [part.partition("=") for part in query.split(" & ") if part]
    return urlencode([(name, value) for name, _, value in pairs], quote_via=quote)


def walk(
    client: TestClient, url: str | None, headers: dict[str, str] | None = None, by: str = "next"
) -> list[Any]:
    """The pages from here on, as `next` or `prev` leads."""
    pages = []
    while url:
        pages.append(answer(client, url, headers))
        url = pages[-1][by]
    return pages


def id_of(client: TestClient, title: str) -> str:
    """The id of the article with this title, published or not."""
    items = answer(client, "/articles?published=any", EDITOR)["items"]
    return str(next(item["id"] for item in items if item["title"] == title))
