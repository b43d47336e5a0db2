"""A file that was a document and no longer reads as one: a slip of an editor, a disk or a merge."""

from typing import Any

from tests.support.services import answer, service_of
from tests.support.worlds import World

GOOD = b"---\ntitle: A\n---\n"
MERGE = b"<<<<<<< HEAD\n---\ntitle: B\n---\n=======\n---\ntitle: C\n---\n>>>>>>> theirs\n"


# An article's new text, and the problem.
OVERWRITTEN = [
    (b"", "was an article and now is empty"),
    (b"\xef\xbb\xbf\n \r\n", "was an article and now is empty"),
    (b"\x00" * 100, "was an article and now is empty"),
    (b"A\n" + GOOD, "was an article and now does not begin with front matter"),
    (b" " + GOOD, "was an article and now does not begin with front matter"),
    (b"\xef\xbb\xbf\xef\xbb\xbf" + GOOD, "was an article and now does not begin with front matter"),
    (b"=======\n" + GOOD, "was an article and now does not begin with front matter"),
    (b"title: A\n", "was an article and now does not begin with front matter"),
    (b"---\n---\n", "was an article and now has front matter without keys"),
    (
        b"---\nlayout: page\n---\n",
        "was an article and now has front matter without any key of an article",
    ),
    (b"---\n", "opens its front matter and never closes it"),
    (b"---\ntitle: A\n", "opens its front matter and never closes it"),
    (MERGE, "holds merge marks (<<<<<<<)"),
]


def test_what_was_an_article_and_reads_as_nothing_is_a_problem_each_time(world: World) -> None:
    files = [f"{number:02}.md" for number in range(len(OVERWRITTEN))]
    for file in files:
        world.write(file, "title: A")
    world.write("good.md", "title: B")
    world.import_()
    for file, (content, _) in zip(files, OVERWRITTEN, strict=True):
        (world.root / file).write_bytes(content)
    every_way: list[dict[str, Any]] = [{}, {"prune": True}, {"prune": True, "force": True}, {"dry_run": True}]
    for options in every_way:
        report = world.import_(**options)
        assert [(problem.path, problem.line, problem.reason) for problem in report.problems] == [
            (file, 1, reason) for file, (_, reason) in zip(files, OVERWRITTEN, strict=True)
        ]
        assert (report.rejected, report.skipped, report.unchanged) == (len(files), 0, 1)
        assert (report.missing, report.removed, report.revision) == (0, 0, 1)
    assert world.titles() == [*"A" * len(files), "B"]
    with service_of(world) as client:
        changes = answer(client, "/changes?since=0")["items"]
    assert {change["change"] for change in changes} == {"upsert"}


def test_a_file_that_was_never_a_document_is_skipped(world: World) -> None:
    for number, content in enumerate((b"", b"A\n" + GOOD, b"<<<<<<< HEAD\n", b"---\nlayout: page\n---\n")):
        (world.root / f"{number}.md").write_bytes(content)
    report = world.import_()
    assert (report.skipped, report.problems) == (4, [])


def test_what_described_a_topic_or_a_provider_is_kept_as_well(world: World) -> None:
    world.write("ai.yaml", "taxonomy: topic\n_id: ai\nname: AI")
    world.write("bbc.md", "taxonomy: organization\nname: BBC\ndomain: bbc.co.uk")
    world.import_()
    (world.root / "ai.yaml").write_text("_id: ai\nname: AI\n")
    (world.root / "bbc.md").write_text("")
    report = world.import_(prune=True)
    assert sorted(problem.reason for problem in report.problems) == [
        "was a provider and now is empty",
        "was a topic and now has no taxonomy",
    ]
    assert world.topics() == {"ai": ("AI", 0, 0)}
    assert len(world.bytes_hashes()) == 2


def test_what_says_that_it_is_something_else_now_is_gone(world: World) -> None:
    """A person, a forum: who writes a name or another taxonomy means it."""
    for name in ("a", "b", "c"):
        world.write(f"{name}.md", f"title: {name}")
    world.import_()
    world.write("a.md", "name: Ann")
    world.write("b.md", "taxonomy: forum\ntitle: b")
    report = world.import_(prune=True, force=True)
    assert (report.skipped, report.removed, report.problems) == (2, 2, [])
    assert world.titles() == ["c"]


def test_a_file_that_is_gone_is_still_missing_and_a_moved_one_too(world: World) -> None:
    for name in ("a", "b", "c", "d", "e"):
        world.write(f"{name}.md", f"title: {name}")
    world.import_()
    world.delete("a.md")
    (world.root / "b.md").rename(world.root / "moved.md")
    (world.root / "c.md").write_text("")
    report = world.import_(prune=True)
    assert (report.removed, report.created, report.rejected) == (2, 1, 1)
    assert world.titles() == ["c", "d", "e", "b"]


def test_strict_writes_nothing_and_a_part_keeps_what_it_had(world: World) -> None:
    world.write("ai/a.md", "title: A")
    world.write("web/b.md", "title: B")
    world.import_()
    (world.root / "ai/a.md").write_text("")
    world.write("web/b.md", "title: B2")
    assert world.import_(strict=True).rejected == 1
    assert world.titles() == ["A", "B"]
    report = world.import_(only=("ai", "web/b.md"), prune=True, force=True)
    assert (report.rejected, report.updated, report.removed) == (1, 1, 0)
    assert world.titles() == ["A", "B2"]


def test_it_may_come_back_and_blank_lines_before_front_matter_are_read(world: World) -> None:
    world.write("a.md", "title: A")
    world.import_()
    (world.root / "a.md").write_bytes(b"")
    world.import_(prune=True, force=True)
    (world.root / "a.md").write_bytes(b"\xef\xbb\xbf\r\n \t\r\n" + GOOD + b"quality: not read here\n")
    report = world.import_(prune=True)
    assert (report.updated, report.problems, world.titles()) == (1, [], ["A"])
    (world.root / "a.md").write_bytes(b"\n\n---\ntitle: A\nquality: high\npublished:\n---\n")
    [problem] = world.import_().problems
    assert (problem.line, problem.column, problem.key) == (5, 1, "quality")
