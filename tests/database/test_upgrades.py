"""Catalogues that older versions made: upgraded, they are as if today's version had made them.

old_catalogues/ has the rows that older versions wrote for a tree of documents, and the tree. A version's
tables are made by the migrations up to its own, which never change.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from pyroaring import BitMap
from sqlalchemy import Connection, inspect, text

from app.catalog.state import read_state
from app.database.engines import exclusive, writing_engine
from app.migrate import history, upgrade
from tests.oracles.index import index_faults, repeats_by_rows, stored_repeats, stored_sets, stored_words
from tests.support.templates import new_sqlite_catalogue
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
# These are made of articles and links alone.
DERIVED = {
    "words": COMPARED["words"],
    "texts": "SELECT a.path, title, excerpt, content FROM article_words JOIN articles a ON a.id = article_id "
    "ORDER BY a.path",
    "urls": "SELECT a.path, url_key, is_page FROM article_urls JOIN articles a ON a.id = article_id "
    "ORDER BY 1, 2",
    "link urls": "SELECT l.item, url_key FROM link_urls JOIN links l ON l.id = link_id ORDER BY 1, 2",
    "links": COMPARED["links"],
    "times": "SELECT item, time FROM links ORDER BY 1",
    "stories": "SELECT for_editors, public_id, newest, first_time, last_time, link_count FROM stories "
    "ORDER BY 1, 2",
    "references": "SELECT path, public_story, editor_story FROM articles ORDER BY 1",
}


@pytest.mark.parametrize("version", ["0001", "0004"])
def test_an_older_catalogue_is_brought_up_to_date(
    world_without_catalogue: World, version: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = world_without_catalogue
    fresh = _of_today(world, version, tmp_path_factory)
    with exclusive(world.engine) as connection:
        upgrade(connection)

    # The import of an article's last change is the first that an old catalogue knows of.
    times = {time for (time,) in world.query("SELECT imported_at FROM revisions")}
    assert {item["addedDateTime"] for item in world.items()} <= times
    assert _contents(world) == _contents(fresh)
    with world.engine.connect() as connection:
        assert index_faults(connection) == []
    world.delete("b.md")
    report = world.import_(prune=True)
    assert (report.created, report.removed, report.rejected) == (0, 1, 0)
    with world.engine.connect() as connection:
        assert index_faults(connection) == []
    fresh.engine.dispose()


@pytest.mark.parametrize("version", ["0001", "0004", "0009"])
def test_the_first_import_makes_words_and_url_keys_of_all_articles_anew(
    world_without_catalogue: World, version: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An article whose document is gone too: what it has is in the catalogue alone."""
    world = world_without_catalogue
    fresh = _of_today(world, version, tmp_path_factory)
    world.delete("b.md")
    with exclusive(world.engine) as connection:
        upgrade(connection)
    before = _contents(world, compared=DERIVED)
    [(revision,)] = world.query("SELECT revision FROM catalogue")

    assert world.import_(dry_run=True).revision == revision + 1
    assert _contents(world, compared=DERIVED) == before
    report = world.import_(workers=1)

    assert (report.created, report.missing, report.rejected, report.revision) == (0, 1, 0, revision + 1)
    assert _contents(world, compared=DERIVED) == _contents(fresh, compared=DERIVED)
    assert before != _contents(world, compared=DERIVED) or version != "0009"
    if version == "0009":
        # An article is another to those who list it only if it is in a story now.
        later = f"SELECT public_id FROM changes WHERE editor_revision > {revision} ORDER BY 1"  # noqa: S608
        in_stories = "SELECT public_id FROM articles WHERE editor_story IS NOT NULL ORDER BY 1"
        assert world.query(later) == world.query(in_stories)
    with world.engine.connect() as connection:
        assert index_faults(connection) == []
    assert world.import_().revision == revision + 1
    fresh.engine.dispose()


def test_an_upgrade_counts_what_folded_lists_of_terms_leave_out(world_without_catalogue: World) -> None:
    """Four articles tell of one event, one of them a draft; two are versions of one page."""
    world = world_without_catalogue
    page, link = "webUrl: https://a.example/", "related: [https://a.example/]"
    day = "publishedDateTime: 2026-03-01"
    world.write("a.md", f"title: A\ntopics: [Sea, Sky]\n{day}\n{page}")
    world.write("b.md", f"title: B\ntopics: [Sea]\n{day}\n{page}")
    world.write("c.md", f"title: C\ntopics: [Sea]\n{day}\n{link}")
    world.write("d.md", f"title: D\ntopics: [Sky]\n{day}\n{link}\npublished: false")
    world.write("e.md", "title: E\ntopics: [Sea, Sky]")
    with exclusive(world.engine) as connection:
        upgrade(connection)
    world.import_()
    with exclusive(world.engine) as connection:
        connection.execute(text("DROP TABLE term_repeats"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0022'"))
        upgrade(connection)
        counted = stored_repeats(connection)
        assert counted == repeats_by_rows(connection)
        rows = connection.execute(text("SELECT key, id FROM terms WHERE field = 'topic'"))
        topics: dict[str, int] = {key: id_ for key, id_ in rows}  # noqa: C416  rows are no pairs to mypy
    assert [counted["story", editors, topics["sea"]] for editors in (0, 1)] == [2, 2]
    assert counted["story", 1, topics["sky"]] == 1
    assert ("story", 0, topics["sky"]) not in counted
    assert [counted["url", editors, topics["sea"]] for editors in (0, 1)] == [1, 1]


def _of_today(world: World, version: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Fills the world with an old version's catalogue; returns what today's makes of its documents."""
    old = json.loads((OLD / f"{version}.json").read_text(encoding="utf-8"))
    fresh = new_world(tmp_path_factory.mktemp("fresh"), new_sqlite_catalogue(tmp_path_factory.mktemp("db")))
    for path, document in old["documents"].items():
        for root in (world.root, fresh.root):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(document, encoding="utf-8")
    fresh.import_()
    with exclusive(world.engine) as connection:
        command.upgrade(history(connection), version)
        _fill(connection, old["tables"])
    return fresh


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


def _contents(
    world: World, compared: dict[str, str] = COMPARED, without: re.Pattern[str] = ADDED
) -> dict[str, list[tuple[Any, ...]]]:
    def value_of(value: Any) -> Any:
        value = bytes(value) if isinstance(value, memoryview) else value
        return without.sub("", value) if isinstance(value, str) else value

    return {name: [tuple(map(value_of, row)) for row in world.query(sql)] for name, sql in compared.items()}


@pytest.mark.parametrize("last_id", [65_535, 65_536, 600_000])
def test_sets_of_an_older_catalogue_are_split_where_they_are_larger_than_a_range(
    database_url: str, last_id: int
) -> None:
    """More words than the migration reads at once are there, each in both ranges."""
    ids = {1, 2, 65_535, last_id}
    engine = writing_engine(database_url)
    with exclusive(engine) as connection:
        command.upgrade(history(connection), "0020")
        _insert(connection, "sources", [{"id": 1, "name": "news"}])
        hashes = dict.fromkeys(("bytes_hash", "meaning_hash", "view_hash"), b"")
        document = {"source_id": 1, "kind": "article", **hashes, "warnings": "[]", "data": "{}"}
        _insert(connection, "documents", [{"id": last_id, "path": "a.md", **document}])
        columns = [column["name"] for column in inspect(connection).get_columns("articles")]
        article = dict.fromkeys(columns, 0) | {"id": last_id, "public_id": "a", "first_title": b""}
        texts = ("source", "path", "topic_names", "terms", "item", "public_story", "editor_story")
        _insert(connection, "articles", [article | dict.fromkeys(texts, "") | {"last_title": b""}])
        sets = [{"kind": kind, "key": 7, "article_ids": _bitmap(ids)} for kind in ("day", "topic")]
        _insert(connection, "article_sets", [*sets, {"kind": "day", "key": 8, "article_ids": _bitmap({5})}])
        _insert(
            connection,
            "word_articles",
            [
                {
                    "word": f"w{number}",
                    "stem": "w",
                    "in_title": None if number % 2 else _bitmap({last_id}),
                    "in_excerpt": None,
                    "anywhere": _bitmap({2, last_id}),
                }
                for number in range(150)
            ],
        )
        before = {f"w{number}": ({2, last_id}, set() if number % 2 else {last_id}) for number in range(150)}
        upgrade(connection)

        assert stored_sets(connection) == {("day", 7): ids, ("topic", 7): ids, ("day", 8): {5}}
        words = stored_words(connection)
        assert {
            word: (words[word, "w", "anywhere"], words.get((word, "w", "title"), set())) for word in before
        } == before
        rows = connection.execute(
            text("SELECT key, range FROM article_sets WHERE kind = 'day' ORDER BY 1, 2")
        )
        assert [tuple(row) for row in rows] == [
            *((7, range_) for range_ in sorted({0, last_id >> 19})),
            (8, 0),
        ]
    engine.dispose()


def _insert(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    columns = ", ".join(rows[0])
    values = ", ".join(f":{column}" for column in rows[0])
    connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), rows)  # noqa: S608


def _bitmap(ids: set[int]) -> bytes:
    bitmap = BitMap(ids)
    bitmap.run_optimize()
    return bitmap.serialize()


def test_an_upgrade_that_gives_articles_a_key_is_a_change_of_each(world_without_catalogue: World) -> None:
    """Copies that were made before have items without the ids of topics."""
    world = world_without_catalogue
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
