"""Which letters are one, and how long it takes to tell: of any text, and of hostile ones."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.catalog.highlights import highlighted
from app.catalog.letters import folded
from app.catalog.search_language import read_search, words_of, words_of_content, words_with_places
from app.catalog.visible_text import visible_text
from tests.support.processor import within
from tests.support.random_examples import examples

LETTERS = (
    *("a", "É", "e\u0301\u0323", "ß", "ł", "ẚ", "ı", "İ", "ﬁ", "ᾳ", "ς", "й", "и\u0306\u0301", "ё", "\u0301"),
    *(
        "が",
        "か\u3099",
        "ｶﾞ",
        "ﾞ",
        "ー",
        "語",
        "한",
        "\u1112",
        "\u1161",
        "\u11ab",
        "ㄱ",
        "ﾡ",
        "가\u11a8",
        "ﷺ",
        "أ",
    ),
    *("ที่", "ำ", "ែ", "្", "ក", "မြ", "က္က", "दि", "\u0930\u093c", "\u09c7\u09be", "བོ", "་", "\u1b44", "ꦏ꧀"),
    *(
        "\u00ad",
        "\u200b",
        "\u200d",
        "\ufe0f",
        "\u0345",
        "ʼ",
        "ʾ",
        "’",
        "™",
        "+",
        "#",
        "_",
        "-",
        " ",
        "\u3000",
        "½",
    ),
)
texts = st.lists(st.sampled_from(LETTERS) | st.text(max_size=3)).map("".join)


@examples()
@given(texts)
@example("\u1112\u200b\u1161")
@example("й" + "и\u0306" * 3)
def test_what_is_marked_are_the_words_that_are_found(text: str) -> None:
    words = list(words_with_places(text))
    assert [word for word, _, _ in words] == words_of(text)
    for word, start, end in words:
        assert word in words_of(text[start:end])


@examples()
@given(texts)
def test_words_are_words_of_themselves(text: str) -> None:
    for word in words_of(text):
        assert words_of(word) == [word]
    assert all(
        character.isalnum() or unicodedata.category(character)[0] == "M"
        for character in folded(text)
        if character > "\x7f" and character != " "
    )


HOSTILE = (
    *(
        "<",
        "<a ",
        "<b>x</b>",
        "<!--",
        "<!",
        "<?",
        "<script>",
        "`<script>",
        "<rt>",
        "<ruby>",
        "<p title='",
        '<a"="',
        "<a ='\"=",
    ),
    *("<a =", "</", "</script", "<!-->", "<br>x", "<wbr>", "&shy;", "&#769;", "<i></i>"),
    *(
        "ที่",
        "\u0e48",
        "ก",
        "ក្",
        "្",
        "က္",
        "दि",
        "\u093f",
        "\u0301",
        "\u0323\u0301",
        "a\u00ad",
        "\u200b",
        "й",
        "и\u0306",
    ),
    *("\u1112\u1161\u11ab", "\u1112", "ｶﾞ", "ﾞ", "ー", "語", "ﷺ", "ł", "C++", "#", "+", "’", "ʾ", "=\"'"),
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_of_anything_takes_as_long_as_its_length_deserves(piece: str) -> None:
    for content in (
        piece * (1_000_000 // len(piece)),
        "<script>" + piece * 100_000,
        '<p title="' + piece * 100_000,
    ):

        def read_and_mark(content: str = content) -> None:
            words_of_content(content, 16_000)
            highlighted("".join(visible_text(content[:200_000])), read_search("zebra"))

        within(3, read_and_mark)  # 0.6 s at most; what is quadratic takes minutes
