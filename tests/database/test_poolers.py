"""A pooler may stand in front of PostgreSQL, and the URL may say how to connect: both are heeded."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from app.catalog.state import StateReader, read_state
from app.database.engines import exclusive, writing_engine
from app.database.snapshots import Reader
from app.errors import DatabaseUnavailable, ImportRefused
from tests.support import patience
from tests.support.databases import drop_postgresql, new_postgresql_url
from tests.support.poolers import PROGRAM, Pooler, pooled
from tests.support.services import answer, service_of
from tests.support.worlds import World, new_world

with_pooler = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")


@pytest.fixture
def usual_patience() -> Iterator[None]:
    with patience.usual_patience():
        yield


@pytest.fixture
def server() -> Iterator[str]:
    url = new_postgresql_url()
    yield url
    drop_postgresql(url)


@pytest.fixture
def pooler(server: str) -> Iterator[Pooler]:
    with pooled(server) as pooler:
        yield pooler


@pytest.fixture
def world(tmp_path: Path, pooler: Pooler) -> Iterator[World]:
    world = new_world(tmp_path, pooler.url)
    world.write("a.md", "title: A\ntopics: [AI]")
    yield world
    world.engine.dispose()


def with_parameters(url: str, **parameters: str) -> str:
    return make_url(url).update_query_dict(parameters).render_as_string(hide_password=False)


def shown(url: str, *settings: str) -> list[str]:
    """What these settings are in a snapshot."""
    with Reader(url) as reader, reader.snapshot() as connection:
        return [connection.execute(text(f"SHOW {setting}")).scalar_one() for setting in settings]


def test_a_catalogue_in_a_schema_that_the_url_names_is_served_from_it(tmp_path: Path, server: str) -> None:
    url = with_parameters(server, options="-c search_path=clip")
    engine = writing_engine(server)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA clip"))
    world = new_world(tmp_path, url)
    world.write("a.md", "title: A")
    world.import_()
    with service_of(world) as client:
        assert answer(client, "/articles")["total"] == 1
    world.engine.dispose()
    with engine.connect() as connection:
        tables = text("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'articles'")
        assert connection.scalars(tables).all() == ["clip"]
    engine.dispose()


@pytest.mark.usefixtures("usual_patience")
def test_what_the_url_says_of_connecting_wins_and_our_own_settings_stand_beside_it(server: str) -> None:
    url = with_parameters(server, application_name="front desk", options="-c work_mem=7MB")
    [name, memory, timeout, isolation, read_only] = shown(
        url,
        "application_name",
        "work_mem",
        "statement_timeout",
        "transaction_isolation",
        "transaction_read_only",
    )
    assert (name, memory, timeout) == ("front desk", "7MB", "1s")
    assert (isolation, read_only) == ("repeatable read", "on")
    [ours] = shown(server, "application_name")
    assert ours.startswith(f"clippings reader {os.getpid()} on ")


@with_pooler
def test_the_service_answers_behind_a_pooler_that_keeps_no_session_and_is_restarted(
    world: World, pooler: Pooler
) -> None:
    assert world.import_().created == 1
    with service_of(world) as client:
        for number in range(8):
            # A statement that is executed five times would be prepared, and asked of another process then.
            assert answer(client, f"/articles?topic=AI&limit={number + 1}")["total"] == 1
            assert client.get("/facets?field=topic&q=a", headers={"Cache-Control": "no-cache"}).is_success
        world.write("b.md", "title: B\ntopics: [AI]")
        world.import_()
        assert answer(client, "/articles?topic=AI")["total"] == 2
        pooler.stop()
        away = client.get("/articles?limit=9")
        assert (away.status_code, away.headers["Retry-After"]) == (503, "5")
        pooler.start()
        assert answer(client, "/articles?limit=9")["total"] == 2
        pooler.stop()
        pooler.start()
        assert answer(client, "/articles?limit=10")["total"] == 2
    with Reader(pooler.url) as reader:
        state_reader = StateReader(reader.engine)
        for _ in range(8):
            with reader.snapshot() as connection, reader.snapshot() as other:
                state = read_state(connection)
                assert state == read_state(other) == state_reader.read()
        state_reader.close()


@with_pooler
@pytest.mark.usefixtures("usual_patience")
def test_a_snapshot_behind_a_pooler_brings_its_settings_and_leaves_none(
    world: World, pooler: Pooler, server: str
) -> None:
    settings = ("statement_timeout", "jit", "transaction_isolation", "transaction_read_only")
    assert shown(pooler.url, *settings) == shown(server, *settings) == ["1s", "off", "repeatable read", "on"]
    with world.engine.connect() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "0"


@with_pooler
def test_imports_behind_a_pooler_wait_for_one_another(world: World, pooler: Pooler) -> None:
    other = writing_engine(pooler.url, wait_seconds=0.1)
    refused = pytest.raises(ImportRefused, match="Another import is under way")
    with exclusive(world.engine), refused, exclusive(other):
        pass
    with exclusive(other):
        pass
    other.dispose()


@with_pooler
def test_what_a_pooler_refuses_is_named_in_one_line(pooler: Pooler) -> None:
    url = with_parameters(pooler.url, options="-c search_path=clip")
    refused = pytest.raises(
        DatabaseUnavailable, match=r"^[^\n]*unsupported startup parameter: options[^\n]*$"
    )
    with Reader(url) as reader, refused, reader.snapshot():
        pass
