"""What an article's content becomes on a page: HTML that shows what was meant and does nothing else."""

from functools import partial

import pytest

from app.catalog.content_html import MAX_MARKDOWN_CHARACTERS
from tests.support.processor import within
from tests.support.services import answer, service_of
from tests.support.worlds import World

REL = 'rel="nofollow noopener noreferrer"'
BASE_URL = "https://site.example/blog/"

# The content of a document of a source with a base URL, and the HTML that is served.
CONTENTS = [
    ("", ""),
    ("Two *words*.", "<p>Two <em>words</em>.</p>\n"),
    ("# A heading\n\n- one\n- two", "<h1>A heading</h1>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"),
    ("a < b & c", "<p>a &lt; b &amp; c</p>\n"),
    ("`vector<bool>`", "<p><code>vector&lt;bool&gt;</code></p>\n"),
    ("<p>HTML <b>as it is</b></p>", "<p>HTML <b>as it is</b></p>"),
    ("|a|b|\n|-|-|\n|1|2|", "<td>1</td>"),
    # Links lead away, and say so; relative ones are those of the site that the documents are from
    ("[there](https://a.example/?b=1&c)", f'<p><a href="https://a.example/?b=1&amp;c" {REL}>there</a></p>\n'),
    ("[here](../about)", f'<p><a href="https://site.example/about" {REL}>here</a></p>\n'),
    ("![x](//cdn.example/x.png)", '<p><img src="https://cdn.example/x.png" alt="x"></p>\n'),
    # Everything that could do something is left out
    ("<blockquote cite='javascript:alert(1)'>x</blockquote>", "<blockquote>x</blockquote>"),
    ("a<script>alert(1)</script>b", "<p>ab</p>\n"),
    ("<style>p { color: red }</style>", ""),
    ('<p onclick="alert(1)" style="color: red">text</p>', "<p>text</p>"),
    ("<a href='javascript:alert(1)'>x</a>", f"<p><a {REL}>x</a></p>\n"),
    ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
    ("<a href='&#106;avascript:alert(1)'>x</a>", f"<p><a {REL}>x</a></p>\n"),
    ("<a href='data:text/html,x'>x</a>", f"<p><a {REL}>x</a></p>\n"),
    ("<form action='https://a.example/'><input name='a'>text</form>", "text"),
    ("<iframe src='https://a.example/'></iframe>", ""),
    ("<svg><script>alert(1)</script></svg>", "<p></p>\n"),
    ("<!-- a comment -->", ""),
    ("<p>not closed", "<p>not closed</p>"),
    ("</div></div>text", "text"),
]


@pytest.fixture(scope="module")
def served(shared_world: World) -> dict[str, str]:
    for number, (content, _) in enumerate(CONTENTS):
        shared_world.write(f"{number}.md", "title: A", content)
    assert shared_world.import_(base_url=BASE_URL).problems == []
    with service_of(shared_world) as client:
        items = answer(client, "/articles?limit=200&fields=id")["items"]
        articles = [answer(client, f"/articles/{item['id']}") for item in items]
    return {article["content"]: article["contentHtml"] for article in articles}


@pytest.mark.parametrize(("content", "html"), CONTENTS)
def test_content_becomes_html_that_is_safe_to_show(served: dict[str, str], content: str, html: str) -> None:
    if content.startswith("|"):
        assert html in served[content]
    else:
        assert served[content] == html


def test_without_a_base_url_a_relative_link_leads_nowhere(world: World) -> None:
    world.write(
        "a.md",
        "title: A",
        "[here](../about) ![there](x.png) ![cdn](//c.example/y.png) [mail](mailto:a@b.example)",
    )
    world.import_()
    with service_of(world) as client:
        [item] = answer(client, "/articles")["items"]
        html = answer(client, f"/articles/{item['id']}")["contentHtml"]
    assert html == (
        f'<p><a {REL}>here</a> <img alt="there"> <img src="https://c.example/y.png" alt="cdn"> '
        f'<a href="mailto:a@b.example" {REL}>mail</a></p>\n'
    )


@pytest.mark.parametrize("part", ["<div>", "[", "![", "- a\n", "*a* ", "> ", "a\n"])
def test_whatever_the_content_is_it_is_html_in_time(world: World, part: str) -> None:
    content = (part * MAX_MARKDOWN_CHARACTERS)[:MAX_MARKDOWN_CHARACTERS]
    world.write("a.md", "title: A", content)
    world.write("b.md", "title: B", content + part)
    world.import_()
    with service_of(world, remembered_bytes=0) as client:
        for item in answer(client, "/articles")["items"]:
            path = f"/articles/{item['id']}"
            assert within(10, partial(answer, client, path))["contentHtml"]
