"""A client that follows /changes through any history, killed and resumed, has what the service lists."""

import base64
import hashlib
import json
import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.importer.read import Request
from app.importer.run import Options, import_trees
from tests.support.corpus import CORPUS, needs_corpus
from tests.support.random_examples import EXAMPLES
from tests.support.services import EDITOR, answer, service_of, walk
from tests.support.worlds import World


class Copy:
    """What a client keeps on its disk: articles, and where to go on. It is killed before or after either."""

    def __init__(self, client: TestClient, published: str, choose: random.Random, limit: int) -> None:
        self.client, self.choose, self.published = client, choose, published
        self.headers = EDITOR if published == "any" else {}
        self.articles: dict[str, Any] = {}
        self.next = f"/changes?since=0&limit={limit}" + ("&published=any" if published == "any" else "")
        self.named: set[str] = set()

    def follow(self, most_answers: int | None = None) -> None:
        while most_answers is None or most_answers > 0:
            page = answer(self.client, self.next, self.headers)
            if most_answers is not None:
                most_answers -= 1
            if (killed := self.choose.random()) < 0.2:
                continue
            for change in page["items"]:
                self.named.add(change["id"])
                if change["change"] == "upsert":
                    self.articles[change["id"]] = change["article"]
                else:
                    assert change["article"] is None
                    self.articles.pop(change["id"], None)
            if killed < 0.3:
                continue
            self.next = page["next"]
            if not page["items"]:
                return

    def listed(self) -> dict[str, Any]:
        pages = walk(self.client, f"/articles?limit=200&published={self.published}", self.headers)
        return {item["id"]: item for page in pages for item in page["items"]}


@pytest.mark.parametrize("seed", range(max(3, EXAMPLES // 100)))
def test_a_copy_follows_any_history(world: World, seed: int) -> None:
    """Created, updated, unpublished, taken down, pruned, moved and back again, with clients in the middle."""
    choose = random.Random(seed)  # noqa: S311
    ever_public: set[str] = set()
    with service_of(world) as client:
        copies = [
            Copy(client, published, choose, limit)
            for published, limit in (("true", 3), ("any", 2), ("true", 1000))
        ]
        for _ in range(8):
            for path in choose.sample([f"{name}.md" for name in "abcdefghij"], 5):
                change_one(world, path, choose)
            world.import_(prune=choose.random() < 0.6, force=True)
            ever_public |= copies[0].listed().keys()
            for copy in copies:
                copy.follow(most_answers=choose.randrange(5))
            if choose.random() < 0.4:
                for copy in copies:
                    copy.follow()
                    assert copy.articles == copy.listed()
        for copy in copies:
            copy.follow()
            assert copy.articles == copy.listed()
            assert copy.published == "any" or copy.named <= ever_public, (
                "what was never public is never named"
            )


def test_a_change_says_when_the_catalogue_was_revised(world: World) -> None:
    monday, tuesday = datetime(2026, 11, 2, 8, tzinfo=UTC), datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
    world.write("a.md", "title: A")
    world.write("b.md", "title: B")
    world.import_(clock=lambda: monday)
    world.write("b.md", "title: B\npublished: no")
    world.import_(clock=lambda: tuesday)
    with service_of(world) as client:
        changes = answer(client, "/changes")["items"]
    assert [(change["revision"], change["revisedAt"], change["change"]) for change in changes] == [
        (1, "2026-11-02T08:00:00Z", "upsert"),
        (2, "2026-11-03T08:30:00Z", "delete"),
    ]


def change_one(world: World, path: str, choose: random.Random) -> None:
    file = world.root / path
    match choose.choice(("write", "write", "hide", "take down", "delete", "move", "break")):
        case "write":
            world.write(path, f"title: {path} {choose.randrange(3)}\ntopics: [{choose.choice('ABC')}]")
        case "hide":
            world.write(path, f"title: {path} {choose.randrange(3)}\npublished: no")
        case "take down":
            world.write(path, f"title: {path}\nremoved: yes")
        case "delete":
            file.unlink(missing_ok=True)
        case "move" if file.exists():
            file.replace(world.root / f"moved-{path}")
        case "break":
            world.write(path, "excerpt: without a title")


@needs_corpus
def test_a_copy_of_the_reference_tree_follows_its_years(world: World, tmp_path: Path) -> None:
    choose = random.Random(3)  # noqa: S311
    tree = tmp_path / "tree"
    shutil.copytree(CORPUS / "powerapps-2021", tree)
    with service_of(world) as client:
        copies = [
            Copy(client, published, choose, limit) for published in ("true", "any") for limit in (40, 1000)
        ]
        for step in history(tree, choose):
            import_trees(
                world.engine, [Request(tree, "powerapps")], Options(prune=step != "2021", force=True)
            )
            for copy in copies:
                copy.follow(most_answers=5)
            for copy in copies:
                copy.follow()
                assert copy.articles == copy.listed(), step
        assert len(copies[0].articles) < len(copies[2].articles)


def history(tree: Path, choose: random.Random) -> Iterator[str]:
    yield "2021"
    shutil.rmtree(tree)
    shutil.copytree(CORPUS / "powerapps-2024", tree)
    yield "2024"
    files = sorted(tree.rglob("*.md"))
    for file in choose.sample(files, len(files) // 3):
        file.unlink()
    yield "a third removed"
    for file in choose.sample(sorted(tree.rglob("_news/*.md")), 100):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("published: true", "published: false"), encoding="utf-8")
    for file in choose.sample(sorted(tree.rglob("_learning/**/*.md")), 30):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("---", "---\nremoved: true", 1), encoding="utf-8")
    yield "some unpublished, some taken down"
    for file in choose.sample(sorted(tree.rglob("_news/*.md")), 100):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("published: false", "published: true"), encoding="utf-8")
    yield "some published"


@pytest.mark.parametrize(
    "place", [[0, "\ud800"], [0, "\0"], [0, "x'"], [True, ""], [False, ""], [1.0, ""], [[], ""]]
)
def test_a_place_that_no_answer_gave_is_refused(world: World, place: list[object]) -> None:
    world.write("a.md", "title: A")
    world.import_()
    with service_of(world) as client:
        since = answer(client, "/changes")["next"].partition("since=")[2]
        state, audience, _, _ = json.loads(base64.urlsafe_b64decode(since + "=" * (-len(since) % 4)))
        made_up = base64.urlsafe_b64encode(json.dumps([state, audience, *place]).encode()).decode()
        found = client.get(f"/changes?since={made_up.rstrip('=')}")
    assert (found.status_code, found.json()["errors"][0]["parameter"]) == (422, "since")


@pytest.mark.parametrize("text", ["\0", "\ud800"])
def test_a_cursor_that_no_answer_gave_is_refused(world: World, text: str) -> None:
    world.write("a.md", "title: A")
    world.import_()
    content = json.dumps(["/articles", [["topic", text]], None, False, None], separators=(",", ":")).encode()
    signed = hashlib.blake2b(content, digest_size=6).digest() + content
    with service_of(world) as client:
        made_up = base64.urlsafe_b64encode(signed).decode().rstrip("=")
        assert client.get(f"/articles?cursor={made_up}").status_code == 422
