"""Imports that meet take turns, in the order in which they came, and say for whom they wait."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import make_url, text

from app.database import engines
from app.database.engines import exclusive, writing_engine
from app.migrate import HEAD, upgrade
from app.serving import ready_database
from app.settings import Settings
from tests.support.services import answer, service_of
from tests.support.worlds import World

# Nothing here takes so long unless it hangs.
SECONDS = 30


def url_of(world: World) -> str:
    return world.engine.url.render_as_string(hide_password=False)


def waiting_for_the_lock(world: World) -> int:
    """The number of imports that wait, as PostgreSQL knows it."""
    [[count]] = world.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    return int(count)


def test_imports_that_wait_get_their_turn_in_the_order_in_which_they_came(world: World) -> None:
    if world.engine.dialect.name == "sqlite":
        pytest.skip("keeps no queue")
    turns: list[int] = []

    def take_a_turn(number: int) -> None:
        engine = writing_engine(url_of(world))
        with exclusive(engine):
            turns.append(number)
        engine.dispose()

    threads = [Thread(target=take_a_turn, args=[number]) for number in range(4)]
    with exclusive(world.engine):
        for count, thread in enumerate(threads, 1):
            thread.start()
            while waiting_for_the_lock(world) < count:
                time.sleep(0.005)
    for thread in threads:
        thread.join()
    assert turns == [0, 1, 2, 3]


def test_who_waits_for_long_says_so_once_and_for_whom(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "SILENT_SECONDS", 0.05)
    said: list[str] = []
    other = writing_engine(url_of(world), wait_seconds=SECONDS, say_waiting=said.append)

    def import_later() -> None:
        with exclusive(other):
            pass

    waiting = Thread(target=import_later)
    with exclusive(world.engine):
        waiting.start()
        while not said:
            time.sleep(0.01)
        time.sleep(0.1)
    waiting.join()
    [line] = said
    if world.engine.dialect.name == "sqlite":
        assert line == "waiting for another import into this file"
    else:
        assert f"waiting for another import: clippings writer {os.getpid()} on " in line
    with exclusive(other):
        assert len(said) == 1
    other.dispose()


@contextmanager
def importing(folder: Path, url: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, "-m", "app", "import", str(folder / "news"), *options],
        env=os.environ | {"CLIPPINGS_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_who_waits_in_the_queue_of_postgresql_ends_when_told_to(world: World) -> None:
    if world.engine.dialect.name == "sqlite":
        pytest.skip("is in test_interrupts")
    with exclusive(world.engine), importing(world.root.parent, url_of(world), "--lock-wait=600") as waiting:
        while not waiting_for_the_lock(world):
            time.sleep(0.01)
        waiting.send_signal(signal.SIGTERM)
        _, said = waiting.communicate(timeout=SECONDS)
        assert (waiting.returncode, said) == (130, "clippings: interrupted, nothing written\n")
        assert not waiting_for_the_lock(world)


def test_an_import_that_waited_sees_what_the_other_one_wrote_whatever_the_server_s_default(
    world: World,
) -> None:
    """A transaction of the level SERIALIZABLE has the state from before its wait."""
    if world.engine.dialect.name == "sqlite":
        pytest.skip("has no levels")
    world.write("a.md", "title: A")
    world.import_()
    strict = make_url(url_of(world)).update_query_dict(
        {"options": "-c default_transaction_isolation=serializable"}
    )
    other = World(world.root, writing_engine(strict.render_as_string(hide_password=False)))
    world.write("b.md", "title: B")
    waiting = Thread(target=other.import_)
    with exclusive(world.engine) as connection:
        waiting.start()
        while not waiting_for_the_lock(world):
            time.sleep(0.005)
        connection.execute(text("UPDATE catalogue SET revision = 7"))
    waiting.join()
    assert world.query("SELECT revision FROM catalogue") == [(8,)]
    other.engine.dispose()


def test_a_service_that_starts_beside_the_first_import_answers_when_it_is_done(
    world_without_catalogue: World,
) -> None:
    world = world_without_catalogue
    world.write("a.md", "title: A")
    with exclusive(world.engine) as connection, service_of(world) as client:
        upgrade(connection)
        for path in ("/articles", "/health/ready"):
            early = client.get(path)
            assert (early.status_code, early.headers["Retry-After"]) == (503, "5")
            assert "There is no catalogue yet" in early.json()["detail"]
        connection.commit()
        world.import_()
        assert client.get("/health/ready").status_code == 200
        assert answer(client, "/articles")["total"] == 1


def test_a_service_that_starts_beside_a_migration_answers_when_it_is_done(world: World) -> None:
    world.write("a.md", "title: A")
    world.import_()
    settings = Settings(database_url=url_of(world))
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with exclusive(world.engine) as migrating:
        if world.engine.dialect.name == "postgresql":
            said = ready_database(settings).in_words
            assert f"It is written by clippings writer {os.getpid()} on " in said
        with service_of(world) as client:
            early = client.get("/articles")
            assert (early.status_code, early.headers["Retry-After"]) == (503, "5")
            migrating.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": HEAD})
            migrating.commit()
            assert client.get("/health/ready").status_code == 200
            assert answer(client, "/articles")["total"] == 1
    assert ready_database(settings).in_words == "1 article at revision 1"
