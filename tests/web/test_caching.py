"""What caches in front are told, and that an import tells them to forget."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from app.cli import main
from app.errors import SettingsError
from app.settings import Settings
from tests.support.services import EDITOR, TOKEN, service_of
from tests.support.worlds import World

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def clients(shared_world: World) -> Iterator[dict[int, TestClient]]:
    """Witnesses by how long their services let caches keep an answer."""
    shared_world.write("a.md", "title: A")
    shared_world.import_()
    with service_of(shared_world) as first, service_of(shared_world, max_age=60) as second:
        yield {0: first, 60: second}


@pytest.mark.parametrize(
    ("max_age", "path", "headers", "caching"),
    [
        (0, "/articles", {}, "public, no-cache"),
        (60, "/articles", {}, "public, max-age=60, stale-while-revalidate=60"),
        (60, "/articles", {"If-None-Match": "*"}, "public, max-age=60, stale-while-revalidate=60"),
        (60, "/feeds/articles.rss", {}, "public, max-age=60, stale-while-revalidate=60"),
        (60, "/exports/articles.csv", {}, "public, max-age=60, stale-while-revalidate=60"),
        (60, "/articles", EDITOR, "private, no-cache"),
        (60, "/nowhere", {}, "no-store"),
        (60, "/articles?limit=0", {}, "no-store"),
        (60, "/articles?published=any", {}, "no-store"),
        (60, "/health/ready", {}, "no-store"),
        (60, "/metrics", {}, "no-store"),
        (60, "/", BROWSER, "public, max-age=60, stale-while-revalidate=60"),
        (60, "/", {**BROWSER, "Cookie": "theme=dark"}, "public, max-age=60, stale-while-revalidate=60"),
        (0, "/view/topics", BROWSER, "public, no-cache"),
        (60, "/view/sign-in", BROWSER, "no-store"),
        (60, "/view/nowhere", BROWSER, "no-store"),
        (60, "/?limit=0", BROWSER, "no-store"),
        (60, "/?published=any", BROWSER, "no-store"),
        (60, "/?published=any", {**BROWSER, **EDITOR}, "private, no-cache"),
    ],
)
def test_caches_are_told_how_long_and_by_which_name(
    shared_world: World,
    clients: dict[int, TestClient],
    max_age: int,
    path: str,
    headers: dict[str, str],
    caching: str,
) -> None:
    [[identity]] = shared_world.query("SELECT identity FROM catalogue")
    for _ in range(3):
        answer = clients[max_age].get(path, headers=headers)
        assert answer.headers["Cache-Control"] == caching
        is_named = caching.startswith("public")
        for name in ("Cache-Tag", "Surrogate-Key"):
            assert answer.headers.get(name) == (f"clippings-{identity}" if is_named else None)


def test_a_page_of_somebody_who_signed_in_is_kept_by_nobody_else(world: World) -> None:
    world.write("a.md", "title: A")
    world.import_()
    with service_of(world, max_age=60) as client:
        signed = client.post("/view/sign-in", data={"token": TOKEN}, follow_redirects=False)
        assert (signed.status_code, signed.headers["Cache-Control"]) == (303, "no-store")
        for _ in range(3):
            page = client.get("/", headers=BROWSER)
            assert "signed in" in page.text
            assert page.headers["Cache-Control"] == "private, no-cache"
            assert "Cookie" in page.headers["Vary"]
            assert "Cache-Tag" not in page.headers
            # The API knows no cookies.
            assert client.get("/articles").headers["Cache-Control"].startswith("public, max-age=60")
            assert client.get("/?limit=0", headers=BROWSER).headers["Cache-Control"] == "no-store"


@contextmanager
def cache(status: int = 200) -> Iterator[tuple[str, list[tuple[str, str, dict[str, str]]]]]:
    """Its URL, and what it was asked."""
    asked: list[tuple[str, str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PURGE(self) -> None:
            asked.append((self.command, self.path, dict(self.headers)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://me:geheim@127.0.0.1:{server.server_port}/purge?all=1", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def import_by_command(
    world: World, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", world.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CLIPPINGS_PURGE_URL", url)
    monkeypatch.setattr("sys.argv", ["clippings", "import", str(world.root)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(str(ended.value.code)), capsys.readouterr().err


def test_an_import_that_makes_a_revision_empties_the_cache_once(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.write("a.md", "title: A")
    with cache() as (url, asked):
        assert import_by_command(world, url, monkeypatch, capsys) == (0, "")
        assert import_by_command(world, url, monkeypatch, capsys) == (0, "")
        world.write("a.md", "title: B")
        assert import_by_command(world, url, monkeypatch, capsys) == (0, "")
    [[identity]] = world.query("SELECT identity FROM catalogue")
    assert [headers["Catalogue-Revision"] for *_, headers in asked] == ["1", "2"]
    for method, path, headers in asked:
        assert (method, path) == ("PURGE", "/purge?all=1")
        assert headers["Surrogate-Key"] == headers["Cache-Tag"] == f"clippings-{identity}"
        assert headers["Authorization"] == "Basic bWU6Z2VoZWlt"


def test_a_cache_that_cannot_be_emptied_is_a_warning(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world.write("a.md", "title: A")
    with cache(status=403) as (url, _):
        status, said = import_by_command(world, url, monkeypatch, capsys)
    assert status == 0
    assert "was not emptied: it answered 403 Forbidden" in said
    world.write("a.md", "title: B")
    with socket.socket() as held:
        # Who only holds the port refuses, and nobody else gets it meanwhile.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", urlsplit(url).port))
        status, said = import_by_command(world, url, monkeypatch, capsys)
    assert status == 0
    assert "Connection refused" in said
    assert "geheim" not in said
    assert world.titles() == ["B"]


@pytest.mark.parametrize("url", ["varnish:6081", "ftp://x/", "http://", "http://x/a b"])
def test_a_purge_url_that_is_none_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPPINGS_PURGE_URL", url)
    with pytest.raises(SettingsError, match="CLIPPINGS_PURGE_URL: must be an absolute URL"):
        Settings.read()
