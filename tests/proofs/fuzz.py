"""Gives each of our parsers mutants of good inputs: no exception but those declared, no broken promise."""

# ruff: noqa: E501  a subject's seeds are a line

import argparse
import base64
import html
import os
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.catalog.clauses import read_clause
from app.catalog.cursors import Cursor, read_cursor
from app.catalog.highlights import highlighted, snippet
from app.catalog.paging import Place
from app.catalog.search_language import read_search, words_of, words_of_content, words_with_places
from app.catalog.state import State
from app.catalog.visible_text import visible_text
from app.documents import repeated_links as repeated
from app.documents import scalars
from app.documents.fields import is_blank
from app.documents.problems import WrongValue
from app.documents.reading import read_document
from app.documents.repeated_links import RepeatedLink, read_tree_with_repeated_links
from app.documents.yaml_tree import NOT_TEXT, PlainScalar, SyntaxProblem, read_tree
from app.moments import before, moment, rfc3339
from app.urls import canonical
from app.web.articles import ArticleListQuery
from app.web.changes import ChangesQuery, _read_since, _Since
from app.web.http.negotiation import accepts, best_encoding, is_not_modified
from app.web.http.problems import ProblemAnswer
from app.web.http.query_string import QueryReader
from tests.proofs.mutants import mutant
from tests.proofs.outcome import Outcome, conclude

_NOW = datetime(2024, 2, 29, 12, tzinfo=UTC)
_INPUTS_AT_ONCE = 10_000
_FAULTS_OF_A_PARSER = 5

Parser = Callable[[str], None]


def a_document(text: str) -> None:
    content = text.encode(errors="surrogatepass")
    for path, base_url in (("a.md", None), ("a.yml", "https://a.example/b/")):
        reading = read_document(path, content, base_url)
        outcomes = [bool(reading.document), bool(reading.skipped), bool(reading.problems)]
        assert outcomes.count(True) == 1
        for said in (*reading.problems, *reading.warnings):
            assert (said.reason + said.advice + (said.key or "")).isprintable()


def related_by_pieces(text: str) -> None:
    """What is read piece by piece is what is read as a whole."""
    if len(repeated._cache) > 1_000:
        repeated._cache.clear()
    # Front matter has none of these when it is parsed, and LF alone as line ends.
    text = NOT_TEXT.sub("", text).replace("\r", "\n")
    whole, by_pieces = read_tree(text), read_tree_with_repeated_links(text, is_blank)
    if isinstance(whole, SyntaxProblem) or isinstance(by_pieces, SyntaxProblem):
        assert whole == by_pieces
        return
    value = by_pieces.value
    if isinstance(value, dict) and isinstance(value.get("related"), list):
        value = {
            **value,
            "related": [e.take() if isinstance(e, RepeatedLink) else e for e in value["related"]],
        }
    assert _with_kinds(value) == _with_kinds(whole.value)


def _with_kinds(tree: Any) -> Any:
    """`true` and "true" are equal as texts, and are not the same."""
    if isinstance(tree, dict):
        return [(key, _with_kinds(value)) for key, value in tree.items()]
    if isinstance(tree, list):
        return [_with_kinds(value) for value in tree]
    return type(tree), tree


def moments(text: str) -> None:
    try:
        found = moment(text)
        assert found is None or moment(rfc3339(found)) == found
        earlier = before(_NOW, text)
        assert earlier is None or earlier <= _NOW
    except ValueError:
        return


def one_scalar(text: str) -> None:
    for read in (scalars.date_time, scalars.name):
        value = read(text)
        assert isinstance(value, WrongValue) or read(value) == value
    assert isinstance(scalars.integer(text), int | WrongValue)
    assert isinstance(scalars.boolean(text), bool | WrongValue)
    absolute = scalars.url(text, "https://a.example/b/")
    assert isinstance(absolute, WrongValue) or scalars.url(absolute, None) == absolute
    image = scalars.image_url(text, None)
    assert isinstance(image, WrongValue) or scalars.image_url(image, None) == image
    value = scalars.json_value(PlainScalar(text))
    assert not isinstance(value, float) or abs(value) < float("inf")
    scalars.as_written(PlainScalar(text))


def a_clause(text: str) -> None:
    try:
        clause = read_clause(text)
    except ValueError:
        return
    assert read_clause(str(clause)) == clause


def search_words(text: str) -> None:
    search = read_search(text)
    found = highlighted(text, search)
    assert found is None or html.unescape(re.sub("</?mark>", "", found)) == text
    snippet(text, search)


def a_content(text: str) -> None:
    """What is marked are the words that are searched."""
    seen = "".join(visible_text(text))
    assert (
        [word for word, _, _ in words_with_places(seen)] == words_of(seen) == words_of_content(text, 99_999)
    )


def a_cursor(text: str) -> None:
    made = Cursor("/articles", (("q", text),), Place((len(text), text.encode(errors="replace")), False), None)
    if text.isprintable():
        assert read_cursor(str(made)) == made
    try:
        found = read_cursor(text)
    except ValueError:
        return
    assert str(found) == text


def a_since(text: str) -> None:
    # A query brings UTF-8.
    text = text.encode(errors="replace").decode()[:200]
    try:
        found = _read_since(ChangesQuery(since=text))
    except ProblemAnswer as problem:
        assert problem.status == 422
        problem.body()
        return
    # A version before names wrote it without one.
    assert str(found) == text or found.state.name is None


def a_url(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


def negotiation(text: str) -> None:
    header = text.encode(errors="replace").decode("latin-1")
    assert accepts(header, "application/json") in (True, False)
    assert best_encoding(header) in (None, "zstd", "br", "gzip")
    assert is_not_modified(header, '"abc"') in (True, False)
    assert is_not_modified(f'"x", W/"abc",{header}', '"abc"') or '"' in header


def a_query(text: str) -> None:
    try:
        query = _ARTICLE_QUERIES.read(text.encode(errors="surrogatepass"))
    except ProblemAnswer as problem:
        assert problem.status == 422
        problem.body()
        return
    assert isinstance(query, ArticleListQuery)
    if query.cursor:
        # It carries what the query leaves out.
        return
    again = ArticleListQuery.from_parameters(query.parameters())
    assert again.parameters() == query.parameters()


_ARTICLE_QUERIES = QueryReader(ArticleListQuery)


@dataclass(frozen=True, slots=True)
class Subject:
    parser: Parser
    seeds: tuple[str, ...]


_LIST = "".join(
    f"- title: Link {number}\n  webUrl: https://a.example/{number}\n  provider: {{name: P}}\n"
    for number in range(4)
)
_CURSOR = str(Cursor("/articles", (("topic", "AI"),), Place((5, b"abc", "x.md"), True), "5f3a"))
_FIRST_SINCE = str(_Since(State("us", 0, None), "any", 0, ""))
_OLD_SINCE = base64.urlsafe_b64encode(b'["us", "true", 5, "abc"]').decode()
_MOMENTS = (
    "2020-06-11",
    "2020-06-11T00:07:00Z",
    "2020-06-11 02:07:59.5+02:00",
    "P7D",
    "P1Y6M",
    "PT36H",
    "P2W",
)

SUBJECTS = (
    Subject(
        a_document,
        (
            '---\ntitle: "a\\u0041"\ntopics: [AI, &b Azure, *b]\nprovider: {<<: {name: n}, domain: d}\n'
            "images:\n  - url: //a/b.png\n    width: 5\npublished: no\n---\nbody\n",
            f"---\ntitle: x\nwebUrl: https://a.example/\nrelated:\n{_LIST}quality: 7\n---\n",
            "taxonomy: topic\n_id: ai\nname: AI\nparent: IT\nkeywords: [ml]\n",
            "---\ntaxonomy: organization\ndomain: WWW.Ft.com\notherNames: [FT, ft]\n---\n",
        ),
    ),
    Subject(related_by_pieces, (f"title: x\nrelated:\n{_LIST}tags: [a]\n", f"related:\n{_LIST}", f"a: |\n  b\nrelated: \n{_LIST}")),
    Subject(moments, _MOMENTS),
    Subject(one_scalar, (*_MOMENTS, "https://www.a.example:80/b?c#d", "/a/b.png", "//a/b", "-2147483648", "yes", "0x1F", "1.5e3")),
    Subject(a_clause, ("a,b", "-a", "*", "-*", '"Rock, Paper, Shotgun"', 'a,"b ""c""",d')),
    Subject(search_words, ('mars "open source" -moon', "either OR or", "begin*", "C++ C# naïve 日本語", '<b>a</b> "b')),
    Subject(
        a_content,
        ("<script>a</script><p title='b > c'>d<b>e</b>&shy;f</p><!-- g -->", "<ruby>漢<rt>かん</rt></ruby> `<style>`",
         "ที่ ខ្មែរ दिन が ｶﾞ 한 \u1112\u1161 Łódź й ё", "<a href=x>a\u200bb</a>’c C++ c# ™ ﷺ"),
    ),
    Subject(a_cursor, (_CURSOR, _CURSOR[:40], base64.urlsafe_b64encode(b"[1,2]").decode())),
    Subject(a_since, ("0", _FIRST_SINCE, str(_Since(State("us", 7, "5f3a"), "true", 5, "abc")), _OLD_SINCE)),
    Subject(
        a_url,
        ("https://www.a.example:443/a/./b/../c/?utm_a=1&b=2#!x", "http://ü.example/%7Ea%2fb", "//m.a.example",
         "https://a-example.cdn.ampproject.org/c/s/a.example/b", "https://google.com/amp/s/a.example/x", "mailto:a@b"),
    ),
    Subject(negotiation, ("text/html,application/json;q=0.9,*/*;q=0.8", "gzip, br;q=1.0, zstd;q=0", '"abc", W/"d"', "*")),
    Subject(
        a_query,
        ("topic=AI,b&topic=-c&limit=5", "q=a+%22b%22&sort=relevance", "publishedFrom=P7D&hasImage=true&minQuality=-5",
         "url=https://a.example/%3Fx&fields=id,title", f"cursor={_CURSOR}", "provider=%22a,b%22&page=3&highlight=true"),
    ),
)  # fmt: skip


def fuzz(subject: Subject, inputs: int, seconds: float, seed: int, processes: ProcessPoolExecutor) -> Outcome:
    outcome = Outcome(subject.parser.__name__)
    began = time.monotonic()
    place = SUBJECTS.index(subject)
    chunks = [
        processes.submit(_run, place, min(_INPUTS_AT_ONCE, inputs - start), seed + start, began + seconds)
        for start in range(0, inputs, _INPUTS_AT_ONCE)
    ]
    for chunk in chunks:
        done, faults = chunk.result()
        outcome.numbers["inputs"] += done
        outcome.faults += faults[: _FAULTS_OF_A_PARSER - len(outcome.faults)]
    outcome.numbers["s"] = round(time.monotonic() - began)
    return outcome


def _run(place: int, inputs: int, seed: int, deadline: float) -> tuple[int, list[str]]:
    subject = SUBJECTS[place]
    chance = random.Random(seed)  # noqa: S311  to be repeated
    faults: list[str] = []
    for number in range(inputs):
        if number % 100 == 0 and time.monotonic() > deadline:
            return number, faults
        text = mutant(chance, subject.seeds)
        try:
            subject.parser(text)
        except Exception as error:  # noqa: BLE001, RUF100  whatever it is, it was not declared
            faults.append(f"{subject.parser.__name__}({text!r}): {error!r}")
            if len(faults) >= _FAULTS_OF_A_PARSER:
                return number, faults
    return inputs, faults


def fuzz_all(names: Sequence[str], inputs: int, seconds: float, seed: int) -> list[Outcome]:
    subjects = [subject for subject in SUBJECTS if not names or subject.parser.__name__ in names]
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        return [fuzz(subject, inputs, seconds, seed, processes) for subject in subjects]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(each.parser.__name__ for each in SUBJECTS))
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=120, help="for each parser, at most")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.setrecursionlimit(1_000)
    conclude(*fuzz_all(given.names, given.inputs, given.seconds, given.seed))


if __name__ == "__main__":
    main()
