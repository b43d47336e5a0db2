"""Other processes that read documents for an import, once there is enough to do for them."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from types import TracebackType
from typing import Self, TypeVar

from app.errors import ReadersLost
from app.interrupts import hold_interrupts, release_interrupts

P = TypeVar("P")


R = TypeVar("R")


# Each worker has no more parts waiting than these: their results are in memory.
PARTS_AHEAD = 3


# An import that ends for want of memory or files leaves semaphores to Python's tracker, which would tell of
# them below the line that says what happened.
_NO_WARNING_OF_SEMAPHORES = "ignore::UserWarning:multiprocessing.resource_tracker"


class Workers:
    """At most `limit` processes, none before `start`, none after the context ends."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        # Started afresh: a fork would share the connection to the database.
        if self.limit > 1 and not self._pool:
            os.environ.setdefault("PYTHONWARNINGS", _NO_WARNING_OF_SEMAPHORES)
            self._pool = ProcessPoolExecutor(self.limit, get_context("spawn"), initializer=_end_with_parent)

    def stop(self) -> None:
        """Returns at once; the processes need 0.3 s to exit."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def map(self, work: Callable[[P], R], parts: Iterable[P]) -> Iterator[R]:
        """The results in order, of some parts ahead. Without workers it is all done here, part by part.

        Raises ReadersLost where a worker was ended from outside.
        """
        if not self._pool:
            yield from map(work, parts)
            return
        ahead: deque[Future[R]] = deque()
        try:
            for part in parts:
                ahead.append(_submit(self._pool, work, part))
                if len(ahead) > self.limit * PARTS_AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        except BrokenProcessPool as error:
            raise ReadersLost(
                "A process that reads documents was ended, for want of memory perhaps."
            ) from error


def _submit(pool: ProcessPoolExecutor, work: Callable[[P], R], part: P) -> Future[R]:
    """A process that starts here inherits the mask: ^C is for the import, and the process ends with that.

    An interrupt waits until the process has been told what to do: half told, it would print a traceback.
    """
    hold_interrupts()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(work, part)
    except BrokenProcessPool:
        raise
    except RuntimeError as error:
        # No memory was left for a thread of the pool. A process that has just been started would print a
        # traceback when it finds our semaphores gone.
        for process in active_children():
            process.kill()
        raise MemoryError(str(error)) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        release_interrupts()


def _end_with_parent() -> None:
    """A process left alone would wait for work for ever after the import was killed."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
