"""Facets and timelines where values are odd: every count is the total of its link."""

import pytest

from tests.support.services import EDITOR, answer, service_of
from tests.support.worlds import World

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
