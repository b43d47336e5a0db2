"""Which error becomes which problem: the framework's, and ours that a caller may act on."""

from starlette.exceptions import HTTPException

from app.errors import DatabaseUnavailable, QueryTimedOut, SchemaOutdated
from app.web.problems import ProblemAnswer, internal_error, not_found, unavailable


def problem_of(error: Exception) -> ProblemAnswer:
    """The error's own words stay in the log: they may name a host or hold SQL."""
    match error:
        case ProblemAnswer():
            return error
        case HTTPException(status_code=404):
            return not_found()
        case HTTPException():
            return ProblemAnswer(error.status_code, error.detail, headers=error.headers)
        case QueryTimedOut():
            return unavailable("The answer took too long. Ask for less, or try again later.")
        case DatabaseUnavailable() | SchemaOutdated():
            return unavailable("The catalogue is not available at the moment. Try again later.")
        case _:
            return internal_error()
