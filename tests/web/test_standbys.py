"""Nobody is told of an older revision than before, whichever database answers."""

import logging
import os
import random
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url
from starlette.testclient import TestClient

from app.catalog.databases import LOOK_NAME, Databases
from app.database import engines
from app.database.snapshots import Reader
from app.errors import DatabaseUnavailable, ServingFailed
from app.serving import check_standbys, ready_database
from app.settings import Settings
from tests.conftest import empty_database, empty_world
from tests.support.backups import backup, replace_tables, tables_of
from tests.support.random_examples import EXAMPLES
from tests.support.services import answer, service_of
from tests.support.standbys import Standby, away, standby_of
from tests.support.worlds import World
from tests.web.test_restored import wait_for_the_next_look

# Each answers from one revision, and is made in another way.
PATHS = ("/articles", "/topics", "/facets", "/changes", "/", "/feeds/articles.rss", "/exports/articles.csv")


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[World]:
    """Two articles of two topics and providers, in PostgreSQL at revision 1."""
    with empty_database("postgresql", tmp_path) as url, empty_world(tmp_path, url) as world:
        for name in "ab":
            world.write(f"{name}.md", f"title: {name}\ntopics: [{name}]\nprovider: {{domain: {name}.org}}")
        world.import_()
        yield world


def import_more(world: World, title: str) -> None:
    world.write(f"{title}.md", f"title: {title}")
    # Its idle connection may have been cut off.
    world.engine.dispose()
    world.import_()


@contextmanager
def service_with_standby(world: World, **settings: Any) -> Iterator[tuple[TestClient, Standby]]:
    with standby_of(world) as standby, service_beside(world, standby, **settings) as client:
        yield client, standby


def service_beside(world: World, standby: Standby, **settings: Any) -> Any:
    return service_of(world, read_database_url=standby.url, **settings)


def revision(client: TestClient, path: str = "/articles", minimum: int | None = None) -> int:
    """The answer's revision; 0 if no database could give one that is new enough."""
    headers = {} if minimum is None else {"Minimum-Revision": str(minimum)}
    response = client.get(path, headers=headers)
    if response.status_code == 503:
        assert response.headers["Retry-After"]
        return 0
    assert response.status_code == 200, response.text
    return int(response.headers["Catalogue-Revision"])


def test_the_standby_answers_until_somebody_was_told_more(primary: World) -> None:
    with service_with_standby(primary) as (client, standby):
        import_more(primary, "c")
        assert [revision(client, path) for path in PATHS] == [1] * len(PATHS)
        assert revision(client, minimum=2) == 2
        assert [revision(client, path) for path in PATHS] == [2] * len(PATHS)
        standby.follow()
        with away(primary.engine.url):
            assert [revision(client, f"{path}?limit=1") for path in ("/articles", "/topics")] == [2, 2]


def test_a_standby_that_is_behind_another_one_is_not_asked(
    primary: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The service takes this for a second standby behind the same name."""
    with service_with_standby(primary) as (client, standby):
        behind = tables_of(make_url(standby.url))
        import_more(primary, "c")
        standby.follow()
        assert revision(client) == 2
        replace_tables(make_url(standby.url), behind)
        wait_for_the_next_look(primary)
        assert [revision(client, path) for path in PATHS] == [2] * len(PATHS)
        with away(primary.engine.url):
            wait_for_the_next_look(primary)
            assert revision(client) == 2, "remembered"
            late = client.get("/articles?limit=1")
            assert (late.status_code, late.headers["Retry-After"]) == (503, "5"), "never 1"
            assert "nothing as new as what was told" in late.json()["detail"]
            assert client.get("/health/ready").status_code == 200
    assert [record.message for record in caplog.records if record.name.endswith("outage")] == []


def test_a_cursor_is_gone_on_with_in_its_revision_or_later(primary: World) -> None:
    restore = backup(primary)
    paths = ["/articles?limit=1", "/topics?limit=1", "/articles?q=a+OR+b&limit=1"]
    with standby_of(primary) as standby:
        import_more(primary, "c")
        with service_beside(primary, standby) as client:
            following = [client.get(path, headers={"Minimum-Revision": "2"}).json()["next"] for path in paths]
        with service_beside(primary, standby) as other, away(primary.engine.url):
            assert [revision(other, path) for path in paths] == [1, 1, 1]
            assert [revision(other, next_) for next_ in following] == [0, 0, 0]
        with service_beside(primary, standby) as other:
            assert [revision(other, next_) for next_ in following] == [2, 2, 2]
        restore()
        with service_beside(primary, standby) as other:
            for path, next_ in zip(paths, following, strict=True):
                gone = other.get(next_)
                assert (gone.status_code, gone.json()["first"]) == (410, path)


def test_a_copy_goes_on_in_its_revision_or_later(primary: World) -> None:
    restore = backup(primary)
    with standby_of(primary) as standby:
        import_more(primary, "c")
        with service_beside(primary, standby) as client:
            next_ = client.get("/changes?since=0", headers={"Minimum-Revision": "2"}).json()["next"]
        with service_beside(primary, standby) as other, away(primary.engine.url):
            assert revision(other, "/changes?since=0") == 1
            assert revision(other, next_) == 0
        with service_beside(primary, standby) as other:
            assert answer(other, next_)["items"] == []
        restore()
        import_more(primary, "d")
        with service_beside(primary, standby) as other:
            gone = other.get(next_)
            assert (gone.status_code, gone.json()["first"]) == (410, "/changes?since=0")
            again = answer(other, gone.json()["first"])
            assert again["revision"] == 2, "the floor is what the primary has said"


def test_links_and_feeds_stay_the_same_where_no_standby_is(primary: World) -> None:
    """Each import would else make another ETag of every list."""
    path, feed = "/articles?sort=title&limit=1", "/feeds/articles.rss?sort=title&limit=1"
    with service_with_standby(primary) as (beside, standby), service_of(primary) as client:
        links = [answer(each, path)["next"] for each in (client, beside)]
        feeds = [each.get(feed).content for each in (client, beside)]
        import_more(primary, "c")
        standby.follow()
        wait_for_the_next_look(primary)
        assert answer(client, path)["next"] == links[0]
        assert answer(beside, path)["next"] != links[1]
        assert [each.get(feed).content for each in (client, beside)] == feeds
        # A cursor is good at either service.
        assert revision(client, links[1]) == revision(beside, links[0]) == 2


def test_what_a_restored_backup_says_is_true(primary: World) -> None:
    restore = backup(primary)
    with service_with_standby(primary) as (client, standby):
        import_more(primary, "c")
        standby.follow()
        assert revision(client) == 2
        restore()
        wait_for_the_next_look(primary)
        assert revision(client, "/articles?limit=1") == 2, "the standby has not heard of it"
        standby.follow()
        wait_for_the_next_look(primary)
        assert [revision(client, path) for path in PATHS] == [1] * len(PATHS)
        assert revision(client, minimum=2) == 0


def test_while_an_import_runs_nothing_counts_as_undone(primary: World) -> None:
    """A standby may show a commit a moment before the primary; until then the import holds its lock."""
    restore = backup(primary)
    with service_with_standby(primary) as (client, standby):
        import_more(primary, "c")
        standby.follow()
        next_ = client.get("/articles?limit=1").json()["next"]
        restore()
        standby.follow()
        dsn = primary.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(dsn) as importing:
            importing.execute(f"SELECT pg_advisory_xact_lock({0x_C11_991_465})")
            assert revision(client, "/articles?limit=2") == 0
            assert revision(client, next_) == 0
        assert revision(client, "/articles?limit=2") == 1
        assert client.get(next_).status_code == 410


def test_the_primary_answers_while_the_standby_is_away(primary: World) -> None:
    with service_with_standby(primary) as (client, standby):
        assert revision(client) == 1
        with away(standby.url):
            import_more(primary, "c")
            assert [revision(client, path) for path in PATHS] == [2] * len(PATHS)
            assert client.get("/health/ready").status_code == 200
            with away(primary.engine.url):
                assert client.get("/health/ready").status_code == 503
                assert revision(client, "/articles?limit=1") == 0
        with away(primary.engine.url):
            assert client.get("/health/ready").status_code == 200


def test_a_standby_in_the_place_of_the_primary_is_named(primary: World) -> None:
    """Whoever asks for a later revision is not told that there is none, and nobody imports."""
    with standby_of(primary) as standby:
        dsn = primary.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE FUNCTION pg_is_in_recovery() RETURNS boolean RETURN true")
            database = connection.info.dbname
            connection.execute(f"ALTER DATABASE {database} SET search_path = public, pg_catalog".encode())
        with service_beside(primary, standby) as client:
            assert revision(client, minimum=1) == 1
            late = client.get("/articles", headers={"Minimum-Revision": "2"})
            assert (late.status_code, "Catalogue-Revision" in late.headers) == (503, False)
            assert "nothing as new as what was told" in late.json()["detail"]
        with pytest.raises(DatabaseUnavailable, match="leads to a standby, which takes no imports"):
            import_more(primary, "c")


def test_nobody_waits_for_a_primary_that_was_away(primary: World) -> None:
    """Its address takes connections and never says a word, as a pooler does without its server."""
    with standby_of(primary) as standby, socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = make_url(standby.url).set(host="127.0.0.1", port=port, query={})
        readers = Reader(url.render_as_string(hide_password=False)), Reader(standby.url, spreads=True)
        with Databases(*readers) as databases:
            known = databases.state_reading()
            behind = tables_of(make_url(standby.url))
            import_more(primary, "c")
            standby.follow()
            told = known()
            replace_tables(make_url(standby.url), behind)
            databases.primary.note_failure(seconds=0)
            wait_for_the_next_look(primary)
            while not (looking := [thread for thread in threading.enumerate() if thread.name == LOOK_NAME]):
                assert known() == told
            assert known() == told
            silent.accept()[0].close()
            looking[0].join()
            assert databases.primary.is_away()


def test_a_standby_that_hangs_holds_nobody_up(primary: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes stand still, and their sockets are open."""
    monkeypatch.setattr("app.database.silence.GRACE_SECONDS", 1.5 - engines.QUERY_SECONDS)
    monkeypatch.setattr("app.web.http.cache.QUERY_SECONDS", 0.2)
    with service_with_standby(primary) as (client, standby), ExitStack() as going_on:
        assert revision(client) == 1
        for process in processes_of(standby):
            os.kill(process, signal.SIGSTOP)
            going_on.callback(os.kill, process, signal.SIGCONT)
        for path in ("/health/live", "/openapi.json"):
            assert client.get(path).status_code == 200
        assert [revision(client, path) for path in PATHS] == [1] * len(PATHS)


def processes_of(standby: Standby) -> list[int]:
    url = make_url(standby.url).set(drivername="postgresql")
    with psycopg.connect(url.set(database="postgres").render_as_string(hide_password=False)) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
        return [pid for (pid,) in connection.execute(query, [url.database])]


def test_what_a_standby_cancels_is_asked_of_the_primary(primary: World) -> None:
    with standby_of(primary) as standby:
        dsn = make_url(standby.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                "CREATE FUNCTION cancel() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
                "'canceling statement due to conflict with recovery' USING ERRCODE = '40001'; END $$"
            )
            for table in ("articles", "terms", "changes"):
                connection.execute(f"ALTER TABLE {table} RENAME TO real_{table}".encode())
                view = f"CREATE VIEW {table} AS TABLE real_{table} WHERE cancel()"
                connection.execute(view.replace("TABLE", "SELECT * FROM").encode())
        import_more(primary, "c")
        with service_beside(primary, standby) as client:
            for path in PATHS:
                assert revision(client, path) == 2, path


def test_a_minimum_that_is_no_revision_is_named(world: World) -> None:
    world.import_()
    with service_of(world) as client:
        for value in ("x", "", "-1", "1.0", "1, 2", "2147483648", "9" * 5_000, "²", "0x1"):
            found = client.get("/articles", headers=[(b"Minimum-Revision", value.encode())])
            assert found.status_code == 422, value
            [error] = found.json()["errors"]
            assert error["parameter"] == "Minimum-Revision"
            assert "must be one whole number from 0 to 2147483647" in error["detail"]
        assert client.get("/docs", headers={"Minimum-Revision": "x"}).status_code == 200


def test_one_database_has_what_it_has(world: World) -> None:
    world.write("a.md", "title: A")
    world.import_()
    with service_of(world) as client:
        for _ in range(3):
            assert [revision(client, minimum=minimum) for minimum in (0, 1, 2)] == [1, 1, 0]
        late = client.get("/exports/articles.csv", headers={"Minimum-Revision": "2"})
        assert (late.status_code, late.headers["Catalogue-Revision"]) == (503, "1")
        assert late.headers["Cache-Control"] == "no-store"
        import_more(world, "b")
        assert [revision(client, path, 2) for path in PATHS] == [2] * len(PATHS)


def test_serve_says_which_standbys_there_are(primary: World, tmp_path: Path) -> None:
    with standby_of(primary) as standby:
        url = primary.engine.url.render_as_string(hide_password=False)
        contents = ready_database(Settings(database_url=url))
        assert check_standbys(standby.url, contents) == (logging.INFO, "answers questions, at revision 1")
        with away(standby.url):
            level, text = check_standbys(standby.url, contents)
            assert (level, "cannot be read, so the primary answers" in text) == (logging.WARNING, True)
    with empty_database("postgresql", tmp_path) as other_url:
        other = empty_world(tmp_path / "other", other_url)
        (tmp_path / "other").mkdir()
        with other as world:
            world.import_()
            with pytest.raises(ServingFailed, match="has another catalogue than CLIPPINGS_DATABASE_URL"):
                check_standbys(other_url, contents)


@pytest.mark.parametrize("seed", range(max(1, EXAMPLES // 100)))
def test_whatever_happens_nobody_goes_back(primary: World, seed: int) -> None:
    """Imports, a standby that follows or goes back, databases that are away: two services, one client."""
    choose = random.Random(seed)  # noqa: S311
    told = made = 1
    place: str | None = None
    with standby_of(primary) as standby, ExitStack() as services:
        clients = [services.enter_context(service_beside(primary, standby)) for _ in range(2)]
        told_by = [0, 0]
        states = [tables_of(make_url(standby.url))]
        for step in range(8):
            if choose.random() < 0.4:
                import_more(primary, f"n{step}")
                made += 1
                states.append(tables_of(primary.engine.url))
            if choose.random() < 0.5:
                replace_tables(make_url(standby.url), choose.choice(states))
            with ExitStack() as outages:
                if choose.random() < 0.3:
                    is_primary = choose.random() < 0.5
                    outages.enter_context(away(primary.engine.url if is_primary else standby.url))
                for number in choose.choices([0, 1], k=2):
                    path = choose.choice(["/articles?limit=1", "/articles", "/topics?limit=1"])
                    alone = revision(clients[number], path)
                    assert alone == 0 or told_by[number] <= alone <= made
                    told_by[number] = max(told_by[number], alone)
                    asked = revision(clients[number], path, minimum=told)
                    assert asked == 0 or told <= asked <= made
                    told_by[number], told = max(told_by[number], asked), max(told, asked)
                    if place:
                        following = revision(clients[number], place)
                        assert following == 0 or told <= following <= made
                        place = None
                    if asked:
                        listed = clients[number].get("/changes", headers={"Minimum-Revision": str(told)})
                        place = listed.json().get("next") if listed.status_code == 200 else None
                        told = max(told, int(listed.headers.get("Catalogue-Revision", 0)))
