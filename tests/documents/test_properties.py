"""What no document can do, whatever its bytes."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.documents import scalars
from app.documents.problems import WrongValue
from app.documents.reading import read_document

DOCUMENT = b"""---
title: "a\\u0041"
topics: [AI, &b Azure, *b]
provider: {<<: {name: n}, domain: d}
images:
  - url: //a/b.png
    width: 5
taxonomy:
---
body
"""
BREAKERS = (
    *"[]{}:,-?&*!|>'\"%@`#~\\\n\t\r\x85\u2028",
    "<<: ",
    "&a ",
    "*a",
    "!!int ",
    "\\0",
    "\\ud800",
    "\n---\n",
    "\n+++\n",
    "'" * 3,
    '"' * 3,
    '\\"',
)
TOML = b"""+++
title = "a\\u0041"
date = 2024-01-01T10:00:00
topics = ["AI", 'b', 1.5]
[params]
author.name = "Ada"
[[related]]
title = '''
x'''
+++
body
"""
JSON = b"""{
  "title": "a\\u0041", "date": "2024-01-01 10:00 +0200", "topics": ["AI", null, 1.5e3, true],
  "params": {"author": {"name": "Ada"}},
  "related": [{"title": "x", "url": "/y"}, "https://a.example/"]
}
body
"""
PIECES = st.sampled_from([piece.encode() for piece in BREAKERS])
MUTATIONS = st.tuples(
    st.integers(0, max(map(len, (DOCUMENT, TOML, JSON)))), st.integers(0, 6), PIECES | st.binary(max_size=8)
)
MOMENTS = st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]([+-][0-2][0-9]:[0-6][0-9])?")


def is_one_of_three(path: str, content: bytes) -> bool:
    reading = read_document(path, content, None)
    return [bool(reading.document), bool(reading.skipped), bool(reading.problems)].count(True) == 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
@example(b"[" * 100_000)
def test_any_bytes_are_read_skipped_or_refused(content: bytes) -> None:
    assert is_one_of_three("a.md", content)
    assert is_one_of_three("a", b"---\n" + content + b"\n---\n")
    assert is_one_of_three("a", b"+++\n" + content + b"\n+++\n")
    assert is_one_of_three("a", b'{"title": ' + content + b"}")
    assert is_one_of_three("a.yml", b"taxonomy: topic\n" + content)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from([DOCUMENT, TOML, JSON]), st.lists(MUTATIONS, min_size=1, max_size=4))
def test_any_mutant_of_a_document_is_read_skipped_or_refused(
    content: bytes, mutations: list[tuple[int, int, bytes]]
) -> None:
    for place, removed, piece in mutations:
        content = content[:place] + piece + content[place + removed :]
    assert is_one_of_three("a.md", content)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40) | MOMENTS)
def test_what_a_scalar_became_it_stays(text: str) -> None:
    moment = scalars.date_time(text)
    assert isinstance(moment, WrongValue) or scalars.date_time(moment) == moment
    absolute = scalars.url(text, "https://a.example/b/")
    assert isinstance(absolute, WrongValue) or scalars.url(absolute, None) == absolute
    image = scalars.image_url(text, None)
    assert isinstance(image, WrongValue) or scalars.image_url(image, None) == image
    assert isinstance(scalars.integer(text), int | WrongValue)
