"""Catalogues that older versions made: upgraded, they are as if today's version had made them.

old_catalogues/ has the rows that two older versions wrote for a tree of documents, and the tree. A version's
tables are made by the migrations up to its own, which never change.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, inspect, text

from app.catalog.state import read_state
from app.database.engines import exclusive
from app.migrate import history, upgrade
from tests.oracles.index import sets_by_rows, stored_sets, stored_words, words_by_rows
from tests.support.worlds import World, new_world

ADDED = re.compile(r'"addedDateTime":"[^"]*",')
OLD = Path(__file__).parent / "old_catalogues"
# Ids of terms and names follow the order of an import, so what they are compared by is their names.
COMPARED = {
    "articles": "SELECT public_id, path, topic_names, item, newest, first_title FROM articles ORDER BY path",
    "terms": "SELECT field, key, public_name, editor_name, public_count, editor_count FROM terms "
    "ORDER BY field, key",
    "words": "SELECT word, stem, in_title, in_excerpt, anywhere FROM word_articles ORDER BY word",
    "texts": "SELECT article_id, title, excerpt, content FROM article_words ORDER BY article_id",
    "sets": "SELECT kind, article_ids FROM article_sets ORDER BY kind, article_ids",
    "links": "SELECT l.item, a.path FROM links l LEFT JOIN articles a ON a.id = target_article_id ORDER BY 1",
    "filed": "SELECT a.path, t.field, t.key, n.name FROM article_terms x "
    "JOIN articles a ON a.id = x.article_id JOIN terms t ON t.id = x.term_id "
    "LEFT JOIN term_names n ON n.id = x.name_id ORDER BY a.path, t.field, t.key",
}


@pytest.mark.parametrize("version", ["0001", "0004"])
def test_an_older_catalogue_is_brought_up_to_date(
    world: World, version: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    old = json.loads((OLD / f"{version}.json").read_text(encoding="utf-8"))
    for path, document in old["documents"].items():
        (world.root / path).parent.mkdir(parents=True, exist_ok=True)
        (world.root / path).write_text(document, encoding="utf-8")
    fresh = new_world(tmp_path_factory.mktemp("fresh"), f"sqlite:///{tmp_path_factory.mktemp('db')}/c.db")
    for path in old["documents"]:
        (fresh.root / path).parent.mkdir(parents=True, exist_ok=True)
        (fresh.root / path).write_bytes((world.root / path).read_bytes())
    fresh.import_()

    with exclusive(world.engine) as connection:
        command.upgrade(history(connection), version)
        _fill(connection, old["tables"])
    with exclusive(world.engine) as connection:
        upgrade(connection)

    # The import of an article's last change is the first that an old catalogue knows of.
    times = {time for (time,) in world.query("SELECT imported_at FROM revisions")}
    assert {item["addedDateTime"] for item in world.items()} <= times
    assert _contents(world, without=ADDED) == _contents(fresh, without=ADDED)
    with world.engine.connect() as connection:
        assert stored_sets(connection) == sets_by_rows(connection)
        assert stored_words(connection) == words_by_rows(connection)
    world.delete("b.md")
    report = world.import_(prune=True)
    assert (report.created, report.removed, report.rejected) == (0, 1, 0)
    with world.engine.connect() as connection:
        assert stored_sets(connection) == sets_by_rows(connection)
        assert stored_words(connection) == words_by_rows(connection)
    fresh.engine.dispose()


def _fill(connection: Connection, tables: dict[str, Any]) -> None:
    known = inspect(connection).get_table_names()
    for name, table in tables.items():
        if name == "alembic_version" or name not in known:
            continue
        connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608  a table of the file
        columns = table["columns"]
        values = ", ".join(f":{column}" for column in columns)
        rows = [
            {
                column: bytes.fromhex(value["hex"]) if isinstance(value, dict) else value
                for column, value in zip(columns, row, strict=True)
            }
            for row in table["rows"]
        ]
        if rows:
            insert = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608
            connection.execute(text(insert), rows)


def _contents(world: World, without: re.Pattern[str]) -> dict[str, list[tuple[Any, ...]]]:
    def value_of(value: Any) -> Any:
        value = bytes(value) if isinstance(value, memoryview) else value
        return without.sub("", value) if isinstance(value, str) else value

    return {name: [tuple(map(value_of, row)) for row in world.query(sql)] for name, sql in COMPARED.items()}


def test_an_upgrade_that_gives_articles_a_key_is_a_change_of_each(world: World) -> None:
    """Copies that were made before have items without the ids of topics."""
    old = json.loads((OLD / "0004.json").read_text(encoding="utf-8"))
    with exclusive(world.engine) as connection:
        command.upgrade(history(connection), "0004")
        _fill(connection, old["tables"])
        [before] = connection.scalars(text("SELECT revision FROM catalogue"))
        upgrade(connection)
        after = read_state(connection)
        changes = connection.execute(
            text(
                "SELECT published, public_revision = editor_revision, editor_revision FROM changes "
                "JOIN articles ON articles.public_id = changes.public_id"
            )
        ).all()
    assert after.revision == before + 1
    assert {(bool(same), revision) for published, same, revision in changes if published} == {
        (True, after.revision)
    }
    assert {revision for _, _, revision in changes} == {after.revision}
