"""What people do to the file of an SQLite catalogue while it is served, and files that cannot be written."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.catalog.state import KNOWN_SECONDS
from app.database.snapshots import Reader
from app.web.http import outage
from tests.proofs.catalogues import REPOSITORY
from tests.support.accidents import (
    ARTICLES,
    LOSSES,
    REPLACEMENTS,
    Accident,
    catalogue_of,
    file_of,
    move_another_in_its_place,
)
from tests.support.databases import sqlite_url
from tests.support.logs import noted
from tests.support.services import service_of
from tests.support.worlds import World

PATHS = ("/articles?limit=200&fields=title,topics", "/topics", "/exports/articles.csv", "/health/ready")


@pytest.fixture
def old(tmp_path: Path) -> World:
    return catalogue_of(tmp_path, "Eagle")


@pytest.fixture
def new(tmp_path: Path) -> World:
    return catalogue_of(tmp_path, "Raven", ARTICLES * 2)


@pytest.fixture
def client(old: World) -> Iterator[TestClient]:
    with service_of(old) as client:
        for path in PATHS:
            for _ in range(2):
                assert client.get(path).status_code == 200
        yield client


def whose(client: TestClient) -> set[str]:
    """Of which catalogue the answers are, or their statuses."""
    time.sleep(2 * KNOWN_SECONDS["sqlite"])
    found = set()
    for _ in range(2):
        for path in PATHS:
            answer = client.get(path)
            if answer.status_code != 200:
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert "Retry-After" in answer.headers
                found.add(str(answer.status_code))
            elif path != "/health/ready":
                found |= {name for name in ("Eagle", "Raven") if name in answer.text}
    return found


@pytest.mark.parametrize("accident", LOSSES)
def test_without_a_catalogue_all_is_503_in_a_line_until_it_is_back(
    old: World,
    new: World,
    client: TestClient,
    accident: Accident,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = file_of(old)
    kept = shutil.copy(file, file.with_suffix(".kept"))
    accident(file, file_of(new))
    assert whose(client) == {"503"}
    errors = noted(caplog.records)
    assert len(errors) == 1
    assert "\n" not in errors[0].getMessage()
    assert errors[0].exc_info is None
    if file.is_dir():
        file.rmdir()
    Path(kept).replace(file)
    assert whose(client) == {"Eagle"}


@pytest.mark.parametrize("replacement", REPLACEMENTS)
def test_another_catalogue_in_its_place_is_answered_from_at_once(
    old: World, new: World, client: TestClient, replacement: Accident
) -> None:
    file = file_of(old)
    kept = shutil.copy(file, file.with_suffix(".kept"))
    for _ in range(3):
        replacement(file, file_of(new))
        assert whose(client) == {"Raven"}
        replacement(file, Path(kept))
        assert whose(client) == {"Eagle"}


def test_a_file_that_is_moved_away_and_back_is_answered_from(old: World, client: TestClient) -> None:
    file = file_of(old)
    for _ in range(3):
        file.rename(file.with_suffix(".away"))
        assert whose(client) == {"503"}
        file.with_suffix(".away").rename(file)
        assert whose(client) == {"Eagle"}


def test_the_end_is_said_though_nobody_asks(
    old: World, client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person on call waits for that line."""
    client.app.middleware_stack.outage._quiet_seconds = 0  # type: ignore[attr-defined]
    monkeypatch.setattr(outage, "LOOK_SECONDS", 0.02)
    file = file_of(old)
    file.rename(file.with_suffix(".away"))
    assert whose(client) == {"503"}
    file.with_suffix(".away").rename(file)
    deadline = time.monotonic() + 10
    while "The catalogue can be read again." not in caplog.messages:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_log_of_the_file_before_is_not_read_with_another_one(
    old: World, new: World, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Our imports leave none; another program that writes does, and so does one beside a long reader."""
    file = file_of(old)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE articles SET item = replace(item, 'Eagle', 'Owl')")
    connection.close()
    assert Path(f"{file}-wal").stat().st_size > 0
    move_another_in_its_place(file, file_of(new))
    assert whose(client) == {"503"}
    [line] = [record.getMessage() for record in noted(caplog.records)]
    assert "remove the files that end in -wal and -shm" in line
    for end in ("-wal", "-shm"):
        Path(f"{file}{end}").unlink()
    assert whose(client) == {"Raven"}


def test_after_an_import_the_file_alone_has_everything(old: World, client: TestClient) -> None:
    old.write("added.md", "title: Added while it is served")
    old.import_()
    copy = file_of(old).with_name("copy.db")
    shutil.copy(file_of(old), copy)
    with Reader(f"sqlite:///{copy}") as reader, reader.snapshot() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM articles").scalar() == ARTICLES + 1
    assert client.get("/articles").json()["total"] == ARTICLES + 1


def can_mount() -> bool:
    tried = subprocess.run(
        ["unshare", "-m", "mount", "--bind", "/tmp", "/tmp"],  # noqa: S607, S108
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


@pytest.fixture
def elsewhere(old: World, tmp_path: Path) -> Iterator[Callable[[], object]]:
    """Asks a service for which the folder of the catalogue is a disk that cannot be written."""
    if sys.platform != "linux" or not shutil.which("unshare") or not can_mount():
        pytest.skip("may not mount")
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    ask = (
        "import json, sys; from app.main import create_app; from app.settings import Settings; "
        "from starlette.testclient import TestClient\n"
        f"with TestClient(create_app(Settings(database_url='{sqlite_url(mounted)}'))) as client:\n"
        "    for line in sys.stdin:\n"
        "        answer = client.get('/articles?limit=1&sort=-addedDateTime').json()\n"
        "        print(json.dumps(answer.get('total', answer.get('detail'))), flush=True)\n"
    )
    mount = f"mount --bind {file_of(old).parent} {mounted} && mount -o remount,ro,bind {mounted}"
    command = ["unshare", "-m", "sh", "-c", f'{mount} && exec "$0" -c "$1"', sys.executable, ask]
    with subprocess.Popen(  # noqa: S603  our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as asking:
        assert asking.stdin
        assert asking.stdout
        questions, answers = asking.stdin, asking.stdout

        def total() -> object:
            time.sleep(2 * KNOWN_SECONDS["sqlite"])
            questions.write("\n")
            questions.flush()
            return json.loads(answers.readline())

        yield total
        questions.close()


@pytest.mark.parametrize("is_read", [False, True])
def test_a_file_on_a_disk_that_cannot_be_written_is_served_and_followed(
    old: World, new: World, elsewhere: Callable[[], object], is_read: bool
) -> None:
    file = file_of(old)
    assert elsewhere() == ARTICLES
    keeper = sqlite3.connect(file, isolation_level=None)
    if is_read:
        # Whoever reads an older state keeps the import in the log.
        keeper.execute("BEGIN")
        keeper.execute("SELECT count(*) FROM articles").fetchone()
    old.write("added.md", "title: Added")
    old.import_()
    if is_read:
        assert Path(f"{file}-wal").stat().st_size > 0
    assert elsewhere() == ARTICLES + 1
    keeper.close()
    old.engine.dispose()
    assert elsewhere() == ARTICLES + 1
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert elsewhere() == ARTICLES + 1
    move_another_in_its_place(file, file_of(new))
    assert elsewhere() == ARTICLES * 2
    file.unlink()
    assert "clippings import" in str(elsewhere())


def test_a_log_that_cannot_be_read_is_said(old: World, elsewhere: Callable[[], object]) -> None:
    """As of a copy of the file and its log, but not of the log's index."""
    file = file_of(old)
    keeper = sqlite3.connect(file)
    keeper.execute("UPDATE catalogue SET revision = revision + 1")
    keeper.commit()
    log = Path(f"{file}-wal").read_bytes()
    assert log
    keeper.close()
    Path(f"{file}-wal").write_bytes(log)
    assert "not available" in str(elsewhere())
