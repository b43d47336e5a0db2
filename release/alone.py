"""Tries a release in an empty folder: an import, pages with their style sheet, the documentation, a backup.

Its arguments are the command, as an environment has it that knows the wheel alone:

    python release/alone.py dist/alone/bin/clippings
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urljoin
from urllib.request import ProxyHandler, build_opener

_DOCUMENT: Final = "---\ntitle: A wheel turns\ntopics: [Wheels]\n---\nIt carries all it needs.\n"
_MARK: Final = "running on "
# A checkout, or a catalogue of somebody's own, would be used in place of what is tried.
_FOREIGN: Final = ("CLIPPINGS_", "DATABASE_URL", "PYTHON")
# No proxy: one is often set for machines that build releases, and would be asked for 127.0.0.1 as well.
_open = build_opener(ProxyHandler({})).open


def try_alone(command: Sequence[str], folder: Path) -> None:
    """Says what is wrong, and exits."""
    (folder / "notes").mkdir()
    (folder / "notes" / "wheel.md").write_text(_DOCUMENT, encoding="utf-8")
    _run(command, folder, "import", "notes")
    with _serving(command, folder) as url:
        page, _ = _get(url)
        _must("A wheel turns" in page, "the list is a page without its article")
        sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
        documentation, _ = _get(urljoin(url, "/docs"))
        parts = re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', documentation)
        _must(sheets and parts, "pages have no style sheet or script")
        for place in (*sheets, *parts):
            text, kind = _get(urljoin(url, place))
            _must(text and kind in ("text/css", "text/javascript"), f"{place} is {kind}")
        for path in ("/articles", "/feeds/articles.atom", "/exports/articles.csv", "/view/topics/wheels"):
            _must("A wheel turns" in _get(urljoin(url, path))[0], f"{path} is without its article")
        _must("openapi" in _get(urljoin(url, "/openapi.json"))[0], "there is no OpenAPI document")
        _run(command, folder, "backup", "copy.db")
    (folder / "copy.db").replace(folder / "clippings.db")
    _must("1 article" in _run(command, folder, "stats"), "the backup has no article")


@contextmanager
def _serving(command: Sequence[str], folder: Path) -> Iterator[str]:
    process = subprocess.Popen(  # noqa: S603  the command that is tried
        [*command, "serve", "--port", "0"], cwd=folder, env=_environment(), stderr=subprocess.PIPE, text=True
    )
    said = ""
    try:
        for line in process.stderr or ():
            said += line
            if _MARK in line:
                break
        _must(_MARK in said, f"it does not serve: {said}")
        yield said.partition(_MARK)[2].strip() + "/"
    finally:
        process.terminate()
        process.communicate()
    _must(process.returncode == 0, f"it was told to stop and exits with {process.returncode}")


def _get(url: str) -> tuple[str, str]:
    with _open(url, timeout=30) as answer:
        return answer.read().decode(), answer.headers.get_content_type()


def _run(command: Sequence[str], folder: Path, *arguments: str) -> str:
    ended = subprocess.run(  # noqa: S603  as above
        [*command, *arguments], cwd=folder, env=_environment(), capture_output=True, text=True, check=False
    )
    _must(ended.returncode == 0, f"{arguments[0]}: {ended.stdout}{ended.stderr}")
    return ended.stdout


def _must(fact: object, fault: str) -> None:
    if not fact:
        sys.exit(f"The release is not right: {fault}")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}


def main() -> None:
    # It is started in another folder.
    command = [str(Path(part).absolute()) if Path(part).exists() else part for part in sys.argv[1:]]
    with TemporaryDirectory() as folder:
        try_alone(command, Path(folder))
    sys.stdout.write(f"alone in an empty folder: {Path(command[0]).name} is right\n")


if __name__ == "__main__":
    main()
