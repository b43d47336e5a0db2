"""SIGINT and SIGTERM: they end a command soon, or after its report if it has committed. Knows no command."""

import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from select import select
from threading import Thread
from types import FrameType
from typing import Final, NoReturn

# Shells report this status for a program that SIGINT ended.
INTERRUPTED: Final = 130
# Rolling back takes milliseconds; docker kills a process ten seconds after SIGTERM.
SECONDS_TO_END: Final = 1.0

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_NOTHING_WRITTEN: Final = "interrupted, nothing written"
_STOPPED: Final = "stopped before it served"
_COMMITTING: Final = "interrupted while it committed; import again to be sure"


@dataclass(slots=True)
class _Interrupt:
    has_come: bool = False
    must_wait: bool = False
    is_said: bool = False
    is_service: bool = False

    @property
    def status(self) -> int:
        """A service that stops as it is told has not failed, not even while it starts."""
        return 0 if self.is_service else INTERRUPTED

    @property
    def reason(self) -> str:
        if self.is_service:
            return _STOPPED
        return _COMMITTING if self.must_wait else _NOTHING_WRITTEN


_interrupt = _Interrupt()


def raise_on_signals(*, is_service: bool) -> None:
    """Makes both signals raise KeyboardInterrupt from here on.

    Process number 1, as in a container, needs the handler: without one the kernel drops its SIGTERM.
    """
    _interrupt.is_service = is_service
    for number in _SIGNALS:
        # nohup and a script's background jobs start a command with these signals ignored, on purpose.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _handle)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    # The command itself reports memory that does not suffice for a thread, or needs no more of it.
    with suppress(RuntimeError):
        Thread(target=_end_in_time, args=(reader,), daemon=True).start()


def leave_signals() -> None:
    """Restores the signals for a server that handles them itself."""
    signal.set_wakeup_fd(-1)
    if signal.getsignal(signal.SIGINT) == _handle:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
        # uvicorn raises the signal anew that has ended it, but who has stopped as told has not failed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def hold_interrupts() -> None:
    """Call it before a commit: an interrupt in it would report that nothing was written, when it was."""
    _interrupt.must_wait = True


def release_interrupts() -> None:
    """Call it after the report. Raises KeyboardInterrupt if a signal has waited."""
    _interrupt.must_wait = False
    if _interrupt.has_come:
        raise KeyboardInterrupt


def end_interrupted(reason: str = "") -> NoReturn:
    """Ends at once, and the workers with it: Python would wait for their files, and print tracebacks."""
    _interrupt.is_said = True
    # A terminal shows ^C at the beginning of the line, so ours begins on the next one.
    sys.stderr.write("\n" if sys.stderr.isatty() else "")
    sys.stderr.write(f"clippings: {reason or _interrupt.reason}\n")
    for stream in (sys.stderr, sys.stdout):
        with suppress(OSError):
            stream.flush()
    os._exit(_interrupt.status)


def _handle(number: int, frame: FrameType | None) -> None:
    came_before, _interrupt.has_come = _interrupt.has_come, True
    # A second signal would interrupt what the first one began; `_end_in_time` sees it.
    if not came_before and not _interrupt.must_wait:
        raise KeyboardInterrupt


def _end_in_time(reader: int) -> None:
    """Ends the process where Python's handler cannot run: a call in C (SQLite, an index) may take minutes."""
    os.read(reader, 1)
    # A second signal ends the wait, even for a commit.
    is_asked_again = False
    while not is_asked_again:
        is_asked_again = bool(select([reader], [], [], SECONDS_TO_END)[0])
        if not _interrupt.must_wait:
            break
    # The database rolls back by itself, and the workers end with this process.
    if not _interrupt.is_said:
        os.write(sys.stderr.fileno(), f"clippings: {_interrupt.reason}\n".encode())
    os._exit(_interrupt.status)
