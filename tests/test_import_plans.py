"""What an import decides of each file, without a file or a database."""

import tracemalloc
from itertools import count

import pytest

from app.documents.problems import Problem
from app.documents.reading import Reading
from app.errors import ImportRefused
from app.importer.plan import BYTES_HASH_BYTES, Planner, ReadFile, Source, StoredDocument, StoredDocuments
from app.importer.report import Report
from app.importer.serialise import DIGEST_BYTES, Serialised

NEWS = Source(1, "news", None)
NO_FINDINGS = Reading(None, None, None, (), ())
WARNING = Problem("a.md", 1, 1, "heat", "is odd", "Mend it.")


def hash_of(text: str) -> bytes:
    return text.encode().ljust(DIGEST_BYTES, b".")


def bytes_hash_of(text: str) -> bytes:
    return text.encode().ljust(BYTES_HASH_BYTES, b".")


def planner(**documents: tuple[str, str]) -> Planner:
    """Of a catalogue that has these articles, by path: bytes and meaning. Their ids are 1, 2, 3 ..."""
    stored = StoredDocuments()
    for number, (path, (bytes_, meaning)) in enumerate(documents.items(), 1):
        stored.add(path, "article", StoredDocument(number, bytes_hash_of(bytes_), hash_of(meaning), ()))
    return Planner(NEWS, stored, count(100))


def file(path: str, bytes_: str, meaning: str, kind: str = "article") -> ReadFile[Serialised]:
    result = Serialised(kind, path, None, hash_of(meaning), b"", "{}")
    return ReadFile(path, bytes_hash_of(bytes_), NO_FINDINGS, result)


def test_a_document_is_written_when_its_meaning_is_new() -> None:
    plans = planner(a=("bytes", "meaning"), b=("bytes", "meaning"), c=("bytes", "meaning"))
    assert plans.saw(ReadFile("a", bytes_hash_of("bytes"), None, None)) is None
    assert plans.saw(file("b", "other bytes", "meaning")) is None
    changed = plans.saw(file("c", "other bytes", "other meaning"))
    new = plans.saw(file("d", "bytes", "meaning"))
    assert changed and (changed.document_id, changed.replaces) == (3, True)
    assert new and (new.document_id, new.replaces) == (100, False)
    plan = plans.conclude(Report(), incomplete=False, prune=True, force=False)
    assert [(same.document_id, same.bytes_hash) for same in plan.same_meaning] == [
        (2, bytes_hash_of("other bytes"))
    ]
    report = plan.report
    assert (report.created, report.updated, report.unchanged, report.removed) == (1, 1, 2, 0)


@pytest.mark.parametrize(
    ("incomplete", "prune", "force", "missing", "removed"),
    [
        (False, False, False, 2, 0),
        (False, True, True, 0, 2),
        (True, True, True, 0, 0),
        (True, False, False, 0, 0),
    ],
)
def test_what_has_no_file_is_missing_or_removed(
    *, incomplete: bool, prune: bool, force: bool, missing: int, removed: int
) -> None:
    plans = planner(a=("bytes", "meaning"), b=("bytes", "meaning"), c=("bytes", "meaning"))
    plans.saw(ReadFile("b", bytes_hash_of("bytes"), None, None))
    plan = plans.conclude(Report(), incomplete=incomplete, prune=prune, force=force)
    assert (plan.report.missing, plan.report.removed) == (missing, removed)
    assert plan.to_remove == ([1, 3] if removed else [])


def test_a_tree_that_lost_most_of_its_documents_is_refused() -> None:
    plans = planner(a=("bytes", "meaning"), b=("bytes", "meaning"), c=("bytes", "meaning"))
    plans.saw(ReadFile("b", bytes_hash_of("bytes"), None, None))
    with pytest.raises(ImportRefused, match="would remove 2 of 3 articles"):
        plans.conclude(Report(), incomplete=False, prune=True, force=False)


def test_a_file_that_cannot_be_taken_keeps_what_is_stored_of_it() -> None:
    plans = planner(a=("bytes", "meaning"), b=("bytes", "meaning"))
    problem = Problem("a", 1, 1, None, "is no YAML", "Mend it.")
    plans.saw(ReadFile("a", b"", Reading(None, None, None, (problem,), ()), None))
    plans.saw(ReadFile("b", b"", Reading(None, "a text", "is empty", (), ()), None))
    plan = plans.conclude(Report(), incomplete=False, prune=True, force=False)
    assert plan.to_remove == []
    assert [(found.path, found.reason) for found in plan.report.problems] == [
        ("a", "is no YAML"),
        ("b", "was an article and now is empty"),
    ]


def test_a_path_may_keep_its_article_although_its_file_now_describes_a_topic() -> None:
    plans = planner(a=("bytes", "meaning"))
    plans.saw(file("a", "other bytes", "meaning", kind="topic"))
    plan = plans.conclude(Report(), incomplete=False, prune=False, force=False)
    assert (plan.report.missing, plan.report.topics) == (1, 1)


def test_unchanged_documents_say_their_warnings_again() -> None:
    stored = StoredDocuments()
    stored.add("a", "topic", StoredDocument(1, bytes_hash_of("topic"), hash_of("meaning"), ()))
    stored.add("a", "article", StoredDocument(2, bytes_hash_of("article"), hash_of("meaning"), (WARNING,)))
    assert stored.bytes_hashes("a") == (bytes_hash_of("topic"), bytes_hash_of("article"))
    plans = Planner(NEWS, stored, count(100))
    plans.saw(ReadFile("a", bytes_hash_of("article"), None, None))
    plan = plans.conclude(Report(), incomplete=False, prune=False, force=False)
    assert plan.report.warnings == [WARNING]
    assert plan.report.missing == 0


def test_an_import_holds_at_most_300_bytes_of_each_stored_document() -> None:
    tracemalloc.start()
    stored = StoredDocuments()
    for number in range(20_000):
        path, digest = f"{number % 50}/2020-06-{number:06}.md", number.to_bytes(16)
        stored.add(path, "article", StoredDocument(number, digest, digest, ()))
    Planner(NEWS, stored, count(100_000))
    bytes_each = tracemalloc.get_traced_memory()[0] / 20_000
    tracemalloc.stop()
    assert bytes_each < 300
