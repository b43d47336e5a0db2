"""Imports documents as long as may be, each alone, and measures time and memory beside an empty import.

Then it serves some, and asks how the service is while it answers.
"""

import argparse
import contextlib
import json
import re
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from app.documents.front_matter import MAX_FILE_BYTES, MAX_FRONT_MATTER_BYTES
from tests.proofs.catalogues import new_catalogue
from tests.proofs.outcome import Outcome, conclude
from tests.proofs.readers import Answers, served
from tests.support.processor import seconds_of
from tests.support.worlds import write_document

# Above an empty import; a tree of a thousand such documents is then an hour, and no machine is too small.
MOST_SECONDS: Final = 3.0
MOST_MEGABYTES: Final = 200
# A little is left for what a kind needs beside its filling.
_BODY: Final = MAX_FILE_BYTES - 1_000
_FRONT_MATTER: Final = MAX_FRONT_MATTER_BYTES - 1_000
# Below the limit on the nodes of a document.
_ITEMS: Final = 29_000
_URL: Final = 8_192
_LINE: Final = 65_536

_MORE_TRIES: Final = 2
_EMPTY_IMPORTS: Final = 2
# The last moment before its end is more than this before.
_SECONDS_BETWEEN_LOOKS: Final = 0.005

Make = Callable[[], str]


def _filled(filling: str, most_bytes: int) -> str:
    return filling * (most_bytes // len(filling.encode()))


def _joined(parts: Iterable[str], most_bytes: int) -> str:
    """As many of endless parts as fit."""
    kept = []
    for part in parts:
        most_bytes -= len(part.encode())
        if most_bytes < 0:
            break
        kept.append(part)
    return "".join(kept)


def _body(filling: str, before: str = "") -> Make:
    return lambda: f"---\ntitle: Body\n---\n{before}{_filled(filling, _BODY)}"


def _body_of(parts: Callable[[], Iterable[str]]) -> Make:
    return lambda: f"---\ntitle: Body\n---\n{_joined(parts(), _BODY)}"


def _keys(front_matter: Callable[[], str], title: str = "title: Keys\n") -> Make:
    return lambda: f"---\n{title}{front_matter()}\n---\n"


def _key(before: str, filling: str, after: str = "", most: int = _FRONT_MATTER) -> Make:
    """One value, as long as the front matter may be, or as `most`."""
    return _keys(lambda: before + _filled(filling, most - 100) + after)


def _toml(before: str, filling: str, after: str, most: int = _FRONT_MATTER) -> Make:
    return lambda: f"+++\ntitle = 'x'\n{before}{_filled(filling, most - 100)}{after}\n+++\n"


def _no_title(filling: str) -> Make:
    """The body is looked through for a heading."""
    return lambda: f"---\nsource: https://e.example/\n---\n{_filled(filling, _BODY)}"


def _title(filling: str) -> Make:
    """As many characters as a title may have."""
    return _keys(lambda: f"title: '{filling * (_LINE // len(filling))}'", title="")


def _list(key: str, item: Callable[[int], str], most: int = _ITEMS) -> Make:
    return _keys(lambda: f"{key}:\n" + _joined((f"- {item(n)}\n" for n in range(most)), _FRONT_MATTER))


def _urls(before: str, filling: str) -> Make:
    """Different URLs, each as long as one may be, in as many related links as fit."""

    def url(number: int) -> str:
        start = before.replace("#N", str(number))
        return f"webUrl: '{start}{filling * ((_URL - len(start)) // len(filling))}'"

    return _list("related", url)


def _words() -> Iterator[str]:
    return (f"w{number:x} " for number in range(10**9))


def _ideographs() -> Iterator[str]:
    while True:
        yield from map(chr, range(0x4E00, 0x9FFF))


def _letters(first: int, number: int) -> str:
    """That many different ideographs."""
    return "".join(chr(0x4E00 + (first + place) % 20_000) for place in range(number))


def _nested(depth: int) -> str:
    return "[" * depth + "x" + "]" * depth


_FAR = "https://e.example/#N"
_MARKS_OUT_OF_ORDER = "\u0301\u0323"
_ARABIC_LIGATURE = "\ufdfa"  # NFKC makes eighteen characters of it

KINDS: Final[dict[str, Make]] = {
    # TOML and JSON, whose parsers have no limits of their own.
    "TOML: one text": _toml("a = '", "x", "'"),
    "TOML: one text of several lines": _toml('a = """', '\n\\"', '"""'),
    "TOML: escapes": _toml('a = "', "\\u00e9", '"'),
    "TOML: white space": _toml("a = [", " \n", "]"),
    "TOML: comments": _toml("", "#\n", ""),
    "TOML: numbers of 999 digits": _toml("a = [", "9" * 999 + ",", "]"),
    "TOML: values": _toml("a = [", "1,", "]", most=2 * _ITEMS),
    "TOML: tables": lambda: "+++\ntitle = 'x'\n" + "".join(f"[a{n}]\nb=1\n" for n in range(9_900)) + "+++\n",
    "TOML: dotted keys": lambda: (
        "+++\ntitle = 'x'\n" + "".join(f"{'a.' * 25}b{n} = 1\n" for n in range(1_000)) + "+++\n"
    ),
    "TOML: what is wrong with images": lambda: (
        "+++\ntitle = 'x'\n" + "".join("[[images]]\nurl='a'\nwidth='b'\n" for _ in range(4_000)) + "+++\n"
    ),
    "JSON: one text": lambda: f'{{"title": "x", "a": "{_filled("x", _FRONT_MATTER)}"}}',
    "JSON: escapes": lambda: '{"title": "x", "a": "' + _filled("\\ud83d\\ude00", _FRONT_MATTER) + '"}',
    "JSON: quotes": lambda: '{"title": "x", "a": "' + _filled('\\"', 4 * _FRONT_MATTER),
    "JSON: values": lambda: '{"title": "x", "a": [' + "1," * _ITEMS + "1]}",
    "JSON: what is wrong with images": lambda: (
        '{"title": "x", "images": [' + ",\n".join(['{"url": "a", "width": "b"}'] * 5_000) + "]}"
    ),
    # These are looked at where something is wrong or missing.
    "not YAML: white space": _key("a: 'x\nb", "  ", most=_FRONT_MATTER),
    "not YAML: lines of tabs": _key("a: 'x\n", "  - \t\n"),
    "not YAML: dashes": _key("a: 'x\n", "- - a:", most=_FRONT_MATTER),
    "tags by commas": lambda: "---\ntitle: x\ntags: " + ",".join(map(str, range(_ITEMS))) + "\n---\n",
    "no title: empty headings": _no_title("# \n"),
    "no title: one heading": _no_title("# "),
    "no title: underlines": _no_title("\n===\n"),
    "no title: spaces": _no_title("#\t"),
    "body of controls": _body("\x08a"),
    # URLs, one far too long, and hundreds that are just short enough.
    "one URL: /amp": _key("webUrl: https://e.example", "/amp"),
    "one URL: AMP copies": _key("webUrl: https://google.com/", "amp/s/google.com/", "n.example"),
    "one URL: parameters": _key("webUrl: https://e.example/?", "a=b&"),
    "one URL: dots": _key("webUrl: https://e.example", "/.."),
    "one URL: escapes": _key("webUrl: https://e.example/", "%C3%BC"),
    "one URL: stray %": _key("webUrl: https://e.example/", "%"),
    "one URL: no host": _key("webUrl: https://", "é."),
    "one URL: at signs": _key("webUrl: https://", "a@", "e.example"),
    "one URL: relative": _key("webUrl: ", "../"),
    "one image URL: relative": _key("images: ", "../"),
    "URLs: /amp": _urls(_FAR, "/amp"),
    "URLs: AMP copies": _urls("https://google.com/amp/s/n#N.example/", "google.com/amp/s/"),
    "URLs: AMP copies nested": _keys(
        lambda: (
            "related:\n"
            + "".join(
                f"- webUrl: https://google.com/amp/s/{'google.com/amp/s/' * 480}n{n}.example\n"
                for n in range(240)
            )
        )
    ),
    "URLs: /./": _urls(_FAR, "/."),
    "URLs: /../": _urls(_FAR, "/a/.."),
    "URLs: slashes": _urls(_FAR, "/"),
    "URLs: backslashes": _urls(_FAR, "\\"),
    "URLs: escapes": _urls(_FAR, "%c3%bc"),
    "URLs: escaped letters": _urls(_FAR, "%41"),
    "URLs: stray %": _urls(_FAR, "%"),
    "URLs: letters": _urls(_FAR, "é%"),
    "URLs: parameters": _urls(f"{_FAR}?", "&b"),
    "URLs: tracking": _urls(f"{_FAR}?", "&utm_a=b"),
    "URLs: ampersands": _urls(f"{_FAR}?", "&"),
    "URLs: fragments": _urls(f"{_FAR}#!", "é/"),
    "URLs: hosts": _list("related", lambda n: f"webUrl: 'https://{'www.m.' * 40}n{n}.example'"),
    "URLs: hosts of letters": _list("related", lambda n: f"webUrl: 'https://{'ﷺ.' * 120}n{n}.de'"),
    "URLs: hosts of different letters": _list(
        "related", lambda n: f"webUrl: https://{_letters(n, 63)}.{_letters(n + 63, 63)}.example"
    ),
    "URLs: short hosts of letters": _list(
        "related",
        lambda n: "\n  ".join(
            f"{key}: https://{_letters(n + place, 16)}.{_letters(n + place + 16, 16)}.de"
            for place, key in enumerate(("webUrl", "originalUrl", "ampWebUrl", "cdnAmpWebUrl"))
        ),
        _ITEMS // 9,
    ),
    "URLs: hosts of marks": _list(
        "related", lambda n: f"webUrl: 'https://{_MARKS_OUT_OF_ORDER * 120}{n}.de'"
    ),
    "URLs: users": _urls("https://n#N", "@é"),
    # Texts that become longer by being folded.
    "body of ligatures": _body(_ARABIC_LIGATURE),
    "body of ligature words": _body(_ARABIC_LIGATURE + " "),
    "body of ΐ": _body("ΐ"),
    "body of ﬃ": _body("ﬃ"),
    "title of ligatures": _title(_ARABIC_LIGATURE),
    "excerpt of ligatures": _key("excerpt: ", _ARABIC_LIGATURE, most=190_000),
    "types of ligatures": _list("tags", lambda n: _ARABIC_LIGATURE * 27 + str(n)),
    # Runs of one kind of characters.
    "body of ideographs": _body_of(_ideographs),
    "body of one ideograph": _body("語"),
    "body of Hangul": _body("한"),
    "body of Hangul letters": _body("\u1112\u1161\u11ab"),
    "body of kana": _body("がぎ"),
    "body of narrow kana": _body("\uff76\uff9e"),
    "body of Thai": _body("ที่"),
    "body of Devanagari": _body("कि"),
    "body of Thai tones": _body("\u0e48", "ก"),
    "body of Khmer stacks": _body("ក្"),
    "body of Cyrillic marks": _body("и\u0306"),
    "body of zero-width spaces": _body("a\u200b"),
    "body of marks": _body("\u0301", "e"),
    "body of marks out of order": _body(_MARKS_OUT_OF_ORDER, "e"),
    "body of letters with marks": _body("e" + _MARKS_OUT_OF_ORDER * 3),
    "body of marks between words": _body("x " + "\u0301" * 40),
    "title of marks": _title("\u0301"),
    "title of marks out of order": _title(_MARKS_OUT_OF_ORDER),
    "tags of marks": _list("tags", lambda n: f"{n}" + _MARKS_OUT_OF_ORDER * 240),
    "body of emoji": _body("👩\u200d👩\u200d👧"),
    "body of soft hyphens": _body("a\u00ad"),
    "body of digits": _body("7"),
    "body of one word": _body("x"),
    "body of one word é": _body("é"),
    "body of different words": _body_of(_words),
    "body of equal words": _body("the "),
    "body of short words": _body("é "),
    "body of C++": _body("C++ "),
    "body of +": _body("a+"),
    "body of #": _body("#"),
    "body of quotes": _body("\"'"),
    "body of white space": _body(" "),
    "body of line ends": _body("\r\n\r"),
    "body of U+2028": _body("\u2028"),
    "body of no-break spaces": _body("\u00a0x"),
    "title of words": _title("word "),
    "excerpt of words": _key("excerpt: ", "word ", most=190_000),
    # HTML in a body.
    "body of <": _body("<"),
    "body of open tags": _body("<a "),
    "body of tags": _body("<b>x</b>"),
    "body of comments": _body("<!--"),
    "body of scripts": _body("<script>"),
    "body of scripts in backticks": _body("`<script>"),
    "body of open quotes": _body('<a"="'),
    "body of inline tags": _body("<b>ab</b>"),
    "body of ruby": _body("<ruby>漢<rt>かん</rt></ruby>"),
    "body of entities": _body("&amp;"),
    "body of nested entities": _body("amp;", "&"),
    "body of numbered entities": _body("&#769;"),
    "body of ligature entities": _body("&#64978;"),
    "body of ampersands": _body("&"),
    "body of broken entities": _body("&notit"),
    "body of fences": _body("\n---\n"),
    # Lists, of articles and of descriptions.
    "topics": _list("topics", lambda n: f"Topic {n}"),
    "topics that are one": _list(
        "topics", lambda n: "".join(c.upper() if n >> i & 1 else c for i, c in enumerate("abcdefghijklmnop"))
    ),
    "topics, long": _list("topics", lambda n: f"{n:0500}"),
    "topics of letters": _list("topics", lambda n: f"{n}é" + "ǅ" * 20),
    "tags": _list("tags", lambda n: f"tag{n}"),
    "tags that are one": _keys(lambda: "tags: [" + "AI," * _ITEMS + "]"),
    "tags, blank": _list("tags", lambda n: "''"),
    "tags, wrong": _list("tags", lambda n: "[]x" if n % 2 else "{a: b}", _ITEMS // 2),
    "images": _list("images", lambda n: f"https://e.example/{n}.png"),
    "images, equal": _list("images", lambda n: "https://e.example/x.png"),
    "images, blank": _list("images", lambda n: "{url: ' '}", _ITEMS // 3),
    "images, relative": _list("images", lambda n: f"{{url: a/{n}, title: {n}}}", _ITEMS // 5),
    "images, wrong": _list("images", lambda n: "ftp://x"),
    "images, long": _list("images", lambda n: f"{{url: /{n}, title: '{'x' * 60_000}'}}"),
    "related, blank": _list("related", lambda n: "{title: ' '}", _ITEMS // 3),
    "related, empty": _list("related", lambda n: "{}"),
    "related, null": _list("related", lambda n: ""),
    "related, blank as a block": _list("related", lambda n: "title:", _ITEMS // 3),
    "related, blank and different": _list("related", lambda n: f"title:\n  k{n}: ' '", _ITEMS // 5),
    "related without a title": _list("related", lambda n: f"type: n{n}", _ITEMS // 3),
    "related, equal": _list("related", lambda n: "title: Same", _ITEMS // 3),
    "related, different": _list("related", lambda n: f"title: Link {n}", _ITEMS // 3),
    "related with URLs": _list("related", lambda n: f"webUrl: https://e.example/{n}", _ITEMS // 3),
    "related in braces": _list(
        "related", lambda n: f"{{title: Link {n}, webUrl: 'https://e.example/{n}'}}", _ITEMS // 5
    ),
    "related with many keys": _list(
        "related",
        lambda n: (
            f"title: t{n}\n  webUrl: https://e.example/{n}\n  ampWebUrl: https://a.example/{n}\n"
            f"  originalUrl: https://o.example/{n}\n  cdnAmpWebUrl: https://c.example/{n}\n  quality: 5\n"
        ),
        _ITEMS // 13,
    ),
    "related with images": _list("related", lambda n: f"{{title: t{n}, images: [/a, /b, /c]}}", _ITEMS // 8),
    "related, long": _list("related", lambda n: f"title: '{n}{'x' * 60_000}'"),
    "related, wrong": _list("related", lambda n: "x"),
    "related with unknown keys": _list(
        "related", lambda n: f"{{title: t{n}, titel{n % 10}: x}}", _ITEMS // 5
    ),
    "keywords of a topic": _keys(
        lambda: "taxonomy: topic\nname: T\nkeywords:\n" + "".join(f"- k{n}\n" for n in range(_ITEMS)), ""
    ),
    "names of an organization": _keys(
        lambda: (
            "taxonomy: organization\nname: T\notherNames:\n" + "".join(f"- k{n}\n" for n in range(_ITEMS))
        ),
        "",
    ),
    # YAML.
    "a block of text": _keys(lambda: "extra: |\n" + _filled("  word word\n", _FRONT_MATTER - 100)),
    "a folded block": _keys(lambda: "extra: >\n" + _filled("  word\n\n", _FRONT_MATTER - 100)),
    "a text of many lines": _keys(lambda: "extra:\n" + _filled("  a\n", _FRONT_MATTER - 100)),
    "an excerpt": _key("excerpt: ", "x"),
    "a secret": _key("secured: ", "é"),
    "a type": _key("type: ", "x"),
    "a number": _key("quality: ", "9"),
    "numbers": _list("levels", lambda n: f"0x{n:x}"),
    "fractions": _list("ratings", lambda n: f"1.{n}e300"),
    "a moment": _key("publishedDateTime: ", "2020-06-11 "),
    "a boolean": _key("published: ", "yes"),
    "a long key": _key("? ", "k", "\n: v"),
    "escapes": _key('extra: "', "\\u0041", '"'),
    "line escapes": _key('extra: "', "\\n", '"'),
    "quotes": _key("extra: '", "''", "'"),
    "keys nearly known": _keys(lambda: "".join(f"titel{n}: x\n" for n in range(_ITEMS // 2))),
    "keys nearly known, short": _keys(lambda: "".join(f"topic{n:x}: x\n" for n in range(_ITEMS // 2))),
    "keys unknown": _keys(lambda: "".join(f"kkkkkkkkkkkkkkk{n}: x\n" for n in range(_ITEMS // 2))),
    "a list of nodes": _keys(lambda: "extra: [" + "a," * _ITEMS + "]"),
    "a mapping of nodes": _keys(lambda: "extra: {" + "".join(f"k{n}: v," for n in range(_ITEMS // 2)) + "}"),
    "lists in lists": _keys(lambda: "extra:\n" + f"- {_nested(26)}\n" * (_ITEMS // 28)),
    "too many nodes": _keys(lambda: "extra: [" + "a," * 900_000 + "]"),
    "too many brackets": _keys(lambda: "extra: " + "[" * 1_900_000),
    "merged mappings": _keys(
        lambda: (
            "a: &a {"
            + "".join(f"k{n}: v," for n in range(650))
            + "}\n"
            + "".join(f"m{n}: {{<<: *a}}\n" for n in range(20))
        )
    ),
    "comments": _keys(lambda: _filled("# x\n", _FRONT_MATTER - 100)),
    "blank lines": _keys(lambda: _filled("\n", _FRONT_MATTER - 100)),
    "carriage returns": _keys(lambda: _filled("\r", _FRONT_MATTER - 100)),
    "an unclosed quotation": _key('extra: "', "x "),
    "wrong keys": _keys(lambda: "".join(f"k{n}: [\n" for n in range(_ITEMS // 2))),
    "a front matter that never ends": lambda: "---\ntitle: x\n" + _filled("\n--- x", _BODY),
    "related that is no YAML": _keys(lambda: "related:\n" + "- title: 'x\n" * 100_000),
    "related with anchors": _keys(
        lambda: "related:\n" + "".join(f"- &a{n} {{title: t{n}}}\n" for n in range(_ITEMS // 3))
    ),
}


@dataclass(frozen=True, slots=True)
class Cost:
    seconds: float
    megabytes: float


def measure_kinds(database: str, names: Iterable[str]) -> Outcome:
    outcome = Outcome(f"documents of extreme kinds on {database}")
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty")
        empty.mkdir()
        least = _cheapest([_import(database, empty, outcome) for _ in range(_EMPTY_IMPORTS)])
        for name in names:
            tree = Path(folder, f"tree{outcome.numbers['kinds']}")
            tree.mkdir()
            (tree / "x.md").write_bytes(KINDS[name]().encode())
            cost = _import(database, tree, outcome)
            for _ in range(_MORE_TRIES):
                # Others may have been busy; who is slow by itself is slow again.
                if cost.seconds - least.seconds > MOST_SECONDS:
                    cost = min(cost, _import(database, tree, outcome), key=lambda cost: cost.seconds)
            seconds, megabytes = cost.seconds - least.seconds, cost.megabytes - least.megabytes
            outcome.numbers["kinds"] += 1
            if seconds > MOST_SECONDS or megabytes > MOST_MEGABYTES:
                outcome.faults.append(
                    f"{name}: {seconds:.1f} s and {megabytes:.0f} MB more than an empty import"
                )
    return outcome


def _cheapest(costs: list[Cost]) -> Cost:
    return Cost(min(cost.seconds for cost in costs), statistics.median(cost.megabytes for cost in costs))


def _import(database: str, tree: Path, outcome: Outcome) -> Cost:
    """In a process of its own, into a new catalogue."""
    with new_catalogue(database) as catalogue:
        began = _seconds_of_ended_children()
        process = catalogue.command(tree, "--workers", "1")
        most = 0
        while process.poll() is None:
            most = max(most, _most_resident_kilobytes(process.pid))
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        _, said = process.communicate()
        seconds = _seconds_of_ended_children() - began
        if process.returncode not in (0, 1) or "Traceback" in said:
            outcome.faults.append(f"{tree}: exit status {process.returncode}: {said[-300:]}")
    return Cost(seconds, most / 1_000)


def _seconds_of_ended_children() -> float:
    """The processor's time: on a clock others would count too."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _most_resident_kilobytes(process: int) -> int:
    """So far. What the system tells of an ended child counts what we had in memory when it was forked."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{process}/status").read_text())
        return int(found[1]) if found else 0
    return 0


# A health check is answered on the event loop, so it may take so long meanwhile.
MOST_MILLISECONDS: Final = 50
# Texts that are slow to fold, to search or to show; what `q` below looks for is in their titles alone.
_SLOW_TEXTS: Final = {
    "marks out of order": "e" + _MARKS_OUT_OF_ORDER * 32_000,
    "letters with marks": "e\u0301\u0323" * 20_000,
    "ligatures": _ARABIC_LIGATURE * 60_000,
    "short words": "a b " * 16_000,
    "one word": "é" * 65_000,
    "entities": "&amp;" * 13_000,
}
# Keys that make an item of a list large.
_LONG_LISTS: Final = {
    "images": [f"https://images.example.org/{number}.jpg" for number in range(29_000)],
    "tags": [f"tag number {number}" for number in range(29_000)],
}
_MARKED: Final = "found OR e" + _MARKS_OUT_OF_ORDER * 240
_PHRASES: Final = "found OR " + " OR ".join(f'"a {number}"' for number in range(40))
_QUESTIONS: Final = (
    "/articles?q=found&highlight=true&limit=200",
    f"/articles?q={quote(_MARKED)}&highlight=true&limit=200",
    f"/articles?q={quote(_PHRASES)}&highlight=true&limit=200",
    "/articles?q=found&limit=200",
    "/articles?limit=200&fields=title",
    "/articles/{id}",
    "/feeds/articles.atom?q=found&limit=200",
    "/exports/articles.csv?q=found",
    "/articles?tag=tag+number+1&limit=200",
    "/feeds/articles.atom?hasImage=true&limit=200",
    "/feeds/articles.rss?limit=200",
    "/feeds/articles.json?limit=200",
    "/changes?since=0",
)


def answer_meanwhile(database: str, documents: int) -> Outcome:
    """Asks for all that shows long texts, and how the service is at the same time."""
    outcome = Outcome(f"{documents:,} documents of slow texts served on {database}")
    with tempfile.TemporaryDirectory() as folder, new_catalogue(database) as catalogue:
        texts = list(_SLOW_TEXTS.values())
        for number in range(documents):
            text = texts[number % len(texts)]
            title = f"title: 'found {number} {text[: _LINE - 100]}'"
            write_document(Path(folder), f"{number}.md", title, _filled(text + " ", 500_000))
            # Six lists are large enough for a page; reading more of them takes long.
            for key, values in _LONG_LISTS.items() if number % 4 == 0 else ():
                keys = f"title: '{key} found {number}'\n{key}: {json.dumps(values)}"
                write_document(Path(folder), f"{number}-{key}.md", keys)
        catalogue.import_(Path(folder))
        with (
            served(catalogue, CLIPPINGS_REMEMBERED_BYTES="0") as (port, process),
            closing(Answers(port)) as answers,
        ):
            first = json.loads(answers.get("/articles?limit=1")[2])["items"][0]["id"]
            for question in _QUESTIONS:
                path = question.format(id=first)
                status, seconds, slowest = _ask(answers, port, process, path)
                for _ in range(_MORE_TRIES):
                    # Others may have been busy; what holds up the event loop does so again.
                    if slowest > MOST_MILLISECONDS:
                        again = _ask(answers, port, process, path)
                        status, seconds, slowest = min((status, seconds, slowest), again, key=itemgetter(2))
                outcome.numbers["questions"] += 1
                outcome.numbers["ms at most of a health check"] = max(
                    outcome.numbers["ms at most of a health check"], slowest
                )
                outcome.numbers["ms at most of a question"] = max(
                    outcome.numbers["ms at most of a question"], round(seconds * 1_000)
                )
                if status != 200 or slowest > MOST_MILLISECONDS:
                    outcome.faults.append(
                        f"{path[:60]}: status {status} in {seconds:.1f} s, a health check took {slowest} ms"
                    )
    return outcome


def _ask(answers: Answers, port: int, process: int, path: str) -> tuple[int, float, int]:
    """The status, seconds that it took, and milliseconds that a health check had to wait for meanwhile."""
    with _Health(port, process) as health:
        began = time.monotonic()
        status = answers.get(path)[0]
        seconds = time.monotonic() - began
    return status, seconds, round(health.slowest() * 1_000)


class _Health(threading.Thread):
    """Asks how the service is until it is let go of.

    A check waits for what the service's process does meanwhile; a clock would count other processes too.
    """

    def __init__(self, port: int, process: int) -> None:
        super().__init__()
        self._port = port
        self._process = process
        self._ended = threading.Event()
        self._seconds: list[float] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        with closing(Answers(self._port)) as answers:
            while not self._ended.is_set():
                began, had = time.monotonic(), seconds_of(self._process)
                answers.get("/health/live")
                took = time.monotonic() - began
                self._seconds.append(min(took, seconds_of(self._process) - had))
                time.sleep(_SECONDS_BETWEEN_LOOKS)

    def slowest(self) -> float:
        return max(self._seconds, default=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--documents", type=int, default=200, help="of those that are served")
    parser.add_argument("--kinds", default="", help="only those with this in their name")
    given = parser.parse_args()
    kinds = [name for name in KINDS if given.kinds in name]
    conclude(measure_kinds(given.database, kinds), answer_meanwhile(given.database, given.documents))


if __name__ == "__main__":
    main()
