"""The paths at which the article of a collection's item may be. Knows no file and no database."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

from app.documents.files import MAX_PATH_BYTES

# Endings of documents, in any case, which an item may leave out; the first that is there counts.
ENDINGS: Final = (".md", ".mdx", ".markdown", ".txt")
# Stems stand in an index. No file system has longer names.
MAX_STEM_CHARACTERS: Final = 255


def without_ending(path: str) -> str:
    lowered = path.lower()
    ending = next((ending for ending in ENDINGS if lowered.endswith(ending)), "")
    return path[: len(path) - len(ending)]


def stem_of_item(item: str) -> str:
    """The name of a file without its ending, which all ways to write its path have in common."""
    return without_ending(_normal(item).rpartition("/")[2])[:MAX_STEM_CHARACTERS]


def stems_of_article(path: str) -> set[str]:
    """The stems of all items that may name it: `b.md` may be an item of b.md, and of b.md.md too."""
    stem = stem_of_item(path)
    return {stem, without_ending(stem)}


def possible_paths(collection: str, item: str) -> list[str]:
    """The article's path, or that without its ending: from the root, else from a folder above the collection.

    Sites that have their documents in `_learning/courses` write `courses/x` in `_learning/collections/y.md`.
    """
    # `..` alone would be the folder above the collection, which is no article's name.
    if not _normal(item):
        return []
    folders = ["", *(str(folder) for folder in PurePosixPath(collection).parents if str(folder) != ".")]
    paths = (_normal(f"{folder}/{item}") for folder in folders)
    return [path for path in paths if len(path.encode()) <= MAX_PATH_BYTES]


class ArticlePaths:
    """Articles by path, and by path without ending."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = set(paths)
        self._by_start: dict[str, list[str]] = {}
        for path in self._paths:
            start = without_ending(path)
            if start != path:
                self._by_start.setdefault(start, []).append(path)

    def find(self, collection: str, item: str) -> str | None:
        """The path of the article that the item names."""
        return next((path for start in possible_paths(collection, item) for path in self._at(start)), None)

    def _at(self, path: str) -> Iterator[str]:
        if path in self._paths:
            yield path
        yield from sorted(self._by_start.get(path, ()), key=_rank)


def _rank(path: str) -> tuple[int, bool, str]:
    """Endings come in their order; of one ending its usual spelling is first."""
    ending = path[len(without_ending(path)) :]
    return ENDINGS.index(ending.lower()), ending != ending.lower(), path


def _normal(path: str) -> str:
    """`/a/./b` is a/b, `a/../b` is b."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
