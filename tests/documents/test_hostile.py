"""What hostile documents come to, each imported alone beside a good one, which is always taken."""

# ruff: noqa: E501  a row of a table is a line

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from app.catalog.tables import articles
from app.console import print_import
from app.database.engines import writing_engine
from app.importer.read import Request
from app.importer.run import Options, import_trees
from tests.support.templates import new_sqlite_catalogue

LONGEST_LINE_BYTES = 4_000
# Stands in every document, where no report may repeat it.
SECRET = "s3cret"

T = "title: x\n"
TITLES = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "]]><x>", "&#0;", "{{7*7}}", "${jndi:ldap://a}",
          "=1+1", "+1", "-1+1", "@SUM(A1)", "'; DROP TABLE articles; --", "../../etc/passwd", "%s%n", "%00", "\\x00",
          "javascript:alert(1)", "é" * 3_000, "e" + "\u0301" * 2_000, "\u202eexe.fdp", "\u200b", "😀", "\U0010fffd", "x" * 65_536,
          "NaN", "null and void", "undefined", "[object Object]", "\t.", "=cmd|' /C calc'!A0")  # fmt: skip
KINDS = ("[]x", "{}x", "[a: b]", "{a: [b]}", "[[x]]", "[x, y]", "{x: y}")

# The front matter of x.md, and what it comes to: "taken", "skipped", "rejected", or why, and in which line.
FRONT_MATTERS: list[tuple[str, str]] = [
    # Texts are texts, whatever they would do elsewhere.
    *((f"title: {json.dumps(title, ensure_ascii=False)}", "taken") for title in TITLES),
    *((f"{T}excerpt: '{title}'", "taken") for title in TITLES if "'" not in title),
    *((f"{T}{key}: '=1+1'", "taken") for key in ("type", "category", "locale", "topics", "tags", "secured", "layout")),
    # A key that holds another kind of thing.
    *((f"{T}{key}: {kind}", "3: is a ") for key in ("excerpt", "type", "webUrl", "publishedDateTime", "quality", "secured")
      for kind in ("[x]", "{x: y}")),
    *((f"{T}{key}: {kind}", "3: is a ") for key in ("images", "related") for kind in ("x", "5", "true", "2020-06-11")),
    *((f"{T}provider: {kind}", "taken") for kind in ("x", "5", "true", "2020-06-11")), (f"{T}provider: [x]", "3: is a list"),
    *((f"{T}{key}: {{a: b}}", "3: is a mapping") for key in ("topics", "tags", "images", "related", "published")),
    *((f"{T}{key}: [[a]]", "3: is a list") for key in ("topics", "tags", "images", "related")),
    *((f"title: {kind}", "2: ") for kind in ("[x]", "{x: y}", "[[x]]", "[]x", "{}x")),
    *((f"title: {nothing}", "is missing") for nothing in ("", "''", "null", "~", "[]", "{}", "'  '", '"\\n"')),
    # Numbers that are none, or too great.
    *((f"{T}quality: '{number}'", "3: ") for number in
      ("1e3", "1.0", "0x1F", "1_000", "NaN", ".inf", "２", "٢", "--1", "+-1", "1 2", "∞", "2147483648", "-2147483649", "9" * 5_000,
       "1" + "0" * 400, "½", "0b1", "1,000", "Infinity", "-")),
    *((f"{T}heat: '{number}'", "taken") for number in ("2147483647", "-2147483648", "+7", "007", "-0", " 5 ")),
    # Moments that never were.
    *((f"{T}publishedDateTime: '{moment}'", "3: ") for moment in
      ("2021-13-01", "2021-00-10", "2021-01-00", "2021-02-29", "1900-02-29", "2020-06-11T25:00", "2020-06-11T00:60", "2020-06-11T00:00:60",
       "yesterday", "now", "1591833600", "2020-W24-4", "2020-163", "20200611", "11.06.2020", "06/11/2020", "2020-06-11T00:00:00ZZ",
       "2020-06-11T00:00:00+24:00", "10000-01-01", "-2020-06-11", "2020-06-11T", "2020-06-11T1", "2020‐06‐11", "P7D")),
    *((f"{T}publishedDateTime: '{moment}'", "taken") for moment in ("0001-01-01", "9999-12-31T23:59:59Z", "2000-02-29", "2020-06-11T23:59:59.999999999Z")),
    # Booleans: only a clear yes publishes.
    *((f"{T}published: '{word}'", "3: ") for word in ("y", "n", "t", "f", "2", "-1", "oui", "yes please", "ｙｅｓ", "true\\0", "01")),
    # URLs that are none.
    *((f"{T}webUrl: '{url}'", "3: ") for url in
      ("file:///etc/passwd", "gopher://a/", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "vbscript:x", "data:text/html,x", "about:blank", "ftp://a/",
       "http:", "http:/", "http:///a", "https://?x", "https://#x", "//a", "/a", "a", "https://a:99999/", "https://[::1/", "https://a<b/", "https://a\"b/",
       "https://%s/" % ("a" * 300), "ldap://a", "ws://a", "mailto:a@b", "htps://a.example", "https//a.example", "\\\\a\\b")),
    *((f"{T}webUrl: '{url}'", "taken") for url in
      ("https://localhost/", "https://127.0.0.1:5432/", "https://[::1]/", "https://a.example/\u202e", "https://a.example/<script>",
       "https://user:pw@a.example/", "https://ü.example/", "https://a.example/" + "a" * 8_174, "https://a.example/?q=1 OR 1=1 --")),
    # YAML's own bombs and tags.
    *((f"{T}a: !!{tag}", "3: ") for tag in
      ("python/object/apply:os.system ['x']", "python/object/new:type {}", "python/module:os", "python/name:os.system ''", "python/tuple [1]", "int x",
       "int ''", "float x", "bool maybe", "binary '=='", "timestamp x", "set {a}", "omap [a: b]", "pairs [a: b]", "null x", "js/function x", "ruby/object:X {}")),
    *((f"{T}a: {tag} x", "3: ") for tag in ("!x", "!<tag:a>", "!ENV", "!include", "!Ref")),
    *((f"{T}a: {bomb}", "rejected") for bomb in
      ("[" * 65_000, "{a: " * 10_000, "[" * 31 + "]" * 31, "[{a: " * 20, "- - - - x: [", "&a [*b]", "*a")),
    (f"{T}l0: &l0 [{'lol,' * 10}]\n" + "".join(f"l{i}: &l{i} [{f'*l{i - 1},' * 10}]\n" for i in range(1, 10)), "6: more than 20 aliases"),
    (f"{T}a: &a {{b: &b {{c: [*a, *b]}}}}", "3: "),
    (f"{T}a: &a {{<<: [*a, *a]}}", "3: "),
    (f"{T}<<: {{published: no, title: y}}", "taken"),
    (f"{T}<<: [{{quality: 1}}, {{quality: x}}]", "taken"),
    (f"{T}<<: x", "3: merges"),
    (f"{T}<<: {{}}\n<<: {{}}", "4: twice"),
    *((f"{T}{key}: 1\n{key}: 2", "4: twice") for key in ("a", "quality", "'quality'", "published", "é", "''", "a b", "null", "1")),
    (f"{T}title: y", "3: twice"), (f"{T}\"ti\\u0074le\": y", "3: twice"), (f"{T}related: [{{title: a, title: b}}]", "3: twice"),
    *((f"{T}{rest}", "rejected") for rest in ("a: 'x", 'a: "x', "a: [x", "a: {x", "a: b: c", "a: %x", "a: @x", "a: `x", "a: *", "a: |x", "- y", "a", "}", "\ta: b", "a: \"\\q\"",
                                         "? [a]", "? {a: b}", "a: !<x", "%TAG ! x", "a: >9999\n x", "a: 'x'y")),
    (f"{T}a: &{'b' * 10_000} x", "taken"),
    (f"{T}{'k' * 2_000}: v", "3: "),
    (f"{T}a:\n" + "- {b: c}\n" * 12_000, "30,000 values"), (f"{T}a: '" + "\\" * 10_000 + "'", "taken"),
    (f"{T}a: {'x ' * 50_000}", "taken"), (f"{T}#{'x' * 100_000}", "taken"), (f"{T}" + "#\n" * 50_000, "taken"), (f"{T}" + "\n" * 50_000, "taken"),
    (f"{T}a: |\n" + " x\n" * 20_000, "taken"), ("a: b\n" * 3, "twice"), ("just words", "rejected"), ("[title, x]", "rejected"), ("'title: x'", "rejected"),
    # Characters that are no text.
    *((f'{T}a: "\\x{code}"', "3: is not text") for code in ("00", "01", "07", "08", "0b", "1b", "1f", "7f", "80", "9f")),
    *((f'{T}a: "\\u{code}"', "3: ") for code in ("d800", "dfff", "fffe", "ffff", "0000")),
    *((f"{T}a: {chr(code)}", "3: is not text") for code in (1, 7, 8, 11, 12, 0x1B, 0x7F, 0x80, 0x9B, 0xFFFE)),
    (f"{T}a: \ufeff", "taken"), (f"{T}\ufeffa: b", "rejected"), (f"{T}a: \u2028- b", "taken"),
    *((f"{T}{key}: {'a,' * 900_000}", "3: parts into 30,000 names") for key in ("topics", "tags")),
    # Names too long for an index.
    *((f"{T}{key}: {'n' * 501}", "3: more than 500") for key in ("type", "category", "locale", "topics", "tags")),
    (f"{T}provider: {{name: {'n' * 501}}}", "3: more than 500"), (f"{T}provider: {{domain: {'n' * 501}}}", "3: more than 500"),
    # Longer than anything that was meant.
    *((f"{T}{key}: https://a.example/{'a' * 8_175}", "3: more than 8,192") for key in ("webUrl", "ampWebUrl")),
    (f"{T}images: [{{url: {'a' * 8_193}}}]", "3: more than 8,192"), (f"{T}images: ['//a.example/{'a' * 8_193}']", "3: more than 8,192"),
    (f"title: {'x' * 65_537}", "2: more than 65,536"), (f"{T}excerpt: {'x' * 65_537}", "3: more than 65,536"),
    (f"{T}images: [{{url: /x, title: {'x' * 65_537}}}]", "3: more than 65,536"), (f"{T}related: [{{title: {'x' * 65_537}}}]", "3: more than 65,536"),
    (f"{T}secured: {'x' * 65_537}", "taken"), (f"taxonomy: organization\nname: x\ndescription: {'x' * 65_537}", "4: more than 65,536"),
    # Descriptions.
    *((f"taxonomy: {kind}\n{rest}", "is missing") for kind in ("topic", "organization") for rest in ("parent: x", "images: [a]")),
    ("taxonomy: topic\nname: Loop\nparent: Loop", "taken"), ("taxonomy: topic\nname: [x]", "3: is a list"),
    ("taxonomy: organization\nname: x\ndomain: [x]", "4: is a list"), ("taxonomy: topic\n_id: ..\nname: ..", "taken"),
    ("taxonomy: ' topic '\nname: x", "taken"), *((f"taxonomy: {other}", "skipped") for other in ("Topic", "topics", "{a: b}", "5", "person", "!!str x")),
    *((text, "skipped") for text in ("", "layout: page", "name: Ann", "a: b\nc: d", "# nothing", "~", "{}", "titel: x", "TITLE: x")),
]  # fmt: skip

# Whole files, and their names.
FILES: list[tuple[str, bytes, str]] = [
    *((f"x{ending}", f"---\ntitle: {SECRET}\n---\n".encode(), "taken") for ending in (".md", ".MD", ".markdown", ".txt", ".TXT")),
    *(("x.md", f"---\ntitle: é{SECRET}\n---\n".encode(encoding), "rejected") for encoding in
      ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "latin-1", "utf-16", "utf-32", "cp1252")),
    *(("x.md", b"---\ntitle: x\n" + broken + b"\n---\n", "3: is not UTF-8") for broken in
      (b"a: \xff", b"a: \xc0\xaf", b"a: \xed\xa0\x80", b"a: \xf4\x90\x80\x80", b"a: \x80", b"a: \xe2\x82", b"a: \xf8\x88\x80\x80\x80")),
    *(("x.md", b"---\ntitle: x\n---\n" + body, "taken") for body in
      (b"\x00", b"\x1b[31m", b"a\x07", b"\x7f", b"\xc2\x9b", b"\xef\xbf\xbe", b"\x00" * 5_000_000)),
    *(("x.md", b"---\ntitle: x\n---\n" + body, "taken") for body in
      (b"<script>", b"<<<<<<< HEAD\na\n", b"---\n---\n", b"\r\r\n", b"\xef\xbb\xbf", b"x" * 5_000_000, b"\n" * 1_000_000, b"{{ x }}", b"<!--" * 50_000, b"*" * 100_000)),
    *(("x.md", blank + b"---\ntitle: x\n---\n", "taken") for blank in (b"\n", b" \t\r\n\r\n", b"\xef\xbb\xbf\n", b"\n" * 1_000_000)),
    *(("x.md", marked, f"{line}: holds merge marks") for line, marked in
      ((1, b"<<<<<<< HEAD\n---\ntitle: x\n---\n=======\n---\ntitle: y\n---\n>>>>>>> x\n"), (3, b"\xef\xbb\xbf\r\n\r\n<<<<<<< HEAD\r\n---\r\n"),
       (4, b"\n---\ntitle: x\n<<<<<<< HEAD\n---\n"), (3, b"---\ntitle: 'x\n<<<<<<< HEAD\ny'\n---\n"), (2, b"---\n<<<<<<< HEAD\ntitle: x\n=======\n>>>>>>> x\n---\n"))),
    *(("x.md", opened, "1: never closes") for opened in
      (b"---", b"---\n", b"---\ntitle: x", b"---\ntitle: x\n--", b"---\ntitle: x\n----\n", b"---\ntitle: x\n ---\n", b"---\r\ntitle: x\r\n", b"---\ntitle: x\n---x")),
    *(("x.md", plain, "skipped") for plain in
      (b"", b"\n", b"--", b"\n" * 1_000_000, b"\x00" * 1_000_000, b"<<<<<<< HEAD\nx\n", b"\xef\xbb\xbf\xef\xbb\xbf---\ntitle: x\n---\n", b"x\n---\ntitle: x\n---\n", b"--- x\n---\n", b" ---\ntitle: x\n---\n", b"{% x %}", b"{{ x }}", b"{\ntitle: x}", b"++\n", b"{}", b"\x7fELF\x00", b"PK\x03\x04", b"#!/bin/sh\n")),
    ("x.md", b"---\ntitle: x\na: '" + b"x" * 2_000_000 + b"'\n---\n", "1: more than 2 MB"),
    ("x.md", b"---\ntitle: x\n---\n" + b"x" * 8_000_001, "more than 8 MB"),
    # TOML and JSON, and the like bombs.
    *(("x.md", b"+++\ntitle = 'x'\n" + toml + b"\n+++\n", outcome) for toml, outcome in
      ((b"", "taken"), (b"a = 1e400\nb = inf\nc = -0x1F", "rejected"), (b"a = 1e400\nb = inf\nc = 0x1F", "taken"), (b"title = 'y'", "3: is not TOML"), (b"a = x", "3: is not TOML"),
       (b"a = " + b"[" * 65_000, "30,000 values"), (b"a = " + b"[" * 31 + b"]" * 31, "nests 30 deep"), (b"a." * 31 + b"b = 1", "nests 30 deep"), (b"a = '" + b"x" * 1_900_000 + b"'", "taken"),
       (b"a = [" + b"1," * 900_000 + b"]", "30,000 values"), (b"a = " + b"9" * 900_000, "1,000 digits"), (b'a = "' + b"\\u0041" * 300_000 + b'"', "taken"), (b"a = " + b"'" * 900_001, "is not TOML"),
       (b'a = "\\u0000"', "3: is not text"), (b"a = 2020-13-01", "3: is not TOML"), (b"a.b = 1\n" * 2, "is not TOML"), (b"\n".join(b"[[a]]\nb=1" for _ in range(9_000)), "taken"))),
    *(("x.md", b'{"title": "x", ' + json_text, outcome) for json_text, outcome in
      ((b'"a": 1}', "taken"), (b'"a": NaN}', "taken"), (b'"title": "y"}', "1: twice"), (b'"a" 1}', "1: is not JSON"), (b'"a": "\\u0000"}', "1: is not text"), (b'"a": "\\ud800"}', "is not text"),
       (b'"a": ' + b"[" * 65_000, "nests 30 deep"), (b'"a": ' + b"[" * 29 + b"]" * 29 + b"}", "nests 30 deep"), (b'"a": [' + b"1," * 900_000 + b"1]}", "30,000 values"), (b'"a": ' + b"9" * 900_000 + b"}", "taken"),
       (b'"a": "' + b"x" * 1_900_000 + b'"}', "taken"), (b'"a": "' + b"x" * 2_100_000 + b'"}', "more than 2 MB"), (b'"a": "' + b'\\"' * 3_000_000, "1: never closes"), (b'"a": 1', "1: never closes"), (b"}", "is not JSON"))),
    ("x.md", b"+++\ntitle = 'x'\n---\n", "1: never closes"), ("x.md", b"+++\n" + b"#" * 2_000_001 + b"\n+++\n", "1: more than 2 MB"),
    ("x.md", b"+++\ntitle='\xff'\n+++\n", "2: is not UTF-8"), ("x.md", "+++\ntitle='x'\n+++\n".encode("utf-16"), "UTF-16"), ("x.md", '{"title": "x"}'.encode("utf-16"), "UTF-16"),
    ("x.yaml", b"taxonomy: topic\n<<<<<<< HEAD\nname: x", "2: holds merge marks"), ("x.yaml", b"taxonomy: topic\nname: x", "taken"), ("x.yml", b"taxonomy: topic\nname: [x", "is not YAML"),
    ("x.yaml", b"title: x\n", "skipped"), ("x.yaml", b"a: !!python/name:os.x\n", "skipped"), ("x.yaml", b"a: " + b"[" * 64_000, "skipped"),
    ("x.yaml", b"taxonomy: " + b"[" * 64_000, "1: nests 30 deep"), ("x.yaml", "taxonomy: topic\nname: é".encode("utf-16"), "UTF-16"),
    *((name, b"---\ntitle: x\n---\n", "taken") for name in
      ("-rf.md", "--.md", "x'.md", 'x".md', "x;y.md", "$(id).md", "`id`.md", "x y.md", "%s.md", "日本.md", "e\u0301.md", "é.md", "&amp;.md", "<b>.md", "*.md", "~.md",
       "con.md", "x.md.md", "a/b/c/d/e/f.md", "\\.md", "?.md", "#.md", "x" * 200 + ".md", "=1+1.md", "%2e%2e.md", "x..md", "😀.md")),
    *((name, b"---\ntitle: x\n---\n", "control character") for name in ("a\nb.md", "a\rb.md", "\x1b[2J.md", "a\tb.md", "\u2028.md", "\x85.md", "\x7f.md")),
    (os.fsdecode(b"\xff.md"), b"---\ntitle: x\n---\n", "not UTF-8"), ("/".join(["y" * 200] * 5) + "/x.md", b"---\ntitle: x\n---\n", "1000 bytes"),
    *((name, b"---\ntitle: x\n---\n", "not there") for name in (".x.md", "..x.md", ".git/x.md", "x", "x.html", "x.md~", ".md")),
    *((name, b"---\ntitle: x\n---\n", "skipped") for name in ("x (conflicted copy 2024-05-01).md", "x.sync-conflict-20240501-101010-ABCDEFG.md")),
    ("x.mdx", b"---\ntitle: x\n---\nimport X from './x'\n", "taken"),
]  # fmt: skip


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the whole path may be longer than a socket's may be
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


# These stand where a document should, as x.md.
THINGS: list[tuple[str, Callable[[Path], None], str]] = [
    ("a FIFO", os.mkfifo, "is not a regular file"), ("a socket", _socket, "cannot be read"), ("a folder", Path.mkdir, "not there"),
    ("a link to itself", _link("x.md"), "cannot be read"), ("a link to nothing", _link("nothing.md"), "cannot be read"),
    ("a link to the good one", _link("good.md"), "not there"), ("a link round about", _link("../tree/good.md"), "not there"),
    ("a link to the tree", _link("."), "not there"), ("a link above", _link(".."), "not there"), ("a link to the root", _link("/"), "not there"),
    *((f"a link to {out}", _link(out), "links outside the tree") for out in
      ("/etc/passwd", "/dev/zero", "/dev/stdin", "/dev/random", "/proc/self/environ", "/proc/self/mem", "../../../../../../etc/hostname")),
]  # fmt: skip

Make = Callable[[Path], None]


def _file(name: str, content: bytes) -> Make:
    def make(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return make


CASES: list[tuple[str, Make, str]] = [
    *((text[:60], _file("x.md", f"---\n{text}\nsecret: {SECRET}\n---\n".encode(errors="surrogatepass")), outcome) for text, outcome in FRONT_MATTERS
      if outcome != "skipped"),
    *((text[:60], _file("x.md", f"---\n{text}\n---\n".encode()), outcome) for text, outcome in FRONT_MATTERS if outcome == "skipped"),
    *((f"{name[:30]} {content[:40]!r}", _file(name, content), outcome) for name, content, outcome in FILES),
    *((name, lambda root, make=make: make(root / "x.md"), outcome) for name, make, outcome in THINGS),
]  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = writing_engine(new_sqlite_catalogue(tmp_path_factory.mktemp("hostile")))
    yield engine
    engine.dispose()


def test_there_are_many() -> None:
    assert len(CASES) >= 300


@pytest.mark.parametrize(
    ("make", "expected"), [case[1:] for case in CASES], ids=[ascii(case[0]) for case in CASES]
)
def test_a_hostile_document_beside_a_good_one(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str], make: Make, expected: str
) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    _file("good.md", b"---\ntitle: Good\n---\n")(root)
    make(root)
    source = tmp_path.name
    report = import_trees(engine, [Request(root, source)], Options(force=True))
    with engine.connect() as connection:
        paths = set(connection.scalars(select(articles.c.path).where(articles.c.source == source)))
    assert "good.md" in paths
    print_import(report, dry_run=False, nothing_written=False)
    _is_safe(capsys.readouterr().err, len(report.problems) + len(report.warnings) + report.skipped)
    files = report.created + report.topics + report.providers
    found = [f"{problem.line or ''}: {problem.reason}" for problem in report.problems]
    taken = "taken" if files > 1 else "not there"
    outcome = found[0] if found else "skipped" if report.skipped else taken
    if expected == "rejected":
        assert found
        return
    line, _, reason = expected.rpartition(": ")
    assert reason in outcome, outcome
    assert not line or outcome.startswith(f"{line}: "), outcome


def _is_safe(said: str, findings: int) -> None:
    lines = said.splitlines()
    assert len(lines) >= findings
    assert all(line.isprintable() for line in lines), said
    assert all(len(line.encode()) < LONGEST_LINE_BYTES for line in lines)
    assert SECRET not in said
    assert "root:" not in said
