"""Feeds and files as the programs of readers and analysts read them, whatever a title holds.

    python -m tests.proofs.files

Imports documents with awkward titles. newsboat, feedparser and xmllint read the feeds; LibreOffice opens the
sheet and writes it as CSV; pandas and DuckDB read the CSV. A program that is not on this machine is named and
left out. Needs the extra `prove`.
"""

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import duckdb
import feedparser
import pandas

from tests.support.databases import sqlite_url
from tests.support.services import service_of
from tests.support.worlds import new_world

TITLES: Final = [
    "vector<bool>",
    "=1+1",
    "+49 30 1234",
    "-1",
    "@mention",
    '"quoted", and; parted',
    "NASA’s Ünïcödé 日本語 🚀",
    "<r>bold</r>",
    "_x0041_",
    "007",
    "1e5",
    "2020-06-11",
    "TRUE",
    "https://example.org/",
    "a  b",
    "]]> &amp;",
]
PICTURE: Final = "https://images.example.org/a.png"
DATE: Final = "2020-06-11T00:07:00Z"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = new_world(folder, sqlite_url(folder))
        for number, title in enumerate(TITLES):
            text = json.dumps(title, ensure_ascii=False)
            world.write(
                f"{number:02}.md",
                f"title: {text}\nexcerpt: {text}\nauthors: [Ada]\ntopics: [C++, AI]\nquality: {number}\n"
                f"publishedDateTime: {DATE}\nimages: [{PICTURE}]\nwebUrl: https://example.org/{number}",
                f"The body has `{title}`.\n",
            )
        world.import_()
        with service_of(world, public_url="https://example.org/news") as client:
            feeds = {
                ending: client.get(f"/feeds/articles.{ending}?limit=200").content
                for ending in ("rss", "atom", "json")
            }
            plain, marked, sheet = (
                client.get(f"/exports/articles.{name}sort=title").content
                for name in ("csv?", "csv?bom=true&", "xlsx?")
            )
        world.engine.dispose()
        _feedparser(feeds)
        _json_feed(feeds["json"])
        _xmllint(folder, feeds)
        _newsboat(folder, feeds)
        _libreoffice(folder, sheet, plain)
        for content in (plain, marked):
            _analysts(folder, content)


def _feedparser(feeds: dict[str, bytes]) -> None:
    for ending in ("rss", "atom"):
        parsed = feedparser.parse(feeds[ending])
        _check(f"feedparser, {ending}", not parsed.bozo, parsed.get("bozo_exception"))
        _equal(f"feedparser, titles of {ending}", [entry.title for entry in parsed.entries], TITLES)
        for entry in parsed.entries:
            is_whole = entry.media_thumbnail[0]["url"] == PICTURE and entry.author == "Ada"
            _check(f"feedparser, {ending}", is_whole and entry.published_parsed[:3] == (2020, 6, 11), entry)
        body = parsed.entries[0].content[0].value
        _check(f"feedparser, body of {ending}", "<code>vector&lt;bool&gt;</code>" in body, body)
    _say("feedparser reads RSS and Atom: titles, bodies, pictures, authors, dates")


def _json_feed(feed: bytes) -> None:
    items = json.loads(feed)["items"]
    _equal("JSON Feed", [item["title"] for item in items], TITLES)
    first = items[0]
    _check("JSON Feed", "<code>vector&lt;bool&gt;</code>" in first["content_html"], first)
    _equal("JSON Feed", (first["image"], first["date_published"]), (PICTURE, DATE))


def _xmllint(folder: Path, feeds: dict[str, bytes]) -> None:
    for ending in ("rss", "atom"):
        (folder / f"articles.{ending}").write_bytes(feeds[ending])
    if _run("xmllint", ["--noout", "--nonet", "articles.rss", "articles.atom"], folder):
        _say("xmllint reads RSS and Atom")


def _newsboat(folder: Path, feeds: dict[str, bytes]) -> None:
    """Its cache is what it shows. It reads no JSON Feed, and no picture but one in a text."""
    for ending in ("rss", "atom"):
        urls, cache, feed = folder / "urls", folder / f"{ending}.db", folder / f"news.{ending}"
        feed.write_bytes(feeds[ending])
        urls.write_text(f"file://{feed}\n")
        if not _run("newsboat", ["-u", str(urls), "-c", str(cache), "-x", "reload"], folder):
            return
        with closing(sqlite3.connect(cache)) as database:
            rows = database.execute(
                "SELECT title, author, content, pubDate FROM rss_item ORDER BY url"
            ).fetchall()
        _equal(f"newsboat, titles of {ending}", sorted(row[0] for row in rows), sorted(TITLES))
        for _, author, content, date in rows:
            _check("newsboat", PICTURE in content and author == "Ada" and date == 1_591_834_020, content)
        _check("newsboat", any("<code>vector&lt;bool&gt;</code>" in row[2] for row in rows), rows)
        _say(f"newsboat reads {ending.upper()}: titles, bodies, pictures, authors, dates")


def _libreoffice(folder: Path, sheet: bytes, plain: bytes) -> None:
    (folder / "articles.xlsx").write_bytes(sheet)
    # Comma, quotation mark, UTF-8, from line 1; texts quoted, numbers and dates as shown.
    target = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"
    profile = f"-env:UserInstallation=file://{folder}/profile"
    if not _run("soffice", [profile, "--headless", "--convert-to", target, "articles.xlsx"], folder):
        return
    converted = _rows((folder / "articles.csv").read_bytes())
    for row, ours in zip(converted, _rows(plain), strict=True):
        for column, text in ours.items():
            expected = text.removeprefix("'") if text[:1] == "'" else text
            if column.endswith("DateTime") and text:
                expected = text.replace("T", " ").removesuffix("Z")
            elif column == "published":
                expected = text.upper()
            _equal(f"LibreOffice, {column}", row[column], expected)
    _say("LibreOffice opens the sheet and gives the same texts and dates")


def _analysts(folder: Path, content: bytes) -> None:
    expected = sorted(row["title"] for row in _rows(content))
    frame: Any = pandas.read_csv(io.BytesIO(content), parse_dates=["publishedDateTime"])
    _equal("pandas", sorted(frame["title"]), expected)
    _equal("pandas", str(frame["publishedDateTime"].dt.tz), "UTC")
    _equal("pandas", frame["quality"].sum(), sum(range(len(TITLES))))
    file = folder / "analysts.csv"
    file.write_bytes(content)
    found = duckdb.execute(
        f"SELECT title, year(publishedDateTime), published FROM read_csv('{file}') ORDER BY title"  # noqa: S608
    ).fetchall()
    _equal("DuckDB", sorted(row[0] for row in found), expected)
    _equal("DuckDB", {row[1:] for row in found}, {(2020, True)})
    _say("pandas and DuckDB read the CSV" + (", with its mark" if content[:1] == b"\xef" else ""))


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def _run(program: str, arguments: Sequence[str], folder: Path) -> bool:
    """False where the program is not there; ends with what it says if it fails."""
    path = shutil.which(program)
    if not path:
        _say(f"{program} is not on this machine: left out")
        return False
    environment = {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(  # noqa: S603  programs of this machine
        [path, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    _check(program, done.returncode == 0, done.stdout + done.stderr)
    return True


def _equal(subject: str, value: object, expected: object) -> None:
    _check(subject, value == expected, f"{value!r}, not {expected!r}")


def _check(subject: str, is_right: bool, value: object) -> None:
    if not is_right:
        sys.exit(f"{subject}: {value}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
