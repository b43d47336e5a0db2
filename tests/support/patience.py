"""Lets queries of this process take long: on a machine that is busy any of them may. Knows no pytest.

It has to be imported before other modules of `app` take over the limit, so tests/__init__.py does it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.database import engines

QUERY_SECONDS: Final = engines.QUERY_SECONDS
MANY_SECONDS: Final = 120.0
engines.QUERY_SECONDS = MANY_SECONDS


@contextmanager
def usual_patience() -> Iterator[None]:
    """Connections to PostgreSQL that are opened meanwhile have the service's own limit."""
    engines.QUERY_SECONDS = QUERY_SECONDS
    try:
        yield
    finally:
        engines.QUERY_SECONDS = MANY_SECONDS
