"""Problem details (RFC 9457) of everything that can go wrong. Knows which exist, not what causes them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app.errors import (
    DatabaseUnavailable,
    DatabaseUnusable,
    NoCatalogue,
    QueryTimedOut,
    ReadTooSlowly,
    SchemaOutdated,
    SheetTooLarge,
    StandbysBehind,
    TooManyWords,
)
from app.printable import printable

PROBLEM_MEDIA_TYPE = "application/problem+json"

# A hundred characters are enough to recognise a value; an error that repeats 8,000 helps nobody.
MAX_CHARACTERS_SHOWN = 100

# An advice may list the names of all parameters of a path.
MAX_ADVICE_CHARACTERS = 1_000

# A database may be back after five seconds, or a cache filled.
RETRY_AFTER_SECONDS = 5

# "about:blank" asks for the phrases of RFC 9110. Python 3.11 has older ones for 413, 414 and 422.
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    410: "Gone",
    413: "Content Too Large",
    414: "URI Too Long",
    422: "Unprocessable Content",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


ALLOWED_METHODS = "GET, HEAD, OPTIONS"


@dataclass(frozen=True, slots=True)
class ParameterError:
    """`detail` reads on after the parameter's name: "must be a whole number from 1 to 200"."""

    parameter: str
    value: str | None
    detail: str


class ProblemAnswer(Exception):
    """A problem that is raised anywhere and answered by the shell. `members` are further keys of the body."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    @property
    def title(self) -> str:
        return TITLES.get(self.status) or HTTPStatus(self.status).phrase

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        headers = {"Content-Type": PROBLEM_MEDIA_TYPE, **self.headers}
        return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]

    def body(self) -> bytes:
        details = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return json.dumps(details | self.members, ensure_ascii=False).encode()


def malformed() -> ProblemAnswer:
    return ProblemAnswer(400, "This is not a request of HTTP/1.1.")


def content_too_large() -> ProblemAnswer:
    return ProblemAnswer(413, "This service is read-only: send requests without a body.")


def uri_too_long() -> ProblemAnswer:
    return ProblemAnswer(414, "The address is too long: a request's head may have 64 kB.")


def headers_too_large() -> ProblemAnswer:
    return ProblemAnswer(431, "The header fields are too large: a request's head may have 64 kB.")


def unauthorized(detail: str, error: str | None = None) -> ProblemAnswer:
    """`error` is a code of RFC 6750; it is None if no token was sent."""
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return ProblemAnswer(401, detail, headers={"WWW-Authenticate": challenge})


def forbidden(detail: str) -> ProblemAnswer:
    return ProblemAnswer(403, detail)


def not_found(detail: str = "There is nothing at this address.") -> ProblemAnswer:
    return ProblemAnswer(404, detail)


def method_not_allowed(allowed: str) -> ProblemAnswer:
    return ProblemAnswer(405, f"This service is read-only: {allowed}.", headers={"Allow": allowed})


def not_acceptable(media_type: str) -> ProblemAnswer:
    return ProblemAnswer(406, f"This address answers with {media_type}, which the Accept header excludes.")


def gone(detail: str, first: str) -> ProblemAnswer:
    """`first` is the path where the client must begin again; it is in the body and in a `Link` header."""
    return ProblemAnswer(410, detail, headers={"Link": f'<{first}>; rel="first"'}, members={"first": first})


def unprocessable(*errors: ParameterError, detail: str | None = None) -> ProblemAnswer:
    """Lists all bad parameters. `detail` is for an error that no single parameter causes."""
    short_errors = [
        ParameterError(
            printable(error.parameter, MAX_CHARACTERS_SHOWN),
            None if error.value is None else printable(error.value, MAX_CHARACTERS_SHOWN),
            printable(error.detail, MAX_ADVICE_CHARACTERS),
        )
        for error in errors
    ]
    summary = detail or "; ".join(f"{error.parameter}: {error.detail}" for error in short_errors)
    return ProblemAnswer(422, summary, members={"errors": [asdict(error) for error in short_errors]})


def internal_error() -> ProblemAnswer:
    return ProblemAnswer(500, "The service failed at this request; its log says more.")


def unavailable(detail: str) -> ProblemAnswer:
    return ProblemAnswer(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


class BehindMinimum(ProblemAnswer):
    """The catalogue has not come to the revision that a request asks for: a wish, and no trouble of ours."""

    def __init__(self, revision: int, minimum: int) -> None:
        super().__init__(
            503,
            f"The catalogue is at revision {revision}; Minimum-Revision asks for {minimum}. Try again later.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS), "Catalogue-Revision": str(revision)},
        )


class ParameterProblem(BaseModel):
    parameter: str = Field(description="Its name, as it was sent", examples=["limit"])
    value: str | None = Field(
        description="What was sent, shortened; null where nothing was", examples=["201"]
    )
    detail: str = Field(
        description="What is wrong with it; reads on after the name",
        examples=["must be a whole number from 1 to 200"],
    )


class ProblemDetails(BaseModel):
    """Problem details of RFC 9457."""

    type: str = Field(description="Always `about:blank`: the status says it all", examples=["about:blank"])
    title: str = Field(description="The status in words", examples=["Not Found"])
    status: int = Field(description="The status of the answer", examples=[404])
    detail: str = Field(description="What went wrong here, and what to do")


class BadParameters(ProblemDetails):
    """Parameters that are unknown, given twice, or have a value that cannot be."""

    errors: list[ParameterProblem] = Field(description="All of them, one by one")


class Restart(ProblemDetails):
    """The place that a cursor or `since` names is gone."""

    first: str = Field(description="Where to begin again", examples=["/changes?since=0"])


PROBLEM_MODELS: tuple[type[BaseModel], ...] = (ParameterProblem, ProblemDetails, BadParameters, Restart)

_MEANINGS: dict[int, tuple[str, type[BaseModel]]] = {
    401: ("The editor's token is missing or wrong", ProblemDetails),
    403: ("This server shows nobody what is not published", ProblemDetails),
    404: ("There is no such thing, or the asker may not see it", ProblemDetails),
    406: ("The Accept header excludes what this address answers with", ProblemDetails),
    410: ("The place to go on from is gone; `first` is where to begin again", Restart),
    422: ("A parameter is unknown, given twice, or has a value that cannot be", BadParameters),
    500: ("The service failed", ProblemDetails),
    503: ("The database is away, or the question took too long; try again later", ProblemDetails),
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route. Models are references: FastAPI would give them the route's media type."""
    return {
        status: {
            "description": meaning,
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}},
        }
        for status, (meaning, model) in ((status, _MEANINGS[status]) for status in statuses)
    }


# Any path may answer with these, so routers declare them; a route declares only its own.
COMMON_PROBLEMS = problems(401, 406, 422, 500, 503)


def problem_from(error: Exception) -> ProblemAnswer:
    """The words of a database's error must stay in the log, because they may name a host or hold SQL."""
    match error:
        case ProblemAnswer():
            problem = error
        case HTTPException(status_code=404):
            problem = not_found()
        case HTTPException():
            problem = ProblemAnswer(error.status_code, error.detail, headers=error.headers)
        case QueryTimedOut():
            problem = unavailable("The answer took too long. Ask for less, or try again later.")
        case ReadTooSlowly():
            problem = unavailable(str(error))
        case SheetTooLarge():
            problem = unprocessable(detail=str(error))
        case TooManyWords():
            problem = unprocessable(ParameterError("q", None, str(error)))
        case NoCatalogue():
            problem = unavailable(f"{error} This server answers as soon as it is there.")
        case StandbysBehind():
            problem = unavailable("This server has nothing as new as what was told. Try again later.")
        case DatabaseUnavailable() | DatabaseUnusable() | SchemaOutdated():
            problem = unavailable("The catalogue is not available at the moment. Try again later.")
        case _:
            problem = internal_error()
    return problem
