"""Readers see one state of the database, and keep their connection as long as it lasts."""

import gc
import os
import signal
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.catalog.state import read_state
from app.database import engines, snapshots
from app.database.snapshots import Reader
from app.errors import DatabaseUnavailable
from app.settings import Settings
from tests.support.worlds import World

COUNT = text("SELECT count(*) FROM articles")


@pytest.fixture
def reader(world: World) -> Iterator[Reader]:
    world.write("a.md", "title: A")
    world.import_()
    with Reader(world.engine.url.render_as_string(hide_password=False)) as reader:
        yield reader


def test_what_is_imported_meanwhile_is_in_the_next_snapshot(world: World, reader: Reader) -> None:
    with reader.snapshot() as connection:
        before = connection.scalar(COUNT)
        world.write("b.md", "title: B")
        world.import_()
        assert connection.scalar(COUNT) == before == 1
    with reader.snapshot() as connection:
        assert connection.scalar(COUNT) == 2


def test_a_connection_is_kept_whoever_asked_and_whatever_failed(reader: Reader) -> None:
    used: list[Any] = []
    for _ in range(2):
        with reader.snapshot() as connection:
            used.append(connection.connection.driver_connection)
            assert used[-1].execute("SELECT 1").fetchone() == (1,)
        with reader.snapshot() as connection:
            used.append(connection.connection.driver_connection)
            assert connection.scalar(COUNT) == 1
    with pytest.raises(DatabaseUnavailable), reader.snapshot() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
    with reader.snapshot() as connection, reader.snapshot() as other:
        used.append(connection.connection.driver_connection)
        assert other.connection.driver_connection is not used[0]
    assert len(set(map(id, used))) == 1


def test_a_connection_that_the_server_ended_is_replaced(reader: Reader) -> None:
    if reader.dialect == "sqlite":
        pytest.skip("has no server")
    with reader.snapshot() as connection, reader.snapshot() as other:
        ended = connection.scalar(text("SELECT pg_backend_pid()"))
        other_process = other.scalar(text("SELECT pg_backend_pid()"))
    for process in (ended, other_process):
        with reader.engine.connect() as third:
            third.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
    with reader.snapshot() as connection:
        assert connection.scalar(COUNT) == 1


def test_a_database_that_has_answered_is_not_away(reader: Reader) -> None:
    with reader.snapshot() as connection:
        connection.scalar(COUNT)
    # A connection to another server of the same URL has ended, and this one has not.
    reader.note_failure(seconds=60)
    assert reader.is_away()
    with reader.snapshot() as connection:
        connection.scalar(COUNT)
    assert not reader.is_away()


def test_what_postgresql_has_planned_it_does_not_plan_again(reader: Reader) -> None:
    if reader.dialect == "sqlite":
        pytest.skip("its driver keeps statements by itself")
    for _ in range(10):
        with reader.snapshot() as connection:
            read_state(connection)
            connection.scalar(COUNT)
    with reader.snapshot() as connection:
        [plans] = connection.execute(
            text("SELECT max(generic_plans + custom_plans) FROM pg_prepared_statements")
        )
    assert plans[0] >= 4, "after five times each statement is prepared, and stays so"


@pytest.mark.parametrize("way", ["by SQLAlchemy", "by the driver"])
def test_a_connection_that_is_lost_within_a_snapshot_is_no_fault_of_ours(reader: Reader, way: str) -> None:
    if reader.dialect == "sqlite":
        pytest.skip("has no server")
    with pytest.raises(DatabaseUnavailable), reader.snapshot() as connection:
        driver: Any = connection.connection.driver_connection
        process = driver.info.backend_pid
        with reader.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
        if way == "by the driver":
            read_state(connection)
        connection.scalar(COUNT)
    with reader.snapshot() as connection:
        assert connection.scalar(COUNT) == 1


def test_a_question_amid_a_restore_is_no_fault_of_ours(world: World, reader: Reader) -> None:
    """The restore puts other tables in the place of those that the question's snapshot has rows of."""
    if reader.dialect == "sqlite":
        pytest.skip("is restored by files")
    with (
        pytest.raises(DatabaseUnavailable, match="a backup is being restored"),
        reader.snapshot() as connection,
    ):
        connection.scalar(text("SELECT 1"))
        with world.engine.begin() as restore:
            restore.execute(text("CREATE TABLE restored AS SELECT * FROM catalogue"))
            restore.execute(text("DROP TABLE catalogue"))
            restore.execute(text("ALTER TABLE restored RENAME TO catalogue"))
        read_state(connection)


def test_a_server_that_hangs_is_given_up(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes stand still, and their sockets are open."""
    if reader.dialect == "sqlite":
        pytest.skip("has no server")
    monkeypatch.setattr("app.database.silence.GRACE_SECONDS", 1.5 - engines.QUERY_SECONDS)
    with ExitStack() as going_on:

        def halt(connection: Connection) -> None:
            driver: Any = connection.connection.driver_connection
            process = driver.info.backend_pid
            os.kill(process, signal.SIGSTOP)
            going_on.callback(os.kill, process, signal.SIGCONT)

        with reader.snapshot() as idle:
            pass
        halt(idle)
        with reader.snapshot() as connection:
            assert connection.scalar(COUNT) == 1, "by another connection"
        silent = pytest.raises(DatabaseUnavailable, match="the server has not answered for")
        with silent, reader.snapshot() as connection:
            halt(connection)
            connection.scalar(COUNT)
        assert reader.is_away()


def test_a_reader_that_is_closed_leaves_nothing_open_and_one_that_is_dropped_nothing_behind(
    world: World,
) -> None:
    world.import_()
    url = world.engine.url.render_as_string(hide_password=False)
    readers = [Reader(url) for _ in range(5)]
    kept: list[Any] = []
    for reader in readers:
        with reader.snapshot() as connection:
            kept.append(connection.connection.driver_connection)
        reader.close()
    for driver in kept:
        with pytest.raises(Exception, match=r"(?i)closed"):
            driver.execute("SELECT 1")
    engines = [weakref.ref(reader.engine) for reader in readers]
    del readers, reader, connection, kept, driver
    gc.collect()
    assert [engine() for engine in engines] == [None] * 5


def test_connections_to_several_servers_are_spread_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.engine.dialect.name == "sqlite":
        pytest.skip("is no server")
    server = world.engine.url
    host = str(server.query.get("host") or server.host)
    hosts = server.set(host=None, port=None).update_query_dict({"host": f"{host},{host}"})
    url = Settings(
        database_url="postgresql://a/b", read_database_url=hosts.render_as_string(hide_password=False)
    ).read_database_url

    def process(reader: Reader, *, is_behind: bool = False) -> int:
        with reader.snapshot() as connection:
            if is_behind:
                reader.set_aside(connection)
            return _process(connection)

    with Reader(str(url), spreads=True) as reader:
        with reader.snapshot() as connection, reader.snapshot() as other:
            processes = {_process(connection), _process(other)}
        last = process(reader)
        assert process(reader) == last, "connections are kept"
        assert process(reader, is_behind=True) == last
        assert {process(reader), last} == processes, "the other one is asked first"
        monkeypatch.setattr(snapshots, "BEHIND_SECONDS", 0)
        last = process(reader, is_behind=True)
        assert process(reader) != last, "what has been behind for long is closed"
    monkeypatch.setattr(snapshots, "SPREAD_SECONDS", 0)
    with Reader(str(url), spreads=True) as reader:
        assert process(reader) != process(reader)


def _process(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)
