"""Where the command begins, and ends in a line if the machine has too little memory or open files for it."""

import errno
import gc
import os
import sys
from typing import NoReturn

# The number is that of app.cli, which may be what cannot be loaded.
_NOT_DONE = 3
_EXHAUSTED = (errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN)


def main() -> NoReturn:
    _read_names_as_utf_8()
    try:
        # First of all, and it loads nothing else: a container may be stopped while it starts.
        from app.interrupts import end_interrupted, raise_on_signals  # noqa: PLC0415

        raise_on_signals(is_service=sys.argv[1:2] == ["serve"])
        # Modules stay: looking through them for garbage takes a tenth of the time to load them.
        gc.disable()
        from app.cli import main as run  # noqa: PLC0415  as said above

        gc.freeze()
        gc.enable()
        run()
    except KeyboardInterrupt:
        end_interrupted()
    except (MemoryError, SystemError):
        # CPython's own slip where memory ends while it loads a module:  "error return without exception set".
        reason = "out of memory"
    except ImportError as error:
        # A library could not be loaded, or memory or open files did not suffice for it.
        reason = str(error).rpartition(": ")[2]
    except OSError as error:
        if error.errno not in _EXHAUSTED:
            raise
        reason = error.strerror or "out of memory"
    sys.stderr.write(f"clippings: cannot go on: {reason}; nothing was written\n")
    sys.stderr.flush()
    # Memory may not suffice for Python to clean up, which it would tell of at length.
    os._exit(_NOT_DONE)


def _read_names_as_utf_8() -> None:
    """Starts anew in Python's UTF-8 mode where the locale has another encoding.

    Python reads file names by the locale: under tr_TR.ISO-8859-9 `ışık.md` would be another path, and so
    another article with another id than on every other machine. C and POSIX are UTF-8 by themselves.
    """
    # The variable is there if this was done already, and an option of Python won over it.
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  our own command


if __name__ == "__main__":
    main()
