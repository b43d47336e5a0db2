"""What is wrong with an export is named with its line or number; what cannot be read writes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import clippings
from app.conversion.entries import ConversionFailed
from app.importer.check import check_trees
from app.importer.read import Request
from tests.conversion.test_formats import FILES, convert, texts

BOMB = """<?xml version="1.0"?>
<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rss><channel><item><title>&b;</title></item></channel></rss>"""
DEEP = "<rss>" + "<a>" * 200 + "</a>" * 200 + "</rss>"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (BOMB.encode(), "line 2: has a DOCTYPE"),
        (b"<rss><channel><item>\n<title>A</item></channel></rss>", "line 2: is no XML: mismatched tag"),
        (b"<rss><channel><item>\n<title>&nbsp;</title>", "line 2: is no XML: undefined entity"),
        (DEEP.encode(), "line 1: elements are more than 100 deep"),
        (b"<svg></svg>", "XML of <svg>; RSS, Atom and OPML are read"),
        (b'<?xml version="1.0" encoding="nonsense"?><rss/>', "not read: unknown encoding: nonsense"),
        (b'[{"url": "https://example.org/"}\n,]', "line 2: is no JSON"),
        (b'{"a": 1}', "JSON without a list of links (it has: a)"),
        (b"[" * 100_000, "JSON that is nested too deeply"),
        (b"name;age\nJo;7\n", "names no column for URLs or titles"),
        (b"url,title\nhttps://example.org/,Caf\xe9\n", "line 2: is not UTF-8; save the file as UTF-8"),
        ("url,title\n".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        ("url,title\n".encode("utf-32"), "the file is UTF-32"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_export_writes_nothing(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "export"
    file.write_bytes(content)
    result = convert(file, tmp_path / "inbox")
    assert isinstance(result.exception, ConversionFailed)
    assert reason in str(result.exception)
    assert not (tmp_path / "inbox").exists()


def test_such_a_file_is_status_3_and_one_line(tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    file.write_text(BOMB)
    command = [sys.executable, "-m", "app", "convert", str(file), "--to", str(tmp_path / "inbox")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own command
    assert result.returncode == 3
    assert result.stderr.startswith(f"clippings: {file}: line 2: has a DOCTYPE")
    assert result.stderr.count("\n") == 1


def test_bad_rows_are_named_with_their_lines_and_the_rest_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "links.csv"
    file.write_text(
        "url,title,published,quality\n"
        'https://example.org/1,"Two\nlines",2020-06-11,5\n'
        "https://example.org/2,A,B,C,D\n"
        "mailto:jo@example.org,Jo,,\n"
        "https://example.org/3,Good,soon,high\n"
        ",,2020-06-11,\n"
        'https://example.org/4,"bad"quotes,,\n'
        "https://example.org/5,Last,11 Jun 2020 00:07:00 GMT,\n"
    )
    result = convert(file, tmp_path / "inbox")
    assert result.exit_code == 1
    lines = [line.removeprefix(str(file)) for line in result.output.splitlines() if str(file) in line]
    assert [line.partition(". ")[0] for line in lines] == [
        ":4: error: has 5 cells where the first row has 4",
        ':5: error: webUrl: is "mailto:jo@example.org", which is no http(s) URL',
        ':6: warning: published: is "soon", neither true nor false',
        ':6: warning: quality: is "high", which is no whole number',
        ":7: error: has neither a URL nor a title",
        ":8: error: is no row of CSV: ',' expected after '\"'",
    ]
    assert sorted(texts(tmp_path / "inbox")) == ["2020-06-11-last.md", "2020-06-11-two-lines.md", "good.md"]


def test_control_characters_and_a_taxonomy_of_their_own_make_no_other_document(tmp_path: Path) -> None:
    file = tmp_path / "links.json"
    file.write_text(
        '[{"url": "https://example.org/", "title": "A\\u0000B\\ud800\\u2028C", '
        '"taxonomy": "topic", "titel": "X"}]'
    )
    assert convert(file, tmp_path / "inbox").exit_code == 0
    [text] = texts(tmp_path / "inbox").values()
    assert text.decode() == (
        "---\ntitle: AB C\nwebUrl: https://example.org/\nexport:\n  taxonomy: topic\n  titel: X\n---\n"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", '<dl><dt><a href="https://example.org/">A <![ B</a><dd><![X[ C</dl>'),
        ("a.json", '[{"url": "https://example.org/", "title": "A", "excerpt": "<p>A <![ B</p>"}]'),
        ("a.csv", 'url,title,tags\nhttps://example.org/,A,"[""\\ud800""]"\n'),
        ("b.csv", "url,title,source_url,saved_at\nhttps://example.org/,A,https://example.org/b,never\n"),
        ("c.json", '[{"url": "https://example.org/", "title": {"a": 1}, "tags": 5, "authors": [[{}]]}]'),
    ],
)
def test_whatever_an_entry_holds_its_document_is_read_without_a_finding(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    result = convert(tmp_path / name, tmp_path / "inbox")
    assert result.exit_code in (0, 1)
    report = check_trees([Request(tmp_path / "inbox", "inbox")], None, workers=1)
    assert (report.problems, report.warnings) == ([], [])


def test_standard_input_is_read_as_a_file_is(tmp_path: Path) -> None:
    content = (FILES / "pocket.csv").read_bytes()
    result = CliRunner().invoke(clippings, ["convert", "-", "--to", str(tmp_path / "inbox")], input=content)
    assert "written 2" in result.output


@pytest.mark.parametrize("arguments", [["nowhere.xml", "--to", "inbox"], [str(FILES / "feed.xml")]])
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(clippings, ["convert", *arguments]).exit_code == 2
