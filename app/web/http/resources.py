"""The settings, connections and threads that a process holds for all requests, closed in one place."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Self, TypeVar

from app.catalog.databases import Databases
from app.database.snapshots import Reader
from app.settings import Settings
from app.web.http.open_connections import OpenConnections, most_connections
from app.web.http.problems import unavailable
from app.web.http.request_log import RequestLog
from app.web.http.request_metrics import RequestMetrics

# Each thread has a connection of its own. One slow query holds up a quarter of the others, not all of them.
READING_THREADS = 4
# A download holds a connection and a snapshot; a third of the connections may go to downloads.
MAX_DOWNLOADS = 4

Result = TypeVar("Result")


class DownloadSlots:
    """Slots for files that are streamed, with a thread for each, so that downloads never block the lists."""

    def __init__(self) -> None:
        self._free = BoundedSemaphore(MAX_DOWNLOADS)
        self._threads = ThreadPoolExecutor(MAX_DOWNLOADS, thread_name_prefix="exporting")

    def acquire(self) -> None:
        """Raises a problem (503) if no slot is free."""
        if not self._free.acquire(blocking=False):
            raise unavailable(f"{MAX_DOWNLOADS} files are being sent already. Try again later.")

    def release(self) -> None:
        self._free.release()

    def run_on_thread(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Waits until running work is done."""
        self._threads.shutdown()


@dataclass(frozen=True, slots=True)
class Resources:
    """`is_local` means that the database is in this process (SQLite), so a query needs no network."""

    settings: Settings
    databases: Databases
    is_local: bool
    reading_threads: Executor
    download_slots: DownloadSlots
    connections: OpenConnections
    request_log: RequestLog
    request_metrics: RequestMetrics

    @classmethod
    def open(cls, settings: Settings) -> Self:
        databases = databases_of(settings)
        return cls(
            settings=settings,
            databases=databases,
            is_local=databases.dialect == "sqlite",
            reading_threads=ThreadPoolExecutor(READING_THREADS, thread_name_prefix="reading"),
            download_slots=DownloadSlots(),
            connections=OpenConnections(most_connections()),
            request_log=RequestLog(settings.log),
            request_metrics=RequestMetrics(),
        )

    def close(self) -> None:
        """Waits for the threads first, because their work needs the connections."""
        self.reading_threads.shutdown()
        self.download_slots.close()
        self.databases.close()


def databases_of(settings: Settings) -> Databases:
    standbys = Reader(settings.read_database_url, spreads=True) if settings.read_database_url else None
    return Databases(Reader(settings.database_url, read_only=settings.read_only), standbys)
