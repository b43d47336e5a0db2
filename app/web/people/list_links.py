"""Links from a query to those beside it: less a filter, one more, in another order. Knows no request."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import time
from typing import Any, Final, Literal, get_args

from app.catalog.clauses import Clause
from app.catalog.facets import ValueCount
from app.catalog.fields import IN_WORDS, FieldName
from app.catalog.query import CLAUSES, VALUES_IN_WORDS, ArticleQuery, Moment
from app.catalog.timeline import Interval, next_start, start_of
from app.moments import duration_in_words, rfc3339
from app.names import fold
from app.pages.dates import bucket_in_words, moment_in_words
from app.pages.entries import PageLink, cut
from app.web import query_links
from app.web.paging import PRESENTATION, Paged
from app.web.people.frames import Pairs, address

TITLES: Final[dict[FieldName, str]] = {
    "topic": "Topics",
    "provider": "Providers",
    "author": "Authors",
    "type": "Types",
    "tag": "Tags",
    "category": "Categories",
    "locale": "Languages",
    "source": "Sources",
}
_SORTS: Final = {
    "relevance": "Best match",
    "-publishedDateTime": "Newest",
    "publishedDateTime": "Oldest",
    "-addedDateTime": "Last filed",
    "-updatedDateTime": "Last updated",
    "-quality": "Quality",
    "-heat": "Heat",
    "title": "Title",
}
_OTHER_SORTS: Final = {
    "addedDateTime": "First filed",
    "updatedDateTime": "First updated",
    "quality": "Lowest quality",
    "heat": "Lowest heat",
    "-title": "Title, Z to A",
}
# A chip is read at a glance; the address behind it is whole.
_MAX_CHIP_CHARACTERS: Final = 80


def pairs_of(query: ArticleQuery) -> Pairs:
    """The parameters that select and sort."""
    return [*query.parameters(leave_out=PRESENTATION, keep_durations=True)]


def paging_of(query: Paged) -> Pairs:
    """The parameters that say which part of the list a page has."""
    fields = type(query).model_fields
    values = {name: getattr(query, name) for name in ("limit", "cursor", "page")}
    return [(name, str(value)) for name, value in values.items() if value != fields[name].default]


def list_address(prefix: str, query: ArticleQuery, path: str = "/") -> str:
    return address(prefix + path, pairs_of(query))


def without(query: ArticleQuery, *names: str) -> ArticleQuery:
    """The query without these parameters, and without those that mean nothing alone."""
    defaults: dict[str, Any] = {name: type(query).model_fields[name].default for name in names}
    if "q" in names and query.sort == "relevance":
        defaults["sort"] = None
    return query.model_copy(update=defaults)


def without_clause(query: ArticleQuery, field: str, clause: Clause) -> ArticleQuery:
    clauses = tuple(other for other in getattr(query, field) if other != clause)
    # The topics below none mean nothing.
    rest = without(query, "descendants") if field == "topic" and not clauses else query
    return rest.model_copy(update={field: clauses})


def without_value(query: ArticleQuery, field: str, clause: Clause, names: Container[str]) -> ArticleQuery:
    """The query without a value of one of its clauses, which keeps its others. `names` are folded."""
    kept = tuple(value for value in clause.values if fold(value) not in names)
    if not kept:
        return without_clause(query, field, clause)
    clauses = tuple(
        replace(clause, values=kept) if other == clause else other for other in getattr(query, field)
    )
    return query.model_copy(update={field: clauses})


def chips_of(
    prefix: str, query: ArticleQuery, names: Mapping[tuple[str, str], str], path: str = "/"
) -> tuple[PageLink, ...]:
    """Each filter in words, with the address of the list at `path` without it.

    `names` are what the values of fields are called, where that is another text than the value.
    """
    chips = []
    if query.q and not query.q.isspace():
        chips.append((f"“{query.q}”", without(query, "q")))
    for field in CLAUSES:
        for clause in getattr(query, field):
            text = _clause_in_words(field, clause, names)
            chips.append((text, without_clause(query, field, clause)))
    dates: Sequence[tuple[str, str, str]] = (
        ("published_from", "published_before", ""),
        ("updated_from", "updated_before", "Updated "),
        ("added_from", "added_before", "Filed "),
    )
    for since, until, prefix_words in dates:
        if getattr(query, since) or getattr(query, until):
            words = prefix_words + _range_in_words(getattr(query, since), getattr(query, until))
            chips.append((words[0].upper() + words[1:], without(query, since, until)))
    shown = {"q", *CLAUSES, *(name for names_ in dates for name in names_[:2])}
    for name, template in IN_WORDS.items():
        value = getattr(query, name)
        if name in shown or value == type(query).model_fields[name].default:
            continue
        called = VALUES_IN_WORDS.get((name, str(value)), value)
        text = template[0 if value else 1] if isinstance(template, tuple) else template.format(called)
        chips.append((text[:1].upper() + text[1:], without(query, name)))
    return tuple(
        PageLink(cut(text, _MAX_CHIP_CHARACTERS), list_address(prefix, rest, path)) for text, rest in chips
    )


def sorts_of(prefix: str, query: ArticleQuery, *, has_quality: bool, has_heat: bool) -> tuple[PageLink, ...]:
    """Orders that say nothing here are left out: `quality` and `heat` where no article of the page has it."""
    current = query.order
    default = without(query, "sort").order
    sorts = dict(_SORTS)
    if not query.search:
        del sorts["relevance"]
    for sort, is_shown in (("-quality", has_quality), ("-heat", has_heat)):
        if not is_shown and sort != current:
            del sorts[sort]
    if current in _OTHER_SORTS:
        sorts[current] = _OTHER_SORTS[current]
    return tuple(
        PageLink(
            text,
            list_address(prefix, query.model_copy(update={"sort": None if sort == default else sort})),
            is_current=sort == current,
        )
        for sort, text in sorts.items()
    )


def folds_of(
    prefix: str, query: ArticleQuery, current: Literal["story", "url", "stories"] | None
) -> tuple[PageLink, ...]:
    """The same articles each, each story as one of its articles, and their stories."""
    whole = without(query, "collapse")
    folded = query.model_copy(update={"collapse": "story"})
    return (
        PageLink("Every article", list_address(prefix, whole), is_current=current is None),
        PageLink("Each story once", list_address(prefix, folded), is_current=current == "story"),
        PageLink(
            "Stories",
            # Stories have an order of their own.
            list_address(prefix, without(whole, "sort"), "/view/stories"),
            is_current=current == "stories",
        ),
    )


def value_links(
    prefix: str, query: ArticleQuery, field: FieldName, values: Sequence[ValueCount]
) -> tuple[PageLink, ...]:
    """The current values lead to the list without them, the others to the list narrowed to them."""
    narrowed = query_links.value_links(f"{prefix}/", query, field, values)
    current = {
        fold(value): clause
        for clause in getattr(query, field)
        if not clause.none_of
        for value in clause.values
    }
    links = []
    for value, narrowing in zip(values, narrowed, strict=True):
        text = cut(value.name, _MAX_CHIP_CHARACTERS)
        spellings = (fold(value.value), fold(value.name))
        clause = current.get(spellings[0]) or current.get(spellings[1])
        if clause:
            href = list_address(prefix, without_value(query, field, clause, spellings))
            links.append(PageLink(text, href, value.count, is_current=True))
        else:
            links.append(PageLink(text, narrowing, value.count))
    return tuple(links)


def _clause_in_words(field: str, clause: Clause, names: Mapping[tuple[str, str], str]) -> str:
    """ "Topic: AI or Python", "Topic: not AI", "Any author", "No author" """
    if clause.anything:
        return f"{'No' if clause.none_of else 'Any'} {field}"
    values = " or ".join(names.get((field, value), value) for value in clause.values)
    return f"{field.capitalize()}: {'not ' if clause.none_of else ''}{values}"


def _range_in_words(since: Moment | None, until: Moment | None) -> str:
    """ "June 2020" where the dates are just that month, else "from 3 June 2020 before 1 July 2020" """
    if since and until and not since.duration and not until.duration:
        start, end = since.at.date(), until.at.date()
        is_whole = all(moment.at.time() == time.min for moment in (since, until))
        for interval in get_args(Interval):
            if is_whole and next_start(start, interval) == end and start_of(start, interval) == start:
                return bucket_in_words(start, interval)
    words = [
        f"from {_moment_in_words(since)}" if since else "",
        f"before {_moment_in_words(until)}" if until else "",
    ]
    return " ".join(word for word in words if word)


def _moment_in_words(moment: Moment) -> str:
    if moment.duration:
        return f"{duration_in_words(moment.duration)} ago"
    return moment_in_words(rfc3339(moment.at))
