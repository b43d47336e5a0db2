"""Whatever state the database is in, commands say so in one line, and the service answers what it can."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import inspect, make_url
from starlette.testclient import TestClient

from app.catalog.state import KNOWN_SECONDS
from app.cli import main
from app.database.engines import exclusive, writing_engine
from app.database_urls import without_secrets
from app.errors import ImportRefused
from app.web.http.outage import QUIET_SECONDS
from tests.support.databases import drop_postgresql, new_postgresql_url
from tests.support.logs import noted
from tests.support.services import service_of
from tests.support.worlds import World, write_document

COMMANDS = (["import", "news"], ["migrate"], ["serve"], ["export"])
SECRET = "geheim"
ANYWHERE = "0.0.0.0"  # noqa: S104  as in a container


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "news").mkdir(exist_ok=True)
    write_document(tmp_path, "news/a.md", "title: A")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path


def said_by(
    arguments: list[str], url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The one line of a command that could not do it."""
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", url)
    monkeypatch.setattr(sys, "argv", ["clippings", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (3, ""), (arguments, url)
    [line] = printed.err.splitlines()
    assert line.startswith("clippings: "), line
    assert SECRET not in line
    return line


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite://x.db", "three slashes"),
        ("sqlite:///x.db?timeout=soon", "is not a database URL"),
        ("sqlite:///x.db?foo=bar", "is not a database URL"),
        ("postgres://", "must name a database"),
        (f"postgresql://u:{SECRET}@127.0.0.1:99999/x", "is not a database URL"),
        (f"postgresql://u:p@{SECRET}@127.0.0.1:1/x", "is not a database URL"),
        (f"postgresql+pg8000://u:{SECRET}@127.0.0.1/x", "must begin with"),
        (f"postgresql://u:{SECRET}@127.0.0.1/x?sslmode=maybe", "is not a database URL"),
        ("sqlite:///news", "it is a folder"),
        ("sqlite:///nowhere/x.db", "its folder is not there"),
        ("sqlite:///news/a.md", "is not a database"),
    ],
)
def test_a_database_that_cannot_be_is_one_line_of_each_command(
    folder: Path, url: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in COMMANDS:
        if "sslmode" in url and arguments == ["serve"]:
            continue  # It waits for a server that may come up.
        line = said_by(arguments, url, monkeypatch, capsys)
        assert words in line or "sslmode" in line
        # An URL that cannot be understood may be a password, all of it.
        assert line.endswith(f" (CLIPPINGS_DATABASE_URL: {url})") == (
            "sqlite:///news" in url or "nowhere" in url
        )
    assert sorted(path.name for path in folder.iterdir()) == ["news"]


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["UPDATE alembic_version SET version_num = '9999'"], "a newer version of Clippings"),
        (["UPDATE alembic_version SET version_num = '9999'", "DROP TABLE catalogue"], "another program's"),
        (["INSERT INTO alembic_version VALUES ('9999')"], "a newer version of Clippings"),
    ],
)
def test_a_schema_that_is_not_ours_is_one_line_of_each_command(
    world: World,
    folder: Path,
    statements: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.import_()
    with world.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    url = world.engine.url.render_as_string(hide_password=False)
    for arguments in COMMANDS:
        assert words in said_by(arguments, url, monkeypatch, capsys)


@pytest.mark.parametrize("table", ["articles", "orders"])
def test_another_programs_table_is_one_line_of_each_command(
    world_without_catalogue: World,
    folder: Path,
    table: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with world_without_catalogue.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {table} (id int, body text)")
    url = world_without_catalogue.engine.url.render_as_string(hide_password=False)
    for arguments in COMMANDS:
        assert f"another program's table '{table}'" in said_by(arguments, url, monkeypatch, capsys)
    assert inspect(world_without_catalogue.engine).get_table_names() == [table]


def test_a_table_of_an_extension_and_one_of_another_schema_are_no_other_programs(
    world_without_catalogue: World, folder: Path
) -> None:
    if world_without_catalogue.engine.dialect.name == "sqlite":
        pytest.skip("has neither")
    with world_without_catalogue.engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA shop")
        connection.exec_driver_sql("CREATE TABLE shop.orders (id int)")
        # Extensions with tables, as PostGIS, are not installed everywhere; any may have one.
        connection.exec_driver_sql("CREATE TABLE spatial_ref_sys (srid int)")
        connection.exec_driver_sql("ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys")
    assert world_without_catalogue.import_().created == 1


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text_is_one_line_of_each_command(
    folder: Path, encoding: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = new_postgresql_url()
    name = f"clippings_test_{uuid4().hex}"
    options = f"TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'"
    with psycopg.connect(beside, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {options}".encode())
    url = make_url(beside).set(database=name).render_as_string(hide_password=False)
    for arguments in COMMANDS:
        assert f"is in {encoding}" in said_by(arguments, url, monkeypatch, capsys)
    drop_postgresql(url)
    drop_postgresql(beside)


def test_without_a_catalogue_an_export_says_so_and_makes_none(
    folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    for arguments in (["export"], ["stats"], ["sources"]):
        line = said_by(arguments, database_url, monkeypatch, capsys)
        assert "`clippings import PATH...` makes one" in line
        assert f"(CLIPPINGS_DATABASE_URL: {without_secrets(database_url)})" in line
    assert sorted(folder.iterdir()) == before


def test_an_import_does_not_wait_for_another_for_ever(world: World) -> None:
    other = writing_engine(world.engine.url.render_as_string(hide_password=False), wait_seconds=0.1)
    world.write("a.md", "title: A")
    world.import_()
    with exclusive(world.engine):
        waiting = World(world.root, other)
        with pytest.raises(ImportRefused, match=r"Another import is under way for over 0\.1 s"):
            waiting.import_()
    assert waiting.import_().revision == 1
    other.dispose()


def test_the_service_starts_beside_an_import_and_says_what_it_serves(folder: Path) -> None:
    world = World(folder / "news", writing_engine(f"sqlite:///{folder}/clippings.db"))
    world.import_()
    with sqlite3.connect("clippings.db", isolation_level=None) as importing:
        importing.execute("BEGIN IMMEDIATE")
        assert "sqlite:///clippings.db has 1 article at revision 1" in beginning_of_serve()
    importing.close()
    world.engine.dispose()


def test_the_service_starts_without_a_catalogue_and_makes_none(folder: Path) -> None:
    assert re.search("WARNING .* has no catalogue yet", beginning_of_serve())
    assert [path.name for path in folder.iterdir()] == ["news"]


@pytest.mark.parametrize("workers", [1, 2])
def test_port_0_is_any_port_that_is_free(folder: Path, workers: int) -> None:
    [port] = re.findall(r"running on http://127\.0\.0\.1:(\d+)", beginning_of_serve(workers))
    assert int(port) > 0


@pytest.mark.parametrize(
    ("host", "settings", "words"),
    [
        ("127.0.0.1", {}, None),
        ("127.0.0.1", {"PUBLIC_URL": "https://example.org"}, None),
        (ANYWHERE, {"PUBLIC_URL": "https://example.org/news"}, None),
        (ANYWHERE, {}, "CLIPPINGS_PUBLIC_URL is not set, so feeds name 127.0.0.1"),
        (ANYWHERE, {"PUBLIC_URL": "http://localhost:8000"}, "which is this machine for everybody"),
        (ANYWHERE, {"PUBLIC_URL": "https://example.org", "SHOW_UNPUBLISHED": "true"}, "Everybody who"),
        ("127.0.0.1", {"SHOW_UNPUBLISHED": "true"}, None),
        ("127.0.0.1", {"EDITOR_TOKEN": "geheim"}, "can be guessed"),
        ("127.0.0.1", {"EDITOR_TOKEN": "0123456789abcdef"}, None),
        ("127.0.0.1", {"PUBLIC_URI": "x"}, "CLIPPINGS_PUBLIC_URI is no setting"),
    ],
)
def test_what_an_operator_gets_wrong_is_said_at_the_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch, host: str, settings: dict[str, str], words: str | None
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"CLIPPINGS_{name}", value)
    said = beginning_of_serve(host=host)
    warnings = [line for line in said.splitlines() if " WARNING " in line or "is no setting" in line]
    warnings = [line for line in warnings if "has no catalogue yet" not in line]
    assert len(warnings) == (words is not None), said
    assert all(words and words in warning and SECRET not in warning for warning in warnings)


def test_that_nobody_can_see_what_is_unpublished_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_document(folder, "news/b.md", "title: B\npublished: false")
    world = World(folder / "news", writing_engine(f"sqlite:///{folder}/clippings.db"))
    world.import_()
    world.engine.dispose()
    said = beginning_of_serve()
    assert "has 2 articles (1 of them not published) at revision 1" in said
    assert "1 article is not published, and nobody can see it here: set CLIPPINGS_EDITOR_TOKEN" in said
    monkeypatch.setenv("CLIPPINGS_EDITOR_TOKEN", "0123456789abcdef")
    assert " WARNING " not in beginning_of_serve()


def test_an_address_in_use_is_said_in_a_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 3
    assert f"clippings: cannot listen on 127.0.0.1:{port}: Address already in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def beginning_of_serve(workers: int = 1, host: str = "127.0.0.1") -> str:
    """What `serve` prints until it listens."""
    environment = {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name}
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--workers", str(workers)]
    command += ["--host", host]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stderr
        lines = []
        for line in server.stderr:
            lines.append(line)
            if "Started" in line:
                break
        server.terminate()
        lines += server.stderr.readlines()
    assert "Traceback" not in "".join(lines)
    assert server.returncode == 0
    return "".join(lines)


@pytest.fixture
def empty(world_without_catalogue: World) -> Iterator[TestClient]:
    with service_of(world_without_catalogue) as client:
        yield client


def test_until_there_is_a_catalogue_all_but_documentation_says_what_to_do(
    empty: TestClient, world_without_catalogue: World, caplog: pytest.LogCaptureFixture
) -> None:
    world = world_without_catalogue
    world.write("a.md", "title: A")
    before = sorted(world.root.parent.iterdir())
    paths = [path.replace("{", "").replace("}", "") for path in empty.get("/openapi.json").json()["paths"]]
    for path in (*paths, "/nowhere"):
        if path in ("/health/live", "/metrics"):
            continue
        answer = empty.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), path
        assert "clippings import" in answer.json()["detail"]
    for path in ("/docs", "/docs/docs.js", "/openapi.json", "/health/live", "/metrics"):
        assert empty.get(path).status_code == 200
    assert sorted(world.root.parent.iterdir()) == before
    assert len(noted(caplog.records)) == 1
    world.import_()
    assert empty.get("/health/ready").status_code == 200
    assert empty.get("/articles").json()["total"] == 1


def test_a_database_that_is_away_is_said_once_and_once_that_it_is_back(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    if world.engine.dialect.name == "sqlite":
        pytest.skip("has no server")
    world.import_()
    url = world.engine.url
    server = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)

    def allow(word: str) -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS {word}".encode())
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [url.database]
            )

    with service_of(world) as client:
        assert client.get("/articles").status_code == 200
        allow("false")
        # A state that was read just now is believed for a moment.
        time.sleep(2 * KNOWN_SECONDS["postgresql"])
        for _ in range(5):
            for path in ("/articles", "/health/ready", "/feeds/articles.rss"):
                away = client.get(path)
                assert (away.status_code, away.headers["Retry-After"]) == (503, "5")
        allow("true")
        time.sleep(QUIET_SECONDS)
        for _ in range(3):
            assert client.get("/topics").status_code == 200
    said = noted(caplog.records)
    assert not [record for record in said if record.exc_info]
    gone, back = [record.getMessage() for record in said]
    assert "cannot be read" in gone
    assert "again" in back
