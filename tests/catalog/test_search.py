"""Random words, asked of random texts: both databases find what plain Python finds, in one order."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from html import unescape
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.oracles.search import (
    ASKED,
    BEGINNINGS,
    PROVIDER_DOCUMENT,
    TOPIC_DOCUMENTS,
    VOCABULARY,
    Asked,
    Search,
    in_title,
    matches,
    names_of,
    random_texts,
    words,
)
from tests.support.databases import drop_postgresql
from tests.support.processor import within
from tests.support.random_examples import examples
from tests.support.services import EDITOR, answer, service_of
from tests.support.templates import new_postgresql_catalogue, new_sqlite_catalogue
from tests.support.worlds import World, new_world

pytestmark = pytest.mark.usefixtures("small_ranges")

TEXTS = random_texts(120)
NO_TEXT = {"title": "", "excerpt": "", "content": ""}
VISIBLE = {"true": [text for text in TEXTS if text["published"]], "any": TEXTS}
NAMES = {
    (published, text["path"]): names_of(text, visible)
    for published, visible in VISIBLE.items()
    for text in visible
}

asked = st.one_of(
    st.builds(Asked, st.just("word"), st.sampled_from(ASKED)),
    st.builds(Asked, st.just("beginning"), st.sampled_from(BEGINNINGS)),
    st.builds(
        Asked,
        st.just("phrase"),
        st.lists(
            st.sampled_from(ASKED + tuple(word for word in VOCABULARY if '"' not in word)),
            min_size=1,
            max_size=3,
        ).map(" ".join),
    ),
)
searches = st.builds(
    Search,
    st.lists(st.lists(asked, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple),
    st.lists(asked, max_size=2).map(tuple),
).filter(
    lambda search: all(words(one.text) for one in (*search.none_of, *sum(search.all_of, ()))) and search.asks
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[TestClient]]:
    folder = tmp_path_factory.mktemp("search")
    postgresql = new_postgresql_catalogue()
    with ExitStack() as stack:
        clients = []
        for number, url in enumerate((new_sqlite_catalogue(folder), postgresql)):
            (folder / str(number)).mkdir()
            world = new_world(folder / str(number), url)
            tell(world)
            clients.append(stack.enter_context(service_of(world, remembered_bytes=0)))
            world.engine.dispose()
        yield clients
    drop_postgresql(postgresql)


def tell(world: World) -> None:
    for text in TEXTS:
        kept = {key: value for key, value in text.items() if key not in ("path", "content")}
        world.write(text["path"], json.dumps(kept, ensure_ascii=False), text["content"])
    for number, document in enumerate((*TOPIC_DOCUMENTS, PROVIDER_DOCUMENT)):
        world.write(f"described/{number}.md", document)
    assert world.import_().rejected == 0


@examples()
@given(search=searches, published=st.sampled_from(("true", "any")), kind=st.sampled_from((None, "video")))
def test_words_find_what_they_find_in_plain_texts(
    both: list[TestClient], search: Search, published: str, kind: str | None
) -> None:
    expected = {
        text["path"]: text
        for text in VISIBLE[published]
        if matches(text, NAMES[published, text["path"]], search) and (kind is None or text["type"] == kind)
    }
    pairs = {"q": str(search), "published": published, "limit": "200", **({"type": kind} if kind else {})}
    orders = []
    for client in both:
        page = answer(client, "/articles?" + urlencode(pairs), EDITOR)
        orders.append([item["path"] for item in page["items"]])
        assert (sorted(orders[-1]), page["total"]) == (sorted(expected), len(expected))
    assert orders[0] == orders[1]
    if len(search.all_of) == 1 and len(search.all_of[0]) == 1:
        titled = [in_title(expected[path], search.all_of[0][0]) for path in orders[0]]
        assert titled == sorted(titled, reverse=True), "what stands in a title goes first"


HOSTILE = (
    *(
        '"',
        '""',
        "-",
        "--",
        "OR",
        "AND",
        "NOT",
        "NEAR(a b, 2)",
        "*",
        "a*b",
        "^a",
        "title:a",
        "{a b}:c",
        "(",
        ")",
        "\\",
    ),
    *(
        "'",
        ";",
        "%",
        "_",
        "<->",
        "&",
        "|",
        "!",
        ":*",
        "a:A",
        "'='",
        "\u0301",
        "\u200b",
        "\ufeff",
        "\U0001f600",
        "日",
    ),
    *(
        "C++++",
        "c##",
        "#",
        "++",
        "\x1b",
        "\ufffe",
        "ﷺ",
        "℀",
        "a" * 300,
        "=apple",
        "-OR",
        "\t",
        "+",
        "x",
        "x*",
        '-"x y"',
    ),
)


@examples(0.5)
@example(q="a " * 250)
@example(q="a OR " * 100)
@example(q="-a " * 160)
@example(q='-"a b" ' * 70)
@example(q="a* OR b*" * 60)
@example(q="日" * 500)
@example(q=" ".join(chr(97 + place % 26) + str(place) for place in range(110)))
@example(q=" OR ".join(str(place) for place in range(80)))
@given(
    q=st.text(max_size=60).map(lambda text: text.replace("\0", ""))
    | st.lists(st.sampled_from(HOSTILE)).map(" ".join)
)
def test_no_words_are_an_error(both: list[TestClient], q: str) -> None:
    for order in ("relevance", "title"):
        asked = urlencode({"q": q[:500], "highlight": "true", "fields": "path", "limit": "200"})
        if q.strip() or order == "title":
            found = [client.get(f"/articles?{asked}&sort={order}") for client in both]
            assert {each.status_code for each in found} == {200}, found[0].text
            assert found[0].json()["items"] == found[1].json()["items"]


def test_what_is_too_long_for_words_is_refused(both: list[TestClient]) -> None:
    for q in ("a" * 501, "a " * 10_000, "%00"):
        found = both[0].get(f"/articles?q={q.replace(' ', '+')}")
        assert (found.status_code, "q" in found.text) == (422, True)


@examples(0.3)
@given(search=searches)
def test_what_is_marked_is_what_was_found_and_nothing_but_marks_is_html(
    both: list[TestClient], search: Search
) -> None:
    asked = [one for group in search.all_of for one in group]
    pairs = {"q": str(search), "highlight": "true", "limit": "200"}
    first, second = (answer(client, "/articles?" + urlencode(pairs))["items"] for client in both)
    assert first == second
    for item in first:
        marks = item["highlights"]
        for key in ("title", "excerpt"):
            if marks[key] is not None:
                assert unescape(marks[key].replace("<mark>", "").replace("</mark>", "")) == item[key]
        for text in filter(None, marks.values()):
            outside = text.replace("<mark>", "").replace("</mark>", "")
            assert not set(outside) & set("<>\"'")
            for piece in text.split("<mark>")[1:]:
                marked = unescape(piece.partition("</mark>")[0])
                assert any(
                    matches({"title": marked, "excerpt": "", "content": ""}, (), Search(((one,),), ()))
                    for one in asked
                )
        names = NAMES["true", item["path"]]
        is_named = any(matches(NO_TEXT, names, Search(((one,),), ())) for one in asked)
        assert not asked or is_named or any(marks.values()), "what was found is shown"


@examples(0.05)
@given(search=searches, limit=st.integers(7, 60))
def test_pages_of_what_was_found_are_the_whole_of_it(
    both: list[TestClient], search: Search, limit: int
) -> None:
    for client in both:
        url: str | None = "/articles?" + urlencode({"q": str(search), "limit": str(limit)})
        whole = [
            item["id"] for item in answer(client, f"{url}&limit=200".replace(f"limit={limit}&", ""))["items"]
        ]
        seen: list[str] = []
        while url:
            page = answer(client, url)
            seen += [item["id"] for item in page["items"]]
            url = page["next"]
        assert seen == whole


CONTENTS = [
    ("<p>An <b>open</b> source</p>", '"open source"', True),
    ("isn&#8217;t", "isn't", True),
    ("caf&eacute;", "cafe", True),
    ("a&nbsp;b", "nbsp", False),
    ("1 &lt; 2", "lt", False),
    ("the Magic Quadrant™", "quadrant", True),
    ("<script>", "script", False),
    ("<script>var zebra = 1;</script>", "zebra", False),
    ("<SCRIPT type='a>b'>zebra</SCRIPT >after", "zebra", False),
    ("<SCRIPT type='a>b'>zebra</SCRIPT >after", "after", True),
    ("<script>zebra", "zebra", False),
    ("<script src=a.js />zebra", "zebra", True),
    ("Put `<script>` before zebra", "zebra", True),
    ("<style>.walrus{color:red}</style>", "walrus", False),
    ("<template><p>walrus</template>", "walrus", False),
    ("<noscript>walrus</noscript><iframe>walrus</iframe>", "walrus", False),
    ("<!-- an ocelot > a note -->penguin", "ocelot", False),
    ("<!-- an ocelot > a note -->penguin", "note", False),
    ("<!-- an ocelot > a note -->penguin", "penguin", True),
    ("<!-->penguin<!-- ocelot", "penguin", True),
    ("<!-->penguin<!-- ocelot", "ocelot", False),
    ('<img alt="a" title="x > leak" src=a.png>', "leak", False),
    ("<a title='<b>leak</b>'>penguin</a>", "leak", False),
    ("<p class=it's>penguin</p> isn't", "penguin", True),
    ('<p title="open>penguin', "penguin", True),
    ("1 <b 2 penguin", "penguin", True),
    ("<b>T</b>ypo<i></i>gra<span class=a>phy</span>", "typography", True),
    ("super<wbr>cali<WBR/>fragi<!-- -->listic", "supercalifragilistic", True),
    ("Bundes&shy;verfassungs&#173;gericht", "Bundesverfassungsgericht", True),
    ("one<br>two<p>three</p>four<li>five", '"one two three four five"', True),
    ("one<br>two", "onetwo", False),
    ("H<sub>2</sub>O", "h2o", True),
    ("<ruby>漢<rt>かん</rt>字<rt>じ</ruby>で", "漢字で", True),
]


def test_content_is_searched_as_its_readers_see_it(world: World) -> None:
    for number, (content, _, _) in enumerate(CONTENTS):
        world.write(f"{number}.md", "title: A", content)
    assert world.import_().rejected == 0
    with service_of(world) as client:
        for number, (content, words, is_found) in enumerate(CONTENTS):
            items = answer(client, "/articles?" + urlencode({"q": words, "limit": "200"}))["items"]
            assert (f"{number}.md" in {item["path"] for item in items}) is is_found, (content, words)


def test_titles_and_excerpts_are_no_html(world: World) -> None:
    world.write("a.md", "title: <Long> & List<String>\nexcerpt: Nov&#8217;19")
    world.import_()
    with service_of(world) as client:
        [item] = answer(client, "/articles?q=string+8217&highlight=true")["items"]
        assert item["highlights"]["title"] == "&lt;Long&gt; &amp; List&lt;<mark>String</mark>&gt;"


# A title, and the words that find it and no other title of its rule.
TOLD_APART = {
    "Hindi vowel signs": ["आज का दिन|दिन", "को दान दिया|दान", "दीन दुखियों की|दीन"],
    "Tamil vowel signs": ["பூ மலர்|பூ", "பு என்று|பு"],
    "Bengali nukta": ["বড় বাড়ি|বড়", "বড বাডি|বড"],
    "Thai tones": ["มันที่นั่น|ที่", "ตอนนี้ทีเดียว|ที"],
    "Khmer stacks": ["ភាសាខ្មែរ|ខ្មែរ", "ខមែរ|ខមែ"],
    "kana voicing": ["夜のバス停|バス|ﾊﾞｽ|ハ\u3099ス", "定期パスの更新|パス", "池のハスが咲いた|ハス"],
    "small kana": ["しょう|しょう", "しよう|しよう"],
    "Hangul": ["한국 사람|한국|\u1112\u1161\u11ab국", "하구 둑|하구"],
    "Cyrillic letters": ["мой дом|мой", "мои дома|мои"],
    "the sign of multiplication": ["3×4 wide|3×4", "34 wide|34"],
}
# A title, and spellings that find it.
ONE_WORD = {
    "strokes": ["Łódź|łodz|Lodz", "Søren|soren|SOREN", "Đakovo|Dakovo", "Þór|thor", "Ægir|aegir|ægir"],
    "the plain letters": ["Lodz|Łódź", "Thor|Þór", "Strasse|Straße", "Oeuvre|œuvre", "hamza|ħamża"],
    "Turkish i": ["Diyarbakır|diyarbakir|DIYARBAKIR", "İstanbul|istanbul|ISTANBUL|ıstanbul"],
    "apostrophes": ["Don’t|don't|don＇t", "l'été|été|ete|l’ete", "Hawaiʻi|hawai'i", "м'ята|мʼята"],
    "hyphens": ["co-op|co‐op|co\u2011op|co–op"],
    "wide and narrow forms": ["ＦＵＬＬ|full", "カタカナ|ｶﾀｶﾅ", "①|1", "ﬁne|fine"],
    "invisible characters": [
        "Bundes\u00adgericht|bundesgericht",
        "Long\u200bWord|longword",
        "می\u200cخواهد|میخواهد",
        "a\u2060b\ufeffc|abc|a\u200db\u180ec",
        "✈\ufe0f flug\u200e|flug",
    ],
    "Russian stress and ё": ["ещё|еще", "за\u0301мок|замок"],
    "Greek accents": ["Ώρα|ωρα", "τῷ|τω", "ΟΔΟΣ|οδός"],
    "Hebrew points": ["שָׁלוֹם|שלום"],
    "Arabic points, hamza and tatweel": ["كِتَـــاب|كتاب", "أحمد|احمد", "کتابی|كتابي"],
    "Vietnamese": ["Đường phố|duong|đường"],
    "in a sentence": [
        "ไม่มีช่องว่างระหว่างคำ|ช่องว่าง|คำ|ค\u0e4dา",
        "ບໍ່ມີຊ່ອງຫວ່າງ|ຊ່ອງ",
        "ភាសាខ្មែរគ្មាន|ខ្មែរ",
        "မြန်မာဘာသာစကား|ဘာသာ",
        "བོད་ཡིག་ནི|ཡིག|ཡིག་",
        "ꦲꦏ꧀ꦱꦫꦗꦮ|ꦱꦫ",
        "日本語の本|語の",
        "人々は|々|人々",
        "ジョン・スミス|スミス|ジョン スミス",
        "𠮷野家|野家|𠮷野",
        "ไทยlandไทย|land",
    ],
}


@pytest.mark.parametrize("rule", TOLD_APART)
def test_words_of_one_script_stay_apart(tmp_path: Path, rule: str) -> None:
    assert_found(tmp_path, TOLD_APART[rule])


@pytest.mark.parametrize("rule", ONE_WORD)
def test_a_word_is_found_in_any_spelling(tmp_path: Path, rule: str) -> None:
    assert_found(tmp_path, ONE_WORD[rule])


def assert_found(folder: Path, rows: list[str]) -> None:
    """What is asked finds its title alone, in the title as in a content, and marks it.

    On one database: words are folded before they come to any.
    """
    world = new_world(folder, new_sqlite_catalogue(folder))
    titles = {title: asked for title, *asked in (row.split("|") for row in rows)}
    for number, title in enumerate(titles):
        world.write(f"{number}-title.md", json.dumps({"title": f"w {title} w"}, ensure_ascii=False))
        world.write(f"{number}-content.md", "title: '-'", f"w {title} w")
    assert world.import_().rejected == 0
    with service_of(world) as client:
        for number, asked in enumerate(titles.values()):
            for words in asked:
                query = urlencode({"q": words, "highlight": "true", "sort": "title"})
                items = answer(client, f"/articles?{query}")["items"]
                assert [item["path"] for item in items] == [f"{number}-content.md", f"{number}-title.md"], (
                    words
                )
                in_content, in_title = (item["highlights"] for item in items)
                assert "<mark>" in in_content["content"]
                assert in_content["content"] == in_title["title"]
    world.engine.dispose()


SEARCHES = [
    ("cats AND mice", "both with-and"),
    ("cats and mice", "with-and"),
    ("cats NOT mice", "cats"),
    ("NOT mice cats", "cats"),
    ("cats not mice", ""),
    ("cats AND NOT mice", "cats"),
    ("cats AND -mice", "cats"),
    ('NOT "chase mice" cats', "cats with-and"),
    ("NOT “chase mice” cats", "cats with-and"),
    ("dogs OR cats AND mice", "both with-and"),
    ("dogs AND cats OR mice", ""),
    ('cats "AND" mice', "with-and"),
    ("“Cats chase”", "both"),
    ("„cats chase“", "both"),
    ("«cats chase»", "both"),
    ("＂cats chase＂ －and", "both"),
    ("cha＊", "both"),
    ("AND", "with-and"),
    ("cats AND", "with-and"),
    ("AND cats", "with-and"),
    ("NOT", "with-not"),
    ("dogs NOT", "with-not"),
    ("NOT NOT dogs", "dogs"),
    ("dogs NOT -x", "with-not"),
]


def test_and_or_and_not_join_what_stands_beside_them(world: World) -> None:
    world.write("both.md", "title: Cats chase mice")
    world.write("cats.md", "title: Cats sleep")
    world.write("dogs.md", "title: Dogs")
    world.write("with-and.md", "title: Cats and mice agree")
    world.write("with-not.md", "title: Dogs do not")
    world.import_()
    with service_of(world) as client:
        for q, paths in SEARCHES:
            items = answer(client, "/articles?" + urlencode({"q": q}))["items"]
            assert {item["path"].removesuffix(".md") for item in items} == set(paths.split()), q


def test_a_document_of_long_words_alone_is_taken(world: World) -> None:
    """An index of either database has room for a part of such words alone."""
    body = " ".join(f"{place:05}" + "ü" * 90 for place in range(16_500))
    world.write("a.md", "title: Long words", body)
    assert world.import_().rejected == 0
    with service_of(world) as client:
        assert answer(client, f"/articles?q=00007{'ü' * 90}")["total"] == 1


def test_a_long_body_is_marked_in_no_time(world: World) -> None:
    world.write("a.md", "title: Short", "Lorem ipsum dolor sit amet, consectetur elit. " * 20_000 + "Zebra")
    world.import_()
    asked = urlencode(
        {"q": "short OR " + " OR ".join(f"w{place}" for place in range(50)), "highlight": "true"}
    )
    with service_of(world, remembered_bytes=0) as client:
        # It takes 0.2 s; every word with every term took 16.
        [item] = within(3, lambda: answer(client, f"/articles?{asked}"))["items"]
    assert item["highlights"] == {"title": "<mark>Short</mark>", "excerpt": None, "content": None}


def test_a_beginning_of_too_many_words_is_told_which(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.catalog.index.search.MAX_WORDS_OF_PREFIX", 3)
    for number in range(4):
        world.write(f"{number}.md", f"title: ab{number} abc")
    world.import_()
    with service_of(world) as client:
        assert answer(client, "/articles?q=ab1*")["total"] == 1
        refused = client.get("/facets?q=a*+OR+x")
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["parameter"] == "q"
        assert "more letters" in refused.text


def test_marks_by_the_ten_thousand_are_imported_found_and_shown_in_time(world: World) -> None:
    editions = count()

    def import_and_ask() -> Any:
        title = f"Mars e{chr(0x301) + chr(0x323)}{(chr(0x301) + chr(0x323)) * 30_000}"
        world.write(
            "a.md", f"title: {title}", f"Edition {next(editions)}, which is read as if it were the first"
        )
        world.import_()
        with service_of(world) as client:
            return answer(client, "/articles?q=mars+e&highlight=true")["items"]

    # It takes some 0.3 s; sorted by swapping neighbours they took 9.
    [item] = within(3, import_and_ask)
    assert item["highlights"]["title"].startswith("<mark>Mars</mark> <mark>e")


def test_what_stands_around_a_tag_of_any_length_is_found(world: World) -> None:
    picture = f"<img alt='{'moon dust ' * 2_000}'>"
    world.write("a.md", "title: Mars", f"before{picture}after &am{'p' * 20_000} x < y {'1 ' * 9_000}last")
    world.import_()
    with service_of(world) as client:
        found = {
            word: answer(client, f"/articles?q={word}")["total"]
            for word in ("before", "after", "moon", "last", "%22x+y%22", "%22before+after%22")
        }
    assert found == {"before": 1, "after": 1, "moon": 0, "last": 1, "%22x+y%22": 1, "%22before+after%22": 1}


def test_a_page_of_long_texts_is_marked_as_far_as_half_a_million_characters(world: World) -> None:
    for number in range(10):
        world.write(f"{number}.md", f"title: Mars {'x ' * 30_000}")
    world.import_()
    with service_of(world) as client:
        items = answer(client, "/articles?q=mars&highlight=true&sort=title")["items"]
    assert [bool(item["highlights"]["title"]) for item in items] == [True] * 9 + [False]


def test_a_long_search_is_marked_in_time(world: World) -> None:
    for number in range(5):
        world.write(f"{number}.md", f"title: Mars {'a ' * 30_000}")
    world.import_()
    phrases = " OR ".join(f'"a {number}"' for number in range(45))
    with service_of(world, remembered_bytes=0) as client:
        asked = urlencode({"q": f"mars OR {phrases}"[:500], "highlight": "true"})
        items = within(3, lambda: answer(client, f"/articles?{asked}"))["items"]
        assert all(item["highlights"]["title"].startswith("<mark>Mars</mark>") for item in items)
