"""Sources: the same documents twice are a mistake, and a source can be taken out."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from app.errors import ImportRefused
from app.importer.read import Request
from app.importer.run import Options, import_trees
from app.importer.sources import NoSuchSource, list_sources, remove_source
from app.moments import rfc3339
from tests.oracles.index import sets_by_rows, stored_sets, stored_words, words_by_rows
from tests.support.services import answer, service_of
from tests.support.worlds import IMPORTED_AT, World

pytestmark = pytest.mark.usefixtures("small_ranges")


def write_three(world: World) -> None:
    for name in "abc":
        world.write(
            f"news/{name}.md", f"title: {name}\ntopics: [AI]\nrelated: [{{title: X, webUrl: 'https://x/'}}]"
        )


def import_part(world: World, source: str, part: str = "news", **options: Any) -> None:
    import_trees(world.engine, [Request(world.root / part, source)], Options(**options))


def test_a_part_of_a_tree_is_not_imported_as_another_source(world: World) -> None:
    """`import seeds`, then `import seeds/news`: every article was there twice."""
    write_three(world)
    world.import_("seeds", base_url="https://example.org/")
    for dry_run in (True, False):
        with pytest.raises(ImportRefused, match=r"3 of 3 .* 'seeds', .*--root.*--source seeds.*--force"):
            import_part(world, "news", dry_run=dry_run)
    assert len(world.items()) == 3
    with world.engine.connect() as connection:
        assert [source.name for source in list_sources(connection)] == ["seeds"]


def test_half_of_the_documents_may_be_another_sources(world: World) -> None:
    write_three(world)
    world.import_("seeds")
    for name in "def":
        world.write(f"news/{name}.md", f"title: {name}")
    import_part(world, "news")
    assert len(world.items()) == 9


def test_force_takes_them_a_second_time_and_who_was_there_before_is_not_asked(world: World) -> None:
    write_three(world)
    world.import_("seeds")
    import_part(world, "news", force=True)
    import_part(world, "news")
    assert len(world.items()) == 6


def test_two_names_in_one_import_are_refused_too(world: World) -> None:
    write_three(world)
    with pytest.raises(ImportRefused, match="'again'"):
        import_trees(
            world.engine, [Request(world.root, "seeds"), Request(world.root / "news", "again")], Options()
        )


def test_a_source_is_taken_out_with_all_that_is_of_it(world: World) -> None:
    write_three(world)
    world.write("ai.md", "taxonomy: topic\nname: AI")
    world.import_("seeds")
    world.write("news/a.md", "title: other\ntopics: [AI]\nrelated: [{title: X, webUrl: 'https://x/'}]")
    import_part(world, "other", force=True)
    report = remove_source(world.engine, "seeds")
    assert (report.removed, report.revision) == (3, 3)
    assert {item["source"] for item in world.items()} == {"other"}
    assert world.topics() == {"ai": ("AI", 3, 3)}
    with world.engine.connect() as connection:
        assert stored_sets(connection) == sets_by_rows(connection)
        assert stored_words(connection) == words_by_rows(connection)
        assert [source.name for source in list_sources(connection)] == ["other"]
    with service_of(world) as client:
        changes = answer(client, "/changes?since=0")["items"]
        assert [change["revision"] for change in changes if change["change"] == "delete"] == [3] * 3
        assert answer(client, "/articles?topic=ai")["total"] == 3
        mentions = answer(client, "/links?url=https://x/")["mentionedBy"]
    assert mentions["total"] == 3
    with pytest.raises(NoSuchSource, match="other"):
        remove_source(world.engine, "seeds")


def test_a_source_without_articles_goes_too(world: World) -> None:
    world.import_("empty")
    assert remove_source(world.engine, "empty").removed == 0
    with world.engine.connect() as connection:
        assert list_sources(connection) == []


def test_each_import_of_a_source_is_its_last_one(world: World) -> None:
    world.write("a.md", "title: A")
    for days in range(2):
        when = IMPORTED_AT + timedelta(days=days)
        world.import_(
            base_url="https://example.org/", clock=partial(IMPORTED_AT.__add__, timedelta(days=days))
        )
        with world.engine.connect() as connection:
            [news] = list_sources(connection)
        assert (news.name, news.articles, news.base_url) == ("news", 1, "https://example.org/")
        assert news.last_import == rfc3339(when)


def test_the_report_names_what_is_gone(world: World) -> None:
    write_three(world)
    world.import_()
    world.delete("news/b.md")
    gone = [{"source": "news", "path": "news/b.md", "id": world.items()[1]["id"]}]
    assert world.import_().as_json()["missingArticles"] == gone
    assert world.import_(prune=True, dry_run=True).as_json()["removedArticles"] == gone
    report = world.import_(prune=True).as_json()
    assert (report["removedArticles"], report["missingArticles"]) == (gone, [])
    assert world.import_(prune=True).as_json()["removedArticles"] == []


def test_a_refused_prune_names_some(world: World) -> None:
    write_three(world)
    world.import_()
    for name in "ab":
        world.delete(f"news/{name}.md")
    with pytest.raises(ImportRefused, match=r"news/a\.md, news/b\.md"):
        world.import_(prune=True, dry_run=True)


def test_keys_that_nobody_reads_are_counted_also_where_nothing_changed(world: World) -> None:
    world.write("a.md", "title: A\nlayout: post\nimages: [{url: 'https://x/', focus: left}]")
    world.write("b.md", "title: B\nlayout: post\nservices: [x]\ndraft: true")
    world.write(
        "c.md", "title: C\nprovider: {name: X, note: n}\nrelated: [{title: R, rank: 1}, {title: S, rank: 2}]"
    )
    world.write("d.md", "taxonomy: topic\nname: AI\ncolour: red")
    expected = {
        "layout": 2,
        "colour": 1,
        "images.focus": 1,
        "provider.note": 1,
        "related.rank": 1,
        "services": 1,
    }
    for _ in range(2):
        report = world.import_().as_json()
        assert report["unreadKeys"] == expected
        assert next(iter(report["unreadKeys"])) == "layout"


def test_a_date_ahead_is_a_warning_until_the_day_is_there(world: World) -> None:
    soon = rfc3339(IMPORTED_AT + timedelta(hours=20))
    later = IMPORTED_AT + timedelta(days=3)
    world.write("a.md", f"title: A\npublishedDateTime: {soon}")
    world.write("b.md", f"title: B\nquality: 1\npublishedDateTime: {rfc3339(later)}\npublished: no")
    world.write("c.md", "title: C")
    for _ in range(2):
        [warning] = world.import_().warnings
        assert (warning.path, warning.line, warning.key) == ("b.md", 4, "publishedDateTime")
        assert "more than a day ahead" in warning.reason
    assert world.import_(clock=lambda: later).warnings == []


def test_a_topic_that_no_document_describes_is_a_warning_where_topics_are_described(world: World) -> None:
    for name in "ab":
        world.write(f"{name}.md", "title: A\ntopics: [AI, Ia]")
    assert world.import_().warnings == []
    world.write("ai.md", "taxonomy: topic\nname: AI")
    for _ in range(2):
        [warning] = world.import_().warnings
        assert (warning.path, warning.line, warning.key) == ("a.md", 3, "topics")
        assert warning.reason == "no document describes the topic “Ia”, and 1 more article has it"
