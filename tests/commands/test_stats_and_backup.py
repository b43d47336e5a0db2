"""What the catalogue holds, in a page of a terminal; and a copy of it that is whole whenever it is made."""

import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import clippings
from app.errors import BackupFailed
from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World

Run = Callable[..., Result]


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", world.engine.url.render_as_string(hide_password=False))

    def run_command(*arguments: str) -> Result:
        return CliRunner().invoke(clippings, arguments, catch_exceptions=False)

    return run_command


def test_stats_count_articles_by_topic_provider_type_and_month(world: World, run: Run) -> None:
    world.write("a.md", "title: A\ntopics: [AI, Space]\ntype: video\npublishedDateTime: 2020-06-11")
    world.write("b.md", "title: B\ntopics: [AI]\nprovider: {name: NASA}\npublishedDateTime: 2020-08-01")
    world.write("c.md", "title: C\npublished: no")
    world.import_()
    printed = run("stats").output
    assert "3 articles, 1 of them not published, at revision 1" in printed
    lines = [line.split() for line in printed.splitlines()]
    assert ["AI", "2", "█" * 30] in lines
    assert ["Space", "1", "█" * 15] in lines
    assert ["2020-06", "1", "█" * 30] in lines
    assert ["2020-07", "0"] in lines
    assert ["(undated)", "1"] in lines
    counts = json.loads(run("stats", "--json").output)
    assert (counts["articles"], counts["unpublished"], counts["revision"]) == (3, 1, 1)
    assert counts["facets"]["topic"] == {
        "values": [
            {"value": "ai", "name": "AI", "count": 2},
            {"value": "space", "name": "Space", "count": 1},
        ],
        "otherCount": 0,
        "missing": 1,
    }
    assert [bucket["count"] for bucket in counts["timeline"]["buckets"]] == [1, 0, 1]


def test_stats_of_more_months_than_a_chart_has_are_by_year(world: World, run: Run) -> None:
    world.write("old.md", "title: Old\npublishedDateTime: 1450-01-01")
    world.write("new.md", "title: New\npublishedDateTime: 2020-01-01")
    world.import_()
    assert ["2020", "1", "█" * 30] in [line.split() for line in run("stats").output.splitlines()]
    assert json.loads(run("stats", "--json").output)["timeline"]["interval"] == "year"


def test_a_backup_is_a_whole_catalogue_also_beside_imports(world: World, run: Run, tmp_path: Path) -> None:
    world.write("a.md", "title: A\npublished: no\nsecured: x")
    world.import_()
    if world.engine.dialect.name == "postgresql":
        with pytest.raises(BackupFailed, match="use pg_dump"):
            run("backup", str(tmp_path / "copy.db"))
        return
    copy = tmp_path / "copy.db"
    ended = threading.Event()

    def go_on_importing() -> None:
        number = 0
        while not ended.is_set():
            world.write(f"{number}.md", f"title: {number}")
            world.import_()
            number += 1

    importing = threading.Thread(target=go_on_importing)
    importing.start()
    try:
        for _ in range(10):
            assert run("backup", str(copy)).exit_code == 0
            with sqlite3.connect(copy) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                [(revision,)] = connection.execute("SELECT revision FROM catalogue")
                [(articles,)] = connection.execute("SELECT count(*) FROM articles")
            connection.close()
            assert articles == revision
    finally:
        ended.set()
        importing.join()
    assert sorted(path.name for path in tmp_path.glob("*copy*")) == ["copy.db"]


def test_a_backup_is_served_as_the_catalogue_was(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.engine.dialect.name == "postgresql":
        pytest.skip("pg_dump makes that copy")
    world.write("a.md", "title: A")
    world.import_()
    run("backup", str(tmp_path / "copy.db"))
    with service_of(world) as client:
        before = answer(client, "/articles?published=any", EDITOR)
    world.delete("a.md")
    world.import_(prune=True, force=True)
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", f"sqlite:///{tmp_path / 'copy.db'}")
    assert json.loads(run("export").stdout) == before["items"][0]


def test_a_backup_replaces_nothing_but_a_backup(world: World, run: Run, tmp_path: Path) -> None:
    if world.engine.dialect.name == "postgresql":
        pytest.skip("pg_dump makes that copy")
    world.write("a.md", "title: A")
    world.import_()
    note = tmp_path / "note.md"
    note.write_text("My note", encoding="utf-8")
    catalogue = Path(str(world.engine.url.database))
    link, copy = tmp_path / "link.db", tmp_path / "hard.db"
    link.symlink_to(catalogue)
    copy.hardlink_to(catalogue)
    for file in (note, catalogue, link, copy, Path(f"{catalogue}-wal"), Path("/dev/null")):
        with pytest.raises(BackupFailed, match="name another file"):
            run("backup", str(file))
    assert note.read_text(encoding="utf-8") == "My note"
    assert run("backup", str(tmp_path / "copy.db")).output.startswith("wrote ")
    assert run("backup", str(tmp_path / "copy.db")).exit_code == 0


def test_a_backup_that_fails_leaves_the_file_that_was_there(world: World, run: Run, tmp_path: Path) -> None:
    if world.engine.dialect.name == "postgresql":
        pytest.skip("pg_dump makes that copy")
    world.import_()
    with pytest.raises(BackupFailed, match=r"unable to open|No such file"):
        run("backup", str(tmp_path / "nowhere" / "copy.db"))
