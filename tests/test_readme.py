"""The README is true: its examples answer so, and it names every setting, path, command and option."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from starlette.testclient import TestClient

from app.catalog.fields import ITEM_KEYS
from app.cli import clippings
from app.database.engines import writing_engine
from app.settings import Settings
from tests.support.databases import sqlite_url
from tests.support.services import service_of
from tests.support.templates import new_sqlite_catalogue
from tests.support.worlds import World

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = [
    (url, dict(re.findall(r"-H '(.+?): (.+?)'", options)), shown)
    for options, url, shown in re.findall(
        r"^\$ curl -s ((?:-H '.+?' )*)'(.+)'\n((?:(?!```).*\n)+)", README, re.MULTILINE
    )
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    engine = writing_engine(new_sqlite_catalogue(tmp_path_factory.mktemp("readme")))
    world = World(ROOT / "seeds", engine)
    world.import_("seeds")
    with service_of(world, editor_token=None) as client:
        yield client
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "headers", "shown"), EXAMPLES, ids=[url.partition("8000")[2] for url, *_ in EXAMPLES]
)
def test_an_example_answers_as_shown(
    client: TestClient, url: str, headers: dict[str, str], shown: str
) -> None:
    answer = client.get(url.removeprefix("http://127.0.0.1:8000"), headers=headers).text
    # `…` stands for what was cut.
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("…"))
    assert re.fullmatch(pattern, answer, re.DOTALL)


def test_a_tree_with_its_own_keys_is_imported_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = README.partition("### Say what a tree is")[2].partition("\n### ")[0]
    settings, document = re.findall(r"^```(?:yaml|markdown)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    (tmp_path / "linkblog" / "posts").mkdir(parents=True)
    (tmp_path / "linkblog" / "clippings.yaml").write_text(settings, encoding="utf-8")
    (tmp_path / "linkblog" / "posts" / "flexible.md").write_text(document, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", sqlite_url(tmp_path))
    examples = re.findall(r"^\$ clippings (.+)\n((?:(?!\$|```).*\n)+)", section, re.MULTILINE)
    assert len(examples) == 2
    for command, shown in examples:
        clippings.main(command.split(), standalone_mode=False)
        pattern = ".*".join(re.escape(part) for part in shown.strip().split("…"))
        assert re.fullmatch(pattern, capsys.readouterr().out.strip(), re.DOTALL)


def test_a_second_import_and_the_statistics_print_what_is_shown(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = client.app.state.resources.settings.database_url  # type: ignore[attr-defined]
    monkeypatch.setenv("CLIPPINGS_DATABASE_URL", url)
    monkeypatch.chdir(ROOT)
    examples = re.findall(
        r"^\$ \.venv/bin/clippings (import seeds/|stats)\n((?:(?!\$|```).*\n)+)", README, re.MULTILINE
    )
    for command, shown in examples:
        clippings.main(command.split(), standalone_mode=False)
        pattern = ".*".join(re.escape(part) for part in shown.strip().split("…"))
        assert re.fullmatch(pattern, capsys.readouterr().out.strip(), re.DOTALL)
    assert len(examples) == 2


def test_every_setting_is_explained() -> None:
    for name in Settings.model_fields:
        assert f"CLIPPINGS_{name.upper()}" in README


def test_every_path_is_mentioned(client: TestClient) -> None:
    for path in client.get("/openapi.json").json()["paths"]:
        assert path.partition("/{")[0] in README


def test_every_key_of_an_item_and_every_parameter_of_a_list_is_mentioned(client: TestClient) -> None:
    item = " ".join(ITEM_KEYS)
    assert item in " ".join(README.split())
    operation = client.get("/openapi.json").json()["paths"]["/articles"]["get"]
    for parameter in operation["parameters"]:
        assert f"`{parameter['name']}`" in README or f"{parameter['name']}=" in README


def test_every_command_and_option_of_import_is_mentioned() -> None:
    context = click.Context(clippings)
    for name in clippings.list_commands(context):
        assert name in README
        command = clippings.get_command(context, name)
        assert command
        for option in command.params if name in ("import", "serve") else ():
            assert all(each in README for each in option.opts if each.startswith("--")), option.opts


def test_the_make_targets_of_the_readme_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in {shlex.split(line)[1] for line in re.findall(r"^make \w+", README, re.MULTILINE)}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
