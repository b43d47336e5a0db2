"""How the databases find what is asked: by the index that is meant, without a sort."""

from typing import Any

import pytest
from pyroaring import BitMap
from sqlalchemy import Connection, select, text

from app.catalog.audience import Published
from app.catalog.changes import rows_after
from app.catalog.facets import first_terms
from app.catalog.filters import matching
from app.catalog.index.conditions import Conditions, add_conditions
from app.catalog.index.search import has_prefix, has_stem, is_word, rows_of_words, texts_with_phrase
from app.catalog.index.sets import InRows, InSets, InSetsBetween
from app.catalog.index.walk import SetPages
from app.catalog.paging import BEGINNING, Place, StatementPages, page_statement
from app.catalog.query import ArticleQuery
from app.catalog.related import mentions, related_rows
from app.catalog.rolling import first_beyond
from app.catalog.tables import articles, related_links
from app.database import ids_value, reading_engine, snapshot
from tests.worlds import World

NEWEST, OF_TERM, OF_ARTICLE = "ix_articles_newest", "pk_article_terms", "ix_article_terms_article_id_term_id"

# Parameters, and the indexes that are meant to answer, in any order.
PAGES: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {NEWEST}),
    ({"sort": "publishedDateTime"}, {"ix_articles_oldest"}),
    ({"sort": "-updatedDateTime"}, {"ix_articles_newest_updated"}),
    ({"sort": "updatedDateTime"}, {"ix_articles_oldest_updated"}),
    ({"sort": "-quality"}, {"ix_articles_best"}),
    ({"sort": "quality"}, {"ix_articles_worst"}),
    ({"sort": "-heat"}, {"ix_articles_hottest"}),
    ({"sort": "heat"}, {"ix_articles_coolest"}),
    ({"sort": "title"}, {"ix_articles_first_title"}),
    ({"sort": "-title"}, {"ix_articles_last_title"}),
    ({"minQuality": "5"}, {NEWEST}),
    ({"topic": ["AI"]}, {OF_TERM}),
    ({"provider": ["one.example"]}, {OF_TERM}),
    ({"topic": ["AI"], "type": ["video"]}, {OF_TERM}),
    ({"topic": ["AI,Space"]}, {NEWEST}),
    ({"topic": ["-AI"]}, {NEWEST}),
    ({"topic": ["AI"], "sort": "-quality"}, {"ix_articles_best"}),
]
PLACES = {
    "first": BEGINNING,
    "next": Place((0, "a", "a"), backwards=False),
    "prev": Place((0, "a", "a"), backwards=True),
}


@pytest.fixture
def connection(world: World) -> Any:
    for number in range(300):
        world.write(
            f"{number}.md",
            f"title: T{number}\nquality: {number % 9}\n"
            f"topics: [{'AI' if number % 3 else 'Space'}, T{number % 7}]\n"
            f"type: {'video' if number % 4 else 'article'}\nprovider: {{domain: one.example}}\n"
            f"publishedDateTime: 2020-06-{number % 28 + 1:02}",
        )
    world.import_()
    with world.engine.begin() as writing:
        writing.execute(text("ANALYZE"))
    engine = reading_engine(world.engine.url.render_as_string(hide_password=False))
    with snapshot(engine) as reading:
        if reading.dialect.name == "postgresql":
            # Three hundred rows are sorted in no time; a million must be readable in order.
            for method in ("seqscan", "sort", "incremental_sort", "bitmapscan", "hashjoin", "mergejoin"):
                reading.execute(text(f"SET LOCAL enable_{method} = off"))
        yield reading
    engine.dispose()


def plan(connection: Connection, statement: Any, values: dict[str, Any]) -> str:
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    given = compiled.construct_params(values)
    positions = getattr(compiled, "positiontup", None)
    parameters = given if positions is None else tuple(given[name] for name in positions)
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    rows = connection.exec_driver_sql(explain + str(compiled), parameters)
    return "\n".join(str(row[-1]) for row in rows)


def check(plan: str, indexes: set[str]) -> None:
    for index in indexes:
        # What SQLite calls the primary key of a table without row ids.
        assert index in plan or (index == OF_TERM and "article_terms USING PRIMARY KEY" in plan), plan
    assert "TEMP B-TREE" not in plan, plan
    assert "Sort" not in plan, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("place", PLACES)
def test_a_page_is_read_in_order_from_one_index(connection: Connection, place: str) -> None:
    for given, indexes in PAGES:
        query = ArticleQuery.model_validate(given)
        found = matching(connection, query).listing()
        if isinstance(found, SetPages):
            [found] = found.index_order.ids_by_audience(connection.dialect.name, None)
        assert isinstance(found, StatementPages)
        listing = found
        at = PLACES[place]
        if at.keys and "title" in given.get("sort", ""):
            at = Place((b"a", *at.keys[1:]), at.backwards)
        keys = {f"key_{number}": key for number, key in enumerate(at.keys or ())}
        values = {**listing.values, **keys, "limit": 21, "offset": 0}
        check(plan(connection, page_statement(listing, at), values), indexes)


def test_what_a_duration_crosses_next_is_the_first_of_an_index(connection: Connection) -> None:
    for column in ("newest", "oldest", "newest_updated", "oldest_updated"):
        values = {"published": 1, "key": 0, "limit": 1}
        check(plan(connection, first_beyond(column), values), {f"ix_articles_{column}"})


def test_a_small_set_is_read_by_its_ids_and_sorted(connection: Connection) -> None:
    for sort in ("-publishedDateTime", "-quality", "title"):
        query = ArticleQuery.model_validate({"topic": ["AI"], "type": ["video"], "sort": sort})
        index_order = matching(connection, query).index_order
        [listing] = index_order.ids_by_audience(connection.dialect.name, BitMap([1, 2]))
        statement = page_statement(listing, BEGINNING)
        found = plan(connection, statement, {**listing.values, "limit": 21, "offset": 0})
        assert "INTEGER PRIMARY KEY (rowid=?)" in found or "pk_articles" in found, found


def test_one_article_and_what_it_mentions_are_found_by_their_keys(connection: Connection) -> None:
    conditions = Conditions()
    add_conditions(ArticleQuery(url="https://example.org/"), conditions)
    [with_url] = conditions.required
    assert isinstance(with_url, InRows)
    for statement in (
        select(articles.c.item).where(articles.c.public_id == "a"),
        related_rows().order_by(related_links.c.position),
        with_url.statement,
    ):
        found = plan(connection, statement, {"article_id": 1})
        check(found, set())
        assert "SCAN" not in found, found


def test_what_words_find_is_read_by_keys(connection: Connection) -> None:
    for which, values in (
        (has_stem, {"stem": "appl"}),
        (is_word, {"word": "apple"}),
        (has_prefix, {"word": "app", "last": "app\U0010ffff"}),
    ):
        found = plan(connection, rows_of_words(which), values)
        assert "word_articles" in found
        check(found, set())
        assert "SCAN" not in found, found
    dialect = connection.dialect.name
    found = plan(
        connection, texts_with_phrase(dialect), {"ids": ids_value(dialect, [1, 2]), "phrase": " a b "}
    )
    assert "article_words USING INTEGER PRIMARY KEY (rowid=?)" in found or "pk_article_words" in found, found


def test_the_most_frequent_of_all_are_read_from_the_end_of_an_index(connection: Connection) -> None:
    indexes: dict[Published, str] = {
        "true": "ix_terms_field_public_count",
        "any": "ix_terms_field_editor_count",
    }
    for published, index in indexes.items():
        found = plan(connection, first_terms(published), {"field": "topic", "size": 20})
        assert index in found, found


def test_who_mentions_a_url_is_found_from_the_url(connection: Connection) -> None:
    listing = mentions("https://example.org/", "true")
    found = plan(connection, listing.make().order_by(*listing.order).limit(21), {})
    assert "ix_related_links_link_id" in found, found
    assert "ix_articles_newest" not in found, found


def test_changes_are_read_in_order_each_with_its_article(connection: Connection) -> None:
    for for_editors, index in (
        (False, "ix_changes_public_revision_public_id"),
        (True, "ix_changes_editor_revision_public_id"),
    ):
        values = {"since": 0, "after_id": "", "limit": 100}
        found = plan(connection, rows_after(for_editors=for_editors), values)
        check(found, {index})
        assert "uq_articles_public_id" in found or "sqlite_autoindex_articles" in found, found


def test_the_sets_of_a_query_are_found_by_their_keys(connection: Connection) -> None:
    for part, values in (
        (InSets, {"kind": "topic", "key": 1}),
        (InSetsBetween, {"kind": "day", "first": 1, "last": 2}),
    ):
        found = plan(connection, part.statement(), values)
        assert "article_sets" in found
        check(found, set())
        assert "SCAN" not in found, found
