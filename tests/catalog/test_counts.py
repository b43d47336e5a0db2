"""Facets and timelines where values are odd: every count is the total of its link."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from app.catalog.facets import count_facets
from app.catalog.filters import matching
from app.catalog.query import ArticleQuery
from app.catalog.timeline import count_timeline, count_timeline_within
from app.database.snapshots import Reader, restart_clock
from tests.support.backups import backup
from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World

pytestmark = pytest.mark.usefixtures("small_ranges")

ODD = [
    *("*", "-x", "- x", 'say "hi"', '""', '"', "a,b", ",", "a b", "100%", "&", "#", "+", "é", "=1", "null"),
    *("\u200b", "x" * 500),
]


def test_odd_values_are_counted_and_linked(world: World) -> None:
    for number, odd in enumerate(ODD):
        text = "'" + odd.replace("'", "''") + "'"
        single = f"type: {text}\ncategory: {text}\nlocale: {text}\nprovider: {{name: {text}}}"
        world.write(f"{number}.md", f"title: T\n{single}\ntags: [{text}]\ntopics: [{text}]")
    world.import_("a.-_b")
    with service_of(world) as client:
        facets = answer(client, "/facets?size=1000")["facets"]
        for field in ("type", "category", "locale", "tag", "provider"):
            assert len(facets[field]["values"]) == len(ODD)
        for facet in facets.values():
            for value in facet["values"]:
                assert answer(client, value["url"])["total"] == value["count"], value


def test_a_parent_that_only_its_children_name_counts_what_it_finds(world: World) -> None:
    world.write("t.md", "taxonomy: topic\nname: Child\nparent: Nowhere Else")
    world.write("u.md", "taxonomy: topic\nname: Hidden child\nparent: Secret")
    world.write("a.md", "title: A\ntopics: [Child]")
    world.write("b.md", "title: B\ntopics: [Secret]\npublished: no")
    world.import_()
    for published, headers in (("true", {}), ("any", EDITOR)):
        with service_of(world) as client:
            query = f"descendants=true&published={published}"
            values = answer(client, f"/facets?field=topic&{query}", headers)["facets"]["topic"]["values"]
            for value in values:
                assert answer(client, value["url"], headers)["total"] == value["count"], value


def test_a_domain_that_is_a_name_too_is_linked_as_the_domain(world: World) -> None:
    world.write("a.md", "title: A\nprovider: {name: two.example}")
    world.write("b.md", "title: B\nprovider: {name: Two, domain: two.example}")
    world.write("c.md", "title: C\nprovider: {name: two.example, domain: two.example}")
    world.import_()
    with service_of(world) as client:
        values = answer(client, "/facets?field=provider")["facets"]["provider"]["values"]
        assert [(value["value"], value["count"]) for value in values] == [
            ("two.example", 2),
            ("two.example", 1),
        ]
        assert answer(client, values[0]["url"])["total"] == 2


def test_a_name_of_many_domains_is_linked_without_them(world: World) -> None:
    for number in range(60):
        world.write(f"{number}.md", f"title: T\nprovider: {{name: Blog, domain: {number}.example}}")
    world.write("a.md", "title: A\nprovider: {name: Blog}")
    world.import_()
    with service_of(world) as client:
        values = answer(client, "/facets?field=provider&size=100")["facets"]["provider"]["values"]
        [blog] = [value for value in values if value["value"] == "Blog"]
        assert (blog["count"], answer(client, blog["url"])["total"]) == (1, 1)


@pytest.mark.parametrize(
    ("dates", "interval", "starts"),
    [
        (["2020-12-31T23:59:59Z", "2021-01-01"], "week", ["2020-12-28"]),
        (["2021-01-03", "2021-01-04"], "week", ["2020-12-28", "2021-01-04"]),
        (["0001-01-01", "0001-01-08"], "week", ["0001-01-01", "0001-01-08"]),
        (["0001-01-01T00:00:01Z"], "day", ["0001-01-01"]),
        (["9999-12-31T23:59:59Z", "9999-12-30"], "day", ["9999-12-30", "9999-12-31"]),
        (["9999-12-31T23:59:59Z"], "week", ["9999-12-27"]),
        (["9999-12-31", "9999-10-01"], "month", ["9999-10-01", "9999-11-01", "9999-12-01"]),
        (["9999-12-31", "9998-01-01"], "year", ["9998-01-01", "9999-01-01"]),
        (["2020-02-29T23:59:59+00:00", "2020-02-29T23:59:59-00:01"], "month", ["2020-02-01", "2020-03-01"]),
        (["1969-12-31T23:59:59Z", "1970-01-01"], "year", ["1969-01-01", "1970-01-01"]),
    ],
)
def test_a_timeline_at_the_edges(world: World, dates: list[str], interval: str, starts: list[str]) -> None:
    for number, date in enumerate(dates):
        world.write(f"{number}.md", f"title: T\npublishedDateTime: {date}")
    world.import_()
    with service_of(world) as client:
        found = answer(client, f"/timeline?interval={interval}")
        assert [bucket["start"] for bucket in found["buckets"]] == starts
        assert sum(bucket["count"] for bucket in found["buckets"]) == found["total"] == len(dates)
        for bucket in found["buckets"]:
            assert answer(client, bucket["url"])["total"] == bucket["count"], bucket


@pytest.mark.parametrize(
    ("first", "interval", "advice"),
    [
        ("2000-01-01", "day", "interval=week"),
        ("1950-01-01", "day", "interval=month"),
        ("1950-01-01", "week", "interval=month"),
        ("1900-01-01", "month", "interval=year"),
        ("1100-01-01", "day", "interval=year"),
        ("0001-01-01", "month", "interval=year"),
        ("0001-01-01", "day", "interval=year"),
    ],
)
def test_too_many_buckets_name_an_interval_that_does(
    world: World, first: str, interval: str, advice: str
) -> None:
    world.write("a.md", f"title: A\npublishedDateTime: {first}")
    world.write("b.md", "title: B\npublishedDateTime: 2019-01-01")
    world.import_()
    with service_of(world) as client:
        found = client.get(f"/timeline?interval={interval}")
        [error] = found.json()["errors"]
        assert (found.status_code, error["parameter"]) == (422, "interval")
        assert advice in error["detail"]
        assert client.get(f"/timeline?{advice}").status_code == 200


def test_a_timeline_by_year_is_answered_whatever_dates_there_are(world: World) -> None:
    for number, date in enumerate(["0001-01-01T00:00:00Z", "2024-03-01", "9999-12-31T23:59:59Z", ""]):
        world.write(f"{number}.md", f"title: T\npublishedDateTime: {date}")
    world.import_()
    with service_of(world) as client:
        found = answer(client, "/timeline?interval=year")
        assert (found["total"], found["undated"], len(found["buckets"])) == (4, 1, 9_999)
        assert [bucket["start"] for bucket in found["buckets"] if bucket["count"]] == [
            "0001-01-01",
            "2024-01-01",
            "9999-01-01",
        ]
        for bucket in found["buckets"][0], found["buckets"][-1]:
            assert answer(client, bucket["url"])["total"] == 1


@pytest.mark.parametrize(
    ("years", "buckets"),
    [
        ((2021, 2022, 2023), {(2021, 2022): 1, (2022, 2023): 1, (2023, 2024): 1}),
        ((2000, 2020, 2021, 2022), {(2000, 2021): 2, (2021, 2022): 1, (2022, 2023): 1}),
        ((2020, 2020, 2021, 2022, 2040), {(2020, 2021): 2, (2021, 2022): 1, (2022, 2041): 2}),
        ((1, 2020, 2020, 9999), {(1, 2020): 1, (2020, 2021): 2, (2021, 0): 1}),
        ((1, 2019, 2020, 9999), {(1, 2019): 1, (2019, 2020): 1, (2020, 0): 2}),
        ((2000, 2010), {(2000, 2010): 1, (2010, 2011): 1}),
    ],
)
def test_a_short_timeline_keeps_the_years_with_most_articles(
    world: World, years: tuple[int, ...], buckets: dict[tuple[int, int], int]
) -> None:
    """Three bars at most; 0 is the end of all years."""
    for number, year in enumerate(years):
        world.write(f"{number}.md", f"title: T\npublishedDateTime: {year:04}-06-11")
    world.import_()
    url = world.engine.url.render_as_string(hide_password=False)
    with Reader(url) as reader, reader.snapshot() as connection:
        selection = matching(connection, ArticleQuery())
        interval, timeline = count_timeline_within(connection, selection, 3)
    assert interval == "year"
    assert {
        (bucket.start.year, bucket.end.year if bucket.end else 0): bucket.article_count
        for bucket in timeline.buckets
    } == buckets


@pytest.mark.parametrize("most_one_by_one", [0, 500])
def test_counts_are_of_one_snapshot_while_another_process_imports(
    world: World, monkeypatch: pytest.MonkeyPatch, most_one_by_one: int
) -> None:
    monkeypatch.setattr("app.catalog.index.term_counts.MAX_COUNTED_ONE_BY_ONE", most_one_by_one)
    write_of_years(world, {"2020": "AI", "2021": "AI", "2022": "Space"})
    url = world.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "app", "import", str(world.root), "--source", "news", "--prune"]
    with service_of(world, remembered_bytes=0) as client, Reader(url) as reader:
        world.import_()
        before = ({"AI": 2, "Space": 1}, {"2020": 1, "2021": 1, "2022": 1})
        assert counted(client) == before
        with reader.snapshot() as connection:
            assert counted_in(connection) == before
            world.delete("2020.md")
            write_of_years(world, {"2021": "Space", "2023": "AI"})
            environment = {**os.environ, "CLIPPINGS_DATABASE_URL": url}
            subprocess.run(command, env=environment, check=True, capture_output=True)  # noqa: S603
            restart_clock(connection)
            assert counted_in(connection) == before
        assert counted(client) == ({"Space": 2, "AI": 1}, {"2021": 1, "2022": 1, "2023": 1})


def test_counts_after_a_backup_was_restored_are_those_of_the_backup(world: World) -> None:
    write_of_years(world, {"2020": "AI"})
    world.import_()
    with service_of(world, remembered_bytes=0) as client:
        restore = backup(world)
        write_of_years(world, {"2020": "Space", "2021": "Space"})
        world.import_()
        assert counted(client) == ({"Space": 2}, {"2020": 1, "2021": 1})
        restore()
        assert counted(client) == ({"AI": 1}, {"2020": 1})
        # Another import makes the same revision again.
        write_of_years(world, {"2020": "Moon", "2021": "AI"})
        world.import_()
        assert counted(client) == ({"AI": 1, "Moon": 1}, {"2020": 1, "2021": 1})


def write_of_years(world: World, topics: dict[str, str]) -> None:
    for year, topic in topics.items():
        world.write(f"{year}.md", f"title: T\ntype: x\npublishedDateTime: {year}-06-11\ntopics: [{topic}]")


def counted(client: TestClient) -> tuple[dict[str, int], dict[str, int]]:
    """By topic and by year, of a query that needs sets."""
    facets = answer(client, "/facets?field=topic&type=x")["facets"]["topic"]["values"]
    buckets = answer(client, "/timeline?interval=year&type=x")["buckets"]
    return (
        {value["name"]: value["count"] for value in facets},
        {bucket["start"][:4]: bucket["count"] for bucket in buckets},
    )


def counted_in(connection: Connection) -> tuple[dict[str, int], dict[str, int]]:
    query = ArticleQuery.from_parameters([("type", "x")])
    selection = matching(connection, query)
    _, facets = count_facets(connection, query, selection, ("topic",), 20)
    buckets = count_timeline(connection, selection, "year").buckets
    return (
        {value.name: value.count for value in facets["topic"].values},
        {str(bucket.start)[:4]: bucket.article_count for bucket in buckets},
    )
