"""Logs once that the catalogue cannot be read, and once that it can be read again. Knows no request."""

import logging
import time

log = logging.getLogger(__name__)

# A database that is away again within a second counts as away all the time. Otherwise a database that comes
# and goes would fill the log with two lines for each request.
QUIET_SECONDS = 1.0


class Outage:
    """The state of one process: each worker logs its own outages."""

    def __init__(self, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._quiet_seconds = quiet_seconds
        self._failed_at: float | None = None

    def failed(self, reason: str) -> None:
        if self._failed_at is None:
            log.error("The catalogue cannot be read, and whoever asks is answered 503: %s", reason)
        self._failed_at = time.monotonic()

    def worked(self) -> None:
        """This is called for every request that is not answered by ready messages, so it must be quick."""
        if self._failed_at is not None and time.monotonic() - self._failed_at > self._quiet_seconds:
            self._failed_at = None
            log.warning("The catalogue can be read again.")
