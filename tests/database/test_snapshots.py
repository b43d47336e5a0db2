"""Readers see one state of the database, and keep their connection as long as it lasts."""

from typing import Any

import pytest
from sqlalchemy import text

from app.catalog.state import read_state
from app.database import reading_engine, snapshot
from app.errors import DatabaseUnavailable
from tests.support.worlds import World

COUNT = text("SELECT count(*) FROM articles")


@pytest.fixture
def engine(world: World) -> Any:
    world.write("a.md", "title: A")
    world.import_()
    engine = reading_engine(world.engine.url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()


def test_what_is_imported_meanwhile_is_in_the_next_snapshot(world: World, engine: Any) -> None:
    with snapshot(engine) as connection:
        before = connection.scalar(COUNT)
        world.write("b.md", "title: B")
        world.import_()
        assert connection.scalar(COUNT) == before == 1
    with snapshot(engine) as connection:
        assert connection.scalar(COUNT) == 2


def test_a_connection_is_kept_whoever_asked_and_whatever_failed(engine: Any) -> None:
    used: list[Any] = []
    for _ in range(2):
        with snapshot(engine) as connection:
            used.append(connection.connection.driver_connection)
            assert used[-1].execute("SELECT 1").fetchone() == (1,)
        with snapshot(engine) as connection:
            used.append(connection.connection.driver_connection)
            assert connection.scalar(COUNT) == 1
    with pytest.raises(DatabaseUnavailable), snapshot(engine) as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
    with snapshot(engine) as connection, snapshot(engine) as other:
        used.append(connection.connection.driver_connection)
        assert other.connection.driver_connection is not used[0]
    assert len(set(map(id, used))) == 1


def test_a_connection_that_the_server_ended_is_replaced(engine: Any) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("has no server")
    with snapshot(engine) as connection, snapshot(engine) as other:
        ended = connection.scalar(text("SELECT pg_backend_pid()"))
        other_process = other.scalar(text("SELECT pg_backend_pid()"))
    for process in (ended, other_process):
        with engine.connect() as third:
            third.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
    with snapshot(engine) as connection:
        assert connection.scalar(COUNT) == 1


def test_what_postgresql_has_planned_it_does_not_plan_again(engine: Any) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("its driver keeps statements by itself")
    for _ in range(10):
        with snapshot(engine) as connection:
            read_state(connection)
            connection.scalar(COUNT)
    with snapshot(engine) as connection:
        [plans] = connection.execute(
            text("SELECT max(generic_plans + custom_plans) FROM pg_prepared_statements")
        )
    assert plans[0] >= 4, "after five times each statement is prepared, and stays so"


@pytest.mark.parametrize("way", ["by SQLAlchemy", "by the driver"])
def test_a_connection_that_is_lost_within_a_snapshot_is_no_fault_of_ours(engine: Any, way: str) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("has no server")
    with pytest.raises(DatabaseUnavailable), snapshot(engine) as connection:
        driver: Any = connection.connection.driver_connection
        process = driver.info.backend_pid
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
        if way == "by the driver":
            read_state(connection)
        connection.scalar(COUNT)
    with snapshot(engine) as connection:
        assert connection.scalar(COUNT) == 1
