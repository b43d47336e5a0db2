"""How every command exits, and what it says: by the command and by what is so when it runs.

0 done; 1 done, but some documents were rejected; 2 wrong usage; 3 could not be done, and nothing was written;
130 interrupted, and nothing was written.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Engine, text

import app.cli
from app.database.engines import exclusive, writing_engine
from app.importer.read import Request
from app.importer.run import Options, import_trees


class Case(NamedTuple):
    command: str
    situation: str
    status: int
    said: str
    articles: int | None = None


# Each case has what is printed, and how many articles a catalogue has afterwards.
CASES = [
    # Done
    Case("import news", "two good documents", 0, "created 2", articles=2),
    Case("import news/good.md", "two good documents", 0, "created 1", articles=1),
    Case("import news --dry-run", "two good documents", 0, "Nothing was written", articles=0),
    Case("import news", "an import was done before", 0, "unchanged 2", articles=2),
    Case("import news", "all files are gone", 0, "missing 2", articles=2),
    Case("import news --prune --force", "all files are gone", 0, "removed 2", articles=0),
    Case("import news --strict", "two good documents", 0, "created 2", articles=2),
    Case("import news", "there is nothing but a file to skip", 0, "skipped 1", articles=0),
    Case("check news", "two good documents", 0, "2 articles"),
    Case("check news", "there is nothing but a file to skip", 0, "news/readme.md:1:1: skipped: "),
    Case("migrate", "two good documents", 0, "", articles=0),
    Case("migrate", "an import was done before", 0, "", articles=2),
    Case("export", "an import was done before", 0, '"title":"Good"', articles=2),
    Case("export --topic nobody", "an import was done before", 0, ""),
    Case("export --format documents --to copy", "an import was done before", 0, "2 documents written"),
    Case("sources", "an import was done before", 0, "news           2", articles=2),
    Case("sources --json", "an import was done before", 0, '"articles": 2'),
    Case("sources remove news --yes", "an import was done before", 0, "2 articles were removed", articles=0),
    Case("check", "two good documents", 0, "0 articles"),
    Case("check news --strict", "two good documents", 0, "2 articles"),
    Case("schema", "two good documents", 0, '"$schema"'),
    Case("openapi", "two good documents", 0, '"/articles/{article_id}"'),
    Case("--help", "two good documents", 0, "Usage:"),
    Case("import --help", "two good documents", 0, "--prune"),
    Case("--version", "two good documents", 0, "version"),
    # Done, but some documents were rejected
    Case("import news", "a document is bad", 1, "rejected 1", articles=2),
    Case("import news --dry-run", "a document is bad", 1, "Nothing was written", articles=0),
    Case("import news --strict", "a document is bad", 1, "Nothing was written", articles=0),
    Case("import news", "a file was emptied", 1, "its last good state is kept", articles=2),
    Case("import news", "the settings are wrong", 3, "clippings.yaml:1:1: error: sorce: ", articles=0),
    Case("check news", "the settings are wrong", 1, "clippings.yaml:1:1: error: sorce: "),
    Case("check news", "a document is bad", 1, "bad.md:3:1: error: quality: "),
    # Wrong usage
    Case("", "two good documents", 2, "Usage:"),
    Case("imprt", "two good documents", 2, "No such command"),
    Case("import", "two good documents", 2, "PATH"),
    Case("import nowhere", "two good documents", 2, "nowhere"),
    Case("import news --no-such", "two good documents", 2, "--no-such"),
    Case("import news --source two+words", "two good documents", 2, "--source"),
    Case("import news news/../news", "two good documents", 2, "--source"),
    Case("import news --root news/../letters", "two good documents", 2, "--root"),
    Case("import news --workers 0", "two good documents", 2, "--workers"),
    Case("import news --lock-wait -1", "two good documents", 2, "number of seconds from 0 to 604800"),
    Case("import news --lock-wait nan", "two good documents", 2, "number of seconds from 0 to 604800"),
    Case("import news --lock-wait soon", "two good documents", 2, "number of seconds from 0 to 604800"),
    Case("check nowhere", "two good documents", 2, "nowhere"),
    Case("sources remove letters --yes", "an import was done before", 2, "there are: news", articles=2),
    Case("migrate now", "two good documents", 2, "now"),
    Case("export --published-from yesterday", "an import was done before", 2, "must be a date"),
    Case("export --sort relevance", "an import was done before", 2, "without q"),
    Case("export --format documents", "an import was done before", 2, "--to"),
    Case("export --format documents --to .", "an import was done before", 2, "not empty"),
    Case("serve --port 65536", "two good documents", 2, "--port"),
    # Could not be done
    Case("import news --prune", "all files are gone", 3, "--force", articles=2),
    Case("import news --source again", "an import was done before", 3, "--source news", articles=2),
    Case("import news --source again --force", "an import was done before", 0, "created 2", articles=4),
    Case("sources", "two good documents", 3, "no catalogue yet"),
    Case("sources", "the database is away", 3, "The database cannot be"),
    Case("import news", "another import is under way", 3, "Another import is under way", articles=0),
    Case("import news --lock-wait 0", "another import is under way", 3, "is under way; try", articles=0),
    Case("migrate", "another import is under way", 3, "Another import is under way", articles=0),
    Case("import news", "the database is away", 3, "The database cannot be"),
    Case("migrate", "the database is away", 3, "The database cannot be"),
    Case("export", "the database is away", 3, "The database cannot be"),
    Case("import news", "a setting is wrong", 3, "CLIPPINGS_DATABASE_URL: must"),
    Case("export", "a setting is wrong", 3, "CLIPPINGS_DATABASE_URL: must"),
    Case("serve", "a setting is wrong", 3, "CLIPPINGS_DATABASE_URL: must"),
    Case("export --to news/good.md/all.csv", "an import was done before", 3, "cannot write"),
]

GOOD = "---\ntitle: Good\n---\n"


def two_good_documents(folder: Path) -> None:
    (folder / "letters").mkdir()
    (folder / "news").mkdir()
    for name in ("good", "better"):
        (folder / "news" / f"{name}.md").write_text(GOOD)


def nothing_but_a_file_to_skip(folder: Path) -> None:
    (folder / "news").mkdir()
    (folder / "news" / "readme.md").write_text("Nothing to import.\n")


def a_bad_document(folder: Path) -> None:
    two_good_documents(folder)
    (folder / "news" / "bad.md").write_text("---\ntitle: Bad\nquality: high\n---\n")


def an_import_before(folder: Path) -> None:
    two_good_documents(folder)
    assert run("import", "news") == 0


def a_file_was_emptied(folder: Path) -> None:
    an_import_before(folder)
    (folder / "news" / "good.md").write_text("")


def all_files_are_gone(folder: Path) -> None:
    an_import_before(folder)
    for file in (folder / "news").iterdir():
        file.unlink()


def the_settings_are_wrong(folder: Path) -> None:
    two_good_documents(folder)
    (folder / "news" / "clippings.yaml").write_text("sorce: letters\n")


SITUATIONS: dict[str, Callable[[Path], None]] = {
    "two good documents": two_good_documents,
    "there is nothing but a file to skip": nothing_but_a_file_to_skip,
    "a document is bad": a_bad_document,
    "the settings are wrong": the_settings_are_wrong,
    "an import was done before": an_import_before,
    "a file was emptied": a_file_was_emptied,
    "all files are gone": all_files_are_gone,
    "another import is under way": two_good_documents,
    "the database is away": two_good_documents,
    "a setting is wrong": two_good_documents,
}
AWAY = {
    "sqlite": "sqlite:////nowhere/at/all/clippings.db",
    "postgresql": "postgresql://nobody:geheim@127.0.0.1:1/none",
}


def run(*arguments: str) -> object:
    """The command in this process, which takes a hundredth of the time of a new one."""
    sys.argv[1:] = arguments
    with pytest.MonkeyPatch.context() as patch, ExitStack() as at_the_end:

        def engine_of(url: str, wait_seconds: float, say_waiting: Callable[[str], None]) -> Engine:
            """A process that ends closes what it has open; this one does not end."""
            # Nobody here waits a minute for another import.
            engine = writing_engine(url, min(wait_seconds, 0.1), say_waiting)
            at_the_end.callback(engine.dispose)
            return engine

        patch.setattr(app.cli, "writing_engine", engine_of)
        with pytest.raises(SystemExit) as ended:
            app.cli.main()
    return ended.value.code


def articles_in(url: str) -> int:
    engine = writing_engine(url)
    try:
        with engine.connect() as connection:
            if not engine.dialect.has_table(connection, "articles"):
                return 0
            return int(connection.execute(text("SELECT count(*) FROM articles")).scalar_one())
    finally:
        engine.dispose()


def needs_both_databases(case: Case) -> bool:
    return case.status != 2 and case.command.split()[0] in ("import", "migrate", "export", "sources")


@pytest.mark.parametrize(
    ("database_url", "case"),
    [
        pytest.param(database, case, id=f"{case.command}: {case.situation}, {database}")
        for case in CASES
        for database in (["sqlite", "postgresql"] if needs_both_databases(case) else ["sqlite"])
    ],
    indirect=["database_url"],
)
def test_a_command_exits_so(
    case: Case,
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["clippings"])
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", database_url)
    SITUATIONS[case.situation](tmp_path)
    capsys.readouterr()
    if case.situation == "the database is away":
        monkeypatch.setenv("CLIPPINGS_DATABASE_URL", AWAY[database_url.partition(":")[0]])
    if case.situation == "a setting is wrong":
        monkeypatch.setenv("CLIPPINGS_DATABASE_URL", "mysql://nobody:geheim@localhost/x")
    if case.situation == "another import is under way":
        other = writing_engine(database_url)
        with exclusive(other):
            status = run(*case.command.split())
        other.dispose()
    else:
        status = run(*case.command.split())
    said = "".join(capsys.readouterr())
    assert (status, case.said in said) == (case.status, True), said
    assert "Traceback" not in said
    assert "geheim" not in said
    if case.articles is not None:
        assert articles_in(database_url) == case.articles


INTERRUPTED = [
    ("import news", "good.md"),
    ("check news", "good.md"),
    ("migrate", "0001_"),
    ("export --to all.csv", "all.csv"),
]
# The program sends the signal to itself when it opens a file: nobody else could say where it comes.
PROGRAM = """
import os, signal, sys
from app.__main__ import main
name, number = sys.argv[1:3]
del sys.argv[1:3]
def interrupt(event, arguments):
    if event == "open" and name in str(arguments[0]):
        signal.raise_signal(int(number))
sys.addaudithook(interrupt)
main()
"""


@pytest.mark.parametrize(("command", "opened"), INTERRUPTED, ids=[command for command, _ in INTERRUPTED])
def test_an_interrupted_command_exits_with_130(
    command: str, opened: str, tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "good.md").write_text(GOOD)
    if command.startswith("export"):
        engine = writing_engine(database_url)
        import_trees(engine, [Request(tmp_path / "news", "news")], Options())
        engine.dispose()
    number = signal.SIGINT if database_url.startswith("sqlite") else signal.SIGTERM
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-c", PROGRAM, opened, str(int(number)), *command.split()],
        cwd=tmp_path,
        env=os.environ | {"CLIPPINGS_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "clippings: interrupted, nothing written\n"
    assert not (tmp_path / "all.csv").exists()
    assert articles_in(database_url) == (1 if command.startswith("export") else 0)
