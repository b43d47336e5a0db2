"""The map in app/__init__.py is true."""

import ast
import re
from pathlib import Path

import pytest

APP = Path(__file__).parent.parent / "app"
HISTORY = APP.parent / "migrations"
ARROWS = {
    "documents": set[str](),
    "catalog": set[str](),
    "importer": {"documents", "catalog"},
    "feeds": {"catalog"},
    "exports": {"catalog"},
    "web": {"catalog", "feeds", "exports"},
}
TOGETHER = {"cli", "console", "exporting", "main", "serving", "__main__"}
MODULES = sorted(APP.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(APP)))
def test_a_module_imports_only_along_the_arrows(module: Path) -> None:
    package = module.relative_to(APP).parts[0].removesuffix(".py")
    if package in TOGETHER:
        return
    imported = {name.split(".")[1] for name in _imports(module) if name.startswith("app.")}
    packages = imported & ARROWS.keys() - {package}
    assert packages <= ARROWS.get(package, set()), f"{package} knows {packages}"
    assert not imported & TOGETHER


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(APP)))
def test_a_module_says_what_it_knows(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    if module.name not in ("__init__.py", "__main__.py"):
        assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("module", sorted(APP.glob("importer/**/*.py")), ids=lambda module: module.stem)
def test_an_import_enters_the_index_by_one_door(module: Path) -> None:
    inside = {name for name in _imports(module) if name.startswith(("app.catalog.index", "pyroaring"))}
    assert inside <= {"app.catalog.index.keep"}


def test_the_map_names_every_folder() -> None:
    described = re.findall(r"^    (\w+)   ", (APP / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(described) == {path.name for path in APP.iterdir() if (path / "__init__.py").exists()}


@pytest.mark.parametrize("migration", sorted(HISTORY.rglob("*.py")), ids=lambda migration: migration.stem)
def test_a_migration_knows_nothing_of_today(migration: Path) -> None:
    """What it does to a catalogue must not change with the code."""
    assert not [name for name in _imports(migration) if name.split(".")[0] == "app"]


def _imports(module: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names
