"""How the databases answer: each statement of real requests by the index that is meant, without sorting."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.database.snapshots import Reader
from tests.support.services import EDITOR, answer, encoded, service_of
from tests.support.statements import Statement, plan, recording
from tests.support.worlds import World

pytestmark = pytest.mark.usefixtures("small_ranges")

NEWEST = "ix_articles_newest"
# The primary keys, by which SQLite and PostgreSQL find rows, and what both call them.
KEYS = {
    "of a term": ("article_terms USING PRIMARY KEY", "pk_article_terms"),
    "articles by id": ("articles USING INTEGER PRIMARY KEY", "pk_articles"),
    "articles by public id": ("sqlite_autoindex_articles", "uq_articles_public_id"),
    "contents": ("contents USING INTEGER PRIMARY KEY", "pk_contents"),
    "related links": ("related_links USING PRIMARY KEY", "pk_related_links"),
    "sets": ("sqlite_autoindex_article_sets", "pk_article_sets"),
    "words": ("word_articles", "word_articles"),
    "names of a term": ("sqlite_autoindex_term_names", "uq_term_names_term_id"),
    "words of names by field": ("name_words USING PRIMARY KEY", "pk_name_words"),
    "texts of words": ("article_words USING INTEGER PRIMARY KEY", "pk_article_words"),
    "urls of links": ("link_urls USING PRIMARY KEY", "pk_link_urls"),
    "urls": ("article_urls USING PRIMARY KEY", "pk_article_urls"),
}

# Each question has what must be used at least to answer it: an index, or a key by its name above.
LISTS: list[tuple[str, tuple[str, ...]]] = [
    ("", (NEWEST,)),
    ("sort=publishedDateTime", ("ix_articles_oldest",)),
    ("sort=-updatedDateTime", ("ix_articles_newest_updated",)),
    ("sort=updatedDateTime", ("ix_articles_oldest_updated",)),
    ("sort=-quality", ("ix_articles_best",)),
    ("sort=quality", ("ix_articles_worst",)),
    ("sort=-heat", ("ix_articles_hottest",)),
    ("sort=heat", ("ix_articles_coolest",)),
    ("sort=title", ("ix_articles_first_title",)),
    ("sort=-title", ("ix_articles_last_title",)),
    ("minQuality=5", (NEWEST, "sets")),
    ("topic=AI", ("of a term",)),
    ("provider=one.example", ("of a term",)),
    ("topic=AI & type=video", ("of a term", "sets")),
    ("topic=AI,Space", (NEWEST, "sets")),
    ("topic=-AI", (NEWEST, "sets")),
    ("topic=AI & sort=-quality", ("ix_articles_best", "sets")),
]
# The articles that match are few: they are read by their ids and sorted.
SMALL_SETS = [
    f"topic=T1 & type=article & sort={sort}"
    for sort in ("-publishedDateTime", "-quality", "title", "-heat", "updatedDateTime")
]
OTHERS: list[tuple[str, tuple[str, ...]]] = [
    ("/articles/ARTICLE", ("articles by public id", "contents", "related links")),
    ("/articles/ARTICLE/related", ("articles by public id", "related links")),
    ("/articles?url=https://example.org/1", ("urls",)),
    ("/articles?q=stories", ("words",)),
    ('/articles?q="story"', ("words",)),
    ("/articles?q=sto*", ("words",)),
    ('/articles?q="a story" OR other', ("words", "texts of words")),
    ("/articles?q=story & highlight=true", ("words", "contents")),
    ("/articles?q=space", ("words", "ix_name_words_stem", "sets")),
    ("/articles?q=sp*", ("words", "words of names by field", "sets")),
    ('/articles?q="open space"', ("words", "words of names by field")),
    ("/articles?q=spaec", ("words", "words of names by field", "ix_name_words_stem")),
    ("/suggest?q=sp", ("words", "words of names by field")),
    ("/suggest?q=open sp & published=any", ("words", "words of names by field")),
    ("/articles?publishedFrom=2020-06-11T12:00:00Z", ("sets", NEWEST)),
    # The first of an index is what a duration crosses next.
    ("/articles?publishedFrom=P1D", (NEWEST,)),
    ("/articles?publishedBefore=P1D", ("ix_articles_oldest",)),
    ("/articles?updatedFrom=P1D", ("ix_articles_newest_updated",)),
    ("/articles?updatedBefore=P1D", ("ix_articles_oldest_updated",)),
    ("/articles?id=-ARTICLE", (NEWEST,)),
    ("/articles?page=3", (NEWEST,)),
    ("/articles?hasImage=false & hasRelated=true", ("sets",)),
    ("/facets?field=topic", ("ix_terms_field_public_count",)),
    ("/facets?field=topic & published=any", ("ix_terms_field_editor_count",)),
    ("/facets?topic=AI", ("sets",)),
    ("/timeline?interval=month", ("sets",)),
    ("/topics", ()),
    ("/topics/AI", ()),
    ("/providers", ()),
    ("/providers/one.example", ()),
    ("/links?url=https://example.org/1", ("urls", "urls of links", "ix_related_links_link_id")),
    ("/changes", ("ix_changes_public_revision_public_id", "articles by public id")),
    ("/changes?published=any", ("ix_changes_editor_revision_public_id", "articles by public id")),
    ("/feeds/articles.rss?topic=AI", ("of a term",)),
    ("/feeds/articles.json?publishedFrom=P1D", (NEWEST,)),
    ("/exports/articles.csv?topic=AI", ("of a term",)),
    ("/exports/articles.ndjson?sort=title", ("ix_articles_first_title",)),
    ("/health/ready", ()),
]
# These have a row, or as many as the site has topics and providers: reading and sorting all of them is quick.
SMALL_TABLES = {"catalogue", "alembic_version", "sources", "terms", "term_names", "topics", "providers"}
# A list of ids, as either database takes it; whoever reads by it has few enough to sort them.
BY_IDS = re.compile(r"json_each|= ANY \(CAST")


@dataclass
class Site:
    client: TestClient
    reader: Reader
    statements: list[Statement]
    article: str = ""
    plans: dict[str, str] = field(default_factory=dict)

    def ask(self, url: str) -> Any:
        path, _, query = url.replace("ARTICLE", self.article).partition("?")
        answered = self.client.get(f"{path}?{encoded(query)}".rstrip("?"), headers=EDITOR)
        assert answered.status_code == 200, answered.text
        return answered

    def explain(self) -> str:
        """The plans of all that was asked since, none of which has a fault."""
        statements, self.statements[:] = self.statements[:], []
        with self.reader.snapshot() as connection:
            for statement in statements:
                if statement.sql not in self.plans:
                    self.plans[statement.sql] = plan(connection, statement)
        plans = [self.plans[statement.sql] for statement in statements]
        for statement, found in zip(statements, plans, strict=True):
            assert faults(statement.sql, found) == [], f"{statement.sql}\n{found}"
        return "\n".join(plans)


def faults(sql: str, found: str) -> list[str]:
    """Lines of a plan that read or sort the whole of a table which may have millions of rows."""
    lines = found.splitlines()
    large = {table for table in re.findall(r"(?:FROM|JOIN) (\w+)", sql) if table not in SMALL_TABLES}
    scans = [line for line in lines if scanned_table(line) in large]
    if "LIMIT" in sql:
        # SQLite says SCAN, too, where it reads a page of an index from its beginning.
        scans = [line for line in scans if " INDEX " not in line]
    # Nobody mentions a page more often than can be sorted, or keeps more versions of it.
    is_bounded = BY_IDS.search(sql) or "ix_related_links_link_id" in found or "is_page" in sql
    # Names are counted first, and sorted only where they are few.
    is_bounded = is_bounded or large == {"name_words"}
    sorts = [line for line in lines if re.search(r"TEMP B-TREE|Sort  \(", line)]
    return scans + (sorts if large and not is_bounded else [])


def scanned_table(line: str) -> str | None:
    scan = re.search(r"SCAN (\w+)|Seq Scan on (\w+)", line)
    return scan and (scan[1] or scan[2])


def used(found: str, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if any(way in found for way in KEYS.get(name, (name,)))]


@pytest.fixture(scope="module")
def site(shared_world: World) -> Iterator[Site]:
    for number in range(300):
        shared_world.write(
            f"{number}.md",
            f"title: T{number}\nquality: {number % 9}\n"
            f"topics: [{'AI' if number % 3 else 'Space'}, T{number % 7}]\n"
            f"type: {'video' if number % 4 else 'article'}\nprovider: {{domain: one.example}}\n"
            f"publishedDateTime: 2020-06-{number % 28 + 1:02}\nwebUrl: https://example.org/{number}\n"
            f"related: [{{webUrl: 'https://example.org/{number // 2}'}}]",
            f"A story, the {number}th of all stories.",
        )
    shared_world.import_()
    with shared_world.engine.begin() as writing:
        writing.execute(text("ANALYZE"))
    # The database would not be asked for remembered answers.
    with (
        Reader(shared_world.engine.url.render_as_string(hide_password=False)) as reader,
        recording() as statements,
        service_of(shared_world, remembered_bytes=0) as client,
    ):
        article = answer(client, "/articles?limit=1")["items"][0]["id"]
        statements.clear()
        yield Site(client, reader, statements, article)


@pytest.mark.parametrize(("query", "names"), LISTS, ids=[query or "all" for query, _ in LISTS])
def test_a_page_is_read_in_order_from_one_index(site: Site, query: str, names: tuple[str, ...]) -> None:
    first = site.ask(f"/articles?{query}").json()
    assert first["total"] >= 75
    assert used(site.explain(), names) == list(names)
    following = answer(site.client, first["next"])
    assert used(site.explain(), names) == list(names), "next"
    assert answer(site.client, following["prev"])["items"] == first["items"]
    assert used(site.explain(), names) == list(names), "prev"


@pytest.mark.parametrize("query", SMALL_SETS)
def test_a_small_set_is_read_by_its_ids_and_sorted(site: Site, query: str) -> None:
    assert 0 < site.ask(f"/articles?{query}").json()["total"] < 20
    found = site.explain()
    assert used(found, ("articles by id",))
    assert "ix_articles_" not in found


@pytest.mark.parametrize(("url", "names"), OTHERS, ids=[url for url, _ in OTHERS])
def test_all_else_is_found_by_keys_and_indexes(site: Site, url: str, names: tuple[str, ...]) -> None:
    site.ask(url)
    assert site.statements
    found = site.explain()
    assert used(found, names) == list(names), found
    if url.startswith("/links"):
        assert NEWEST not in found, found


@pytest.mark.parametrize("audience", ["true", "any"])
def test_a_beginning_of_many_names_and_titles_is_read_in_order(
    site: Site, audience: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("FEW_NAMES", "MAX_NAMES_SORTED"):
        monkeypatch.setattr(f"app.catalog.suggestions.{limit}", 1)
    for limit in ("FEW_WORDS", "MAX_WORDS"):
        monkeypatch.setattr(f"app.catalog.index.titles.{limit}", 1)
    assert site.ask(f"/suggest?q=t & published={audience} & limit=50").json()["items"]
    count = {"true": "public_count", "any": "editor_count"}[audience]
    names = (f"ix_terms_field_{count}", "names of a term", NEWEST, "texts of words")
    found = site.explain()
    assert [name for name in names if name not in used(found, names)] == [], found


@pytest.mark.parametrize(
    "sql",
    ["SELECT item FROM articles", "SELECT id FROM articles WHERE published = 1 ORDER BY item LIMIT 9"],
    ids=["a scan", "a sort"],
)
def test_a_fault_would_be_seen(site: Site, sql: str) -> None:
    with site.reader.snapshot() as connection:
        assert faults(sql, plan(connection, Statement(sql, ())))
