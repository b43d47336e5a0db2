"""What is counted of requests, under OpenTelemetry's names. Knows routes by their templates.

With several workers each writes its numbers into files of a folder (prometheus-client's multiprocess mode),
so that whichever worker is asked tells those of all.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from prometheus_client import Gauge, Histogram

# The environment variable by which prometheus-client knows the workers' folder.
FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

# OpenTelemetry's advice, and two below it: most of our answers take less than its first 5 ms.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

# Prometheus asks every 15 s or so; the worker that is asked writes its own before.
WRITE_SECONDS: Final = 0.2

# A request wished for a revision that is yet to come: an answer 503 that tells of no trouble.
BEHIND_MINIMUM: Final = "behind_minimum_revision"
# OpenTelemetry's word for any other one: a client may invent methods, and each would be a series.
OTHER_METHOD: Final = "_OTHER"
_METHODS: Final = frozenset("GET HEAD OPTIONS POST PUT PATCH DELETE TRACE CONNECT".split())

_DURATION: Final = Histogram(
    "http_server_request_duration_seconds",
    "How long requests took, to the last byte that was handed to the system.",
    ("http_request_method", "http_route", "http_response_status_code", "error_type"),
    buckets=BUCKETS,
)
_ACTIVE: Final = Gauge(
    "http_server_active_requests",
    "Requests that are being answered.",
    multiprocess_mode="livesum",
)
_REMEMBERED: Final = Gauge(
    "clippings_remembered_bytes",
    "Memory that answers take which are given again, of all workers.",
    multiprocess_mode="livesum",
)


class _Waiting:
    """What was counted of one series since it was written."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0


class RequestMetrics:
    """Counts in lists, and writes them every now and then: prometheus-client takes 2 to 3 µs for a request.

    Only the event loop uses it.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str, int, str], _Waiting] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._remembered = 0

    @contextmanager
    def active(self) -> Iterator[None]:
        _ACTIVE.inc()
        try:
            yield
        finally:
            _ACTIVE.dec()

    def count(self, method: str, route: str, status: int, seconds: float, error_type: str) -> None:
        key = method, route, status, error_type
        waiting = self._waiting.get(key)
        if waiting is None:
            if method not in _METHODS:
                key = OTHER_METHOD, route, status, error_type
            waiting = self._waiting.setdefault(key, _Waiting())
        waiting.counts[bisect_left(BUCKETS, seconds)] += 1
        waiting.seconds += seconds
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WRITE_SECONDS, self.write)

    def write(self) -> None:
        """Brings what was counted into prometheus-client, whose histograms take single values alone."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, {}
        for (method, route, status, error_type), counted in waiting.items():
            series: Any = _DURATION.labels(method, route, str(status), error_type)
            for bucket, count in zip(series._buckets, counted.counts, strict=True):
                if count:
                    bucket.inc(count)
            series._sum.inc(counted.seconds)

    def remember(self, size: int) -> None:
        """Several services in one process, as in tests, add up."""
        _REMEMBERED.inc(size - self._remembered)
        self._remembered = size
