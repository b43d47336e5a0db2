"""Links to many queries that differ in one or two parameters. The text of all others is made once."""

from urllib.parse import urlencode

from app.catalog.query import Query


class QueryLinks:
    """Links to a query with parameters of its own for each, which come after those of the field `after`."""

    def __init__(self, path: str, query: Query, *, after: str, without: frozenset[str] = frozenset()) -> None:
        names = tuple(type(query).model_fields)
        place = names.index(after) + 1
        first, last = _text(query, without.union(names[place:])), _text(query, without.union(names[:place]))
        self._before = f"{path}?{first}&" if first else f"{path}?"
        self._after = f"&{last}" if last else ""

    def link(self, parameters: str) -> str:
        """`parameters` is the text of at least one, quoted for a URL."""
        return self._before + parameters + self._after


def _text(query: Query, leave_out: frozenset[str]) -> str:
    return urlencode(query.parameters(leave_out=leave_out, keep_durations=True))
