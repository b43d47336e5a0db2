"""SIGINT and SIGTERM end every command soon, with one line; an import that they end has written nothing."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.importer.test_limits import WITH_READERS
from tests.support.databases import sqlite_url
from tests.support.worlds import write_document

LINE = "clippings: interrupted, nothing written\n"
WATCHED = (
    "clippings: stopped watching after 1 import: created {}, updated 0, removed 0; "
    "the catalogue is at revision 1\n"
)
BOTH = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
# Nothing here takes so long unless it hangs.
SECONDS = 120
IN_A_NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child"]


@pytest.fixture(autouse=True)
def _heard_signals() -> Iterator[None]:
    """A shell's background jobs ignore SIGINT, and so does what they start; these tests may be such a job."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def started(
    folder: Path, *arguments: str, before: Sequence[str] = (), program: Sequence[str] = ("-m", "app")
) -> Iterator[subprocess.Popen[str]]:
    """In a session of its own, so that all of its processes can be asked at once."""
    with subprocess.Popen(  # noqa: S603  our own command
        [*before, sys.executable, *program, *arguments],
        cwd=folder,
        env=os.environ | {"CLIPPINGS_DATABASE_URL": sqlite_url(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another import is under way."""
    with closing(sqlite3.connect(folder / "clippings.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        yield


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    """Those that run: who is nobody's child any more may not have been buried."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in path.read_text().split()] if path.exists() else []
    return [child for child in found if is_running(child)]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def articles(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "clippings.db")) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'articles'").fetchone():
            return 0
        return int(connection.execute("SELECT count(*) FROM articles").fetchone()[0])


@BOTH
def test_a_watching_import_ends(tmp_path: Path, number: int) -> None:
    write_document(tmp_path / "news", "a.md", "title: A")
    with started(tmp_path, "import", "news", "--watch") as watching:
        wait_for_a_report(watching)
        watching.send_signal(number)
        _, said = watching.communicate(timeout=SECONDS)
    assert (watching.returncode, said, articles(tmp_path)) == (130, WATCHED.format(1), 1)


@pytest.mark.skipif(
    subprocess.run([*IN_A_NAMESPACE, "true"], check=False, capture_output=True).returncode != 0,  # noqa: S603
    reason="makes no namespace of processes",
)
@pytest.mark.parametrize("command", ["import --watch", "import", "export"])
def test_as_process_1_of_a_container_it_ends_too(tmp_path: Path, command: str) -> None:
    """The kernel gives such a process no signal that it does not handle."""
    write_document(tmp_path / "news", "a.md", "title: A")
    if command == "export":
        for number in range(30):
            write_document(tmp_path / "news", f"{number}.md", f"title: {number}\nexcerpt: {'long ' * 2000}")
        with started(tmp_path, "import", "news") as done:
            done.communicate(timeout=SECONDS)
    arguments = ["import", "news", *command.split()[1:]] if "import" in command else ["export"]
    with (
        locked(tmp_path) if command == "import" else nullcontext(),
        started(tmp_path, *arguments, before=IN_A_NAMESPACE) as container,
    ):
        if command == "import --watch":
            wait_for_a_report(container)
        else:
            # The export waits for the other end of the pipe to read on.
            until(lambda: any(has_open(child, "clippings.db") for child in children(container.pid)))
        [first] = children(container.pid)
        os.kill(first, signal.SIGTERM)
        _, said = container.communicate(timeout=SECONDS)
    expected = {
        "export": "clippings: interrupted, what was written before stands\n",
        "import": LINE,
        "import --watch": WATCHED.format(1),
    }
    assert (container.returncode, said) == (130, expected[command])


@pytest.mark.parametrize(("number", "times"), [(signal.SIGTERM, 1), (signal.SIGINT, 1), (signal.SIGTERM, 5)])
def test_who_waits_for_another_import_ends(tmp_path: Path, number: int, times: int) -> None:
    """SQLite waits in C, where no handler is called."""
    write_document(tmp_path / "news", "a.md", "title: A")
    with locked(tmp_path), started(tmp_path, "import", "news") as waiting:
        until(lambda: has_open(waiting.pid, "clippings.db"))
        for _ in range(times):
            waiting.send_signal(number)
            time.sleep(0.01)
        _, said = waiting.communicate(timeout=SECONDS)
    assert (waiting.returncode, said) == (130, LINE)


@BOTH
def test_processes_that_read_end_with_it(tmp_path: Path, number: int) -> None:
    for place in range(1_000):
        links = "".join(
            f"- {{title: Link {place} {n}, webUrl: 'https://a.example/{n}'}}\n" for n in range(30)
        )
        write_document(tmp_path / "news", f"{place}.md", f"title: A {place}\nrelated:\n{links}")
    with started(tmp_path, "import", "news", "--workers", "2", program=("-c", WITH_READERS)) as reading:
        # The third keeps the books of the other two.
        until(lambda: len(children(reading.pid)) >= 3 or reading.poll() is not None)
        readers = children(reading.pid)
        # A terminal and systemd signal all of them too.
        os.killpg(reading.pid, number)
        _, said = reading.communicate(timeout=SECONDS)
    assert (reading.returncode, said, articles(tmp_path)) == (130, LINE, 0)
    until(lambda: not any(map(is_running, readers)))


def wait_for_a_report(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert any("revision" in line for line in iter(process.stdout.readline, ""))


def test_a_file_stays_as_it_was_where_its_export_is_interrupted(tmp_path: Path) -> None:
    write_document(tmp_path / "news", "a.md", "title: A")
    with started(tmp_path, "import", "news") as done:
        done.communicate(timeout=SECONDS)
    (tmp_path / "all.csv").write_text("the last export")
    # The program sends the signal to itself, since nobody else could say where it comes.
    program = (
        "import os, signal, sys; import app.exporting as exporting; from app.__main__ import main\n"
        "def rows(items, columns, *, has_mark):\n"
        "    yield 'half'; os.kill(os.getpid(), signal.SIGTERM); yield 'a line'\n"
        "exporting.csv_rows = rows\n"
        "sys.argv[1:] = ['export', '--format', 'csv', '--to', 'all.csv']; main()"
    )
    assert run(tmp_path, program) == (130, "", LINE)
    assert (tmp_path / "all.csv").read_text() == "the last export"
    assert sorted(path.name for path in tmp_path.iterdir() if "csv" in path.name) == ["all.csv"]


def run(folder: Path, program: str, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=os.environ | {"CLIPPINGS_DATABASE_URL": sqlite_url(folder)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_what_was_committed_is_reported(tmp_path: Path) -> None:
    """Until the report is out, nobody is told that nothing was written."""
    write_document(tmp_path / "news", "a.md", "title: A")
    # The program sends the signal to itself, since nobody else could say where it comes.
    program = (
        "import os, signal, sys, time; from sqlalchemy import Engine, event; from app.__main__ import main\n"
        "event.listen(Engine, 'commit', lambda connection: os.kill(os.getpid(), signal.SIGTERM))\n"
        "sys.argv[1:] = ['import', 'news', *sys.argv[1:]]; main()"
    )
    for options, status, said in (((), 0, ""), (("--watch",), 130, WATCHED.format(0))):
        code, report, errors = run(tmp_path, program, *options)
        assert (code, errors, "revision 1." in report) == (status, said, True)
        assert articles(tmp_path) == 1


@BOTH
@pytest.mark.parametrize("place", ["app.cli", "app.serving", "app.serving.ready_database"])
def test_a_service_that_is_stopped_while_it_starts_has_not_failed(
    tmp_path: Path, number: int, place: str
) -> None:
    # The program sends the signal to itself, where it begins to load a module or to look at the database.
    program = (
        "import os, signal, sys; from app.__main__ import main\n"
        "place, number = sys.argv[1], int(sys.argv[2])\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == place: os.kill(os.getpid(), number)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "if place.endswith('ready_database'):\n"
        "    import app.serving; app.serving.ready_database = lambda _: os.kill(os.getpid(), number)\n"
        "sys.argv[1:] = ['serve', '--port', '0']; main()"
    )
    expected = (0, "", "clippings: stopped before it served\n")
    assert run(tmp_path, program, place, str(int(number))) == expected


def has_open(pid: int, name: str) -> bool:
    try:
        return any(
            link.readlink().name == name for link in Path(f"/proc/{pid}/fd").iterdir() if link.exists()
        )
    except OSError:
        return False
