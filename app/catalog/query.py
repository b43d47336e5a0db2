"""Which articles are asked for, and in what order: one frozen value for lists, feeds, files and cursors.

Its fields are the parameters of the API; what they mean to the database is in filters.
"""

from collections.abc import Iterable, Mapping, Set
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from app.catalog.audience import Published
from app.catalog.clauses import Clause
from app.catalog.fields import IN_WORDS, Clauses
from app.catalog.search_language import Search, read_search
from app.moments import before, duration_in_words, moment, rfc3339

Sort = Literal[
    "relevance",
    "-publishedDateTime",
    "publishedDateTime",
    "-updatedDateTime",
    "updatedDateTime",
    "-addedDateTime",
    "addedDateTime",
    "-quality",
    "quality",
    "-heat",
    "heat",
    "title",
    "-title",
]

# A long sentence has 500 characters; what is longer is a text, and no question.
MAX_SEARCH_CHARACTERS = 500
# Quality and heat are stored as 32-bit integers.
_MIN_NUMBER, _MAX_NUMBER = -(2**31), 2**31 - 1


class Moment(NamedTuple):
    """A point in time. `duration` is the text (`P7D`) it was counted back from now with, else None."""

    at: datetime
    duration: str | None


def read_moment(text: object) -> Moment:
    if isinstance(text, Moment):
        return text
    if not isinstance(text, str):
        raise ValueError("must be a date, a date and time, or a duration")
    try:
        if at := moment(text):
            return Moment(at, None)
        if at := before(datetime.now(UTC).replace(microsecond=0), text):
            return Moment(at, text)
    except ValueError:
        raise ValueError("must be a moment that exists, from the year 1 to 9999") from None
    raise ValueError(
        "must be a date (2020-06-11), a date and time (2020-06-11T00:07:00Z, + written as %2B) "
        "or a duration back from now (P7D)"
    )


def _read_boolean(text: object) -> object:
    if isinstance(text, str):
        return {"true": True, "false": False}.get(text, text if text not in ("", "0", "1") else "neither")
    return text


MomentText = Annotated[Moment, PlainValidator(read_moment), WithJsonSchema({"type": "string"})]
WholeNumber = Annotated[int, Field(ge=_MIN_NUMBER, le=_MAX_NUMBER)]
Boolean = Annotated[bool, BeforeValidator(_read_boolean)]


def _moment(condition: str, example: str) -> Any:
    return Field(
        None, description=f"{condition}: date, date and time, or duration back from now", examples=[example]
    )


# Values that are called otherwise than they are written, by parameter.
VALUES_IN_WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("published", "false"): "not published",
    ("published", "any"): "published or not",
    ("collapse", "url"): "URL",
}

CLAUSES = tuple(Clauses.model_fields)


class Query(BaseModel):
    """Frozen; the aliases are the API's parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)

    published: Published = Field("true", description="`false` and `any` need the editor's token")

    @property
    def is_bound_to_revision(self) -> bool:
        """True for relevance: a cursor in this order is valid for one revision."""
        return False

    @property
    def depends_on_clock(self) -> bool:
        """True if it has a duration back from now, so that it means something else tomorrow."""
        values = (getattr(self, name) for name in self.model_fields_set)
        return any(isinstance(value, Moment) and value.duration for value in values)

    def parameters(
        self, *, leave_out: Set[str] = frozenset(), keep_durations: bool = False
    ) -> tuple[tuple[str, str], ...]:
        """Pairs that read back as an equal query, without the fields to leave out and without defaults.

        A duration becomes the date it means now, unless it is kept: then a link means the same tomorrow.
        """
        pairs: list[tuple[str, str]] = []
        fields = type(self).model_fields
        for name in sorted(self.model_fields_set - leave_out, key=list(fields).index):
            field, value = fields[name], getattr(self, name)
            if value != field.default:
                values = value if name in CLAUSES else (value,)
                pairs += [(field.alias or name, parameter_text(value, keep_durations)) for value in values]
        return tuple(pairs)

    @classmethod
    def from_parameters(cls, parameters: Iterable[tuple[str, str]]) -> Self:
        """The query that has these parameters. Raises pydantic's ValidationError where there is none."""
        values: dict[str, Any] = {}
        for name, value in parameters:
            if name in CLAUSES:
                values.setdefault(name, []).append(value)
            else:
                values[name] = value
        return cls.model_validate(values)


class ArticleQuery(Clauses, Query):
    """The parameters that select and sort articles, the same in lists, counts, feeds and files."""

    model_config = ConfigDict(defer_build=False)

    descendants: Boolean = Field(False, description="A topic also means the topics below it")
    published_from: MomentText | None = _moment("Published then or later", "2020-06-01")
    published_before: MomentText | None = _moment("Published earlier", "2020-07-01")
    updated_from: MomentText | None = _moment("Updated then or later", "P7D")
    updated_before: MomentText | None = _moment("Updated earlier", "2020-07-01T12:00:00Z")
    added_from: MomentText | None = _moment("Added to the catalogue then or later", "P7D")
    added_before: MomentText | None = _moment("Added to the catalogue earlier", "2020-07-01")
    min_quality: WholeNumber | None = Field(None, description="Of at least this quality")
    max_quality: WholeNumber | None = Field(None, description="Of at most this quality")
    min_heat: WholeNumber | None = Field(None, description="Of at least this heat")
    max_heat: WholeNumber | None = Field(None, description="Of at most this heat")
    has_image: Boolean | None = Field(None, description="With images of their own, or without")
    has_related: Boolean | None = Field(None, description="With related links, or without")
    url: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="With this URL, however it is disguised; those that have it exactly so come first",
        examples=["https://www.python.org/"],
    )
    q: Annotated[str, Field(max_length=MAX_SEARCH_CHARACTERS)] | None = Field(
        None,
        description="In title, excerpt, content and names of topics, tags, authors, provider: words, "
        '`"a phrase"`, `-without` or `NOT without`, `either OR or`, `begin*`',
        examples=['mars "open source" -moon'],
    )
    collapse: Literal["story", "url"] | None = Field(
        None, description="Of each story, or of each URL, only the article that comes first"
    )
    sort: Sort | None = Field(
        None,
        description="`-` for descending; unknown values come last either way. "
        "By default `-publishedDateTime`, with `q` `relevance`",
        examples=["-quality"],
    )

    @property
    def order(self) -> Sort:
        return self.sort or self.default_order

    @property
    def is_bound_to_revision(self) -> bool:
        return self.order == "relevance"

    @property
    def search(self) -> Search | None:
        """None if `q` is missing or blank."""
        return read_search(self.q) if self.q and not self.q.isspace() else None

    @property
    def default_order(self) -> Sort:
        return "relevance" if self.search else "-publishedDateTime"

    def in_words(self, names: Mapping[tuple[str, str], str] = MappingProxyType({})) -> list[str]:
        """Every filter as a reader would say it:  ["about AI", "from 2020-01-01"].

        `names` are what the values of fields are called, where that is another text than the value.
        """
        words = []
        for name, template in IN_WORDS.items():
            value = getattr(self, name)
            if value == type(self).model_fields[name].default or not self._is_filter(name):
                continue
            for filter_value in value if name in CLAUSES else (value,):
                text = template[0 if filter_value else 1] if isinstance(template, tuple) else template
                words.append(text.format(_in_words(filter_value, name, names)))
        return words

    def _is_filter(self, name: str) -> bool:
        """False for a parameter that selects nothing here, though it is given."""
        match name:
            case "q":
                return self.search is not None
            case "descendants":
                return bool(self.topic)
            case _:
                return True

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.check_relevance()
        return self

    def check_relevance(self) -> None:
        """Refuses an order of relevance without words to compare with."""
        if self.sort == "relevance" and not self.search:
            raise PydanticCustomError(
                "relevance",
                "must not be relevance without q, the words to compare with",
                {"parameter": "sort"},
            )


def _in_words(value: object, parameter: str, names: Mapping[tuple[str, str], str]) -> str:
    match value:
        case Clause(values, anything, none_of):
            called = (names.get((parameter, name), name) for name in values)
            any_of = "anything" if anything else " or ".join(called)
            return f"not {any_of}" if none_of else any_of
        case Moment(at, duration):
            if duration:
                return f"{duration_in_words(duration)} ago"
            return _moment_text(at)
        case _:
            return VALUES_IN_WORDS.get((parameter, str(value)), str(value))


def _moment_text(at: datetime) -> str:
    """Midnight is written as the date that it begins."""
    return rfc3339(at).removesuffix("T00:00:00Z")


def parameter_text(value: object, keep_durations: bool) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Moment():
            return value.duration if keep_durations and value.duration else _moment_text(value.at)
        case _:
            return str(value)
