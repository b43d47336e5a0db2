"""docs/architecture.md and the map in app/__init__.py name only modules, files and functions that exist."""

import re
from functools import reduce
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import app

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
IN_BACKTICKS = sorted(set(re.findall(r"`([^`\n]+)`", PAGE)))
PATHS = [name for name in IN_BACKTICKS if re.match(r"(app|tests|docs|migrations)/", name)]
DOTTED = [name for name in IN_BACKTICKS if re.fullmatch(r"app(\.\w+)+", name)]
# "`read_article` of `app/documents/article.py`"
MEMBERS = re.findall(r"`(\w+)` of `(app/[\w/]+)\.py`", PAGE)
# "documents.article <-> fields <-> scalars": a word without a dot is a neighbour of the module before it.
WAYS = re.findall(r"^One .*\n\n((?: {4}.*\n)+)", app.__doc__ or "", re.MULTILINE)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_exists(path: str) -> None:
    assert (ROOT / path).exists(), f"docs/architecture.md speaks of {path}"


@pytest.mark.parametrize("name", DOTTED)
def test_a_dotted_name_exists(name: str) -> None:
    assert _exists(name), f"docs/architecture.md speaks of {name}"


@pytest.mark.parametrize(("member", "module"), MEMBERS, ids=[member for member, _ in MEMBERS])
def test_a_member_exists(member: str, module: str) -> None:
    assert _exists(f"{module.replace('/', '.')}.{member}"), f"docs/architecture.md speaks of {member}"


def test_the_page_names_something() -> None:
    assert len(PATHS) > 30
    assert len(DOTTED) > 15
    assert MEMBERS


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
