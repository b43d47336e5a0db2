"""Lets queries of this process take long: on a machine that is busy any of them may. Knows no pytest.

It has to be imported before other modules of `app` take over the limit, so tests/__init__.py does it.
"""

from typing import Final

from app.database import engines

QUERY_SECONDS: Final = engines.QUERY_SECONDS
engines.QUERY_SECONDS = 120.0
