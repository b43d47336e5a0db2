"""`fields`: the keys that a reader names, long ones included, on pages that stay within bounds."""

from typing import Any

import pytest

from app.catalog.fields import ITEM_KEYS
from app.catalog.item_keys import LONG_KEYS, MAX_PAGE_BYTES, MAX_PAGE_MARKDOWN_CHARACTERS
from tests.support.services import EDITOR, answer, service_of, walk
from tests.support.worlds import World

ALL_KEYS = ",".join((*ITEM_KEYS, *LONG_KEYS))


def test_an_item_with_all_keys_is_the_single_article(world: World) -> None:
    related = "related: [{title: B, webUrl: 'https://example.org/b'}]"
    world.write(
        "a.md", f"title: A\nprice: 12\nwebUrl: https://example.org/a\n{related}", "*Mars* & <b>moon</b>"
    )
    world.write("b.md", "title: B\nwebUrl: https://example.org/b")
    world.import_()
    with service_of(world) as client:
        items = answer(client, f"/articles?fields={ALL_KEYS}")["items"]
        whole = [answer(client, f"/articles/{item['id']}") for item in items]
        [chosen] = answer(client, "/articles?fields=contentHtml,title,contentHtml&limit=1")["items"]
    assert [{key: article[key] for key in items[0]} for article in whole] == items
    assert [item["details"] for item in items] == [{"price": 12}, {}]
    assert items[0]["related"][0]["articleId"] == items[1]["id"]
    assert list(chosen) == ["contentHtml", "title"]
    assert chosen["contentHtml"] == "<p><em>Mars</em> &amp; <b>moon</b></p>\n"


def test_long_keys_show_no_more_than_the_reader_may_see(world: World) -> None:
    secured = "secured: c2VjcmV0"
    related = "related: [{title: B, webUrl: 'https://example.org/b'}]"
    world.write("a.md", f"title: A\n{secured}\n{related}", "Public")
    world.write("b.md", f"title: B\n{secured}\npublished: no\nwebUrl: https://example.org/b", "Hidden")
    world.import_()
    with service_of(world) as client:
        public = client.get(f"/articles?fields={ALL_KEYS}").text
        editors = client.get(f"/articles?fields={ALL_KEYS}&published=any", headers=EDITOR).text
        [item] = answer(client, f"/articles?fields={ALL_KEYS}")["items"]
        [mine, _] = answer(client, f"/articles?fields={ALL_KEYS}&published=any", EDITOR)["items"]
    assert "Hidden" not in public
    assert "Hidden" in editors
    assert "c2VjcmV0" not in public + editors
    assert item["related"][0]["articleId"] is None
    assert mine["related"][0]["articleId"] is not None


@pytest.mark.parametrize(
    ("key", "character", "count"),
    [
        # Each line end is two bytes in JSON.
        ("content", "\n", 1_500_000),
        ("contentHtml", "é", 90_000),
    ],
)
def test_a_page_that_would_be_too_long_ends_early(world: World, key: str, character: str, count: int) -> None:
    for number in range(7):
        world.write(f"{number}.md", f"title: '{number}'", f"a{character * count}b")
    world.import_()
    url = f"/articles?sort=title&limit=6&fields=title,{key}"
    with service_of(world) as client:
        pages = walk(client, url)
        assert [page["total"] for page in pages] == [7] * len(pages)
        assert [len(page["items"]) for page in pages] == ([2, 2, 2, 1] if key == "content" else [3, 3, 1])
        assert titles(pages) == list("0123456")
        back = walk(client, pages[-1]["prev"], by="prev")
        assert titles(back[::-1] + pages[-1:]) == list("0123456")
        assert all(page["next"] for page in back)
        for page in back:
            following = titles(walk(client, page["next"]))
            assert following == list("0123456")[7 - len(following) :]
            assert following[0] == str(int(page["items"][-1]["title"]) + 1)
        for page_url in (url, *(page["next"] for page in pages if page["next"])):
            assert len(client.get(page_url).content) <= MAX_PAGE_BYTES


def test_one_article_is_given_however_long_it_is(world: World) -> None:
    world.write("a.md", "title: A", "a" + "\n" * 5_000_000 + "b")
    world.write("b.md", "title: B")
    world.import_()
    with service_of(world) as client:
        pages = walk(client, "/articles?sort=title&fields=title,content")
    assert [titles([page]) for page in pages] == [["A"], ["B"]]


def test_a_copy_may_keep_whole_articles(world: World) -> None:
    """Three million line ends are six megabytes of JSON, so such articles come one by one."""
    for name in "abcd":
        world.write(f"{name}.md", f"title: {name}", "x" + "\n" * (3_000_000 if name < "c" else 0) + "y")
    world.import_()
    world.write("d.md", "title: d\npublished: no", "Hidden")
    world.import_()
    with service_of(world) as client:
        listed = walk(client, "/articles?fields=title,content")
        pages = [answer(client, "/changes?fields=title,content")]
        while pages[-1]["items"]:
            pages.append(answer(client, pages[-1]["next"]))
    changes = [change for page in pages for change in page["items"]]
    assert sorted(change["article"]["title"] for change in changes if change["article"]) == ["a", "b", "c"]
    assert [change["change"] for change in changes] == ["upsert"] * 3 + ["delete"]
    assert [len(page["items"]) for page in pages] == [1, 3, 0]
    contents = {item["title"]: item["content"] for page in listed for item in page["items"]}
    assert all(change["article"]["content"] == contents[change["article"]["title"]] for change in changes[:3])


def test_texts_too_long_to_be_read_as_markdown_take_no_time(world: World) -> None:
    for number in range(4):
        world.write(f"{number}.md", "title: Long", "x " * (MAX_PAGE_MARKDOWN_CHARACTERS // 2))
    world.import_()
    with service_of(world) as client:
        assert len(answer(client, "/articles?fields=contentHtml")["items"]) == 4


def test_a_page_with_a_number_has_no_long_keys(world: World) -> None:
    """Page 2 begins at a number of articles, and page 1 may have ended before it."""
    world.write("a.md", "title: A")
    world.import_()
    with service_of(world) as client:
        refused = client.get("/articles?fields=title,content&page=2")
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, "page")


def test_an_unknown_key_is_told_all_keys(world: World) -> None:
    world.write("a.md", "title: A")
    world.import_()
    with service_of(world) as client:
        found = client.get("/articles?fields=id,body")
    [error] = found.json()["errors"]
    assert (found.status_code, error["parameter"]) == (422, "fields")
    assert error["detail"].startswith("must not name body")
    assert all(key in error["detail"] for key in ALL_KEYS.split(","))


def titles(pages: list[Any]) -> list[str]:
    return [item["title"] for page in pages for item in page["items"]]
