"""SIGINT and SIGTERM, which end a command: soon, or when it has said what it did. Knows no command."""

import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from select import select
from threading import Thread
from types import FrameType
from typing import Final, NoReturn

# What shells say of a program that SIGINT ended.
INTERRUPTED: Final = 130
# Rolling back takes milliseconds, and docker kills ten seconds after it asked.
SECONDS_TO_END: Final = 1.0

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_NOTHING_WRITTEN: Final = "interrupted, nothing written"
_COMMITTING: Final = "interrupted while it committed; import again to be sure"


@dataclass(slots=True)
class _Interrupt:
    has_come: bool = False
    must_wait: bool = False
    is_said: bool = False


_interrupt = _Interrupt()


def raise_on_signals() -> None:
    """From here on both raise KeyboardInterrupt.

    A process that is number 1, as in a container, gets no SIGTERM that it has no handler for.
    """
    for number in _SIGNALS:
        # Whoever started the command by nohup or in a script's background had them ignored, and meant it.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _handle)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    # Where memory does not suffice for a thread, the command says so by itself, or has no need of more.
    with suppress(RuntimeError):
        Thread(target=_end_in_time, args=(reader,), daemon=True).start()


def leave_signals() -> None:
    """As they were, for a server that handles them by itself."""
    signal.set_wakeup_fd(-1)
    if signal.getsignal(signal.SIGINT) == _handle:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) == _handle:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def hold_interrupts() -> None:
    """Before a commit: whoever interrupts it would be told that nothing was written, when it was."""
    _interrupt.must_wait = True


def release_interrupts() -> None:
    """After the report: raises KeyboardInterrupt if a signal has waited."""
    _interrupt.must_wait = False
    if _interrupt.has_come:
        raise KeyboardInterrupt


def end_interrupted(reason: str = "") -> NoReturn:
    """Other processes end with this one; Python would wait for what they are reading, and clean up aloud."""
    _interrupt.is_said = True
    # A terminal shows ^C at the beginning of the line.
    sys.stderr.write("\n" if sys.stderr.isatty() else "")
    sys.stderr.write(f"clippings: {reason or _NOTHING_WRITTEN}\n")
    for stream in (sys.stderr, sys.stdout):
        with suppress(OSError):
            stream.flush()
    os._exit(INTERRUPTED)


def _handle(number: int, frame: FrameType | None) -> None:
    came_before, _interrupt.has_come = _interrupt.has_come, True
    # Another one would break into what the first has begun: it is for `_end_in_time`.
    if not came_before and not _interrupt.must_wait:
        raise KeyboardInterrupt


def _end_in_time(reader: int) -> None:
    """A handler waits for the end of a call in C: SQLite waits for another import, or indexes for minutes."""
    os.read(reader, 1)
    # Whoever asks again does not wait for anything.
    is_asked_again = False
    while not is_asked_again:
        is_asked_again = bool(select([reader], [], [], SECONDS_TO_END)[0])
        if not _interrupt.must_wait:
            break
    # The database rolls back by itself, and processes that read end with this one.
    if not _interrupt.is_said:
        reason = _COMMITTING if _interrupt.must_wait else _NOTHING_WRITTEN
        os.write(sys.stderr.fileno(), f"clippings: {reason}\n".encode())
    os._exit(INTERRUPTED)
