"""What people do to the file of an SQLite catalogue while it is served, and catalogues to do it with."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.support.templates import new_sqlite_catalogue
from tests.support.worlds import World, new_world

# Enough for several pages of each table, so that a mixture of two files would show.
ARTICLES = 60

# It gets the file, and that of another catalogue.
Accident = Callable[[Path, Path], None]


def catalogue_of(folder: Path, name: str, articles: int = ARTICLES) -> World:
    (folder / name).mkdir()
    world = new_world(folder / name, new_sqlite_catalogue(folder / name))
    for number in range(articles):
        world.write(f"{number}.md", f"title: {name} {number}\nexcerpt: {name * 300}\ntopics: [{name}]")
    world.import_()
    world.engine.dispose()
    return world


def file_of(world: World) -> Path:
    return Path(str(world.engine.url.database))


def delete(file: Path, other: Path) -> None:
    file.unlink()


def truncate(file: Path, other: Path) -> None:
    os.truncate(file, 0)


def cut(file: Path, other: Path) -> None:
    os.truncate(file, 3 * 8_192 + 100)


def fill_with_garbage(file: Path, other: Path) -> None:
    file.write_bytes(os.urandom(file.stat().st_size))


def make_a_folder_of(file: Path, other: Path) -> None:
    file.unlink()
    file.mkdir()


def empty(file: Path, other: Path) -> None:
    file.unlink()
    sqlite3.connect(file).close()


def take_another_programs(file: Path, other: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE articles (id)")
    connection.close()


def take_a_newer_versions(file: Path, other: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def move_another_in_its_place(file: Path, other: Path) -> None:
    shutil.copy(other, file.with_suffix(".part"))
    file.with_suffix(".part").replace(file)


def copy_another_over_it(file: Path, other: Path) -> None:
    shutil.copy(other, file)


def restore_another(file: Path, other: Path) -> None:
    with sqlite3.connect(other) as source, sqlite3.connect(file) as target:
        source.backup(target)
    source.close()
    target.close()


# There is no catalogue after these.
LOSSES: tuple[Accident, ...] = (
    delete,
    truncate,
    cut,
    fill_with_garbage,
    make_a_folder_of,
    empty,
    take_another_programs,
    take_a_newer_versions,
)
# The other one is there after these.
REPLACEMENTS: tuple[Accident, ...] = (move_another_in_its_place, copy_another_over_it, restore_another)
