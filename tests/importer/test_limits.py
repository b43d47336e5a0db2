"""An import that gets too little of the machine ends in a line, and leaves nothing behind."""

import logging
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.catalog.tables import sources
from app.database.engines import exclusive, writing_engine
from app.database.rows import insert_tuples
from app.errors import DatabaseUnavailable, ImportRefused
from app.importer.plan import Planner, Source, StoredDocuments
from app.importer.read import Request, list_tree, read_tree
from app.importer.report import Report
from app.importer.serialise import serialise
from app.importer.spool import Batch, Spool
from app.importer.workers import Workers
from app.migrate import upgrade
from tests.support.databases import drop_postgresql, new_postgresql_url
from tests.support.worlds import write_document

REPOSITORY = Path(__file__).parents[2]
MEGABYTE = 1_000_000
# Whether workers are worth their start depends on how fast the machine reads; here they always are.
WITH_READERS = """
import sys, app.importer.read as read; from app.__main__ import main
read.SECONDS_WORTH_WORKERS = 0
sys.argv[0] = "clippings"
main()
"""


def start(
    folder: Path, *options: str, program: Sequence[str] = ("-m", "app"), memory: int | None = None
) -> subprocess.Popen[str]:
    def limit() -> None:
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    return subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, *program, "import", str(folder / "news"), *options],
        cwd=REPOSITORY,
        env=os.environ | {"CLIPPINGS_DATABASE_URL": f"sqlite:///{folder / 'clippings.db'}"},
        preexec_fn=limit,  # noqa: PLW1509  nothing else runs in this process
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("megabytes", [40, 60])
def test_too_little_memory_to_load_the_program_is_one_line(tmp_path: Path, megabytes: int) -> None:
    write_document(tmp_path, "news/a.md", "title: A")
    process = start(tmp_path, memory=megabytes * MEGABYTE)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.count("\n")) == (3, 1), said
    assert said.startswith("clippings: ")


def test_processes_that_read_end_with_the_import_that_was_killed(tmp_path: Path) -> None:
    long = f"tags: [{', '.join(map(str, range(1_000)))}]"
    # Nobody is done with them when the import is killed, a moment after its workers have begun.
    for number in range(1_000):
        write_document(tmp_path, f"news/{number}.md", f"title: {number}\n{long}")
    process = start(tmp_path, "--workers", "2", program=("-c", WITH_READERS))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 60
    readers: list[str] = []
    # The two that read, and the one that cleans up behind them.
    while len(readers) < 3 and process.poll() is None and time.monotonic() < deadline:
        readers = children.read_text().split()
        time.sleep(0.001)
    process.kill()
    _, said = process.communicate()
    assert len(readers) == 3, said
    while any(Path("/proc", reader).exists() for reader in readers) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [reader for reader in readers if Path("/proc", reader).exists()]


def test_equal_links_that_several_workers_read_are_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.importer.read.SECONDS_WORTH_WORKERS", 0)
    for number in range(1_200):
        write_document(tmp_path, f"{number}.md", f"title: {number}\nrelated: [{{title: The same}}]")
    batches = list(spooled(tmp_path, Spool(), workers=2))
    assert sum(len(batch.documents) for batch in batches) == 1_200
    assert sum(len(batch.links) for batch in batches) == 1


def test_documents_that_do_not_fit_into_memory_wait_in_a_file(tmp_path: Path) -> None:
    for number in range(1_200):
        write_document(tmp_path, f"{number:04}.md", f"title: {number}\nrelated: [{{title: The same}}]")
    with Spool() as in_memory, Spool(max_bytes_in_memory=0) as in_a_file:
        assert list(spooled(tmp_path, in_memory)) == list(spooled(tmp_path, in_a_file))


def test_no_link_stands_twice_in_a_batch_however_few_are_remembered(tmp_path: Path) -> None:
    for number in range(600):
        links = ", ".join(f"{{title: {(number + place) % 7}}}" for place in range(3))
        write_document(tmp_path, f"{number:04}.md", f"title: {number}\nrelated: [{links}]")
    batches = list(spooled(tmp_path, Spool(max_known_links=1)))
    assert [(len(batch.links), len(set(batch.links))) for batch in batches] == [(7, 7), (7, 7)]


@pytest.mark.parametrize("why", ["a full disk", "no folder"])
def test_no_room_for_documents_that_wait_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    for number in range(600):
        write_document(tmp_path, f"{number}.md", f"title: {number}")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if why == "no folder":
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(ImportRefused) as refused, Spool(max_bytes_in_memory=0) as spool:
            list(spooled(tmp_path, spool))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert re.fullmatch(
        r"The documents read cannot be kept in a temporary file: [\w ]+\. "
        r"Name a folder with more room by TMPDIR\. Nothing was written\.",
        str(refused.value),
    )


def spooled(tree: Path, spool: Spool, workers: int = 1) -> Iterator[Batch]:
    """All documents of the tree, to be written into an empty catalogue."""
    source = Source(1, "news", None)
    planner = Planner(source, StoredDocuments(), count(1))
    request = Request(tree, "news")
    listing = list_tree(request, Report())
    with Workers(workers) as readers:
        make = partial(serialise, "news", None)
        for file in read_tree(request, listing, lambda path: (), None, make, readers):
            if document := planner.saw(file):
                spool.add(document)
    return spool.batches()


@pytest.mark.parametrize("act", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_copy_that_the_server_ends_is_the_databases_failure_told_of_once(
    act: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    url = new_postgresql_url()
    engine, other = writing_engine(url), writing_engine(url)

    class Rows(list[tuple[Any, ...]]):
        """The server ends its part while these are sent."""

        def __iter__(self) -> Iterator[tuple[Any, ...]]:
            with other.begin() as connection:
                connection.execute(text(f"SELECT {act}({backend})"))
            time.sleep(0.2)
            yield from ((number, f"source {number}", None) for number in range(10_000))

    with pytest.raises(DatabaseUnavailable), exclusive(engine) as connection:
        upgrade(connection)
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        insert_tuples(connection, sources, ("id", "name", "base_url"), Rows([()]))
    assert capsys.readouterr().err == ""
    engine.dispose()
    other.dispose()
    drop_postgresql(url)


def test_an_import_that_ends_at_once_says_nothing_of_its_processes() -> None:
    ends = (
        "import os; from app.importer.workers import Workers\n"
        "with Workers(2) as workers: workers.start(); list(workers.map(abs, [1, 2])); os._exit(3)"
    )
    ended = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", ends], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (3, "")


def test_a_thread_that_cannot_be_started_is_memory_that_is_not_there() -> None:
    """No machine has room for the stack of such a thread. The process that was to be its own says nothing."""
    ends = (
        "import gc, os, threading; from app.importer.workers import Workers\n"
        "def read():\n"
        "    with Workers(2) as workers:\n"
        "        workers.start(); threading.stack_size(2**46); list(workers.map(abs, [1, 2]))\n"
        "try: read()\n"
        "except MemoryError: pass\n"
        "gc.collect(); os._exit(3)"
    )
    ended = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", ends], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (3, "")
