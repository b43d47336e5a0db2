"""Lets queries of this process take long: on a machine that is busy any of them may. Knows no pytest.

It has to be imported before other modules of `app` take over the limit, so tests/__init__.py does it.
"""

from typing import Final

from app.database import engines

QUERY_SECONDS: Final = engines.QUERY_SECONDS
READ_SESSION: Final = engines._READ_SESSION
_LONG_SECONDS: Final = 120.0

assert READ_SESSION.endswith(f" -c statement_timeout={QUERY_SECONDS * 1000:.0f}")
engines.QUERY_SECONDS = _LONG_SECONDS
engines._READ_SESSION = f"{READ_SESSION} -c statement_timeout={_LONG_SECONDS * 1000:.0f}"
