"""How long work takes the processor, on whatever machine and beside whatever else. Knows no pytest."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import process_time
from typing import Final, TypeVar

Result = TypeVar("Result")

# Work that others disturb is tried again; what is too slow by itself is so each time.
_TRIES: Final = 3
# The limits in the tests are those of a machine that takes so long to count so far.
_COUNTED: Final = 1_000_000
_SECONDS_TO_COUNT: Final = 0.02


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """The result of work that may take so much of this process' time, and more where counting takes longer.

    Time in which others run is not counted, but a processor that is shared is slower by half and more.
    """
    needed = []
    for _ in range(_TRIES):
        began = process_time()
        result = work()
        needed.append(process_time() - began)
        if needed[-1] <= seconds or needed[-1] <= seconds * _slowness():
            return result
    raise AssertionError(f"took the processor {needed} s, and should take {seconds:g} s at most")


def _slowness() -> float:
    """How many times as long as usual the processor takes for anything; 1 where it is faster."""
    began = process_time()
    for _ in range(_COUNTED):
        pass
    return max(1.0, (process_time() - began) / _SECONDS_TO_COUNT)


def seconds_of(process: int) -> float:
    """What all threads of another process that run now have had of the processor."""
    nanoseconds = 0
    for thread in Path(f"/proc/{process}/task").iterdir():
        # A thread may end meanwhile.
        with suppress(OSError):
            nanoseconds += int((thread / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9
