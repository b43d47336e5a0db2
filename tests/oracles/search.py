"""What words find, in plain Python over texts and names: the contract's `q` without a parser and an index.

A question is built of terms and then written down; the oracle answers what was built.
"""

import random
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import Stemmer

Text = Mapping[str, Any]


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(text.split())


VOCABULARY = _pieces("""
    apple Apples APPLE banana bananas box boxes run running runs or OR C C++ c# C. + # café CAFE\u0301 cafes
    naïve ﬁne fine ＦＵＬＬ full straße STRASSE 日本 日本語 本 か\u3099 が ガ か
    Quadrant™ quadrant it's its x_y x-y 3.14 100% – ¿ ... (box) 'run' "apple" apple/banana İ
    a\u00adb List<box> AND NOT and not
    Łódź lodz Søren Þór ægir Diyarbakır ħ ŧx it’s l’été x\u2011y box\u00ades ba\u200bnana run\u200cning
    दिन दान दीन कि मेरे\u200dदिन பூ ไม่มี มี ม ที่ ที ខ្មែរ ក្រ រ မြန်မာ བོད་ཡིག バス パス ハス ﾊﾞｽ ジョン・ジョン 人々
    한국 한국어 \u1112\u1161\u11ab мой мои ещё еще те\u0301 Ὧραι ωραι τῷ שָׁלוֹם שלום كتـاب
    أَحمد احمد ی ي Qurʾān Hawaiʻi
""")
MARKUP = (
    *(
        "<b>",
        "</b>",
        "<br/>",
        '<a href="box">',
        "</a>",
        "<!-- run -->",
        '<p title="run > box">',
        "</p>",
        "<wbr>",
    ),
    *("&nbsp;", "&amp;", "&#8217;", "&lt;b&gt;", "&shy;", "<script>run()</script>", "<style>box{}</style>"),
    *("<sup>", "</sup>", "<template>apple</template>", "<SPAN class=run>", "</SPAN>", "<li>"),
)
ASKED = _pieces("""
    apple APPLES banana boxing box ran running or c C++ c# cafe Cafés naive fine full ｆｕｌｌ strasse STRAßE
    日本 日 語本 が か quadrants it's its it x-y x 3.14 14 100 i href nbsp amp b zebra apple/banana a ab
    striped horses rocks quartz quilt quilting daily times press example the co
    and not Lodz łódź soren thor aegir diyarbakir h tx it’s ete l'ete x\u2010y दिन दान दी क कि பூ பு มี ม ที ที่
    ខ្មែ រ ក្រ မာ ཡིག バス パス ハス ｽ ジョン 々 한국 한 мой мои еще ещё те ωραι τω שלום
    كتاب أحمد ي quran hawai'i
""")
BEGINNINGS = _pieces(
    "app APPLES ba bo c c+ caf 日 日本 quad stras x zeb x- 1 दि द ไม่ม ไม่มี 한 한구 м lo ł バ qu quil ro d t"
)
# Articles are filed under these. The documents give more names to some: whoever has one of them has all.
FILED = _pieces("Zebra quartz running C# 日本語 Straße apple quilting")
TOPIC_NAMES = (("zebra", "Striped Horse"), ("rocks-and-quartz", "Quartz", "Boxes of Rocks"))
TOPIC_DOCUMENTS = (
    "taxonomy: topic\nname: Zebra\nshortname: Striped Horse",
    "taxonomy: topic\n_id: rocks-and-quartz\nname: Quartz\nshortname: Boxes of Rocks",
)
PROVIDERS = (
    {"name": "Daily Zebra", "domain": "banana.example"},
    {"name": "Running Times", "domain": "banana.example"},
    {"name": "Café Press"},
    {"domain": "apple.example"},
)
PROVIDER_DOCUMENT = "taxonomy: organization\nname: The Box\ndomain: apple.example\notherNames: [Quilt & Co]"
_english = Stemmer.Stemmer("english")


@dataclass(frozen=True)
class Asked:
    """`kind` is word, phrase or beginning."""

    kind: str
    text: str

    def __str__(self) -> str:
        if self.kind == "word" and self.text in ("AND", "OR", "NOT"):
            return f'"{self.text}"'
        written = {"word": "{}", "phrase": ('"{}"', "“{}”")[len(self.text) % 2], "beginning": "{}*"}
        return written[self.kind].format(self.text)


@dataclass(frozen=True)
class Search:
    """Groups of alternatives, all of them needed, and what must not be there."""

    all_of: tuple[tuple[Asked, ...], ...]
    none_of: tuple[Asked, ...]

    def __str__(self) -> str:
        """Some groups are joined by AND, some exclusions say NOT."""
        between, sign = (" ", "-") if sum(map(len, self.all_of)) % 2 else (" AND ", "NOT ")
        groups = between.join(" OR ".join(map(str, group)) for group in self.all_of)
        return " ".join([groups, *(f"{sign}{one}" for one in self.none_of)]).strip()

    @property
    def asks(self) -> bool:
        return any(
            words(one.text) for one in (*self.none_of, *(one for group in self.all_of for one in group))
        )


def matches(text: Text, names: Sequence[str], search: Search) -> bool:
    """`names` are those that the asker may know of what the text is filed under."""
    groups = [[one for one in group if words(one.text)] for group in search.all_of]
    return all(any(_has(text, names, one) for one in group) for group in groups if group) and not any(
        _has(text, names, one) for one in search.none_of if words(one.text)
    )


def names_of(text: Text, visible: Sequence[Text]) -> list[str]:
    """The names of all that a text is filed under; `visible` are the texts that the asker may see."""
    names = [*text["tags"], *text["authors"], *text["topics"]]
    for topic in text["topics"]:
        names += [
            name for of_topic in TOPIC_NAMES if topic.lower() in map(str.lower, of_topic) for name in of_topic
        ]
    provider = text["provider"]
    if "domain" in provider:
        same = [one["provider"] for one in visible if one["provider"].get("domain") == provider["domain"]]
        names += [one["name"] for one in same if "name" in one]
        names += ["The Box", "Quilt & Co"] if provider["domain"] == "apple.example" else []
    return [*names, *([provider["name"]] if "name" in provider else [])]


def in_title(text: Text, one: Asked) -> bool:
    return _stands_in(words(text["title"]), one)


def _has(text: Text, names: Sequence[str], one: Asked) -> bool:
    parts = (text["title"], text["excerpt"] or "", seen_in(text["content"]), *names)
    return any(_stands_in(words(part), one) for part in parts)


def seen_in(content: str) -> str:
    """Read by Python's own parser of HTML."""
    reader = _Reader(convert_charrefs=True)
    reader.feed(content)
    reader.close()
    return "".join(reader.seen)


class _Reader(HTMLParser):
    inline = frozenset(("b", "a", "wbr", "sup", "span"))
    unseen = frozenset(("script", "style", "template"))

    def __init__(self, *, convert_charrefs: bool) -> None:
        super().__init__(convert_charrefs=convert_charrefs)
        self.seen: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._part(tag)
        self.depth += tag in self.unseen

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in self.unseen
        self._part(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self._part(tag)

    def handle_data(self, data: str) -> None:
        if not self.depth:
            self.seen.append(data)

    def _part(self, tag: str) -> None:
        if tag not in self.inline:
            self.seen.append(" ")


def _stands_in(there: Sequence[str], one: Asked) -> bool:
    asked = words(one.text)
    for start in range(len(there) - len(asked) + 1):
        here = list(there[start : start + len(asked)])
        if one.kind == "beginning":
            if here[:-1] == asked[:-1] and here[-1].startswith(asked[-1]):
                return True
        elif here == asked or (len(asked) == 1 and stem(here[0]) == stem(asked[0])):
            return True
    return False


def stem(word: str) -> str:
    return str(_english.stemWord(word))


def words(text: str) -> list[str]:
    """Runs of letters and digits, less case and accents; "C++" and "C#" whole; unspaced scripts sign by sign.

    Unicode's names of characters tell what they are.
    """
    letters = _letters(text)
    found: list[str] = []
    goes_on = ""
    for place, letter in enumerate(letters):
        following = "".join(letters[place : place + 2])
        after = letters[place + 1 : place + 2]
        script = _name(letter).split(" ")[0]
        if unicodedata.category(letter)[0] == "M":
            if goes_on:
                found[-1] += letter
        elif script in UNSPACED and letter.isalnum():
            if goes_on == "unspaced" and "COENG" in _name(found[-1][-1]):
                found[-1] += letter
            else:
                found.append(letter)
            goes_on = "unspaced"
        elif letter.isalnum():
            if goes_on == "word":
                found[-1] += letter
            else:
                found.append(letter)
            goes_on = "word"
        else:
            if goes_on == "word" and following == "++":
                found[-1] += "++"
            elif (
                goes_on == "word"
                and letter == "#"
                and not (after and (after[0].isalnum() or after[0] == "_"))
            ):
                found[-1] += "#"
            goes_on = ""
    return found


UNSPACED = frozenset(("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "THAI", "KHMER", "MYANMAR"))
_TYPED_FOR = str.maketrans({"ی": "ي", "ʻ": " ", "ʾ": None, "ـ": None, "™": " "})
_WHOLE = {"æ": "ae", "þ": "th", "ı": "i", "ð": "d"}


def _letters(text: str) -> str:
    parted = unicodedata.normalize("NFKD", text.translate(_TYPED_FOR)).replace("\u0345", "")
    kept = [letter for letter in parted.casefold() if unicodedata.category(letter) != "Cf"]
    letters: list[str] = []
    for letter in unicodedata.normalize("NFKD", "".join(kept)):
        composed = unicodedata.normalize("NFC", letters[-1] + letter) if letters else letter
        if _name(composed).startswith("CYRILLIC") and composed not in "ёѐѝ" and len(composed) == 1:
            letters[-1:] = composed
        elif not _is_accent(letter):
            letters.append(letter)
    folded = unicodedata.normalize("NFC", "".join(letters))
    return "".join(_WHOLE.get(letter, _without_stroke(letter)) for letter in folded)


def _is_accent(letter: str) -> bool:
    if unicodedata.category(letter)[0] != "M":
        return False
    name = _name(letter)
    return (name.startswith("COMBINING") and "KATAKANA" not in name) or name.startswith(("HEBREW", "ARABIC"))


def _without_stroke(letter: str) -> str:
    name = _name(letter)
    plain = name.removeprefix("LATIN SMALL LETTER ").removesuffix(" WITH STROKE").lower()
    return plain if name.startswith("LATIN") and "STROKE" in name else letter


def _name(letter: str) -> str:
    return unicodedata.name(letter, "") if len(letter) == 1 else ""


def random_texts(number: int, seed: int = 11) -> list[dict[str, Any]]:
    choose = random.Random(seed)  # noqa: S311

    def said(most: int, pieces: Sequence[str] = VOCABULARY) -> str:
        return "".join(
            choose.choice(pieces) + choose.choice((" ", " ", " ", "\t", ""))
            for _ in range(choose.randrange(most))
        )

    return [
        {
            "path": f"{index:03}.md",
            "title": said(4).strip() or "-",
            "excerpt": said(5).strip() or None,
            "content": said(8, VOCABULARY + MARKUP),
            "type": choose.choice((None, "video", "article")),
            "published": choose.random() < 0.8,
            "publishedDateTime": choose.choice((None, "2020-06-11", "2020-06-12", "2021-01-01")),
            **{
                key: choose.sample(FILED, choose.choice((0, 0, 1, 2)))
                for key in ("topics", "tags", "authors")
            },
            "provider": choose.choice(({}, {}, *PROVIDERS)),
        }
        for index in range(number)
    ]
