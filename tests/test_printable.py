"""What stands in one line of a report, an answer or a log."""

import pytest

from app.printable import compact_json, escaped, printable


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Ümläut, 日本, 😀", "Ümläut, 日本, 😀"),
        ("two\nlines\r", r"two\nlines\r"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("no-break\u2028line", r"no-break\u2028line"),
        ("half a pair \ud800", r"half a pair \ud800"),
        ("\u202eright to left", r"\u202eright to left"),
    ],
)
def test_no_text_leaves_its_line(text: str, line: str) -> None:
    assert escaped(text) == printable(text, 80) == line


def test_a_long_text_is_cut_before_it_is_escaped() -> None:
    assert printable("\n" * 80, 80) == r"\n" * 80
    assert printable("\n" * 81, 80) == r"\n" * 79 + "…"


def test_compact_json_has_no_spaces_and_keeps_letters() -> None:
    assert compact_json({"title": "Ü", "tags": ["a", None, True]}) == '{"title":"Ü","tags":["a",null,true]}'
