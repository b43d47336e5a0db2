"""A restored backup and another import reach the same revision number; nobody takes the one for the other."""

import base64
import json
import random
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.catalog.state import KNOWN_SECONDS
from tests.support.backups import backup
from tests.support.random_examples import EXAMPLES
from tests.support.services import answer, service_of
from tests.support.worlds import World
from tests.web.test_sync import Copy, change_one


def new_copy(client: TestClient, published: str, limit: int = 1000) -> Copy:
    """One that is never killed."""

    class Certain(random.Random):
        def random(self) -> float:
            return 1.0

    return Copy(client, published, Certain(), limit)


def wait_for_the_next_look(world: World) -> None:
    """A restore does not wait for services to know of it, as an import does."""
    time.sleep(2 * KNOWN_SECONDS[world.engine.dialect.name])


def follow_or_begin_again(copy: Copy) -> bool:
    """Whether it had to begin again, where it was told to."""
    found = copy.client.get(copy.next, headers=copy.headers)
    if found.status_code != 410:
        copy.follow()
        return False
    first = found.json()["first"]
    assert first.startswith("/changes?since=0")
    assert found.headers["link"] == f'<{first}>; rel="first"'
    copy.articles.clear()
    copy.next = first
    copy.follow()
    return True


@pytest.mark.parametrize("published", ["true", "any"])
def test_a_copy_of_what_a_backup_has_undone_begins_again(world: World, published: str) -> None:
    world.write("a.md", "title: A\ntopics: [AI]")
    world.write("hidden.md", "title: Hidden\npublished: false")
    world.import_()
    with service_of(world) as client:
        before, after = new_copy(client, published), new_copy(client, published)
        before.follow()
        restore = backup(world)
        world.write("a.md", "title: A changed")
        world.write("b.md", "title: B")
        world.import_()
        after.follow()
        restore()
        world.write("a.md", "title: A\ntopics: [AI]")
        world.delete("b.md")
        world.write("c.md", "title: C")
        assert world.import_().revision == 2
        assert follow_or_begin_again(after)
        assert not follow_or_begin_again(before), "what it has is not undone"
        assert before.articles == after.articles == after.listed()


def test_a_place_among_changes_from_before_the_backup_is_of_its_time(world: World) -> None:
    """While it walked, b was changed and so came last: in the restored history it is before the place."""
    for name in "abc":
        world.write(f"{name}.md", f"title: {name}")
        world.import_()
    restore = backup(world)
    world.write("b.md", "title: changed")
    world.import_()
    with service_of(world) as client:
        copy = new_copy(client, "true", limit=1)
        for _ in range(2):
            copy.follow(most_answers=1)
        assert [item["title"] for item in copy.articles.values()] == ["a", "c"]
        restore()
        wait_for_the_next_look(world)
        assert follow_or_begin_again(copy)
        assert copy.articles == copy.listed()


def test_an_import_of_descriptions_alone_is_a_revision_with_a_name(world: World) -> None:
    world.write("a.md", "title: A\ntopics: [AI]")
    world.import_()
    restore = backup(world)
    with service_of(world) as client:
        for name in ("One", "Two"):
            restore()
            world.write("ai.md", f"taxonomy: topic\nname: {name}\nshortname: AI")
            assert world.import_().revision == 2
            assert [topic["name"] for topic in answer(client, "/topics")["items"]] == [name]
    assert len(world.query("SELECT DISTINCT name FROM revisions")) == 2


def test_a_running_service_forgets_what_was_restored(world: World) -> None:
    world.write("a.md", "title: A")
    world.import_()
    restore = backup(world)
    paths = ("/articles", "/feeds/articles.rss", "/facets", "/exports/articles.csv", "/changes", "/topics")
    with service_of(world) as client:
        bodies = []
        for title in ("One", "Two", None, "Three"):
            restore()
            wait_for_the_next_look(world)
            if title:
                world.write("b.md", f"title: {title}\ntopics: [{title}]")
                assert world.import_().revision == 2
            listed = [client.get("/articles") for _ in range(3)]
            titles = [[item["title"] for item in each.json()["items"]] for each in listed]
            assert titles == [["A", title] if title else ["A"]] * 3
            assert {each.headers["Catalogue-Revision"] for each in listed} == {"2" if title else "1"}
            bodies.append([[client.get(path).text for path in paths] for _ in range(2)][1])
    for number, path in enumerate(paths):
        assert len({body[number] for body in bodies}) == len(bodies), path


def test_an_order_of_relevance_is_not_gone_on_with_in_another_history(world: World) -> None:
    for name in "abc":
        world.write(f"{name}.md", f"title: Mars {name}")
    world.import_()
    restore = backup(world)
    with service_of(world) as client:
        following = []
        for title in ("Mars Mars", "Moon"):
            restore()
            world.write("a.md", f"title: {title}")
            world.import_()
            following.append(answer(client, "/articles?q=mars&limit=1")["next"])
        assert client.get(following[1]).status_code == 200
        found = client.get(following[0])
        assert (found.status_code, found.json()["first"]) == (410, "/articles?q=mars&limit=1")


def test_a_place_that_an_older_version_wrote_begins_again(world: World) -> None:
    world.write("a.md", "title: A")
    world.import_()
    with service_of(world) as client:
        [[identity]] = world.query("SELECT identity FROM catalogue")
        for revision, status in ((1, 410), (0, 200)):
            content = json.dumps([identity, "true", revision, ""]).encode()
            since = base64.urlsafe_b64encode(content).decode().rstrip("=")
            assert client.get(f"/changes?since={since}").status_code == status


@pytest.mark.parametrize("seed", range(max(3, EXAMPLES // 100)))
def test_copies_follow_any_history_with_backups(world: World, seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311
    backups: list[Any] = []
    world.import_()
    with service_of(world) as client:
        copies = [new_copy(client, published, limit) for published in ("true", "any") for limit in (1, 2, 50)]
        began_again = 0
        for _ in range(12):
            step = choose.random()
            if step < 0.2 or not backups:
                backups.append(backup(world))
            elif step < 0.5:
                choose.choice(backups)()
            for path in choose.sample([f"{name}.md" for name in "abcde"], 2):
                change_one(world, path, choose)
            world.import_(prune=True, force=True)
            for copy in copies:
                if choose.random() < 0.5:
                    began_again += follow_or_begin_again(copy)
                    assert copy.articles == copy.listed()
                elif client.get(copy.next, headers=copy.headers).status_code == 200:
                    copy.follow(most_answers=1)
        for copy in copies:
            began_again += follow_or_begin_again(copy)
            assert copy.articles == copy.listed()
    # The first histories undo what a copy has seen; a few of the others restore what nobody had gone beyond.
    assert began_again or seed > 2
