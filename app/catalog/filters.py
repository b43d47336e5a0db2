"""The way from a query to the articles that match it, in their order, and their number. Knows no HTTP.

All articles, and the newest of one term, are one range of an index, and the import counted them. Any other
query is a set of articles: its size is the total, and its pages are read along the index of its order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from app.catalog.audience import PUBLISHED_VALUES
from app.catalog.fields import FIELDS
from app.catalog.index.conditions import Conditions, add_conditions
from app.catalog.index.find import (
    ArticleSet,
    Collapse,
    Groups,
    Ranks,
    find,
    first_of_groups,
    pages_of,
    ranked_by_relevance,
    ranked_by_url,
    read_groups,
    read_repeats,
    unranked,
    words_without_articles,
)
from app.catalog.item_keys import items_with_keys
from app.catalog.orders import IndexOrder
from app.catalog.paging import Pageable, every_row
from app.catalog.query import ArticleQuery
from app.catalog.sort_keys import NEWEST, SORT_COLUMN
from app.catalog.story_lists import StoriesWith
from app.catalog.terms import FoundTerm, count_of_all, find_terms, with_descendants


@dataclass(slots=True)
class Selection:
    """The articles that match a query, read from one snapshot.

    `known_total` is the total where the import counted it, else None. `term` is the term whose articles these
    are, all of them and no others; None if there is no such term.
    """

    connection: Connection
    query: ArticleQuery
    conditions: Conditions
    index_order: IndexOrder
    known_total: int | None
    term: FoundTerm | None
    _articles: ArticleSet | None = field(default=None, init=False)
    _group_numbers: Groups | None = field(default=None, init=False)

    @property
    def selects_all(self) -> bool:
        """True if no condition narrows it, so the total is the sum of the sources' counts."""
        return not self.conditions

    @property
    def is_index_range(self) -> bool:
        """True if one index range is exactly the result."""
        if self.query.collapse:
            return False
        is_counted = self.selects_all or (
            self.known_total is not None and self.index_order.term_id is not None
        )
        return is_counted and len(PUBLISHED_VALUES[self.query.published]) == 1

    def articles(self) -> ArticleSet:
        """The articles' ids, read once."""
        if self._articles is None:
            self._articles = find(self.connection, self.conditions, self.query.published)
        return self._articles

    def total(self) -> int:
        if self.query.collapse:
            repeats = self._known_repeats(self.query.collapse)
            if self.known_total is None or repeats is None:
                return self._groups().count(self.articles())
            return self.known_total - repeats
        return len(self.articles()) if self.known_total is None else self.known_total

    def unfolded(self) -> "Selection":
        """The same articles where none is folded, as counts have them."""
        if not self.query.collapse:
            return self
        selection = replace(self, query=self.query.model_copy(update={"collapse": None}))
        selection._articles = self._articles
        return selection

    def stories(self) -> StoriesWith:
        """The stories that any of the articles is in."""
        groups = read_groups(self.connection, "story", self.query.published)
        return StoriesWith(self.query.published, self.articles(), groups, self._known_repeats("story"))

    def listing(self, max_item_characters: int | None = None) -> Pageable:
        """The articles in the query's order: rows of `list_columns`.

        Reading an index range raises PageTooLarge for more than `max_item_characters`.
        """
        if self.is_index_range:
            return self.index_order.range(max_item_characters)
        if self.query.collapse:
            return first_of_groups(self._ranks(), self.index_order, self._groups())
        return pages_of(self._ranks(), self.index_order)

    def every_item(self, fields: str | None = None, *, sees_all: bool = False) -> Iterator[str]:
        """All articles as lists show them, in the query's order and in constant memory.

        With `fields` they have only these keys, in this order; `sees_all` is an editor's.
        """
        rows = every_row(self.connection, self.listing())
        if fields is None:
            return (row.item for row in rows)
        items = items_with_keys(self.connection, rows, fields, sees_all=sees_all)
        return (item.text for item in items)

    def unknown_words(self) -> Sequence[str]:
        """The words of the query's `q` that nothing has which the asker may see."""
        return words_without_articles(self.connection, self.conditions, self.query.published)

    def _groups(self) -> Groups:
        if self._group_numbers is None:
            by, published = self.query.collapse or "story", self.query.published
            self._group_numbers = read_groups(self.connection, by, published)
        return self._group_numbers

    def _known_repeats(self, collapse: Collapse) -> int | None:
        """How many articles a folded list leaves out, where imports count it: for one term."""
        if self.term is None or self.query.published == "false":
            return None
        return read_repeats(self.connection, self.term.id, collapse, self.query.published)

    def _ranks(self) -> Ranks:
        if self.query.url:
            return ranked_by_url(self.connection, self.articles(), self.query.url)
        if self.query.order == "relevance":
            return ranked_by_relevance(self.connection, self.articles(), self.conditions.required)
        return unranked(self.articles())


def may_be_index_range(query: ArticleQuery) -> bool:
    """False where `matching(query).is_index_range` is surely false; asks nothing of the database."""
    clauses = [clause for field_ in FIELDS for clause in getattr(query, field_)]
    if (
        query.collapse
        or len(clauses) > 1
        or any(clause.none_of or len(clause.values) != 1 for clause in clauses)
    ):
        return False
    conditions = Conditions()
    add_conditions(query, conditions)
    return not conditions and not query.descendants and len(PUBLISHED_VALUES[query.published]) == 1


def matching(connection: Connection, query: ArticleQuery) -> Selection:
    """Resolves names first: a name that no term has, or none that the asker may see, matches nothing."""
    conditions = Conditions()
    add_conditions(query, conditions)
    has_only_terms = not conditions
    required_terms = _add_clauses(connection, query, conditions)
    known_total, term = None, None
    if not conditions:
        known_total = count_of_all(connection, query.published)
    elif has_only_terms and len(required_terms) == len(conditions.required) == 1 and not conditions.excluded:
        term = required_terms[0]
        known_total = term.count
    index_order = _index_order(connection, query, required_terms, known_total)
    return Selection(connection, query, conditions, index_order, known_total, term)


def _add_clauses(connection: Connection, query: ArticleQuery, conditions: Conditions) -> list[FoundTerm]:
    """Returns the terms of clauses that name exactly one, which every matching article has."""
    required_terms = []
    for field_ in FIELDS:
        for clause in getattr(query, field_):
            if clause.anything:
                conditions.add_any_term(field_, is_wanted=not clause.none_of)
                continue
            terms = [
                term
                for value in clause.values
                for term in find_terms(connection, field_, value, query.published)
            ]
            if field_ == "topic" and query.descendants:
                terms = with_descendants(connection, terms)
            by_id = {term.id: term for term in terms}
            conditions.add_terms(field_, tuple(by_id), is_wanted=not clause.none_of)
            if len(by_id) == 1 and not clause.none_of:
                required_terms.append(terms[0])
    return required_terms


def _index_order(
    connection: Connection, query: ArticleQuery, required_terms: list[FoundTerm], known_total: int | None
) -> IndexOrder:
    """The newest articles are read along the index of the rarest required term, which is the shortest."""
    column = SORT_COLUMN.get(query.order, NEWEST)
    if required_terms and column == NEWEST:
        rarest = min(required_terms, key=lambda term: term.count)
        return IndexOrder(column, rarest.id, query.published, rarest.count)
    length = known_total if known_total is not None and not required_terms else None
    if length is None:
        length = count_of_all(connection, query.published)
    return IndexOrder(column, None, query.published, length)
