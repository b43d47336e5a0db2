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
    try:
        # First of all, and it loads nothing else: a container may be stopped while it starts.
        from app.interrupts import end_interrupted, raise_on_signals  # noqa: PLC0415

        raise_on_signals()
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


if __name__ == "__main__":
    main()
