"""Says once that the catalogue cannot be read, and once that it can again. Knows no request."""

import logging
import time

log = logging.getLogger(__name__)

# A database that comes and goes within this is away all the time: two lines for each request would hide
# everything else.
QUIET_SECONDS = 1.0


class Outage:
    """For one process. Each of several workers tells of its own."""

    def __init__(self, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._quiet_seconds = quiet_seconds
        self._failed_at: float | None = None

    def failed(self, reason: str) -> None:
        if self._failed_at is None:
            log.error("The catalogue cannot be read, and whoever asks is answered 503: %s", reason)
        self._failed_at = time.monotonic()

    def worked(self) -> None:
        """Costs next to nothing while there is none."""
        if self._failed_at is not None and time.monotonic() - self._failed_at > self._quiet_seconds:
            self._failed_at = None
            log.warning("The catalogue can be read again.")
