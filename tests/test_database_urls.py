"""How people write the URL of a database, and what the driver is told by it."""

import pytest
from sqlalchemy import make_url

from app.database_urls import database_url, without_secrets
from app.errors import SettingsError
from app.settings import SEVERAL_STANDBYS, Settings


@pytest.mark.parametrize(
    ("url", "hosts", "ports", "shown"),
    [
        ("postgresql://u:geheim@a/db", "a", None, "postgresql://u@a/db"),
        ("postgresql:///db", None, None, "postgresql:///db"),
        ("postgresql://u:geheim@a:1,b:2/db", "a,b", "1,2", "postgresql://u@a:1,b:2/db"),
        ("postgres://u:ge,heim@a,b:2/db?sslmode=disable", "a,b", ",2", "postgresql://u@a,b:2/db"),
        ("postgresql://[::1]:1,[::2]/db", "::1,::2", "1,", "postgresql://[::1]:1,[::2]/db"),
        ("postgresql://%2Frun%2Fa,b/db", "/run/a,b", ",", "postgresql://%2Frun%2Fa,b/db"),
        ("postgresql:///db?host=a:1&host=b:2", "a,b", "1,2", "postgresql://a:1,b:2/db"),
        ("postgresql:///db?host=a,b&port=1,2&password=geheim", "a,b", "1,2", "postgresql://a:1,b:2/db"),
    ],
)
def test_hosts_are_written_as_postgresql_writes_them(
    url: str, hosts: str | None, ports: str | None, shown: str
) -> None:
    read = database_url(url, {})
    parts = make_url(read)
    options = parts.get_dialect()().create_connect_args(parts)[1]
    assert (options.get("host"), options.get("port")) == (hosts, ports)
    assert without_secrets(read) == shown


@pytest.mark.parametrize(
    "url",
    ["postgresql://a:1,b:x/db", "postgresql://a:1,b:70000/db", "postgresql://u:geh@eim@a,b/db"],
)
def test_what_is_no_url_is_said_without_its_password(url: str) -> None:
    with pytest.raises(
        ValueError, match="is not a database URL; in a user or password write @ as %40"
    ) as error:
        database_url(url, {})
    assert "eim" not in str(error.value)


def test_several_hosts_are_told_apart_unless_the_url_says_how() -> None:
    several, one = "postgresql://a,b/db", "postgresql://a/db"
    for url, options in [
        (several, SEVERAL_STANDBYS),
        (f"{several}?target_session_attrs=any", {**SEVERAL_STANDBYS, "target_session_attrs": "any"}),
        (one, {}),
    ]:
        read = Settings(database_url=one, read_database_url=url).read_database_url
        query = dict(make_url(read or "").query)
        assert {name: value for name, value in query.items() if name != "host"} == options
    assert make_url(Settings(database_url=several).database_url).query["target_session_attrs"] == "primary"


@pytest.mark.parametrize(
    ("database", "standbys", "reason"),
    [
        ("sqlite:///x.db", "postgresql://a/db", "must be left out where CLIPPINGS_DATABASE_URL is SQLite"),
        ("sqlite:///x.db", "sqlite:///x.db", "must be left out where CLIPPINGS_DATABASE_URL is SQLite"),
        ("postgresql://a/db", "sqlite:///x.db", "must begin with postgresql:// or postgres://"),
        ("postgresql://a/db", "b", "must begin with postgresql:// or postgres://"),
        ("postgresql://a/db", "postgresql://", "must name a database"),
        ("postgresql://a/db", "postgresql://u:geheim@b:0/db", "is not a database URL"),
    ],
)
def test_standbys_that_cannot_be_are_refused_in_one_line(
    database: str, standbys: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", database)
    monkeypatch.setenv("CLIPPINGS_READ_DATABASE_URL", standbys)
    with pytest.raises(SettingsError) as error:
        Settings.read()
    assert str(error.value).startswith(f"CLIPPINGS_READ_DATABASE_URL: {reason}")
    assert "\n" not in str(error.value)
    assert "geheim" not in str(error.value)


def test_no_standbys_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPPINGS_READ_DATABASE_URL", " ")
    assert Settings.read().read_database_url is None
