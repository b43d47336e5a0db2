"""docs/architecture.md, docs/scale.md and the map in app/__init__.py name only what exists."""

import re
from functools import reduce
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import app

ROOT = Path(__file__).parent.parent
PAGES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("architecture.md", "scale.md")}
IN_BACKTICKS = {page: sorted(set(re.findall(r"`([^`\n]+)`", text))) for page, text in PAGES.items()}
PATHS = [
    (page, name)
    for page, names in IN_BACKTICKS.items()
    for name in names
    if re.match(r"(app|benchmarks|tests|docs|migrations)/", name)
]
DOTTED = [
    (page, name)
    for page, names in IN_BACKTICKS.items()
    for name in names
    if re.fullmatch(r"(app|benchmarks)(\.\w+)+", name)
]
# "`read_article` of `app/documents/article.py`"
MEMBERS = [
    (page, member, module)
    for page, text in PAGES.items()
    for member, module in re.findall(r"`(\w+)` of `((?:app|benchmarks)/[\w/]+)\.py`", text)
]
# "documents.article <-> fields <-> scalars": a word without a dot is a neighbour of the module before it.
WAYS = re.findall(r"^One .*\n\n((?: {4}.*\n)+)", app.__doc__ or "", re.MULTILINE)


@pytest.mark.parametrize(("page", "path"), PATHS)
def test_a_path_exists(page: str, path: str) -> None:
    assert (ROOT / path).exists(), f"docs/{page} speaks of {path}"


@pytest.mark.parametrize(("page", "name"), DOTTED)
def test_a_dotted_name_exists(page: str, name: str) -> None:
    assert _exists(name), f"docs/{page} speaks of {name}"


@pytest.mark.parametrize(("page", "member", "module"), MEMBERS)
def test_a_member_exists(page: str, member: str, module: str) -> None:
    assert _exists(f"{module.replace('/', '.')}.{member}"), f"docs/{page} speaks of {member}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_something(page: str) -> None:
    assert len([path for of_page, path in PATHS if of_page == page]) > 5
    assert [member for of_page, member, _ in MEMBERS if of_page == page]


def test_the_architecture_names_its_modules() -> None:
    assert len(PATHS) > 30
    assert len(DOTTED) > 15


@pytest.mark.parametrize("way", WAYS, ids=["document", "request", "page"])
def test_the_stations_of_a_way_exist(way: str) -> None:
    package = "app"
    missing = []
    for station in re.findall(r"[\w.]+", re.sub(r"\(.*?\)", "", way)):
        # A station without its package is a neighbour of the one before it.
        name = next((name for name in (f"{package}.{station}", f"app.{station}") if _exists(name)), None)
        package = name.rpartition(".")[0] if name else package
        missing += [] if name else [station]
    assert not missing, f"app/__init__.py speaks of {missing}"


def _exists(name: str) -> bool:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module_name = ".".join(parts[:end])
        try:
            module = import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise
            continue
        return _has_members(module, parts[end:])
    return False


def _has_members(module: ModuleType, members: list[str]) -> bool:
    missing = object()
    found = reduce(lambda value, member: getattr(value, member, missing), members, module)  # type: ignore[arg-type]
    return found is not missing
