"""Connections to PostgreSQL that give up on a server that hangs. Importing it loads psycopg.

A server limits the time of a question itself, and TCP notices a machine that is gone. One that hangs with its
sockets open, as on a disk that stands still, does neither: whoever asked would wait for as long as it hangs.
"""

from typing import Final

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus

from app.database import engines

# A server that is well answers when a question's time is over at the latest.
GRACE_SECONDS: Final = 4.0
# The interval in which psycopg looks for interrupts.
_INTERVAL_SECONDS: Final = 0.1


class ServerSilent(psycopg.OperationalError):
    """The server has said nothing for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the server has not answered for {seconds:g} s")
        self.silent_seconds = seconds


class ImpatientConnection(psycopg.Connection[tuple[object, ...]]):
    """Raises ServerSilent, and is closed then."""

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL_SECONDS, timeout: float | None = None) -> RV:
        seconds = engines.QUERY_SECONDS + GRACE_SECONDS if timeout is None else timeout
        try:
            return super().wait(gen, interval, seconds)
        except psycopg.OperationalError as error:
            # Other errors end the question.
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.close()
            raise ServerSilent(seconds) from error
