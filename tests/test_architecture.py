"""The map in app/__init__.py is true."""

import ast
import asyncio
import re
import sys
from itertools import groupby
from pathlib import Path
from types import FrameType

import httpx2
import pytest

from app.main import create_app
from app.settings import Settings
from tests.support.databases import sqlite_url
from tests.support.templates import new_sqlite_catalogue
from tests.support.worlds import new_world

APP = Path(__file__).parent.parent / "app"
HISTORY = APP.parent / "migrations"
ARROWS = {
    "database": set[str](),
    "documents": set[str](),
    "catalog": set[str](),
    "conversion": {"documents"},
    "importer": {"documents", "catalog"},
    "feeds": {"catalog"},
    "exports": {"catalog"},
    "pages": {"catalog"},
    "web": {"catalog", "feeds", "exports", "pages"},
}
INDEX = APP / "catalog" / "index"
# The doors of catalog/index: an import has its own.
DOORS = {"find", "conditions"}
DOORS_OF_IMPORTS = {"keep"}
# Classes of these names stand for one noun at several stations, or wait for names of their own.
HOMONYMS = {"Image", "Provider", "RelatedLink"}
TOGETHER = {
    "cli",
    "console",
    "converting",
    "exporting",
    "main",
    "purge",
    "serving",
    "shutdown",
    "statistics",
    "__main__",
}
MODULES = sorted(APP.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(APP)))
def test_a_module_imports_only_along_the_arrows(module: Path) -> None:
    package = module.relative_to(APP).parts[0].removesuffix(".py")
    if package in TOGETHER:
        return
    imported = {name.split(".")[1] for name in _imports(module) if name.startswith("app.")}
    # Every station may ask the database.
    packages = imported & ARROWS.keys() - {package, "database"}
    assert packages <= ARROWS.get(package, set()), f"{package} knows {packages}"
    assert not imported & TOGETHER


def test_only_the_view_of_a_request_knows_the_database() -> None:
    """What the other modules of `web` want to know they ask the catalog."""
    knowing = {path.stem for path in (APP / "web").rglob("*.py") if "sqlalchemy" in _packages(path)}
    assert knowing <= {"view"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(APP)))
def test_the_index_is_entered_by_its_doors(module: Path) -> None:
    if module.is_relative_to(INDEX):
        return
    doors = DOORS_OF_IMPORTS if module.is_relative_to(APP / "importer") else DOORS
    inside = [name.split(".") for name in _imports(module) if name.startswith("app.catalog.index.")]
    assert {name[3] for name in inside} <= doors
    assert "pyroaring" not in _packages(module)


def test_no_two_classes_have_one_name() -> None:
    names = [
        node.name
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    assert {name for name in names if names.count(name) > 1} <= HOMONYMS


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(APP)))
def test_a_module_says_what_it_knows(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    if module.name not in ("__init__.py", "__main__.py"):
        assert ast.get_docstring(ast.parse(text))


def test_the_map_names_every_folder() -> None:
    described = re.findall(r"^    (\w+)  ", (APP / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(described) == {path.name for path in APP.iterdir() if (path / "__init__.py").exists()}


@pytest.mark.parametrize("migration", sorted(HISTORY.rglob("*.py")), ids=lambda migration: migration.stem)
def test_a_migration_knows_nothing_of_today(migration: Path) -> None:
    """What it does to a catalogue must not change with the code."""
    assert not [name for name in _imports(migration) if name.split(".")[0] == "app"]


def test_the_writing_of_an_import_enters_no_module_more_than_three_times() -> None:
    """The way of the connection through `apply_plans`, line by line."""
    [function] = [
        node
        for node in ast.walk(ast.parse((APP / "importer" / "apply.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and node.args]
    calls = [call for call in calls if getattr(call.args[0], "id", "") == "connection"]
    calls.sort(key=lambda call: call.lineno)
    # `ChangeLog(connection)`, `documents.add(connection, ...)`, and what the first returned: `log.add(...)`
    made_by = {
        node.targets[0].id: node.value.func.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
    }
    names = [getattr(getattr(call.func, "value", call.func), "id", "") for call in calls]
    owners = [owner for owner, _ in groupby(made_by.get(name, name) for name in names)]
    assert len(calls) > 15
    assert {owner: owners.count(owner) for owner in owners if owners.count(owner) > 3} == {}


def test_a_list_request_touches_at_most_29_modules(tmp_path: Path) -> None:
    world = new_world(tmp_path, new_sqlite_catalogue(tmp_path))
    world.write("a.md", "title: A\ntopics: [AI]")
    world.import_()
    app = create_app(Settings(database_url=sqlite_url(tmp_path)))
    # The log writes the time anew once a second, so some requests enter it and others do not.
    touched = {"logs.py"}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(f"{APP}/"):
            touched.add(Path(frame.f_code.co_filename).relative_to(APP).as_posix())

    async def ask() -> None:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as client:
            # The first request does what is done once for all.
            await client.get("/articles?topic=Space")
            sys.setprofile(note)
            try:
                response = await client.get("/articles?topic=AI")
            finally:
                sys.setprofile(None)
            assert response.json()["total"] == 1

    asyncio.run(ask())
    app.state.resources.close()
    world.engine.dispose()
    assert 10 < len(touched) <= 29, sorted(touched)


def _packages(module: Path) -> set[str]:
    return {name.split(".")[0] for name in _imports(module)}


def _imports(module: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from app.catalog import index` imports a module too.
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names
