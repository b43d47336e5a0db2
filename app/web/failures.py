"""Which error becomes which problem: the framework's, and ours that a caller may act on."""

from starlette.exceptions import HTTPException

from app.errors import (
    DatabaseUnavailable,
    DatabaseUnusable,
    NoCatalogue,
    QueryTimedOut,
    ReadTooSlowly,
    SchemaOutdated,
    TooManyWords,
)
from app.web.problems import (
    ParameterError,
    ProblemAnswer,
    internal_error,
    not_found,
    unavailable,
    unprocessable,
)


def problem_of(error: Exception) -> ProblemAnswer:
    """The words of a database's error stay in the log: they may name a host or hold SQL."""
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
        case TooManyWords():
            problem = unprocessable(ParameterError("q", None, str(error)))
        case NoCatalogue():
            problem = unavailable(f"{error} This server answers as soon as it is there.")
        case DatabaseUnavailable() | DatabaseUnusable() | SchemaOutdated():
            problem = unavailable("The catalogue is not available at the moment. Try again later.")
        case _:
            problem = internal_error()
    return problem
