"""What a document may say, and what becomes of it: tables of inputs and outcomes."""

# ruff: noqa: E501  a row of a table is a line

from typing import Any

import pytest

from app.documents.article import ArticleDocument, Image
from app.documents.problems import Problem
from app.documents.reading import Reading, read_document
from app.documents.repeated_links import RepeatedLink, read_tree_with_repeated_links
from app.documents.taxonomy import OrganizationDocument, TopicDocument
from app.documents.yaml_tree import SyntaxProblem, read_tree
from tests.support.processor import within

BASE = "https://site.example/blog/"
SECONDS_FOR_A_HOSTILE_DOCUMENT = 0.5  # 0.05 and less where nothing else runs


def read(front_matter: str, body: str = "", *, path: str = "a.md", base_url: str | None = None) -> Reading:
    return read_document(path, f"---\n{front_matter}\n---\n{body}".encode(), base_url)


def article(front_matter: str, body: str = "", *, base_url: str | None = None) -> ArticleDocument:
    reading = read(front_matter, body, base_url=base_url)
    assert isinstance(reading.document, ArticleDocument), reading
    return reading.document


def value(front_matter: str, attribute: str, *, base_url: str | None = None) -> Any:
    return getattr(article(f"title: x\n{front_matter}", base_url=base_url), attribute)


def problems(front_matter: str, *, base_url: str | None = None) -> list[str]:
    reading = read(front_matter, base_url=base_url)
    assert reading.document is None
    assert reading.skipped is None
    return [_line(problem) for problem in reading.problems]


def warnings(front_matter: str) -> list[str]:
    reading = read(front_matter)
    assert reading.document is not None
    return [_line(problem) for problem in reading.warnings]


def _line(problem: Problem) -> str:
    return f"{problem.line}: {problem.key}: {problem.reason}"


def test_an_article_keeps_what_its_document_says() -> None:
    found = article(
        'title: "Teams: a tour"\nexcerpt: >\n  Two\n  lines\nwebUrl: https://www.Example.org/\nlayout: post\n'
        "topics: [AI, ai, Azure]\nprovider: {name: E, images: [logo.png], authors: [{name: Ann, age: 31}]}\n"
        "quality: '59'\nrelated:\n- {url: https://b.example/x, topics: [AI]}\n- title: Only a title\n"
        "images: [{url: //cdn.example/a.png, width: 5, focus: left}]\nsecured: blob",
        "\n  Body\r\nof two lines\n\n",
    )
    assert (found.title, found.excerpt, found.content) == ("Teams: a tour", "Two lines", "Body\nof two lines")
    assert (found.provider.name, found.provider.domain) == ("E", "example.org")
    assert (found.quality, found.heat, found.published, found.removed) == (59, None, True, False)
    assert (found.topics, found.secured) == (("AI", "Azure"), "blob")
    assert [(link.title, link.web_url, link.provider.domain) for link in found.related] == [
        (None, "https://b.example/x", "b.example"),
        ("Only a title", None, None),
    ]
    assert found.images == (Image("https://cdn.example/a.png", 5, None, None, None, None),)
    assert found.details == {"provider.authors": [{"name": "Ann", "age": 31}]}
    related = {"0": {"topics": ["AI"]}}
    assert found.extra == {"layout": "post", "images": {"0": {"focus": "left"}}, "related": related}


@pytest.mark.parametrize(
    ("content", "path", "outcome"),
    [
        (b"no front matter", "a.md", "a text without front matter"),
        (b"\xff\xfe\x00 binary", "a.txt", "a text without front matter"),
        (b"", "a.md", "a text without front matter"),
        (b"\xef\xbb\xbf\n \t\r\n--- \ntitle: x\n---", "a.md", ArticleDocument),
        (b"---- \ntitle: x\n---\n", "a.md", "a text without front matter"),
        (b"---\n---\n", "a.md", "a front matter without keys"),
        (b"---\nlayout: page\n---\n", "a.md", "a front matter without any key of an article"),
        (b"---\nname: Ann\n---\n", "a.md", "a name and no title"),
        (b"---\nname: Ann\ntitle: ' '\n---\n", "a.md", "a name and no title"),
        (b"---\ntaxonomy: person\ntitle: x\n---\n", "a.md", "the taxonomy person"),
        (b"---\ntaxonomy: [topic]\n---\n", "a.md", "the taxonomy that is no text"),
        (b"title: Site\nlogo: !ENV LOGO\n", "_config.yml", "YAML without taxonomy"),
        (b"- taxonomy: topic\n", "nav.yaml", "YAML without taxonomy"),
        (b"taxonomy: topic\nname: AI\n", "ai.YAML", TopicDocument),
        (b"--- # all of it\ntaxonomy: provider\ndomain: a.example\n", "a.yml", OrganizationDocument),
        (b"---\ntaxonomy: topic\n_id: ai\n---\n", "topic.md", TopicDocument),
        (b"\xef\xbb\xbf---  \r\ntitle: x\r\n--- \r\n", "a.TXT", ArticleDocument),
        (b"---\ntitle: x\n---", "page.html", ArticleDocument),
        (b"---\ntaxonomy:\ntitle: x\nname: Ann\n---", "a", ArticleDocument),
    ],
)
def test_its_keys_decide_what_a_file_is(content: bytes, path: str, outcome: str | type) -> None:
    reading = read_document(path, content, None)
    assert not reading.problems
    assert (reading.skipped or type(reading.document)) == outcome


def test_a_topic_and_an_organization_say_what_they_are_called() -> None:
    topic = read("taxonomy: topic\n_id: ai\nname: AI\nparent: IT\nkeywords: ml\nhashtags: ['#AI']\nseen: 1")
    expected = TopicDocument("a.md", "ai", "AI", None, "IT", ("ml",), ("#AI",), (), {"seen": 1})
    assert topic.document == expected
    other = read("taxonomy: organization\ndomain: WWW.Ft.com\notherNames: [FT, ft, F.T.]")
    assert other.document == OrganizationDocument("a.md", None, None, "ft.com", ("FT", "F.T."), (), None, {})
    assert problems("taxonomy: topic\nparent: AI") == ["None: name: is missing"]


@pytest.mark.parametrize(
    ("front_matter", "attribute", "expected"),
    [
        ("locale: no", "locale", "no"), ("excerpt: null", "excerpt", None),
        ("excerpt: 'null'", "excerpt", "null"), ("excerpt: !!str null", "excerpt", "null"),
        ("excerpt: 2020-06-11", "excerpt", "2020-06-11"), ("type: 1.10", "type", "1.10"),
        ('excerpt: "a\\r\\nb\\rc "', "excerpt", "a\nb\nc"), ("abstract: old", "excerpt", "old"),
        ("abstract: old\nexcerpt: new", "excerpt", "new"),
        ("abstract: old\nexcerpt: new", "extra", {"abstract": "old"}),
        ("level: Beginner", "details", {"levels": "Beginner"}),
        ("originalUrl: https://a.example/", "web_url", "https://a.example/"),
        ("webUrl: /a b", "web_url", "https://site.example/a b"),
        ("ampUrl: ../x?y", "amp_web_url", "https://site.example/x?y"),
        ("publishedDateTime: 2020-06-11", "published_date_time", "2020-06-11T00:00:00Z"),
        ("publishedDateTime: 2020-06-11 00:07", "published_date_time", "2020-06-11T00:07:00Z"),
        ("publishedDateTime: 2020-06-11T00:07:59.9999999Z", "published_date_time", "2020-06-11T00:07:59Z"),
        ("publishedDateTime: '2020-01-01T00:00:00+02:30'", "published_date_time", "2019-12-31T21:30:00Z"),
        ("updatedDateTime: 0001-01-01T00:00-23:59", "updated_date_time", "0001-01-01T23:59:00Z"),
        *((f"published: {yes}", "published", True) for yes in ("true", "TRUE", "'yes'", "On", "1", '"1"')),
        *((f"published: {yes}", "published", True) for yes in ("", "~", "''", "2024-11-05")),
        *((f"published: {no}", "published", False) for no in ("false", "No", "off", "0")),
        *((f"draft: {yes}\npublished: yes", "published", False) for yes in ("true", "'Yes'", "ON", "1")),
        *((f"draft: {no}", "published", True) for no in ("false", "'no'", "off", "0", "", "~", "' '")),
        ("draft: no\npublished: no", "published", False), ("draft: yes", "extra", {"draft": "yes"}),
        ("draft: true", "extra", {"draft": True}), ("draft:", "extra", {"draft": None}),
        ("removed: yes", "removed", True), ("removed:", "removed", False), ("quality: +007", "quality", 7),
        ("heat: -2147483648", "heat", -(2**31)),
        ("topics: [' Ａ I', a i, 365, C, C++]", "topics", ("Ａ I", "365", "C", "C++")),
        ("tags: one, text,", "tags", ("one", "text")), ("topics: ['a\n\n  b']", "topics", ("a b",)),
        ("length: [1.10, '1', 0x1F, .5, 1e400, .nan, 9007199254740993, No, true, null, ~]", "details",
         {"length": [1.1, "1", 31, 0.5, "1e400", ".nan", "9007199254740993", "No", True, None, None]}),
        ("price:\nitems: []", "details", {}),
        ("items: [2020, 1.10, true, ' a/b.md ', '1', 0x1F, a b, a b]", "details",
         {"items": ["2020", "1.10", "true", "a/b.md", "1", "0x1F", "a b", "a b"]}),
        ("items: 1.10", "details", {"items": ["1.10"]}), ("items: ['', ~, {a: }]", "details", {}),
        ("draft: false\nversion: 1.10\nsize: 5", "extra", {"draft": False, "version": "1.10", "size": 5}),
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", "extra", {"a": {"x": 1, "y": 2}, "b": {"y": 3, "x": 1}}),
        ("b: {<<: [{x: 1}, {x: 2, z: 3}]}", "extra", {"b": {"x": 1, "z": 3}}),
    ],
)  # fmt: skip
def test_a_key_is_read_as_the_contract_says(front_matter: str, attribute: str, expected: object) -> None:
    assert value(front_matter, attribute, base_url=BASE) == expected


@pytest.mark.parametrize(
    ("written", "base_url", "served"),
    [
        ("/a b.png", None, "/a b.png"),
        ("/a.png", BASE, "https://site.example/a.png"),
        ("//cdn.example/a.png", None, "https://cdn.example/a.png"),
        ("//cdn.example/a.png", "http://site.example/", "https://cdn.example/a.png"),
        ("HTTPS://Cdn.Example:8080/a.png", None, "HTTPS://Cdn.Example:8080/a.png"),
    ],
)
def test_an_image_may_be_relative(written: str, base_url: str | None, served: str) -> None:
    assert value(f"images: ['{written}']", "images", base_url=base_url)[0].url == served


@pytest.mark.parametrize(
    ("front_matter", "problem"),
    [
        ("type: x", "None: title: is missing"), ("title: [x]", "2: title: is a list where a text belongs"),
        ("title: x\nquality: 5.0", '3: quality: is "5.0", which is no whole number'),
        ("title: x\nheat: 2147483648", '3: heat: is "2147483648", more than 32 bits hold'),
        ("title: x\npublished: perhaps", '3: published: is "perhaps", neither true nor false'),
        ("title: x\ndraft: nearly", '3: draft: is "nearly", neither true nor false'),
        ("title: x\npublished: no\ndraft: [yes]", "4: draft: is a list where a text belongs"),
        ("title: x\nprovider: [FT]", "3: provider: is a list where a name or a mapping belongs"),
        ("title: x\nimages: a.png", "3: images: is a text where a list belongs"),
        ("title: x\nrelated: [{title: y}, {heat: a}]",
          '3: related[1].heat: is "a", which is no whole number'),
        ("title: x\nsecured: [a-secret]", "3: secured: is a list where a text belongs"),
        ("title: x\ntopics:\n- a\n- {b: c}", "5: topics[1]: is a mapping where a text belongs"),
        (f"title: x\ntype: {'x' * 501}", "3: type: has more than 500 characters"),
        ("title: x\nitems:\n- a\n- [b]\n", "5: items[1]: is a list where a text belongs"),
        ("title: x\nitems: [a, {b: c}]", "3: items[1]: is a mapping where a text belongs"),
        ("title: x\nitems: {a: b}", "3: items: is a mapping where a list belongs"),
        (f"title: x\ntopics: {'ﷺ' * 30}", "3: topics: has more than 500 characters"),
        ("title: x\na:\n  title: y\n  title: z", "5: None: has the key title twice"),
        ("title: !!python/name:os.x ''", "2: None: has the tag !!python/name:os.x, which is not read here"),
        ("title: x\n? [a]\n: b", "3: None: has a list or a mapping as a key"),
        ("title: x\na: {<<: b}", "3: None: merges by << what is no mapping"),
        ("title: 'x", "3: None: is not YAML: while scanning a quoted scalar, found unexpected end of stream"),
        ("title: *x", "2: None: is not YAML: found undefined alias"),
        ("title: x\n...\ntitle: y", "4: None: is not YAML: did not find expected <document start>"),
        ('title: "a\\0"', "2: None: holds the character U+0000, which is not text"),
        ('title: x\n"a\\uffff": b', "3: None: holds the character U+FFFF, which is not text"),
        ("title: x\nb: \x85", "3: None: holds the character U+0085, which is not text"),
        ("- a", "2: None: has front matter without keys"),
    ],
)  # fmt: skip
def test_what_a_key_cannot_be_is_a_problem_with_its_line(front_matter: str, problem: str) -> None:
    assert problems(front_matter) == [problem]


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "https:/a", "https://", "https://a:b/", "https://[::1", "https://a b/", "https://a\\b/",
     "data:x", "/relative", "//a.example/", f"https://{'a' * 254}/", "https://a.example/\tb", "https://..."],
)  # fmt: skip
def test_a_web_url_names_a_host_over_http(url: str) -> None:
    assert (
        len(read_document("a.md", f"---\ntitle: x\nwebUrl: |-\n  {url}\n---\n".encode(), None).problems) == 1
    )


@pytest.mark.parametrize(
    "moment",
    ["2021-02-30", "2020-06-11T24:00", "2016-12-31T23:59:60Z", "2020-06-11T00:00+24:00",
     "2020-06-11T00:00+00:60", "0000-01-01", "0001-01-01T00:00+00:01", "9999-12-31T23:59-00:01", "2020-6-1",
     "2020-06-11Z", "2020-06-11T00:00 UTC", "2024-3-1", "٢٠٢٠-06-11"],
)  # fmt: skip
def test_a_moment_that_does_not_exist_is_a_problem(moment: str) -> None:
    assert len(problems(f"title: x\nupdatedDateTime: '{moment}'")) == 1


@pytest.mark.parametrize(
    ("front_matter", "expected"),
    [
        ("titel: y", ["3: titel: is not a key that is read; title is"]),
        ("Published: no", ["3: Published: is not a key that is read; published is"]),
        ("Draft: yes", ["3: Draft: is not a key that is read; draft is"]),
        ("web-url: x", ["3: web-url: is not a key that is read; webUrl is"]),
        ("topic: AI", ["3: topic: is not a key that is read; topics is"]),
        ("layout: post\npeople: [a]\nexcludeFromFeed: true\nid: 5\ndescription: d\nname: n", []),
        ("published:\ncreated: 2024-11-06\nhead: x\nrating: 5\nphotos: 3", []),
        ("Date: soon", ["3: Date: is not a key that is read; date is"]),
        ("abstract: {}\nsourceUrl: ftp://a",
          ['4: sourceUrl: is "ftp://a", which is no http(s) URL, and is not read as webUrl']),
        ("excerpt: F # and C#", ["3: excerpt: ends before #, where YAML begins a comment"]),
        ("tags: #AI", ["3: tags: ends before #, where YAML begins a comment"]),
        ("excerpt: C#\ntype: x # y\nauthor: 'F # and C#'\ntags: [a] # b\nheat: 1 # c\nsummary: >\n  a #b", []),
        ("topics:\n- AI\n-\n", ["5: topics[1]: is empty and left out"]),
        ("items:\n- a\n-\n- ' '\n- b", ["5: items[1]: is empty and left out", "6: items[2]: is empty and left out"]),
        ("images: [{url: '', width: }]", ["3: images[0]: is empty and left out"]),
        ("images: [{width: 5}]", ["3: images[0]: has no url and is left out"]),
        ("related: [{excerpt: z}]", ["3: related[0]: has neither title nor webUrl and is left out"]),
        ("provider: {Name: x}", ["3: provider.Name: is not a key that is read; name is"]),
        ("publishedDateTime: 0001-01-01T00:00:00Z",
          ["3: publishedDateTime: is 0001-01-01T00:00:00Z, in the year 1: Hugo and others write that where they know no date"]),
        ("quality: 1\ndate: 0001-01-01\nlastmod: 0001-01-01",
          ["4: date: is 0001-01-01T00:00:00Z, in the year 1: Hugo and others write that where they know no date",
           "5: lastmod: is 0001-01-01T00:00:00Z, in the year 1: Hugo and others write that where they know no date"]),
        ("addedDateTime: 0001-12-31", ["3: addedDateTime: is 0001-12-31T00:00:00Z, in the year 1: Hugo and others write that where they know no date"]),
        ("date: 0002-01-01\nupdatedDateTime:", []),
    ],
)  # fmt: skip
def test_what_looks_like_a_mistake_is_a_warning(front_matter: str, expected: list[str]) -> None:
    assert warnings(f"title: x\n{front_matter}") == expected


LINKS = "related:\n" + "- title: x\n  provider: {name: y}\n" * 3


@pytest.mark.parametrize(
    "front_matter",
    [LINKS, "a: b\n" + LINKS + "c: d\n", LINKS + "# c\nd: e\n", LINKS.rstrip("\n"), LINKS + "null\n",
     LINKS + "~", LINKS + "  provider:\n{name: z}\n", LINKS + "#\n  webUrl: z\n", "  a: b\n" + LINKS,
     "{a: b}\n" + LINKS, LINKS + "- title: z", LINKS + "\ufeffa: b\n",
     LINKS + "- title: z\n\ufeff  webUrl: w\n"],
)  # fmt: skip
def test_links_read_one_by_one_are_those_read_as_a_whole(front_matter: str) -> None:
    whole, by_pieces = (
        read_tree(front_matter),
        read_tree_with_repeated_links(front_matter, lambda value: not value),
    )
    if isinstance(whole, SyntaxProblem) or isinstance(by_pieces, SyntaxProblem):
        assert whole == by_pieces
        return
    links = [each.take() if isinstance(each, RepeatedLink) else each for each in by_pieces.value["related"]]
    assert by_pieces.value | {"related": links} == whole.value


TEXT = "---\ntitle: é\n---\n"


@pytest.mark.parametrize(
    "content",
    [TEXT.encode("latin-1"), TEXT.encode("utf-16"), TEXT.encode("utf-16-be"), TEXT.encode("utf-32"), b"---",
     b"---\ntitle: \xed\xa0\x80\n---\n", b"---\ntitle: x \x00\n---\nbody", b"---\ntitle: x\n",
     b"---\ntitle: x\n---\n" + b"x" * 8_000_000],
)  # fmt: skip
def test_a_file_that_is_no_text_is_a_problem(content: bytes) -> None:
    assert len(read_document("a.md", content, None).problems) == 1


MERGES = "".join(f"m{i}: &m{i} [{{<<: *m{i - 1}}}, {{<<: *m{i - 1}}}]\n" for i in range(1, 10))


@pytest.mark.parametrize(
    "hostile",
    [
        "a: " + "[" * 64_000, "a: " + "[" * 40_000 + "]" * 40_000, "a: " + "{a: " * 20_000,
        "a:\n" + "- " * 30_000, "a: x\u2028" + "- " * 30_000, "a:\n" + "? " * 30_000,
        "\n".join(" " * depth + "a:" for depth in range(1_000)),
        "\n".join(" " * depth + "a:" for depth in range(30)),
        "a: &a [*a]", "a: &a {<<: *a}", "a: &a x\nb: [" + "*a," * 21 + "]",
        f"a0: &a0 [{'x,' * 100}]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 11)),
        f"m0: &m0 {{{','.join(f'k{i}: v' for i in range(100))}}}\n" + MERGES,
        "a: [" + "a," * 990_000 + "]", "\n".join(f"k{number}: v" for number in range(15_000)),
        "a: " + "x" * 2_000_000, "a: !" + "a" * 1_000_000 + " x", "x" * 1_000_000 + ": y",
        "publishedDateTime: 2020-01-01T00:00:00." + "1" * 50_000 + "x", "quality: " + "1" * 50_000,
        "webUrl: https://" + "a." * 25_000 + "!", "published: " + "y" * 500_000,
        "images:\n" + "- 5\n- {url: 'javascript:x'}\n" * 3_000,
    ],
    ids=lambda hostile: hostile[:24],
)  # fmt: skip
def test_a_hostile_document_is_refused_at_once(hostile: str) -> None:
    found = within(SECONDS_FOR_A_HOSTILE_DOCUMENT, lambda: read(f"title: x\n{hostile}"))
    assert 1 <= len(found.problems) <= 20
    assert all(len(problem.reason) < 300 for problem in found.problems)


def test_what_is_large_and_harmless_is_read() -> None:
    assert len(article(f"title: {'x' * 65_536}").title) == 65_536
    assert len(article(f"title: x\nsecured: {'x' * 1_000_000}").secured or "") == 1_000_000
    assert len(value("items: [" + "a," * 25_000 + "]", "details")["items"]) == 25_000
    assert value("a: " + "[" * 27 + "]" * 27, "extra")
    assert value("a: &a x\nb: [" + "*a," * 20 + "]", "extra")["b"] == ["x"] * 20


def test_no_secret_and_nothing_a_terminal_obeys_is_repeated() -> None:
    reading = read(
        'title: x\nsecured: [s3cret]\nother: s3cret\nquality: "\u200bx\u202e"\nrelated: [[s3cret]]'
    )
    said = str([(problem.reason, problem.advice, problem.key) for problem in reading.problems])
    assert len(reading.problems) == 3
    assert "s3cret" not in said
    assert "\u202e" not in said


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("---\ntitle:\u00a0x\n---\n", "2:7: holds the character U+00A0, which is no space to YAML"),
        ("---\ntitle: x\ntopics:\n\u00a0\u00a0- AI\n---\n", "4:1: holds the character U+00A0, which is no space to YAML"),
        ("---\ntitle: x\ntopics:\n\u3000- AI\n---\n", "4:1: holds the character U+3000, which is no space to YAML"),
        ("---\ntitle: a\u2028b\nexcerpt: c\n---\n", "2:9: holds the character U+2028, at which YAML ends the line"),
        ("---\ntitle: 'a\u2028b'\nquality: c\n---\n", '3:1: is "c", which is no whole number'),
        ("---\ntitle: 'a\u2028b'\na: !x c\n---\n", "3:4: has the tag !x, which is not read here"),
        ("---\ntitle: x\ntopics:\n\t- AI\n---\n", "4:1: has a tab where YAML wants spaces"),
        ("---\ntitle: x\nprovider:\n  name: y\n\tdomain: z\n---\n", "5:1: has a tab where YAML wants spaces"),
        ("\n\n---\nx\n---\n", "4:1: has front matter without keys"),
        ("---\ntitle: a\u0008b\n---\n", "2:9: holds the character U+0008, which is not text"),
        ("+++\ntitle = 'x'\nquality = 'y'\n+++\n", '3:1: is "y", which is no whole number'),
        ("+++\ntitle = 'x'\n[params]\nheat = 'y'\n+++\n", '4:1: is "y", which is no whole number'),
        ("+++\ntitle = '''\nquality = 1\n'''\nquality = 'y'\n+++\n", '5:1: is "y", which is no whole number'),
        ("+++\ntitle = 'x'\na = y\n+++\n", "3:5: is not TOML: invalid value"),
        ("+++\ntitle: x\n+++\n", "2:6: is not TOML: expected '=' after a key in a key/value pair"),
        ('\n{\n  "title": "x",\n  "quality": "y"\n}\n', '4:3: is "y", which is no whole number'),
        ('{\n  "title": "x",\n  "title": "y"\n}\n', "3:3: has the key title twice"),
        ('{\n  "title": "x"\n  "type": "y"\n}\n', "3:3: is not JSON: expecting ',' delimiter"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_at_its_place(content: str, problem: str) -> None:
    [found] = read_document("a.md", content.encode(), None).problems
    assert f"{found.line}:{found.column}: {found.reason}" == problem


def test_what_is_no_text_is_left_out_of_a_body() -> None:
    reading = read_document("a.md", "---\ntitle: x\n---\nIt\u0080s\n\x08here\u2028now".encode(), None)
    assert isinstance(reading.document, ArticleDocument)
    assert reading.document.content == "Its\nhere\u2028now"
    assert [_line(warning) for warning in reading.warnings] == [
        "4: None: holds the character U+0080 in its body, which is not text (and 1 more like it)"
    ]


@pytest.mark.parametrize(
    ("path", "body", "title"),
    [
        ("2024-03-01-a link.md", "", "a link"), ("2024-03-01.md", "", "2024-03-01"),
        ("a/2024-03-01_b.c.mdx", "## Two\ntext", "b.c"), ("a.md", "#hash\n# \n # C# by example ##\n", "C# by example"),
        ("a.md", "```sh\n# a comment\n```\ntext\nA heading\n===\n", "A heading"),
        ("a.md", "# " + "# " * 500_000, "a"),
    ],
)  # fmt: skip
def test_a_link_without_title_has_that_of_its_body_or_its_file(path: str, body: str, title: str) -> None:
    text = f"---\nsource: https://a.example/\n---\n{body}"
    document = read_document(path, text.encode(), None).document
    assert isinstance(document, ArticleDocument)
    assert document.title == title
    without_url = read_document(path, text.replace("source", "layout").encode(), None)
    assert without_url.skipped


@pytest.mark.parametrize(
    "url",
    ["www.a.example/b", "<https://a.example/b>", "[b](https://a.example/b)", "a.example/b", "a.example:80", "nasa.gov",
     "https//a.example", "see https://a.example"],
)  # fmt: skip
def test_what_is_meant_as_a_url_is_no_page_of_the_site(url: str) -> None:
    [problem] = problems(f"title: x\nwebUrl: '{url}'", base_url=BASE)
    assert problem.startswith("3: webUrl: is ")
    assert value(f"source: '{url}'", "web_url", base_url=BASE) is None


@pytest.mark.parametrize(
    "url",
    ["a.html", "a/b", "/a.b/c", "./a.example/b", "?u=https://x", "/out?u=https://x", "v1.2/a", "a.php/b"],
)
def test_a_path_is_a_page_of_the_site(url: str) -> None:
    assert value(f"webUrl: '{url}'", "web_url", base_url=BASE).startswith("https://site.example/")


@pytest.mark.parametrize(
    ("front_matter", "said"),
    [
        ("date: soon\npubDate: 2020-06-11", ("published_date_time", "2020-06-11T00:00:00Z", "date: is \"soon\", which is no date")),
        ("image: {width: 5}\ncover: a.png", ("images", (Image("a.png", None, None, None, None, None),), "image: has no URL")),
        ("image: {url: a.png, width: x}", ("images", (Image("a.png", None, None, None, None, None),), "image.width: is")),
        ("description: [a]\nsummary: b", ("excerpt", "b", "description: is a list where a text belongs")),
        ("categories: [a, {b: c}]", ("topics", ("a",), "categories[1]: is a mapping")),
        ("author: [{name: [a]}, b]", ("authors", ("b",), "author[0]: is a list")),
        ("params: {lang: {a: b}}", ("locale", None, "params.lang: is a mapping where a text belongs")),
        ("ampUrl: /a", ("amp_web_url", None, "ampUrl: is \"/a\", a relative URL")),
        ("related: [{title: x, url: 'javascript:x'}]", ("extra", {"related": {"0": {"url": "javascript:x"}}}, "related[0].url: is")),
    ],
)  # fmt: skip
def test_what_another_name_cannot_be_is_a_warning(front_matter: str, said: tuple[str, Any, str]) -> None:
    attribute, expected, warning = said
    assert value(front_matter, attribute) == expected
    [found] = warnings(f"title: x\n{front_matter}")
    assert found.startswith(f"3: {warning}")


def test_links_of_notes_are_names() -> None:
    front_matter = (
        "author: [[Ada]]\nrelated:\n- '[[people/Alan|Alan]]'\n- [[Grace]]\n- https://a.example/\n- 5"
    )
    assert value(front_matter, "authors") == ("Ada",)
    links = [(link.title, link.web_url) for link in value(front_matter, "related")]
    assert links == [("Alan", None), ("Grace", None), (None, "https://a.example/"), ("5", None)]


@pytest.mark.parametrize(
    "key", ["publish: false", "private: yes", "status: draft", "visibility: private", "hidden: true"]
)
def test_a_key_of_another_tool_that_says_private_is_a_warning(key: str) -> None:
    warnings = read_document("a.md", f"---\ntitle: A\n{key}\n---\n".encode(), None).warnings
    assert [(warning.line, warning.advice) for warning in warnings] == [(3, "Write published: false.")]
    hidden = read_document("a.md", f"---\ntitle: A\n{key}\npublished: no\n---\n".encode(), None)
    assert hidden.warnings == ()
    for harmless in ("publish: true", "private: no", "status: done", "visibility: public"):
        assert read_document("a.md", f"---\ntitle: A\n{harmless}\n---\n".encode(), None).warnings == ()


@pytest.mark.parametrize("character", ["\u00a0", "\u200b"])
def test_an_invisible_character_beside_a_key_hides_no_draft(character: str) -> None:
    document = f"---\ntitle: A\n{character}draft: true\n---\n".encode()
    [problem] = read_document("a.md", document, None).problems
    assert (problem.line, problem.reason) == (3, "is draft with an invisible character beside it")


def test_brackets_in_brackets_are_read_in_time() -> None:
    many = 450_000
    document = f"---\ntitle: A\nauthors: '{'[[' * many}X{']]' * many}'\n---\n".encode()
    within(3, lambda: read_document("a.md", document, None))
