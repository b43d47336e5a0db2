"""What curators rely on when they import a tree, again and again."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from app.catalog.index.keep import WordLimits
from app.errors import ImportRefused
from app.importer.run import Limits
from tests.oracles.index import sets_by_rows, stored_sets, stored_words, words_by_rows
from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World

pytestmark = pytest.mark.usefixtures("small_ranges")


def test_a_folder_becomes_articles_and_a_second_import_changes_nothing(world: World) -> None:
    world.write("ai/a.md", "title: First\ntopics: [AI]")
    world.write("b.txt", "title: Second")
    world.write("about.md", "name: Somebody")
    world.write("ai.yaml", "taxonomy: topic\nname: AI")
    world.write("me.md", "taxonomy: organization\nname: Example\ndomain: example.org")

    first = world.import_()
    assert (first.created, first.topics, first.providers, first.skipped, first.revision) == (2, 1, 1, 1, 1)
    again = world.import_()
    assert (again.created, again.unchanged, again.topics, again.providers, again.revision) == (0, 2, 1, 1, 1)
    assert world.titles() == ["First", "Second"]


def test_an_id_is_made_of_source_and_path_alone(world: World) -> None:
    world.write("ai/a.md", "title: First")
    world.import_("news")
    world.write("0.md", "title: Earlier")
    world.import_("other")
    ids = {(item["source"], item["path"]): item["id"] for item in world.items()}
    assert ids["news", "ai/a.md"] == "etx5jprhflsjtbe7hzzq"
    assert len(set(ids.values())) == 3


def test_bytes_that_mean_the_same_are_unchanged(world: World) -> None:
    world.write("a.md", "title: First\nquality: 7")
    world.import_()
    world.write("a.md", 'quality: "7"\r\ntitle: First\r')
    report = world.import_()
    assert (report.updated, report.unchanged, report.revision) == (0, 1, 1)


def test_a_change_only_an_export_could_show_is_an_update_without_a_revision(world: World) -> None:
    world.write("a.md", "title: First")
    world.import_()
    world.write("a.md", "title: First\nlayout: post\nsecured: c2VjcmV0")
    report = world.import_()
    assert (report.updated, report.revision) == (1, 1)


def test_a_bad_document_is_reported_and_keeps_its_last_good_state(world: World) -> None:
    world.write("a.md", "title: First")
    world.write("b.md", "title: Second")
    world.import_()
    world.write("a.md", "title: First, mended\nquality: high")
    world.write("b.md", "title: Second, mended")
    report = world.import_()
    assert (report.rejected, report.updated, report.missing) == (1, 1, 0)
    assert [(p.path, p.line, p.key) for p in report.problems] == [("a.md", 3, "quality")]
    assert world.titles() == ["First", "Second, mended"]


def test_a_draft_is_kept_and_shown_to_editors_alone(world: World) -> None:
    world.write("a.md", "title: Draft\ndraft: true\npublished: true")
    world.write("b.md", "title: Ready\ndraft: false")
    assert world.import_().unpublished == 1
    with service_of(world) as client:
        assert [item["title"] for item in answer(client, "/articles")["items"]] == ["Ready"]
        editors = answer(client, "/articles?published=any&sort=title", EDITOR)["items"]
    assert [item["title"] for item in editors] == ["Draft", "Ready"]


def test_what_another_version_stored_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a draft that a version published which did not know the key."""
    world.write("a.md", "title: A")
    monkeypatch.setattr("app.importer.read.READER_VERSION", 1)
    world.import_()
    before = world.bytes_hashes()
    monkeypatch.undo()
    assert world.import_().unchanged == 1
    assert world.bytes_hashes() != before


def test_strict_writes_nothing_if_there_is_a_problem(world_without_catalogue: World) -> None:
    world = world_without_catalogue
    world.write("a.md", "title: First")
    world.write("b.md", "quality: 1")
    report = world.import_(strict=True)
    assert (report.created, report.rejected) == (1, 1)
    assert not world.query(
        "SELECT 1 FROM sqlite_master WHERE name = 'articles'"
        if world.engine.name == "sqlite"
        else "SELECT 1 FROM pg_tables WHERE tablename = 'articles'"
    )


def test_a_dry_run_says_what_would_be_and_writes_nothing(world: World) -> None:
    world.write("a.md", "title: First")
    world.import_()
    world.write("b.md", "title: Second")
    assert world.import_(dry_run=True).created == 1
    assert world.titles() == ["First"]


def test_an_article_without_its_document_stays_until_pruned(world: World) -> None:
    for name in "abc":
        world.write(f"{name}.md", f"title: {name}\ntopics: [AI]")
    world.import_()
    world.delete("b.md")
    assert (world.import_().missing, len(world.items())) == (1, 3)
    report = world.import_(prune=True)
    assert (report.removed, report.missing, report.revision) == (1, 0, 2)
    assert world.titles() == ["a", "c"]
    assert world.topics() == {"ai": ("AI", 2, 2)}


def test_pruning_more_than_half_needs_force(world: World) -> None:
    for name in "abc":
        world.write(f"{name}.md", f"title: {name}")
    world.import_()
    world.delete("a.md")
    world.delete("b.md")
    with pytest.raises(ImportRefused, match=r"2 of 3 articles.*--force"):
        world.import_(prune=True)
    assert len(world.items()) == 3
    assert world.import_(prune=True, force=True).removed == 2


def test_a_part_of_a_tree_says_nothing_of_the_rest(world: World) -> None:
    world.write("ai/a.md", "title: A")
    world.write("web/b.md", "title: B")
    world.import_()
    world.delete("ai/a.md")
    world.delete("web/b.md")
    report = world.import_(only=("ai",), prune=True, force=True)
    assert (report.removed, report.missing) == (1, 0)
    assert world.titles() == ["B"]


def test_a_take_down_is_gone_and_may_come_back(world: World) -> None:
    world.write("a.md", "title: First\ntopics: [AI]")
    world.import_()
    world.write("a.md", "title: First\ntopics: [AI]\nremoved: true")
    assert (world.import_().updated, world.items(), world.topics()) == (1, [], {})
    world.write("a.md", "title: First\ntopics: [AI]")
    assert world.import_().updated == 1
    assert world.titles() == ["First"]


def test_going_back_gives_the_same_rows(world: World) -> None:
    world.write(
        "a.md", "title: First\ntopics: [AI, Art]\nrelated: [{title: Other, url: 'https://example.org/'}]"
    )
    world.import_()
    before = world.items(), world.topics(), world.links()
    world.write("a.md", "title: Changed\ntopics: [Art]")
    world.import_()
    assert world.links() == []
    world.write(
        "a.md", "title: First\ntopics: [AI, Art]\nrelated: [{title: Other, url: 'https://example.org/'}]"
    )
    world.import_()
    assert (world.items(), world.topics(), world.links()) == before


def test_counts_are_those_of_the_rows_whatever_came_and_went(world: World) -> None:
    for number in range(12):
        world.write(
            f"{number}.md",
            f"title: T\ntopics: [A{number % 3}, B{number % 2}]\npublished: {number % 4 > 0}\n"
            f"publishedDateTime: 2020-06-0{number % 5 + 1}\nquality: {number % 3 - 1}\n"
            "images: [{url: 'https://example.org/a.png'}]",
        )
    world.import_()
    for number in range(0, 12, 2):
        world.write(
            f"{number}.md",
            f"title: T\ntopics: [A{number % 4}]\ntags: x\npublished: {number % 3 > 0}\n"
            f"updatedDateTime: 2020-06-0{number % 4 + 1}\nheat: {number % 5}\nrelated: [{{title: X}}]",
        )
    world.delete("11.md")
    world.write("topic.md", "taxonomy: topic\nname: A1\nshortname: B1")
    world.import_(prune=True)
    for counted, column in (("terms", "term_id"), ("term_names", "name_id")):
        rows = f"(SELECT count(*) FROM article_terms x WHERE x.{column} = c.id"  # noqa: S608  both stand here
        wrong = f"editor_count <> {rows}) OR public_count <> {rows} AND published = 1)"
        assert world.query(f"SELECT c.id FROM {counted} c WHERE {wrong}") == []  # noqa: S608
    with world.engine.connect() as connection:
        sets = stored_sets(connection)
        assert sets == sets_by_rows(connection)
        assert {kind for kind, _ in sets} == {
            *("topic", "tag", "source", "has", "topic_count", "tag_count"),
            *("day", "month", "updated_day", "added_day", "quality", "heat", "unpublished"),
        }
        assert stored_words(connection) == words_by_rows(connection)


@pytest.mark.parametrize("waiting", [0, 100])
def test_more_words_than_fit_into_memory_are_counted_part_by_part(world: World, waiting: int) -> None:
    limits = Limits(
        words=WordLimits(max_words=60, max_postings=200, max_waiting_texts=waiting, articles_at_once=7)
    )
    for edition in (0, 1):
        for number in range(30):
            body = " ".join(f"w{(number * place + edition) % 97} the" for place in range(40))
            world.write(f"{number}.md", f"title: The {number}\nexcerpt: w{number} all", body)
        world.import_(limits=limits)
        with world.engine.connect() as connection:
            assert stored_words(connection) == words_by_rows(connection)
    for number in range(29):
        world.delete(f"{number}.md")
    world.import_(prune=True, force=True, limits=limits)
    with world.engine.connect() as connection:
        assert stored_words(connection) == words_by_rows(connection)


def test_a_related_link_leads_to_a_published_article_first(world: World) -> None:
    world.write("m.md", "title: M\nrelated: [{title: X, url: 'http://www.example.org/x/'}, {title: Y}]")
    world.write("hidden.md", "title: H\nwebUrl: https://example.org/x\npublished: false")
    world.import_()
    target = (
        "SELECT l.item, a.item FROM related_links r JOIN links l ON l.id = r.link_id "
        "LEFT JOIN articles a ON a.id = l.target_article_id ORDER BY r.position"
    )

    def targets() -> list[tuple[str | None, ...]]:
        return [tuple(item and json.loads(item)["title"] for item in row) for row in world.query(target)]

    assert targets() == [("X", "H"), ("Y", None)]
    world.write("seen.md", "title: S\nwebUrl: https://example.org/x?utm_source=a")
    world.import_()
    assert targets() == [("X", "S"), ("Y", None)]
    world.delete("seen.md")
    world.import_(prune=True)
    assert targets() == [("X", "H"), ("Y", None)]


def test_names_become_one_topic_when_a_document_says_so_and_part_when_it_goes(world: World) -> None:
    world.write("a.md", "title: A\ntopics: [AI]")
    world.write("b.md", "title: B\ntopics: [Artificial Intelligence, ai]")
    world.import_()
    assert world.topics() == {
        "ai": ("AI", 2, 2),
        "artificial-intelligence": ("Artificial Intelligence", 1, 1),
    }
    world.write("t.md", "taxonomy: topic\nname: Artificial Intelligence\nshortname: AI")
    world.import_()
    assert world.topics() == {"artificial-intelligence": ("Artificial Intelligence", 2, 2)}
    world.delete("t.md")
    world.import_(prune=True)
    assert world.topics() == {
        "ai": ("AI", 2, 2),
        "artificial-intelligence": ("Artificial Intelligence", 1, 1),
    }


def test_topic_ids(world: World) -> None:
    world.write("a.md", "title: A\ntopics: [C, C++, C#, 'Web  Apps', web-apps, '???']")
    world.import_()
    assert set(world.topics()) == {"c", "c++", "c#", "web-apps", "web-apps-499079", "-a03b22"}
    world.write("a.md", "title: A\ntopics: [web-apps]")
    world.import_()
    assert set(world.topics()) == {"web-apps-499079"}, "an id once given stays"


def test_what_contradicts_in_descriptions_is_a_warning_until_it_is_mended(world: World) -> None:
    world.write("1.md", "taxonomy: topic\nname: AI\nparent: Computing")
    world.write("2.md", "taxonomy: topic\nname: Robots\nparent: AI")
    world.write("3.md", "taxonomy: topic\nname: Ai\nparent: Robots")
    world.write("4.md", "taxonomy: organization\nname: One\ndomain: example.org")
    world.write("5.md", "taxonomy: organization\nname: Two\ndomain: www.example.org")
    for _ in range(2):
        warned = {warning.path: warning.reason for warning in world.import_().warnings}
        assert warned == {
            "1.md": "no document describes the topic “Computing”",
            "3.md": "describes the same topic as 1.md",
            "5.md": "describes the same provider as 4.md",
        }
    assert set(world.topics()) == {"ai", "robots", "computing"}
    world.write("1.md", "taxonomy: topic\nname: AI\nparent: Robots")
    assert {warning.path for warning in world.import_().warnings} == {"2.md", "3.md", "5.md"}


def test_two_sources_do_not_touch_each_other(world: World) -> None:
    world.write("a.md", "title: A")
    world.import_("one")
    world.import_("two", force=True)
    world.delete("a.md")
    world.write("b.md", "title: B")
    report = world.import_("two", prune=True, force=True)
    assert (report.created, report.removed) == (1, 1)
    assert [(item["source"], item["title"]) for item in world.items()] == [("one", "A"), ("two", "B")]


def test_a_base_url_is_kept_with_its_source(world: World) -> None:
    world.write("a.md", "title: A\nwebUrl: /a")
    assert "--base-url" in world.import_().problems[0].advice
    world.import_(base_url="https://example.org/news/")
    world.write("b.md", "title: B\nwebUrl: /b")
    world.import_()
    assert [item["webUrl"] for item in world.items()] == ["https://example.org/a", "https://example.org/b"]


def test_an_article_keeps_the_time_at_which_an_import_first_took_it(world: World) -> None:
    def import_on(day: int) -> list[str]:
        world.import_(clock=lambda: datetime(2026, 11, day, tzinfo=UTC))
        return [item["addedDateTime"][:10] for item in world.items()]

    world.write("a.md", "title: A")
    assert import_on(1) == ["2026-11-01"]
    world.write("a.md", "title: A, corrected\npublished: false")
    world.write("b.md", "title: B")
    assert import_on(2) == ["2026-11-01", "2026-11-02"]
    world.write("a.md", "title: A\naddedDateTime: 2020-06-11")
    assert import_on(3) == ["2020-06-11", "2026-11-02"]
    world.write("a.md", "title: A")
    assert import_on(4) == ["2020-06-11", "2026-11-02"]
    world.delete("a.md")
    world.import_(prune=True)
    world.write("a.md", "title: A")
    assert import_on(5) == ["2026-11-05", "2026-11-02"]


def test_a_clock_that_goes_back_makes_nothing_older_unless_it_is_far_off(world: World) -> None:
    at = datetime(2031, 5, 10, 12, tzinfo=UTC)
    reports = []
    for number, clock in enumerate((at, at - timedelta(hours=3), at - timedelta(days=400), at)):
        world.write(f"{number}.md", f"title: {number}")
        reports.append(world.import_(clock=partial(clock.replace)))
    assert [item["addedDateTime"][:13] for item in world.items()] == [
        "2031-05-10T12",
        "2031-05-10T12",
        "2030-04-05T12",
        "2031-05-10T12",
    ]
    assert [report.time_ahead for report in reports] == ["", "", "2031-05-10T12:00:00Z", ""]


def test_another_base_url_is_a_new_revision_where_content_may_have_links(world: World) -> None:
    world.write("a.md", "title: A", "[there](/y)")
    world.write("b.md", "title: B")
    assert world.import_().revision == 1
    report = world.import_(base_url="https://b.example/")
    assert (report.updated, report.unchanged, report.revision) == (1, 1, 2)
